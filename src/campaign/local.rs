//! A function's binary as a process on this machine.

pub(crate) mod processes;
pub(crate) mod variables;

use super::{
    operating_system::{NEEDED_VARIABLES, NO_PROGRAM_FORMAT, lead_group},
    runtime_api::{FunctionError, InitError, InvocationResult, RuntimeApi},
    target,
};
use futures_util::future::join_all;
use hyper::body::Bytes;
use std::{
    collections::HashMap,
    env,
    fs::File,
    io,
    path::{self, Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

/// The most lines of a stack trace that a message shows, and the most characters of each.
const TRACE_LINES: usize = 3;
const TRACE_LINE: usize = 200;

/// One execution environment: a process with its own Runtime API.
///
/// When this is dropped, the process and all that it has started are killed (`processes`), whatever they do;
/// [`Self::end_all`] lets them finish.
#[derive(Debug)]
pub struct LocalEnvironment {
    process: Child,
    api: RuntimeApi,
    path: PathBuf,
    id: String,
    leader: u32,
    /// How many events it has been sent.
    invocations: u64,
    /// `None` once its processes have been ended.
    log_stream: Option<String>,
}

/// Where a binary's output goes.
#[derive(Debug)]
pub struct Logs {
    output: Stdio,
    error: Stdio,
}

impl From<Stdio> for Logs {
    /// Standard output to `output`, standard error to that of this program.
    fn from(output: Stdio) -> Self {
        Self { output, error: Stdio::inherit() }
    }
}

impl Logs {
    /// Standard output and standard error to the end of one file, as Lambda has both in one log.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn to_file(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self { output: file.try_clone()?.into(), error: file.into() })
    }
}

/// The reason why a local binary gave no outcome.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    #[error("{path} cannot be started: {source}{hint}", path = .path.display(), hint = hint(.path, .source))]
    Start { path: PathBuf, source: io::Error },
    #[error("{path} cannot be written: {source}", path = .path.display())]
    Log { path: PathBuf, source: io::Error },
    #[error("{path} could not come up: {message}", path = .path.display(), message = with_trace(.error))]
    Init { path: PathBuf, error: InitError },
    #[error("{path} ended ({status}) before it answered", path = .path.display())]
    Exit { path: PathBuf, status: ExitStatus },
    #[error("{path} did not answer within {seconds} s", path = .path.display(), seconds = .timeout.as_secs_f64())]
    Timeout { path: PathBuf, timeout: Duration },
}

/// An explanation of an error whose message by the operating system is misleading.
fn hint(path: &Path, source: &io::Error) -> &'static str {
    match source.raw_os_error() {
        Some(NO_PROGRAM_FORMAT) => {
            "; it is neither a program for this machine's architecture nor a script whose first line is #!INTERPRETER"
        }
        _ if source.kind() == io::ErrorKind::NotFound && path.exists() => {
            "; it is there, but what is to run it (its interpreter, or the loader of shared libraries) is not"
        }
        _ => target::missing_handler(path),
    }
}

/// A reported failure of the initialization, with the first lines of its stack trace.
fn with_trace(InitError { error, stack_trace }: &InitError) -> String {
    let mut message = error.to_string();
    for line in stack_trace.iter().take(TRACE_LINES) {
        let line: String = line.trim().chars().take(TRACE_LINE).collect();
        message.push_str("; at ");
        message.push_str(line.strip_prefix("at ").unwrap_or(&line));
    }
    message
}

impl LocalEnvironment {
    /// Starts the binary at `path`, which is never searched for in `PATH`, in its own directory, as Lambda does. Its
    /// environment has the variables that Lambda sets, then `variables`, and nothing inherited.
    ///
    /// # Errors
    /// [`LocalError::Start`].
    pub async fn start(
        path: &Path,
        variables: impl IntoIterator<Item = (&str, &str)>,
        logs: impl Into<Logs>,
    ) -> Result<Self, LocalError> {
        let failed = |source| LocalError::Start { path: path.to_owned(), source };
        let whole = path::absolute(path).map_err(failed)?;
        let task_root = whole.parent().unwrap_or(Path::new("/"));
        let api = RuntimeApi::start().await.map_err(failed)?;
        let log_stream = processes::new_log_stream();
        let logs = logs.into();
        let mut command = Command::new(&whole);
        // Ctrl-C must not reach it: the calling program still waits for its answer.
        lead_group(&mut command)
            .env_clear()
            .envs(variables::of_lambda(task_root, &api.address(), &log_stream))
            .envs(NEEDED_VARIABLES.iter().filter_map(|name| Some((name, env::var_os(name)?))))
            .envs(variables)
            .current_dir(task_root)
            .stdin(Stdio::null())
            .stdout(logs.output)
            .stderr(logs.error)
            .kill_on_drop(true);
        let process = command.spawn().map_err(failed)?;
        // The operating system reuses process ids, but not at the same moment.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let leader = process.id().unwrap_or_default();
        let id = format!("{leader}-{:x}", now.as_nanos());
        Ok(Self { process, api, path: path.to_owned(), id, leader, invocations: 0, log_stream: Some(log_stream) })
    }

