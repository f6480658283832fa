//! A function's binary as a process on this machine.

use super::runtime_api::{Outcome, RuntimeApi};
use hyper::body::Bytes;
use std::{
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

/// One execution environment: a process with a Runtime API of its own.
///
/// The process is killed when this is dropped.
#[derive(Debug)]
pub struct LocalEnvironment {
    process: Child,
    api: RuntimeApi,
    path: PathBuf,
    id: String,
}

/// Why a local binary gave no outcome.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// It could not be started.
    #[error("{path} cannot be started: {source}", path = .path.display())]
    Start {
        /// The binary.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// It ended instead of answering.
    #[error("{path} ended ({status}) before it answered", path = .path.display())]
    Exit {
        /// The binary.
        path: PathBuf,
        /// How it ended.
        status: ExitStatus,
    },
    /// It did not answer in time.
    #[error("{path} did not answer within {seconds} s", path = .path.display(), seconds = .timeout.as_secs_f64())]
    Timeout {
        /// The binary.
        path: PathBuf,
        /// The time it had.
        timeout: Duration,
    },
}

impl LocalEnvironment {
    /// Starts the binary at `path` with the variables that Lambda sets, and those of `variables`
    /// after them; nothing is inherited. Its logs go to `logs`.
    ///
    /// # Errors
    /// [`LocalError::Start`].
    pub async fn start(
        path: &Path,
        variables: impl IntoIterator<Item = (&str, &str)>,
        logs: Stdio,
    ) -> Result<Self, LocalError> {
        let failed = |source| LocalError::Start { path: path.to_owned(), source };
        let api = RuntimeApi::start().await.map_err(failed)?;
        let process = Command::new(path)
            .env_clear()
            .envs([
                ("AWS_LAMBDA_FUNCTION_NAME", "local"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"),
                ("AWS_LAMBDA_RUNTIME_API", &api.address()),
                ("AWS_REGION", "us-east-1"),
            ])
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(logs)
            .kill_on_drop(true)
            // Ctrl-C is for the program that calls, which has an answer to wait for.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        // The operating system gives a process's id to another one some day, but not at the same moment.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let id = format!("{}-{:x}", process.id().unwrap_or_default(), now.as_nanos());
        Ok(Self { process, api, path: path.to_owned(), id })
    }

    /// Waits until the binary asks for work, `time` at most.
    ///
    /// # Errors
    /// [`LocalError::Exit`] and [`LocalError::Timeout`].
    pub async fn ready(&mut self, time: Duration) -> Result<(), LocalError> {
        tokio::select! {
            ready = timeout(time, self.api.asked_for_work(1)) => {
                ready.map_err(|_| LocalError::Timeout { path: self.path.clone(), timeout: time })
            }
            status = self.process.wait() => Err(self.ended(status)),
        }
    }

    /// Sends one event, tells the binary to answer within `deadline`, and waits `patience` at most.
    ///
    /// # Errors
    /// [`LocalError::Exit`] and [`LocalError::Timeout`].
    pub async fn invoke(
        &mut self,
        event: impl Into<Bytes>,
        deadline: Duration,
        patience: Duration,
    ) -> Result<Outcome, LocalError> {
        let outcome = self.api.send(event, deadline);
        tokio::select! {
            outcome = timeout(patience, outcome) => match outcome {
                Ok(outcome) => Ok(outcome.expect("the Runtime API keeps what it has not settled")),
                Err(_) => Err(LocalError::Timeout { path: self.path.clone(), timeout: patience }),
            },
            status = self.process.wait() => Err(self.ended(status)),
        }
    }

    fn ended(&self, status: io::Result<ExitStatus>) -> LocalError {
        let path = self.path.clone();
        match status {
            Ok(status) => LocalError::Exit { path, status },
            Err(source) => LocalError::Start { path, source },
        }
    }

    /// A name that no other environment has, nor had in an earlier start of this program.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The process's id, until it has been waited for.
    pub fn process_id(&self) -> Option<u32> {
        self.process.id()
    }

    /// The Runtime API that the process talks to.
    pub fn api(&self) -> &RuntimeApi {
        &self.api
    }
}
