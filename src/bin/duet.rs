//! The command line.

use clap::Parser;
use lambda_duet::cli::{Cli, Guard};
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    if let Some(guard) = Guard::asked_for() {
        return guard.run().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    Cli::parse().run().await.unwrap_or_else(|error| {
        eprintln!("duet: {error:#}");
        ExitCode::FAILURE
    })
}
