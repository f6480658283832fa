//! A function's binary, in processes on this machine.

use super::{
    super::{
        configuration::LONGEST_TIMEOUT_S,
        local::{LocalEnvironment, LocalError, Logs, variables::Variable},
        lock,
        operating_system::was_interrupted,
        platform_report::PlatformReport,
        row::{Failure, FailureKind},
        runtime_api::InvocationResult,
    },
    Answer, CallOptions,
};
use hyper::body::Bytes;
use std::{
    collections::HashMap,
    io, mem,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Mutex,
    time::{Duration, Instant},
};

/// The timeout of local calls, which nothing bills.
const TIMEOUT: Duration = Duration::from_secs(LONGEST_TIMEOUT_S as u64);

/// How long a process has for what it does after its last answer: as long as Lambda gives to a shutdown.
const PATIENCE: Duration = Duration::from_secs(2);

/// A binary that is called, with one process per slot.
#[derive(Debug)]
pub struct Process {
    path: PathBuf,
    /// The function's own variables.
    variables: Vec<Variable>,
    /// The file for the output of the processes; `None` for standard error.
    log: Option<PathBuf>,
    environments: Mutex<HashMap<u32, LocalEnvironment>>,
}

impl Process {
    pub(super) fn new(path: &Path, options: CallOptions<'_>) -> Self {
        Self {
            path: path.to_owned(),
            variables: options.variables.to_vec(),
            log: options.log.map(Path::to_owned),
            environments: Mutex::default(),
        }
    }

    pub(super) async fn call(&self, slot: u32, payload: Bytes) -> Answer {
        self.invoke(slot, payload).await.unwrap_or_else(|error| self.failure(&error).into())
    }

    /// The failure of a call without an outcome, with the file of its log.
    fn failure(&self, error: &LocalError) -> Failure {
        let is_timeout = matches!(error, LocalError::Timeout { .. });
        let kind = if is_timeout { FailureKind::Timeout } else { FailureKind::Function };
        let message = match (&self.log, error) {
            (Some(log), LocalError::Init { .. } | LocalError::Exit { .. } | LocalError::Timeout { .. }) => {
                format!("{error}; its log is {}", log.display())
            }
            _ => error.to_string(),
        };
        Failure::new(kind, message)
    }

    async fn start(&self) -> Result<LocalEnvironment, LocalError> {
        match self.start_once().await {
            // Ctrl-C reaches a process that has not left this program's group yet, and is not meant for it.
            Err(LocalError::Exit { status, .. }) if was_interrupted(status) => self.start_once().await,
            started => started,
        }
    }

    async fn start_once(&self) -> Result<LocalEnvironment, LocalError> {
        let logs = match &self.log {
            Some(path) => Logs::to_file(path).map_err(|source| LocalError::Log { path: path.clone(), source })?,
            None => Stdio::from(io::stderr()).into(),
        };
        let own = self.variables.iter().map(|variable| (variable.name.as_str(), variable.value.as_str()));
        let variables = [("METRICS_SINK", "none")].into_iter().chain(own);
        let mut environment = LocalEnvironment::start(&self.path, variables, logs).await?;
        environment.ready(TIMEOUT).await?;
        Ok(environment)
    }

    /// An environment is kept only after an outcome: one that has ended, or whose caller has given up, is not called
    /// again.
    async fn invoke(&self, slot: u32, payload: Bytes) -> Result<Answer, LocalError> {
        let kept = lock(&self.environments).remove(&slot);
        if let Some(mut environment) = kept {
            // What follows its last answer is no part of this call.
            environment.finish(TIMEOUT).await;
            let begin = Instant::now();
            match environment.invoke(payload.clone(), TIMEOUT, TIMEOUT).await {
                // It ended while it was idle. Lambda would start another one.
                Err(LocalError::Exit { .. }) if environment.is_idle() => {}
                outcome => {
                    let answer = self.answer(slot, environment, outcome?, begin.elapsed(), None);
                    return Ok(Answer { sent: Some(begin), ..answer });
                }
            }
        }
        let begin = Instant::now();
        let mut environment = self.start().await?;
        let init = begin.elapsed();
        let begin = Instant::now();
        let outcome = environment.invoke(payload, TIMEOUT, TIMEOUT).await?;
        Ok(self.answer(slot, environment, outcome, begin.elapsed(), Some(init)))
    }

    fn answer(
        &self,
        slot: u32,
        environment: LocalEnvironment,
        outcome: InvocationResult,
        duration: Duration,
        init: Option<Duration>,
    ) -> Answer {
        let report = PlatformReport {
            duration_ms: Some(rounded_ms(duration)),
            init_ms: init.map(rounded_ms),
            max_memory_mb: environment.max_memory_mb(),
            ..PlatformReport::default()
        };
        let id = environment.id().to_owned();
        lock(&self.environments).insert(slot, environment);
        let output = outcome.map_err(Failure::from);
        Answer { report: Some(report), environment: Some(id), ..Answer::from_output(output) }
    }

    /// Ends all processes, when each has done what it does after its answer.
    pub(in crate::campaign) async fn end(&self) {
        LocalEnvironment::end_all(self.take_all(), PATIENCE).await;
    }

    fn take_all(&self) -> impl Iterator<Item = LocalEnvironment> {
        mem::take(&mut *lock(&self.environments)).into_values()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        LocalEnvironment::kill_all(self.take_all());
    }
}

/// Milliseconds, rounded to the microsecond: the rest is noise.
fn rounded_ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
