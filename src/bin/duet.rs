//! The command line.

use clap::Parser;
use lambda_duet::{
    campaign::visible::visible_lines,
    cli::{Cli, Guard},
};
use std::{
    io::{self, Write},
    process::ExitCode,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    if let Some(guard) = Guard::asked_for() {
        return guard.run().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    Cli::parse().run().await.unwrap_or_else(|error| {
        // Nobody is left to be told where this fails.
        let _ = writeln!(io::stderr(), "duet: {}", visible_lines(&format!("{error:#}")));
        ExitCode::FAILURE
    })
}
