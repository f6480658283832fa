//! Signals of Linux and macOS.

use std::{fs, io};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C, SIGTERM, and that the terminal is closed.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// None if it is ignored, as under `nohup`.
    hangup: Option<Signal>,
}

impl Signals {
    /// From now on these signals do not end the program.
    pub fn catch() -> io::Result<Self> {
        let hangup = (!is_ignored(SignalKind::hangup())).then(|| signal(SignalKind::hangup())).transpose()?;
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())?, hangup })
    }

    /// Waits for any of them.
    pub async fn any(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            Some(()) = async { self.hangup.as_mut()?.recv().await } => {}
        }
    }

    /// Waits for Ctrl-C alone; `None` if there will be no more.
    pub async fn interrupt(&mut self) -> Option<()> {
        self.interrupt.recv().await
    }
}

/// Whether this program was started with `signal` ignored; false if the operating system does not say.
fn is_ignored(signal: SignalKind) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & (1 << (signal.as_raw_value() - 1)) != 0
}
