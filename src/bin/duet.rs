//! The command line.

use clap::Parser;
use lambda_duet::cli::Cli;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    Cli::parse().run().await.unwrap_or_else(|error| {
        eprintln!("duet: {error:#}");
        ExitCode::FAILURE
    })
}
