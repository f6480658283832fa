//! How far a campaign has come.

use crate::campaign::{
    journal::JournalError,
    manifest::Manifest,
    position::Position,
    row::Row,
    stopping_rules::{self, StoppingRule},
    totals::Totals,
};

/// How far a campaign has come, as its samples tell.
#[derive(Debug)]
pub struct Progress<'a> {
    pub(super) position: Position<'a>,
    pub(super) totals: Totals,
    pub(super) rules: Vec<Box<dyn StoppingRule>>,
}

impl<'a> Progress<'a> {
    /// That of a campaign which has these samples, and which the `extra` rules end beside those of its limits.
    ///
    /// # Errors
    /// When a sample cannot be read, or is none of this campaign.
    pub fn new(
        manifest: &'a Manifest,
        rows: impl Iterator<Item = Result<Row, JournalError>>,
        extra: Vec<Box<dyn StoppingRule>>,
    ) -> Result<Self, JournalError> {
        let mut rules = stopping_rules::rules(&manifest.limits, &manifest.plan, manifest.guessed_cost());
        rules.extend(extra);
        let mut progress = Self { position: Position::new(&manifest.plan), totals: Totals::default(), rules };
        for (index, row) in rows.enumerate() {
            let foreign = |reason| JournalError::Foreign { line: index as u64 + 1, reason };
            progress.add(&row?).map_err(foreign)?;
        }
        Ok(progress)
    }

    /// What the samples come to.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    pub(super) fn add(&mut self, row: &Row) -> Result<(), String> {
        self.position.settle(row)?;
        self.totals.add(row);
        self.rules.iter_mut().for_each(|rule| rule.observe(row));
        Ok(())
    }
}
