//! What a subcommand prints. A failure to write is an error or is ignored, never a panic.

use crate::campaign::control_characters::visible_lines;
use anyhow::Context;
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

/// Prints a line for the user to standard error. There is nowhere to report a failure of that.
pub(super) fn note(line: impl Display) {
    let _ = writeln!(io::stderr(), "{}", visible_lines(&line.to_string()));
}

pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
