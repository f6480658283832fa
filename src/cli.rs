//! The command line: one verb a file, each with its arguments and its `run`.

mod calibrate;
mod call;
mod clean_up;
mod cold_share;
mod compare;
mod completions;
mod gate;
mod man;
mod output;
mod percent;
mod prices;
mod reaper;
mod report;
mod run;
mod unechoed;
mod volume;
mod workloads;

pub use reaper::Reaper;
pub use volume::{Volume, VolumeError};

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Should this AWS Lambda function run on arm64 or on x86_64?
#[derive(Debug, Parser)]
#[command(name = "duet", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(Box<run::Run>),
    Report(report::Report),
    Compare(compare::Compare),
    Gate(gate::Gate),
    CleanUp(clean_up::CleanUp),
    Calibrate(calibrate::Calibrate),
    Workloads(workloads::Workloads),
    Call(call::Call),
    Prices(prices::Prices),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Cli {
    /// Does what the arguments say.
    ///
    /// # Errors
    /// With the reason, written for the person at the terminal.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.verb {
            Verb::Run(verb) => return verb.run().await,
            Verb::Report(verb) => return verb.run().await,
            Verb::Compare(verb) => return verb.run(),
            Verb::Gate(verb) => return verb.run(),
            Verb::CleanUp(verb) => return verb.run().await,
            Verb::Calibrate(verb) => return verb.run(),
            Verb::Workloads(verb) => verb.run()?,
            Verb::Call(verb) => verb.run().await?,
            Verb::Prices(verb) => verb.run()?,
            Verb::Completions(verb) => verb.run()?,
            Verb::Man(verb) => verb.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
