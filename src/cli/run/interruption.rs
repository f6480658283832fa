//! Signals that end a campaign.

use crate::{
    campaign::{configuration::COLD_START_VARIABLE, forced_cold_starts::ChangedFunctions, shell_quoting},
    cli::{
        output::note,
        signals::{INTERRUPTED, Signals},
    },
};
use std::{
    io,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// How long after the first signal Ctrl-C still counts as the same: shells, and programs that run others, pass on a
/// signal that the terminal has sent to all of them already.
const SAME: Duration = Duration::from_millis(500);

/// Turns true on Ctrl-C, on SIGTERM, and when the terminal is closed. Another Ctrl-C ends the program at once, after a
/// message that says what is still changed; the other signals never do.
pub(super) fn interruption(changes: Arc<ChangedFunctions>, directory: &Path) -> io::Result<watch::Receiver<bool>> {
    let mut signals = Signals::catch()?;
    let directory = directory.to_owned();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        signals.any().await;
        let begin = Instant::now();
        stop.send_replace(true);
        if !changes.open().is_empty() {
            let functions = changes.open().join(" and ");
            note(format_args!("Ending: changing back {functions}; Ctrl-C again leaves that undone"));
        }
        while signals.interrupt().await.is_some() {
            if begin.elapsed() < SAME {
                continue;
            }
            if !changes.open().is_empty() {
                note(still_changed(&changes.open().join(" and "), "the program was ended meanwhile", &directory));
            }
            std::process::exit(INTERRUPTED.into());
        }
    });
    Ok(stopped)
}

/// The message that a function is left changed, and how to restore it.
pub(super) fn still_changed(function: &str, reason: &str, directory: &Path) -> String {
    format!(
        "Still changed: {function} with the variable {COLD_START_VARIABLE} ({reason}); remove it with `duet clean-up {}`",
        shell_quoting::word(directory)
    )
}
