//! The command line.

use clap::Parser;
use lambda_duet::cli::{Cli, Reaper};
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    if let Some(reaper) = Reaper::asked_for() {
        return reaper.run().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    Cli::parse().run().await.unwrap_or_else(|error| {
        eprintln!("duet: {error:#}");
        ExitCode::FAILURE
    })
}
