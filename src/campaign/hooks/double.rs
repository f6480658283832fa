//! Hooks in memory, which follow a test's script in virtual time.

use super::{HookCall, HookEnd, HookFailure, HookKind, HookRunner, runner::RunningHook};
use crate::campaign::stop_request::unless_asked;
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::watch, time::sleep};

/// What a hook does.
#[derive(Clone, Copy, Debug)]
pub(in crate::campaign) enum HookAct {
    Succeed,
    Fail,
    /// It succeeds, after so long.
    TakeFor(Duration),
}

/// Hooks that write down what they do.
pub(in crate::campaign) struct FakeHooks {
    script: fn(HookCall) -> HookAct,
    events: Arc<Mutex<Vec<String>>>,
}

impl FakeHooks {
    pub fn new(events: &Arc<Mutex<Vec<String>>>, script: fn(HookCall) -> HookAct) -> Self {
        Self { script, events: Arc::clone(events) }
    }

    fn note(&self, event: String) {
        self.events.lock().unwrap().push(event);
    }

    async fn act(&self, call: HookCall, stop: &watch::Receiver<bool>) -> Result<HookEnd, HookFailure> {
        let HookCall { kind, block } = call;
        self.note(format!("{kind} {block}"));
        match (self.script)(call) {
            HookAct::Succeed => {}
            HookAct::Fail => {
                let (action, reason) = ("reset".to_owned(), "ended with exit status: 3".to_owned());
                return Err(HookFailure { call, action, reason });
            }
            HookAct::TakeFor(time) => {
                // Only one of them is interrupted.
                let (_never, no_stop) = watch::channel(false);
                let stop = if kind == HookKind::Before { stop } else { &no_stop };
                let is_done = unless_asked(stop, sleep(time)).await.is_some();
                self.note(format!("{kind} {block} {}", if is_done { "is done" } else { "is interrupted" }));
                return Ok(if is_done { HookEnd::Done } else { HookEnd::Interrupted });
            }
        }
        Ok(HookEnd::Done)
    }
}

impl fmt::Debug for FakeHooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hooks")
    }
}

impl HookRunner for FakeHooks {
    fn run<'a>(&'a self, call: HookCall, stop: &'a watch::Receiver<bool>) -> RunningHook<'a> {
        Box::pin(self.act(call, stop))
    }
}
