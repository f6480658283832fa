//! `duet gate`

use super::{output, report::analysis_of, value_parsers};
use crate::{
    analysis::{
        analyze_samples::Options,
        gate::{self, Decision},
    },
    report::{gate::document, markdown, terminal},
};
use clap::Args;
use std::{path::PathBuf, process::ExitCode};

/// Exit code if the candidate is slower than allowed.
const SLOWER: u8 = 6;
/// Exit code if the result is inconclusive, or there is no verdict.
const UNDECIDED: u8 = 7;

/// Decides whether a change may pass, by exit code: for CI.
///
/// It passes if the whole interval of every cell lies below the limit, and fails if the interval of any cell lies above
/// it, with Holm's correction over all cells of all candidates. Without --baseline the candidate is compared with the baseline of the same
/// campaign; with it, with its own ratio to the baseline in an earlier campaign, so that drift of both sides cancels.
///
/// Exit codes: 0 pass, 6 slower than allowed, 7 inconclusive or no verdict, 1 an error, 2 wrong arguments.
#[derive(Debug, Args)]
pub struct GateArgs {
    /// The run directory.
    #[arg(value_name = "RUN")]
    directory: PathBuf,
    /// The run directory of an earlier campaign of the same cells.
    #[arg(long, value_name = "DIR")]
    baseline: Option<PathBuf>,
    /// The largest slowdown that passes, in percent, such as 5%.
    #[arg(long, value_name = "PERCENT", value_parser = value_parsers::slowdown)]
    max_slowdown: f64,
    /// Also write the decision as Markdown to this file, for a comment on a pull request.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Print the decision as JSON.
    #[arg(long)]
    json: bool,
}

impl GateArgs {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let options = Options::default();
        let run = analysis_of(&self.directory, &options)?;
        let earlier = self.baseline.as_deref().map(|directory| analysis_of(directory, &options)).transpose()?;
        let gate = gate::gate(&run, earlier.as_ref(), self.max_slowdown);
        if let Some(path) = &self.markdown {
            output::write(path, &markdown::render(&document(&gate)))?;
        }
        output::print_as(self.json, &gate, || terminal::full(&document(&gate)))?;
        Ok(match gate.decision {
            Decision::Pass => ExitCode::SUCCESS,
            Decision::Fail => ExitCode::from(SLOWER),
            Decision::Inconclusive | Decision::Withheld => ExitCode::from(UNDECIDED),
        })
    }
}
