//! `duet report`

use crate::{
    analysis::{
        analyse::{Options, analyse},
        result::Analysis,
        samples::Samples,
    },
    campaign::journal,
};
use clap::Args;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Says what the samples of a campaign come to, also of one that is under way or was interrupted.
#[derive(Debug, Args)]
pub struct Report {
    /// The run directory.
    directory: PathBuf,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

/// The analysis of a run directory, whose samples are read one after the other.
pub(super) fn analysis_of(directory: &Path, options: &Options) -> anyhow::Result<Analysis> {
    let manifest = journal::manifest(directory)?;
    let mut samples = Samples::default();
    for row in journal::rows(directory)? {
        samples.add(&row?);
    }
    Ok(analyse(&manifest, &samples, options))
}

impl Report {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let analysis = analysis_of(&self.directory, &Options { margin: 0.02 })?;
        println!("{}", serde_json::to_string_pretty(&analysis)?);
        Ok(ExitCode::SUCCESS)
    }
}
