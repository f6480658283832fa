//! What a subcommand prints: an output that fails is an error or is passed over, never a panic.

use crate::campaign::visible::visible_lines;
use anyhow::Context;
use std::{
    fmt::Display,
    fs,
    io::{self, Write},
    path::Path,
};

/// Prints a text to standard output, in colours where that is a terminal. Whoever reads it may stop early, as `head` does.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut output = anstream::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("writing to standard output"),
    }
}

/// Prints a line to standard error. It is for the person at the terminal, whom nothing else reaches where that fails.
pub(super) fn note(line: impl Display) {
    let _ = writeln!(io::stderr(), "{}", visible_lines(&line.to_string()));
}

/// Writes a text to a file.
pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
