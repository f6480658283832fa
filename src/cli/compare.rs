//! `duet compare`

use super::{output, report::analysis_of, value_parsers::percent};
use crate::{
    analysis::{analyze_samples::Options, change},
    report::{change::document, terminal},
};
use clap::Args;
use std::{path::PathBuf, process::ExitCode};

/// Compares two campaigns in time: how the candidate's ratio to its baseline has changed, cell by cell.
///
/// Only that change is judged. The mean of each side is shown too, as is what else differs between the campaigns: a
/// change of a mean may come from the code or from drift of the fleet.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The run directory of the first campaign.
    #[arg(value_name = "RUN_A")]
    a: PathBuf,
    /// The run directory of the second campaign.
    #[arg(value_name = "RUN_B")]
    b: PathBuf,
    /// Changes of the ratio up to this size count as no change.
    #[arg(long, value_name = "PERCENT", default_value = "2%", value_parser = percent)]
    margin: f64,
    /// Print the changes as JSON.
    #[arg(long)]
    json: bool,
}

impl CompareArgs {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let options = Options { margin: self.margin, ..Options::default() };
        let changes = change::changes(&analysis_of(&self.a, &options)?, &analysis_of(&self.b, &options)?);
        output::print_as(self.json, &changes, || terminal::full(&document(&changes)))?;
        Ok(ExitCode::SUCCESS)
    }
}
