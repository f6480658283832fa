//! Running hooks.

use super::{
    Hook, HookAction, Hooks,
    log::{HookLog, HookOutput},
    ongoing,
    program::HookProgram,
};
use crate::{
    campaign::{
        Auth, Target,
        aws::Session,
        caller::{CallOptions, Caller},
        failure::Failure,
        pauses,
    },
    protocol::display_as_serialized,
};
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    fmt,
    path::{self, Path, PathBuf},
    time::Duration,
};
use tokio::{sync::watch, time::timeout};

/// Which hook is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookKind {
    Before,
    After,
}

display_as_serialized!(HookKind);

/// One run of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookCall {
    pub kind: HookKind,
    /// Counted from 0, as samples have it.
    pub block: u64,
}

/// As messages name it, with blocks counted from 1, as people do.
impl fmt::Display for HookCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--{} of block {}", self.kind, self.block + 1)
    }
}

/// How a hook has ended that has not failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookEnd {
    Done,
    /// The campaign is to end, and so did the hook.
    Interrupted,
}

/// A hook has failed.
#[derive(Debug, thiserror::Error)]
#[error("{call} ({action}) {reason}")]
pub struct HookFailure {
    pub call: HookCall,
    /// What was run.
    pub action: String,
    /// What happened, in words that follow its name.
    pub reason: String,
}

/// A hook while it runs.
pub type RunningHook<'a> = LocalBoxFuture<'a, Result<HookEnd, HookFailure>>;

/// Runs the hooks of a campaign.
pub trait HookRunner: fmt::Debug {
    /// Runs a hook that the campaign has. If `stop` turns true meanwhile, `before` may end early, and `after` does not.
    fn run<'a>(&'a self, call: HookCall, stop: &'a watch::Receiver<bool>) -> RunningHook<'a>;
}

/// The hooks of a campaign, ready to be run.
#[derive(Debug)]
pub struct PreparedHooks {
    before: Option<PreparedHook>,
    after: Option<PreparedHook>,
    limit: Duration,
    /// The run directory.
    directory: PathBuf,
    log: HookLog,
}

#[derive(Debug)]
struct PreparedHook {
    action: String,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Function(Caller),
    Program(HookProgram),
}

impl PreparedHooks {
    /// Prepares the hooks of the campaign in `directory`; none is run yet.
    ///
    /// # Errors
    /// When a function cannot be called, or there is no current directory.
    pub async fn new(hooks: &Hooks, directory: &Path, session: &Session) -> Result<Self, Failure> {
        let prepared = async |hook: &Option<Hook>| match hook {
            Some(hook) => PreparedHook::new(hook, session).await.map(Some),
            None => Ok(None),
        };
        let whole = path::absolute(directory).map_err(|error| Failure::refused(error.to_string()))?;
        Ok(Self {
            before: prepared(&hooks.before).await?,
            after: prepared(&hooks.after).await?,
            limit: Duration::from_millis(hooks.timeout_ms),
            directory: whole,
            log: HookLog::new(directory),
        })
    }

    fn get(&self, kind: HookKind) -> Option<&PreparedHook> {
        match kind {
            HookKind::Before => self.before.as_ref(),
            HookKind::After => self.after.as_ref(),
        }
    }

    async fn run_one(
        &self,
        hook: &PreparedHook,
        call: HookCall,
        stop: &watch::Receiver<bool>,
    ) -> Result<HookEnd, HookFailure> {
        let failed = |reason| HookFailure { call, action: hook.action.clone(), reason };
        let title = format!("{call} (DUET_BLOCK={}): {}", call.block, hook.action);
        let unwritten = |error| format!("cannot be run, because what it prints cannot be kept: {error}");
        let mut output = self.log.begin(&title).map_err(|error| failed(unwritten(error)))?;
        let ended = match &hook.way {
            Way::Function(caller) => self.call(caller, call, &mut output).await,
            Way::Program(program) => program.run(call, &output, self.limit, &self.directory, stop).await,
        };
        ended.map_err(|reason| failed(reason + &output.shown()))
    }

    /// Calls a function, again after passing failures. Nothing interrupts that: it would run on.
    async fn call(&self, caller: &Caller, call: HookCall, output: &mut HookOutput) -> Result<HookEnd, String> {
        let payload = self.payload(call);
        let attempt = async || caller.call(0, payload.clone().into()).await.output;
        let answer = timeout(self.limit, pauses::repeated(attempt)).await;
        let answer = answer.map_err(|_| format!("gave no answer within {}", humantime::format_duration(self.limit)))?;
        let answer = answer.map_err(|failure| format!("failed: {failure}"))?;
        // Its answer is for people who look into the log, and nothing depends on it.
        let _ = output.add(&String::from_utf8_lossy(&answer));
        Ok(HookEnd::Done)
    }

    /// What a function is called with.
    fn payload(&self, HookCall { kind, block }: HookCall) -> String {
        let campaign = self.directory.file_name().map(|name| name.to_string_lossy());
        json!({ "source": "lambda-duet", "hook": kind, "block": block, "campaign": campaign }).to_string()
    }

    /// Notes which hook has to follow from now on.
    fn note_owed(&self, call: HookCall) {
        let after = HookCall { kind: HookKind::After, ..call };
        let owed = self.after.as_ref().filter(|_| call.kind == HookKind::Before);
        ongoing::owe(owed.map(|hook| format!("{after} ({})", hook.action)));
    }
}

impl HookRunner for PreparedHooks {
    fn run<'a>(&'a self, call: HookCall, stop: &'a watch::Receiver<bool>) -> RunningHook<'a> {
        Box::pin(async move {
            let ended = match self.get(call.kind) {
                Some(hook) => self.run_one(hook, call, stop).await,
                None => Ok(HookEnd::Done),
            };
            if matches!(ended, Ok(HookEnd::Done)) {
                self.note_owed(call);
            }
            ended
        })
    }
}

impl PreparedHook {
    async fn new(Hook { run, place, directory }: &Hook, session: &Session) -> Result<Self, Failure> {
        let directory = directory.as_deref().unwrap_or(Path::new("."));
        let way = match run {
            HookAction::Function(name) => {
                let target = Target::from(name.clone());
                let session = session.of_place(&target, place.as_ref());
                Way::Function(Caller::new(&target, CallOptions::new(Auth::None), &session).await?)
            }
            HookAction::Program(path) => Way::Program(HookProgram::at(path, directory)),
            HookAction::Command(command) => Way::Program(HookProgram::shell(command, directory)),
        };
        Ok(Self { action: run.to_string(), way })
    }
}
