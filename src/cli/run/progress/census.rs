//! The display of a campaign's own census.

use super::ProgressDisplay;
use crate::{
    campaign::{
        census::{CensusRow, Observer, Tally},
        variants::{VariantIndex, Variants},
    },
    report::census::so_far,
};
use serde_json::{Value, json};
use std::{io, time::Duration};

impl ProgressDisplay<'_> {
    /// What is counted so far, a line for each variant.
    pub(super) fn lines_of_census(&self, tallies: &Variants<Tally>) -> Vec<String> {
        tallies.iter().map(|(variant, tally)| format!("census of {}", so_far(self.name(variant), tally))).collect()
    }

    pub(super) fn totals_of_census(&self, tallies: &Variants<Tally>) -> Value {
        let variants = tallies.map(|variant, tally| {
            json!({
                "name": self.name(variant),
                "environments": tally.count(),
                "calls": tally.calls,
                "failed": tally.failed,
                "throttled": tally.throttled,
                "cost_usd": tally.cost_usd,
            })
        });
        json!(variants)
    }

    fn show_census(&self, tallies: &Variants<Tally>) {
        if !self.bar.is_hidden() {
            self.bar.set_message(self.lines_of_census(tallies).join("\n"));
        }
    }
}

impl Observer for ProgressDisplay<'_> {
    fn round(&mut self, variant: VariantIndex, calls: u32, tallies: &Variants<Tally>) -> io::Result<()> {
        self.show_census(tallies);
        let round = tallies[variant].rounds + 1;
        self.event("census", json!({ "variant": self.name(variant), "round": round, "calls": calls }))
    }

    fn row(&mut self, row: &CensusRow, tallies: &Variants<Tally>) -> io::Result<()> {
        if let Some(failure) = &row.failure {
            self.show_failure(row.variant, "census", failure)?;
        }
        self.show_census(tallies);
        Ok(())
    }

    fn backoff(&mut self, variant: VariantIndex, pause: Duration) -> io::Result<()> {
        let body = json!({ "variant": self.name(variant), "pause_ms": pause.as_millis() as u64 });
        self.event("census-backoff", body)
    }
}
