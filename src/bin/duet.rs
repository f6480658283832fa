//! The command line.

use clap::Parser;
use lambda_duet::{
    cli::{Cli, Reaper},
    protocol::control_characters::visible_lines,
};
use std::{
    io::{self, Write},
    process::ExitCode,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    if let Some(reaper) = Reaper::asked_for() {
        return reaper.run().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    Cli::parse().run().await.unwrap_or_else(|error| {
        // Arguments that are wrong together end the program as a wrong one does.
        if let Some(wrong) = error.downcast_ref::<clap::Error>() {
            wrong.exit();
        }
        // There is nowhere to report a failure of this.
        let _ = writeln!(io::stderr(), "duet: {}", visible_lines(&format!("{error:#}")));
        ExitCode::FAILURE
    })
}
