//! Ends the processes of a campaign on this machine when the program that started them is gone.
//!
//! A program that is killed (`kill -9`) ends nothing itself. So this one runs beside it, at the other end of a pipe, which
//! the kernel closes however the program ends; then it ends whatever that has started and not ended. It leads a process
//! group of its own, so that Ctrl-C does not reach it.

use crate::campaign::local::processes;
use anyhow::Context;
use std::{
    env, fs,
    io::{self, Read, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// What the program writes where it has ended in good order.
const IN_ORDER: &[u8] = b"done";

/// For how long processes are looked for that a program had just begun to start when it was killed.
const LATECOMERS: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_millis(20);

/// The variable by which this program starts itself as a reaper: the name of the run whose processes it is to end. A
/// subcommand would be offered to people by their shells.
const REAPS: &str = "LAMBDA_DUET_REAPS";

/// What it is called among processes, so that `pkill -9 duet` does not end it too.
const NAME: &str = "lambda-reaper";

/// What this program is when it has been started as a reaper.
#[derive(Debug)]
pub struct Reaper {
    owner: String,
}

impl Reaper {
    /// Whether it has been.
    pub fn asked_for() -> Option<Self> {
        env::var(REAPS).ok().map(|owner| Self { owner })
    }

    /// Ends the processes of that run as soon as standard input ends.
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

/// A reaper that is running; when this is dropped, nothing is left of what this program has started.
#[derive(Debug)]
pub(super) struct Reaped(Child);

impl Reaped {
    /// Starts a reaper of what this program starts.
    pub(super) fn start() -> anyhow::Result<Self> {
        let reaper = Command::new(env::current_exe().context("looking for this program")?)
            .arg0(NAME)
            .env_clear()
            .env(REAPS, processes::owner())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        Ok(Self(reaper.context("starting the reaper of the processes on this machine")?))
    }
}

impl Drop for Reaped {
    fn drop(&mut self) {
        // It does the same without the word, only later; and where it is gone, there is nobody to wait for.
        if let Some(mut words) = self.0.stdin.take() {
            let _ = words.write_all(IN_ORDER);
        }
        let _ = self.0.wait();
    }
}
