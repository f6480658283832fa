//! The command line: one verb a file, each with its arguments and its `run`.

mod call;
mod workloads;

use clap::{Parser, Subcommand};

/// Should this AWS Lambda function run on arm64 or on x86_64?
#[derive(Debug, Parser)]
#[command(name = "duet", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Workloads(workloads::Workloads),
    Call(call::Call),
}

impl Cli {
    /// Does what the arguments say.
    ///
    /// # Errors
    /// With the reason, written for the person at the terminal.
    pub async fn run(self) -> anyhow::Result<()> {
        match self.verb {
            Verb::Workloads(verb) => verb.run(),
            Verb::Call(verb) => verb.run().await,
        }
    }
}