    /// Waits until the binary asks for work, `time` at most.
    ///
    /// # Errors
    /// [`LocalError::Init`], [`LocalError::Exit`] and [`LocalError::Timeout`].
    pub async fn ready(&mut self, time: Duration) -> Result<(), LocalError> {
        tokio::select! {
            ready = timeout(time, self.api.asked_for_work(1)) => {
                ready.map_err(|_| LocalError::Timeout { path: self.path.clone(), timeout: time })
            }
            error = self.api.failed_to_start() => Err(LocalError::Init { path: self.path.clone(), error }),
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
    ) -> Result<InvocationResult, LocalError> {
        self.invocations += 1;
        let outcome = self.api.send(event, deadline);
        tokio::select! {
            // An answer counts even if the process ended right after it.
            biased;
            outcome = timeout(patience, outcome) => match outcome {
                Ok(outcome) => Ok(outcome.unwrap_or_else(|_| Err(FunctionError::truncated("its connection was closed")))),
                Err(_) => Err(LocalError::Timeout { path: self.path.clone(), timeout: patience }),
            },
            status = self.process.wait() => Err(self.ended(status)),
        }
    }

    /// Ends several environments at once, when each has done what it does after its answer; for that they have `patience`,
    /// all at the same time. On Lambda too, a function that has answered runs on until it asks for work again.
    pub async fn end_all(environments: impl IntoIterator<Item = Self>, patience: Duration) {
        let mut environments: Vec<Self> = environments.into_iter().collect();
        join_all(environments.iter_mut().map(|environment| environment.finish(patience))).await;
        Self::kill_all(environments);
    }

    /// Waits until the binary has asked for work again after its last answer, or has ended, `patience` at most.
    pub(super) async fn finish(&mut self, patience: Duration) {
        tokio::select! {
            () = self.api.asked_for_work(self.invocations + 1) => {}
            _ = self.process.wait() => {}
            () = sleep(patience) => {}
        }
    }

    /// Kills several environments at once, which takes no longer than killing one.
    pub(in crate::campaign) fn kill_all(environments: impl IntoIterator<Item = Self>) {
        let mut environments: Vec<Self> = environments.into_iter().collect();
        let streams = environments
            .iter_mut()
            .filter_map(|environment| Some((environment.leader, environment.log_stream.take()?)));
        processes::end_environments(&streams.collect());
    }

    fn ended(&self, status: io::Result<ExitStatus>) -> LocalError {
        let path = self.path.clone();
        match status {
            // It has reported the reason before it ended.
            Ok(_) if let Some(error) = self.api.init_error() => LocalError::Init { path, error },
            Ok(status) => LocalError::Exit { path, status },
            Err(source) => LocalError::Start { path, source },
        }
    }

    /// Whether it has no unanswered invocation.
    pub fn is_idle(&self) -> bool {
        !self.api.is_busy()
    }

    /// A name that is unique, even among environments of earlier starts of this program.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The process's id, until it has been waited for.
    pub fn process_id(&self) -> Option<u32> {
        self.process.id()
    }

    /// The peak memory of the process and its descendants so far, in MiB.
    pub fn max_memory_mb(&self) -> Option<u32> {
        processes::max_memory_mb(self.leader)
    }

    /// The Runtime API that the process talks to.
    pub fn api(&self) -> &RuntimeApi {
        &self.api
    }
}

impl Drop for LocalEnvironment {
    fn drop(&mut self) {
        if let Some(log_stream) = self.log_stream.take() {
            processes::end_environments(&HashMap::from([(self.leader, log_stream)]));
        }
    }
}
