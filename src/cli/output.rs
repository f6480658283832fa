//! What a verb prints.

use anyhow::Context;
use std::{
    fs,
    io::{self, Write},
    path::Path,
};

/// Prints a text to standard output, in colours where that is a terminal. Whoever reads it may stop early, as `head` does.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut output = anstream::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes a text to a file.
pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
