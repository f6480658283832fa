//! How a campaign is asked to end from outside.

use super::INTERRUPTED;
use crate::{
    campaign::{
        cold::{Changes, VARIABLE},
        shell,
    },
    cli::output::note,
};
use std::{fs, future::poll_fn, io, path::Path, sync::Arc, task::Poll};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// Turns true on Ctrl-C, on the signal by which services are ended, and when the terminal is closed. The second of them
/// ends the program at once, after it has said what is still changed.
pub(super) fn interruption(changes: Arc<Changes>, directory: &Path) -> io::Result<watch::Receiver<bool>> {
    let mut signals = signals()?;
    let directory = directory.to_owned();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        any(&mut signals).await;
        stop.send_replace(true);
        if !changes.open().is_empty() {
            let functions = changes.open().join(" and ");
            note(format_args!("Ending: {functions} is being changed back; Ctrl-C again leaves it changed"));
        }
        any(&mut signals).await;
        if !changes.open().is_empty() {
            note(still_changed(&changes.open().join(" and "), "the program was ended meanwhile", &directory));
        }
        std::process::exit(INTERRUPTED.into());
    });
    Ok(stopped)
}

/// What is left changed, and how to change it back.
pub(super) fn still_changed(function: &str, reason: &str, directory: &Path) -> String {
    format!(
        "Still changed: {function} has the variable {VARIABLE} ({reason}); remove it with `duet clean-up {}`",
        shell::word(directory)
    )
}

fn signals() -> io::Result<Vec<Signal>> {
    let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
    // `nohup` has it ignored.
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

/// Whether this program was started with a signal ignored, as far as the operating system tells.
fn is_ignored(signal: SignalKind) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & (1 << (signal.as_raw_value() - 1)) != 0
}
