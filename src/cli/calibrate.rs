//! `duet calibrate`

use super::output;
use crate::{
    analysis::calibration::{self, scenario::Scenario},
    report::{calibration as table, terminal},
};
use clap::Args;
use std::process::ExitCode;

/// Exit code if the estimator misses its aims.
const MISSED: u8 = 5;

/// Simulates campaigns on fleets whose truth is known, and prints how often the report errs.
///
/// For comparison it also evaluates a t test on all invocations, trimmed means, and looking at the result after every
/// block. Exit codes: 0 the aims are met, 5 they are not (docs/method.md defines them).
#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// The number of campaigns to simulate per scenario.
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(20..))]
    runs: u32,
    /// The seed of the simulation.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Print the outcomes as JSON.
    #[arg(long)]
    json: bool,
}

impl CalibrateArgs {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let mut outcomes = Vec::new();
        for scenario in Scenario::all() {
            let outcome = calibration::simulate(&scenario, self.runs, self.seed);
            // A scenario takes seconds, so each result is shown at once.
            if !self.json {
                let gap = if outcomes.is_empty() { "" } else { "\n" };
                let table = terminal::full(&[table::outcome(&outcome, outcomes.last())]);
                output::print(&format!("{gap}{table}"))?;
            }
            outcomes.push(outcome);
        }
        let missed = calibration::missed_aims(&outcomes);
        let conclusion = || format!("\n{}", terminal::full(&table::conclusion(&missed, self.runs)));
        output::print_as(self.json, &outcomes, conclusion)?;
        Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(MISSED) })
    }
}
