//! A census from its first call to its table.

use super::{preparation::Prepared, progress::CensusProgress};
use crate::{
    analysis::census_result::CensusResult,
    campaign::{
        census::{Census, CensusFile, CensusOutcome, FinishedCensus, Tally},
        forced_cold_starts::ColdStartForcer,
        shell_quoting,
        stop_request::unless_asked,
        variants::Variants,
    },
    cli::{
        output::{self, line, note},
        run::{preflight, still_changed},
        signals::INTERRUPTED,
    },
    report::{census as report, terminal, words::dollars},
};
use anyhow::Context;
use serde::Serialize;
use std::path::Path;
use tokio::sync::watch;

/// Exit code if a function is still changed.
const FAILED: u8 = 1;
/// Exit code if nothing but failures came of a function.
const FAILING: u8 = 3;

/// What `--json` prints.
#[derive(Serialize)]
struct Outcome<'a> {
    directory: &'a Path,
    reason: &'static str,
    #[serde(flatten)]
    result: &'a CensusResult,
}

impl Prepared<'_> {
    /// Makes rounds until the census is over, a limit is reached or `stop` turns true; prints what it has found. Gives the
    /// exit code.
    pub(super) async fn conduct(
        &self,
        directory: &Path,
        cold: &ColdStartForcer,
        (file, tallies): (CensusFile, Variants<Tally>),
        stop: &watch::Receiver<bool>,
        (json, plan): (bool, &str),
    ) -> anyhow::Result<u8> {
        line(format_args!("{plan}Calls go to {}", directory.display())).context("writing the output")?;
        let finished = match unless_asked(stop, self.make_ready(cold)).await {
            Some(ready) => {
                ready?;
                let mut progress = CensusProgress::new(self.manifest);
                let census = Census::new(self.manifest, &self.callers, cold, file, tallies, stop.clone());
                let finished = census.run(&mut progress).await;
                progress.clear();
                finished
            }
            None => FinishedCensus { end: Ok(CensusOutcome::Interrupted), tallies, still_changed: Vec::new() },
        };
        let FinishedCensus { end, tallies, still_changed: left } = finished;
        for (target, failure) in &left {
            note(still_changed(&target.to_string(), &failure.message, directory));
        }
        let resume = format!("continue with `duet census --resume {}`", shell_quoting::word(directory));
        let end = end.with_context(|| format!("the calls so far are kept; {resume}"))?;
        let result = CensusResult::new(self.manifest, &tallies);
        let said = match end {
            CensusOutcome::Over => "Complete.".to_owned(),
            CensusOutcome::Cost => {
                format!("Over: the next call might pass --max-cost {}.", dollars(self.manifest.plan.max_cost_usd))
            }
            CensusOutcome::Interrupted => format!("Interrupted: the calls so far are kept; {resume}."),
        };
        line(said).context("writing the output")?;
        let outcome = Outcome { directory, reason: reason(end), result: &result };
        output::print_as(json, &outcome, || terminal::full(&report::document(&result)))?;
        Ok(match end {
            _ if !left.is_empty() => FAILED,
            CensusOutcome::Interrupted => INTERRUPTED,
            _ if result.failing().next().is_some() => FAILING,
            CensusOutcome::Over | CensusOutcome::Cost => 0,
        })
    }

    /// Waits until the functions are ready, and restores what a killed campaign or census has left changed.
    async fn make_ready(&self, cold: &ColdStartForcer) -> anyhow::Result<()> {
        preflight::wait_until_ready(self.functions(), self.waking_payload()).await?;
        for (variant, caller) in self.callers.iter() {
            preflight::clean_up(&self.manifest.variants[variant].target, caller, cold).await?;
        }
        Ok(())
    }
}

fn reason(end: CensusOutcome) -> &'static str {
    match end {
        CensusOutcome::Over => "over",
        CensusOutcome::Cost => "max-cost",
        CensusOutcome::Interrupted => "interrupted",
    }
}
