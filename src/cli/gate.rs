//! `duet gate`

use super::{output, report::analysis_of};
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
/// it, with Holm's correction over cells. Without --baseline the candidate is compared with the baseline of the same
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
    #[arg(long, value_name = "PERCENT", value_parser = share)]
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
        output::print(&if self.json {
            serde_json::to_string_pretty(&gate)? + "\n"
        } else {
            terminal::full(&document(&gate))
        })?;
        Ok(match gate.decision {
            Decision::Pass => ExitCode::SUCCESS,
            Decision::Fail => ExitCode::from(SLOWER),
            Decision::Inconclusive | Decision::Withheld => ExitCode::from(UNDECIDED),
        })
    }
}

/// Reads `5%` as 0.05. 0%, no slowdown at all, is a limit too.
fn share(text: &str) -> Result<f64, String> {
    match text.strip_suffix('%').and_then(|it| it.parse::<f64>().ok()) {
        Some(percent) if (0.0..=1000.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("expected a percentage from 0% to 1000%, such as 5%".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_percentages() {
        assert_eq!((share("5%"), share("2.5%"), share("0%")), (Ok(0.05), Ok(0.025), Ok(0.0)));
        for text in ["", "%", "-1%", "nan", "inf", "5%%", "5", "fast"] {
            assert!(share(text).unwrap_err().contains("such as 5%"), "{text}");
        }
    }
}
