//! `duet completions`

use super::{Cli, output};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Prints a completion script, to be installed where the shell looks for them.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "duet", &mut script);
        output::print(&String::from_utf8(script)?)
    }
}
