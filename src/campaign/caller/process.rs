//! A function's binary, in processes on this machine.

use super::{
    super::{
        local::{LocalEnvironment, LocalError},
        platform_report::PlatformReport,
        row::{Failure, FailureKind},
        runtime_api::Outcome,
    },
    Answer,
};
use hyper::body::Bytes;
use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Lambda's longest timeout: nothing bills a local call.
const TIMEOUT: Duration = Duration::from_secs(900);

/// A binary that is called; each slot has a process of its own.
#[derive(Debug)]
pub struct Process {
    path: PathBuf,
    /// Whether they log to standard error.
    logs: bool,
    environments: Mutex<HashMap<u32, LocalEnvironment>>,
}

impl Process {
    pub(super) fn new(path: &Path, logs: bool) -> Self {
        Self { path: path.to_owned(), logs, environments: Mutex::default() }
    }

    pub(super) async fn call(&self, slot: u32, payload: Bytes) -> Answer {
        self.invoke(slot, payload).await.unwrap_or_else(|error| Failure::from(error).into())
    }

    /// The environment is back in its place only after an outcome: one that has died, or whose caller has
    /// given up, is not asked again.
    async fn invoke(&self, slot: u32, payload: Bytes) -> Result<Answer, LocalError> {
        let kept = self.environments().remove(&slot);
        let (mut environment, init_ms) = match kept {
            Some(environment) => (environment, None),
            None => {
                let begin = Instant::now();
                let logs = if self.logs { Stdio::from(io::stderr()) } else { Stdio::null() };
                let mut environment = LocalEnvironment::start(&self.path, [("METRICS_SINK", "none")], logs).await?;
                environment.ready(TIMEOUT).await?;
                (environment, Some(milliseconds(begin.elapsed())))
            }
        };
        let begin = Instant::now();
        let outcome = environment.invoke(payload, TIMEOUT, TIMEOUT).await?;
        let report = PlatformReport {
            duration_ms: Some(milliseconds(begin.elapsed())),
            init_ms,
            max_memory_mb: environment.process_id().and_then(max_memory_mb),
            ..PlatformReport::default()
        };
        let id = environment.id().to_owned();
        self.environments().insert(slot, environment);
        let output = match outcome {
            Outcome::Response(payload) => Ok(payload),
            Outcome::Error(error) => Err(error.into()),
        };
        Ok(Answer { report: Some(report), environment: Some(id), ..Answer::of(output) })
    }

    /// Ends all processes.
    pub(in crate::campaign) fn end(&self) {
        self.environments().clear();
    }

    fn environments(&self) -> MutexGuard<'_, HashMap<u32, LocalEnvironment>> {
        self.environments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn milliseconds(duration: Duration) -> f64 {
    // To the microsecond; more is noise.
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// The largest resident set of a process so far, in MiB, as Lambda would count it.
fn max_memory_mb(process: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?;
    Some(kibibytes.parse::<u32>().ok()?.div_ceil(1024))
}

impl From<LocalError> for Failure {
    fn from(error: LocalError) -> Self {
        let kind = match error {
            LocalError::Timeout { .. } => FailureKind::Timeout,
            LocalError::Start { .. } | LocalError::Exit { .. } => FailureKind::Function,
        };
        Self::new(kind, error.to_string())
    }
}
