//! What the hooks of this process have begun, for a program that ends without finishing it.

use super::super::lock;
use rustix::process::{Pid, Signal, kill_process_group};
use std::sync::Mutex;

/// What hooks have begun.
#[derive(Debug)]
struct Ongoing {
    /// The process group of the program that runs.
    group: Option<Pid>,
    /// The hook that has to follow.
    owed: Option<String>,
}

static ONGOING: Mutex<Ongoing> = Mutex::new(Ongoing { group: None, owed: None });

/// Kills the program that runs as a hook, if one does. Gives the hook that is left out or cut short, and should have
/// followed.
pub fn abandon() -> Option<String> {
    let mut ongoing = lock(&ONGOING);
    if let Some(group) = ongoing.group.take() {
        kill(group);
    }
    ongoing.owed.take()
}

/// Notes which hook has to follow; `None` if none has any more.
pub(super) fn owe(hook: Option<String>) {
    lock(&ONGOING).owed = hook;
}

/// The process group of a program that runs. When this is dropped, the whole group is killed, unless it may stay.
#[derive(Debug)]
pub(super) struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    /// The group that the process with this id leads.
    pub(super) fn of(leader: Option<u32>) -> Self {
        let group = leader.and_then(|leader| Pid::from_raw(leader.cast_signed()));
        lock(&ONGOING).group = group;
        Self(group)
    }

    /// Sends the signal of Ctrl-C.
    pub(super) fn interrupt(&self) {
        if let Some(group) = self.0 {
            // If all its processes have ended, the group does not exist.
            let _ = kill_process_group(group, Signal::INT);
        }
    }

    /// Leaves alone what the program has left running.
    pub(super) fn stay(mut self) {
        self.0 = None;
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        lock(&ONGOING).group = None;
        if let Some(group) = self.0 {
            kill(group);
        }
    }
}

fn kill(group: Pid) {
    // If all its processes have ended, the group does not exist.
    let _ = kill_process_group(group, Signal::KILL);
}
