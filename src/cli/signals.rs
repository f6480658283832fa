//! Signals that end a subcommand.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(super) use unix::Signals;
#[cfg(windows)]
pub(super) use windows::Signals;

/// The exit code of a subcommand that was interrupted.
pub(super) const INTERRUPTED: u8 = 130;
