//! What a subcommand prints. A failure to write is an error or is ignored, never a panic.

use crate::{campaign::run_directory, protocol::control_characters::visible_lines};
use anyhow::{Context, anyhow, bail};
use serde::Serialize;
use std::{
    fmt::Display,
    fs::{self, File},
    io::{self, Write},
    path::Path,
};
use tempfile::Builder;

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

/// Writes a file whole or not at all, in place of one that is there.
///
/// # Errors
/// When it cannot be written, or is something else than a file.
pub(super) fn write_whole<T>(path: &Path, write: impl FnOnce(&File) -> anyhow::Result<T>) -> anyhow::Result<T> {
    check(path)?;
    let writing = || format!("writing {}", path.display());
    // A link stays one.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let replaced = path.metadata().ok();
    if replaced.as_ref().is_some_and(|metadata| !metadata.is_file()) {
        return Err(anyhow!("it is not a regular file")).with_context(writing);
    }
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut unfinished = Builder::new();
    unfinished.prefix(".duet-export-");
    // As for any file, the umask takes away what is not wanted.
    #[cfg(unix)]
    unfinished.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let unfinished = unfinished.tempfile_in(directory).with_context(writing)?;
    if let Some(replaced) = replaced {
        unfinished.as_file().set_permissions(replaced.permissions()).with_context(writing)?;
    }
    let written = write(unfinished.as_file())?;
    unfinished.as_file().sync_all().with_context(writing)?;
    unfinished.persist(path).map_err(|error| error.error).with_context(writing)?;
    Ok(written)
}

/// Refuses to write over what cannot be measured again.
fn check(path: &Path) -> anyhow::Result<()> {
    if path.canonicalize().is_ok_and(|path| run_directory::is_part(&path)) {
        bail!("{} is part of a campaign: name another file", path.display());
    }
    Ok(())
}

pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    check(path)?;
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
