//! `duet man`

use super::Cli;
use clap::{Args, CommandFactory};
use std::{fs, path::PathBuf};

/// Writes the manual pages: duet(1) and one page per subcommand.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The directory for the pages; it must exist.
    directory: PathBuf,
}

impl ManArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        fs::metadata(&self.directory)?;
        clap_mangen::generate_to(Cli::command(), &self.directory)?;
        Ok(())
    }
}
