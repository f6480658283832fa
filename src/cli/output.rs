//! What a subcommand prints. A failure to write is an error or is ignored, never a panic.

use crate::protocol::control_characters::visible_lines;
use anyhow::Context;
use serde::Serialize;
use std::{
    fmt::Display,
    fs,
    io::{self, Write},
    path::Path,
};

/// Prints a text to standard output, with colours if that is a terminal. The reader may stop early, as `head` does.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut output = anstream::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("writing to standard output"),
    }
}

/// Prints `value` as JSON if that is asked for, else as `text`.
pub(super) fn print_as(json: bool, value: &impl Serialize, text: impl FnOnce() -> String) -> anyhow::Result<()> {
    print(&if json { serde_json::to_string_pretty(value)? + "\n" } else { text() })
}

/// Prints a line for the user to standard error.
pub(super) fn line(line: impl Display) -> io::Result<()> {
    writeln!(io::stderr(), "{}", visible_lines(&line.to_string()))
}

/// Prints a line like [`line`], if that is possible: there is nowhere to report a failure.
pub(super) fn note(text: impl Display) {
    let _ = line(text);
}

pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
