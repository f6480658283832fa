//! `duet report`

use crate::{analysis::overview::Overview, campaign::journal, report::overview};
use clap::Args;
use std::{path::PathBuf, process::ExitCode};

/// Summarises the samples of a campaign, also of one that is under way or was interrupted.
#[derive(Debug, Args)]
pub struct Report {
    /// The run directory.
    directory: PathBuf,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

impl Report {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let manifest = journal::manifest(&self.directory)?;
        let mut summary = Overview::default();
        for row in journal::checked_rows(&self.directory, &manifest)? {
            summary.add(&row?);
        }
        if self.json {
            println!("{}", serde_json::to_string_pretty(&summary.cells())?);
        } else {
            print!("{}", overview::summary(&manifest, &summary));
        }
        Ok(ExitCode::SUCCESS)
    }
}
