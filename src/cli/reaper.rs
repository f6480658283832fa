//! Ends the processes of a campaign on this machine when the program that started them is gone.
//!
//! A program that is killed (`kill -9`) cannot end its processes. The reaper runs beside it, at the other end of a pipe
//! that the kernel closes however the program ends, and then ends all processes that the program has left. It leads its
//! own process group, so that Ctrl-C does not reach it. It runs on Linux, where it finds those processes.

use crate::campaign::local::processes;
use anyhow::Context;
use std::{
    env, fs,
    io::{self, Read, Write},
    process::Child,
    thread,
    time::Duration,
};

/// What the program writes to the pipe if it ends in good order.
const IN_ORDER: &[u8] = b"done";

/// How long to look for processes that the program was just starting when it was killed.
const LATECOMERS: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_millis(20);

/// The variable by which this program starts itself as a reaper: it names the run whose processes are to end. (Shells
/// would offer a subcommand as a completion.)
const REAPS: &str = "LAMBDA_DUET_REAPS";

/// The name of its process, so that `pkill -9 duet` does not end it too.
const NAME: &str = "lambda-reaper";

/// This program, started as a reaper.
#[derive(Debug)]
pub struct Reaper {
    owner: String,
}

impl Reaper {
    /// The reaper, if this program has been started as one.
    pub fn asked_for() -> Option<Self> {
        env::var(REAPS).ok().map(|owner| Self { owner })
    }

    /// Ends the processes of the run as soon as standard input ends.
    ///
    /// # Errors
    /// When it cannot take its name, or standard input cannot be read.
    pub fn run(&self) -> io::Result<()> {
        fs::write("/proc/self/comm", NAME)?;
        let mut last_words = Vec::new();
        io::stdin().read_to_end(&mut last_words)?;
        processes::end_all_of(&self.owner);
        if last_words != IN_ORDER {
            for _ in 0..LATECOMERS.as_millis() / PAUSE.as_millis() {
                thread::sleep(PAUSE);
                processes::end_all_of(&self.owner);
            }
        }
        Ok(())
    }
}

/// A running reaper; when this is dropped, all processes that this program has started are ended.
#[derive(Debug)]
pub(super) struct Reaped(Option<Child>);

impl Reaped {
    /// Starts a reaper for the processes of this program.
    pub(super) fn start() -> anyhow::Result<Self> {
        reaper().context("starting the reaper of the processes on this machine").map(Self)
    }
}

#[cfg(target_os = "linux")]
fn reaper() -> io::Result<Option<Child>> {
    use std::{
        os::unix::process::CommandExt,
        process::{Command, Stdio},
    };
    Command::new(env::current_exe()?)
        .arg0(NAME)
        .env_clear()
        .env(REAPS, processes::owner())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map(Some)
}

#[cfg(not(target_os = "linux"))]
fn reaper() -> io::Result<Option<Child>> {
    Ok(None)
}

impl Drop for Reaped {
    fn drop(&mut self) {
        // Without this message the reaper only takes longer; if the reaper has ended already, there is nothing to wait
        // for.
        let Some(reaper) = &mut self.0 else { return };
        if let Some(mut words) = reaper.stdin.take() {
            let _ = words.write_all(IN_ORDER);
        }
        let _ = reaper.wait();
    }
}
