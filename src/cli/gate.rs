//! `duet gate`

use super::{
    bill::BillArgs,
    census_of_fleets::CensusOfFleets,
    output,
    report::{analysis_of, billed_analysis_of},
    value_parsers,
};
use crate::{
    analysis::{
        analyze_samples::Options,
        gate::{self, Decision},
        limits::{LatencyLimit, Limits},
    },
    report::{gate::document, markdown, terminal},
};
use clap::{ArgGroup, Args};
use std::{path::PathBuf, process::ExitCode};

/// Exit code if the candidate exceeds a limit.
const EXCEEDED: u8 = 6;
/// Exit code if the result is inconclusive, or there is no verdict.
const UNDECIDED: u8 = 7;

/// Decides whether a change may pass, by exit code: for CI.
///
/// It takes one condition or several: --max-slowdown, --max-cost-increase, --max-latency. A condition passes if the whole
/// interval of every cell lies below the limit, and fails if the interval of any cell lies above it, with Holm's
/// correction over all cells of all candidates; the gate passes if all conditions do, and fails if any does. Without --baseline the candidate is
/// compared with the baseline of the same campaign; with it, --max-slowdown compares it with its own ratio to the baseline
/// in an earlier campaign, so that drift of both sides cancels.
///
/// Exit codes: 0 pass, 6 beyond a limit, 7 inconclusive or no verdict, 1 an error, 2 wrong arguments.
#[derive(Debug, Args)]
#[command(group(
    ArgGroup::new("condition").args(["max_slowdown", "max_cost_increase", "max_latency"]).required(true).multiple(true)
))]
#[command(mut_arg("monthly_invocations", |arg| arg.requires("max_cost_increase")))]
#[command(mut_arg("cold_share", |arg| arg.requires("max_cost_increase")))]
#[command(mut_arg("free_tier", |arg| arg.requires("max_cost_increase")))]
#[command(mut_arg("prices", |arg| arg.requires("max_cost_increase")))]
pub struct GateArgs {
    /// The run directory.
    #[arg(value_name = "RUN")]
    directory: PathBuf,
    /// The run directory of an earlier campaign of the same cells, for --max-slowdown.
    #[arg(long, value_name = "DIR", requires = "max_slowdown", conflicts_with = "max_cost_increase")]
    baseline: Option<PathBuf>,
    /// The largest slowdown that passes, in percent, such as 5%.
    #[arg(long, value_name = "PERCENT", value_parser = value_parsers::increase)]
    max_slowdown: Option<f64>,
    /// By how much the candidate's bill of a month may be higher than the baseline's, in percent: 0% lets pass what is
    /// shown to cost no more.
    #[arg(long, value_name = "PERCENT", value_parser = value_parsers::increase)]
    max_cost_increase: Option<f64>,
    /// The longest time that calls of the candidate may take in any cell, such as 300ms: by their geometric mean, or by
    /// a percentile where p50=, p90=, p95= or p99= stands before it (p99=300ms: at most 1% of calls take longer). It is
    /// the time that the handler measures, else the duration as Lambda reports it; the client's time only where neither is
    /// known.
    #[arg(long, value_name = "[STATISTIC=]TIME", value_parser = value_parsers::latency_limit)]
    max_latency: Option<LatencyLimit>,
    #[command(flatten)]
    bill: BillArgs,
    #[command(flatten)]
    census: CensusOfFleets,
    /// Also write the decision as Markdown to this file, for a comment on a pull request.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Print the decision as JSON.
    #[arg(long)]
    json: bool,
}

impl GateArgs {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let limits = Limits { max_cost_increase: self.max_cost_increase, max_latency: self.max_latency };
        let options = Options { limits, ..Options::default() };
        let shows_bill = self.max_cost_increase.is_some();
        let run = billed_analysis_of(&self.directory, &self.bill, &self.census, options, shows_bill).await?;
        let earlier = self.baseline.as_deref();
        let earlier = earlier.map(|directory| analysis_of(directory, &Options::default())).transpose()?;
        let gate = gate::gate(&run, earlier.as_ref(), self.max_slowdown);
        if let Some(path) = &self.markdown {
            output::write(path, &markdown::render(&document(&gate)))?;
        }
        output::print_as(self.json, &gate, || terminal::full(&document(&gate)))?;
        Ok(match gate.decision {
            Decision::Pass => ExitCode::SUCCESS,
            Decision::Fail => ExitCode::from(EXCEEDED),
            Decision::Inconclusive | Decision::Withheld => ExitCode::from(UNDECIDED),
        })
    }
}
