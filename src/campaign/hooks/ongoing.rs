//! What the hooks of this process have begun, for a program that ends without finishing it.

use super::super::{lock, operating_system::ProcessGroup};
use std::sync::Mutex;

/// What hooks have begun.
#[derive(Debug)]
struct Ongoing {
    /// The process group of the program that runs.
    group: Option<ProcessGroup>,
    /// The hook that has to follow.
    owed: Option<String>,
}

static ONGOING: Mutex<Ongoing> = Mutex::new(Ongoing { group: None, owed: None });

/// Kills the program that runs as a hook, if one does. Gives the hook that is left out or cut short, and should have
/// followed.
pub fn abandon() -> Option<String> {
    let mut ongoing = lock(&ONGOING);
    if let Some(group) = ongoing.group.take() {
        group.kill();
    }
    ongoing.owed.take()
}

/// Notes which hook has to follow; `None` if none has any more.
pub(super) fn owe(hook: Option<String>) {
    lock(&ONGOING).owed = hook;
}

/// The process group of a program that runs. When this is dropped, the whole group is killed, unless it may stay.
#[derive(Debug)]
pub(super) struct KilledGroup(Option<ProcessGroup>);

impl KilledGroup {
    /// The group that the process with this id leads.
    pub(super) fn of(leader: Option<u32>) -> Self {
        let group = leader.and_then(ProcessGroup::led_by);
        lock(&ONGOING).group = group;
        Self(group)
    }

    /// Sends the signal of Ctrl-C.
    pub(super) fn interrupt(&self) {
        if let Some(group) = self.0 {
            group.interrupt();
        }
    }

    /// Leaves alone what the program has left running.
    pub(super) fn stay(mut self) {
        self.0 = None;
    }
}

impl Drop for KilledGroup {
    fn drop(&mut self) {
        lock(&ONGOING).group = None;
        if let Some(group) = self.0 {
            group.kill();
        }
    }
}
