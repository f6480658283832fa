//! The progress of a campaign.

use crate::campaign::{
    manifest::Manifest,
    position::Position,
    row::Row,
    run_directory::JournalError,
    stopping_rules::{LimitRule, StoppingRule},
    totals::Totals,
};

/// The progress of a campaign, as its samples tell.
#[derive(Debug)]
pub struct Progress<'a> {
    pub(super) position: Position<'a>,
    pub(crate) totals: Totals,
    pub(super) rules: Vec<Box<dyn StoppingRule>>,
}

impl<'a> Progress<'a> {
    /// The progress of a campaign with these samples, which the `extra` rules end besides its limits.
    ///
    /// # Errors
    /// When a sample cannot be read, or one is missing before it.
    pub fn new(
        manifest: &'a Manifest,
        rows: impl Iterator<Item = Result<Row, JournalError>>,
        extra: impl IntoIterator<Item = Box<dyn StoppingRule>>,
    ) -> Result<Self, JournalError> {
        let mut rules: Vec<Box<dyn StoppingRule>> = vec![Box::new(LimitRule::new(manifest))];
        rules.extend(extra);
        let totals = Totals::new(manifest.variants.count());
        let mut progress = Self { position: Position::new(manifest), totals, rules };
        for (line, row) in (1..).zip(rows) {
            let row = row?;
            progress.position.check(&row).map_err(|reason| JournalError::Foreign { line, reason })?;
            progress.add(&row);
        }
        progress.position.leave_ended();
        // A campaign is continued after what failed was mended.
        progress.totals.variants.iter_mut().for_each(|(_, totals)| totals.forgive());
        Ok(progress)
    }

    /// Takes in the sample of a remaining call.
    pub(super) fn add(&mut self, row: &Row) {
        self.position.settle(row);
        self.totals.add(row);
        if self.position.plan().census.is_some() {
            self.totals.note_measured(row);
        }
        self.rules.iter_mut().for_each(|rule| rule.observe(row));
    }
}
