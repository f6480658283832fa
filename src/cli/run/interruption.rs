//! Signals that end a campaign.

use super::INTERRUPTED;
use crate::{
    campaign::{
        cold::{ChangedFunctions, VARIABLE},
        shell_quoting,
    },
    cli::output::note,
};
use std::{
    fs,
    future::poll_fn,
    io,
    path::Path,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// How long after the first signal Ctrl-C still counts as the same: shells, and programs that run others, pass on a
/// signal that the terminal has sent to all of them already.
const SAME: Duration = Duration::from_millis(500);

/// Turns true on Ctrl-C, on SIGTERM, and when the terminal is closed. Another Ctrl-C ends the program at once, after a
/// message that says what is still changed; the other signals never do.
pub(super) fn interruption(changes: Arc<ChangedFunctions>, directory: &Path) -> io::Result<watch::Receiver<bool>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut others = others()?;
    let directory = directory.to_owned();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            () = any(&mut others) => {}
        }
        let begin = Instant::now();
        stop.send_replace(true);
        if !changes.open().is_empty() {
            let functions = changes.open().join(" and ");
            note(format_args!("Ending: changing back {functions}; Ctrl-C again leaves that undone"));
        }
        second(&mut interrupt, begin).await;
        if !changes.open().is_empty() {
            note(still_changed(&changes.open().join(" and "), "the program was ended meanwhile", &directory));
        }
        std::process::exit(INTERRUPTED.into());
    });
    Ok(stopped)
}

/// Waits for a Ctrl-C that is not a copy of the first signal.
async fn second(interrupt: &mut Signal, begin: Instant) {
    while interrupt.recv().await.is_some() {
        if begin.elapsed() >= SAME {
            return;
        }
    }
    // No more signals can come.
    std::future::pending::<()>().await;
}

/// The message that a function is left changed, and how to restore it.
pub(super) fn still_changed(function: &str, reason: &str, directory: &Path) -> String {
    format!(
        "Still changed: {function} with the variable {VARIABLE} ({reason}); remove it with `duet clean-up {}`",
        shell_quoting::word(directory)
    )
}

/// The signals besides Ctrl-C that end a campaign.
fn others() -> io::Result<Vec<Signal>> {
    let mut kinds = vec![SignalKind::terminate()];
    // `nohup` ignores it.
    if !is_ignored(SignalKind::hangup()) {
        kinds.push(SignalKind::hangup());
    }
    kinds.into_iter().map(signal).collect()
}

async fn any(signals: &mut [Signal]) {
    poll_fn(|context| {
        let is_there = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
        if is_there { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Whether this program was started with `signal` ignored; false if the operating system does not say.
fn is_ignored(signal: SignalKind) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & (1 << (signal.as_raw_value() - 1)) != 0
}
