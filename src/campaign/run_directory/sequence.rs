//! The order in which samples may follow each other.

use super::super::{manifest::Manifest, position::Position, row::Row};
use std::collections::HashSet;

/// What of a campaign has been read.
pub(super) enum Sequence<'a> {
    /// Calls of this program, in the order of a schedule.
    Scheduled(Box<Position<'a>>),
    /// Measurements from elsewhere, in any order, of these cells.
    Imported(&'a Manifest, HashSet<&'a str>),
}

impl<'a> Sequence<'a> {
    pub(super) fn new(manifest: &'a Manifest) -> Self {
        match &manifest.imported {
            None => Self::Scheduled(Box::new(Position::new(manifest))),
            Some(_) => Self::Imported(manifest, manifest.plan.cells.iter().map(|cell| cell.name.as_str()).collect()),
        }
    }

    /// Checks that a sample may come next.
    ///
    /// # Errors
    /// When it is not one of the campaign, or out of order.
    pub(super) fn follow(&mut self, row: &Row) -> Result<(), String> {
        match self {
            Self::Scheduled(position) => position.follow(row),
            Self::Imported(manifest, cells) => {
                if manifest.variants.get(row.variant).is_none() {
                    let count = manifest.variants.count();
                    return Err(format!("variant is {}; by campaign.json it is below {count}", row.variant));
                }
                if !cells.contains(row.cell.as_str()) {
                    return Err(format!("cell is {:?}, which campaign.json does not have", row.cell));
                }
                Ok(())
            }
        }
    }
}
