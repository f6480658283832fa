//! The command line: one subcommand a file, each with its arguments and its `run`.

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

use clap::Parser;
use std::process::ExitCode;

/// Should this AWS Lambda function run on arm64 or on x86_64?
#[derive(Debug, Parser)]
#[command(name = "duet", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    subcommand: Subcommand,
}

#[derive(Debug, clap::Subcommand)]
enum Subcommand {
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
        match self.subcommand {
            Subcommand::Run(subcommand) => return subcommand.run().await,
            Subcommand::Report(subcommand) => return subcommand.run().await,
            Subcommand::Compare(subcommand) => return subcommand.run(),
            Subcommand::Gate(subcommand) => return subcommand.run(),
            Subcommand::CleanUp(subcommand) => return subcommand.run().await,
            Subcommand::Calibrate(subcommand) => return subcommand.run(),
            Subcommand::Workloads(subcommand) => subcommand.run()?,
            Subcommand::Call(subcommand) => subcommand.run().await?,
            Subcommand::Prices(subcommand) => subcommand.run()?,
            Subcommand::Completions(subcommand) => subcommand.run()?,
            Subcommand::Man(subcommand) => subcommand.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
