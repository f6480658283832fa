//! Signals that end what is undone first.

use super::{
    output::note,
    signals::{INTERRUPTED, Signals},
};
use crate::campaign::hooks;
use std::{
    io,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// How long after the first signal Ctrl-C still counts as the same: shells, and programs that run others, pass on a
/// signal that the terminal has sent to all of them already.
const SAME: Duration = Duration::from_millis(500);

/// What must be undone before the program ends, in words.
#[derive(Clone, Debug)]
pub(super) struct Undoing {
    /// As what the program is doing then: "changing back lambda:x".
    pub doing: String,
    /// The message if the program ends without it, and how to undo it then.
    pub left: String,
}

/// Turns true on Ctrl-C, on SIGTERM, and when the terminal is closed. Another Ctrl-C ends the program at once, after a
/// message that says what is not undone; the other signals never do.
pub(super) fn interruption(
    undoing: impl Fn() -> Option<Undoing> + Send + 'static,
) -> io::Result<watch::Receiver<bool>> {
    let mut signals = Signals::catch()?;
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        signals.any().await;
        let begin = Instant::now();
        stop.send_replace(true);
        if let Some(Undoing { doing, .. }) = undoing() {
            note(format_args!("Ending: {doing}; Ctrl-C again leaves that undone"));
        }
        while signals.interrupt().await.is_some() {
            if begin.elapsed() < SAME {
                continue;
            }
            if let Some(hook) = hooks::abandon() {
                note(format_args!("Not run to its end: {hook}"));
            }
            if let Some(Undoing { left, .. }) = undoing() {
                note(left);
            }
            std::process::exit(INTERRUPTED.into());
        }
    });
    Ok(stopped)
}
