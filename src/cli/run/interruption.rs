//! Signals that end a campaign.

use super::INTERRUPTED;
use crate::{
    campaign::{configuration::COLD_START_VARIABLE, forced_cold_starts::ChangedFunctions, shell_quoting},
    cli::output::note,
};
use std::{
    fs, io,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// How long after the first signal Ctrl-C still counts as the same: shells, and programs that run others, pass on a
/// signal that the terminal has sent to all of them already.
const SAME: Duration = Duration::from_millis(500);

/// Turns true on Ctrl-C, on SIGTERM, and when the terminal is closed. Another Ctrl-C ends the program at once, after a
/// message that says what is still changed; the other signals never do.
pub(super) fn interruption(changes: Arc<ChangedFunctions>, directory: &Path) -> io::Result<watch::Receiver<bool>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    // `nohup` ignores the signal of a closed terminal.
    let mut hangup = (!is_ignored(SignalKind::hangup())).then(|| signal(SignalKind::hangup())).transpose()?;
    let directory = directory.to_owned();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            Some(()) = async { hangup.as_mut()?.recv().await } => {}
        }
        let begin = Instant::now();
        stop.send_replace(true);
        if !changes.open().is_empty() {
            let functions = changes.open().join(" and ");
            note(format_args!("Ending: changing back {functions}; Ctrl-C again leaves that undone"));
        }
        while interrupt.recv().await.is_some() {
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

/// Whether this program was started with `signal` ignored; false if the operating system does not say.
fn is_ignored(signal: SignalKind) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & (1 << (signal.as_raw_value() - 1)) != 0
}
