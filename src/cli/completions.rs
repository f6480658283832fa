//! `duet completions`

use super::Cli;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::io;

/// Prints the completions of a shell, to be put where that shell looks for them.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) {
        clap_complete::generate(self.shell, &mut Cli::command(), "duet", &mut io::stdout());
    }
}
