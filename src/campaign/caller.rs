//! Making calls: one way to ask, wherever the function runs, and one way to be told.

mod endpoint;
mod function;
mod process;

use super::{
    Auth, Target,
    aws::Session,
    platform_report::PlatformReport,
    row::{Failure, FailureKind},
};
use endpoint::Endpoint;
use function::Function;
use hyper::body::Bytes;
use process::Process;

pub use function::Found;

/// What came back from a call.
#[derive(Debug)]
pub struct Answer {
    /// The function's answer, or why there is none.
    pub output: Result<Bytes, Failure>,
    /// What is known about the invocation from outside of the function.
    pub report: Option<PlatformReport>,
    /// The id of the environment that answered, where the caller knows it; no other has it, nor had it before.
    pub environment: Option<String>,
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self { output: Err(failure), report: None, environment: None }
    }
}

/// How calls are made.
#[derive(Clone, Copy, Debug)]
pub struct Manner<'a> {
    /// How requests to HTTP endpoints prove who sends them.
    pub auth: Auth,
    /// The key, where that is a key.
    pub api_key: Option<&'a str>,
    /// Whether processes on this machine log to standard error.
    pub logs: bool,
}

/// A target that is ready to be called, by many at a time.
#[derive(Debug)]
pub enum Caller {
    /// A Lambda function.
    Function(Function),
    /// An HTTP endpoint.
    Endpoint(Box<Endpoint>),
    /// Processes on this machine.
    Process(Process),
}

impl Caller {
    /// Prepares calls of `target`.
    ///
    /// # Errors
    /// When the target cannot be called like that.
    pub async fn new(target: &Target, manner: Manner<'_>, session: &Session) -> Result<Self, Failure> {
        Ok(match target {
            Target::Function { name, qualifier } => {
                Self::Function(Function::new(name, qualifier.as_deref(), session).await?)
            }
            Target::Endpoint { url } => Self::Endpoint(Endpoint::new(url, manner, session).await?.into()),
            Target::Process { path } => Self::Process(Process::new(path, manner.logs)),
        })
    }

    /// Makes one call. Calls of different slots that run at the same time meet different environments.
    pub async fn call(&self, slot: u32, payload: Bytes) -> Answer {
        match self {
            Self::Function(function) => function.call(payload).await,
            Self::Endpoint(endpoint) => endpoint.call(payload).await,
            Self::Process(process) => process.call(slot, payload).await,
        }
    }

    /// Makes the next calls meet environments that have just started.
    ///
    /// # Errors
    /// When that cannot be had.
    pub async fn freshen(&self) -> Result<(), Failure> {
        match self {
            Self::Function(function) => function.freshen().await,
            Self::Endpoint(_) => Err(Failure::new(
                FailureKind::Refused,
                "an https:// target cannot be made to start anew; for --cold, name the function: lambda:NAME",
            )),
            Self::Process(process) => {
                process.end();
                Ok(())
            }
        }
    }

    /// Undoes what [`Self::freshen`] did; does nothing where nothing was done.
    ///
    /// # Errors
    /// When it could not be undone.
    pub async fn restore(&self) -> Result<(), Failure> {
        match self {
            Self::Function(function) => function.restore().await,
            Self::Endpoint(_) | Self::Process(_) => Ok(()),
        }
    }
}

/// Calls `target` once and gives its answer's text.
///
/// # Errors
/// When there is no answer, or one that reports a failure.
pub async fn call_once(target: &Target, payload: &str, manner: Manner<'_>) -> Result<String, Failure> {
    let session = Session::new().map_err(|error| Failure::new(FailureKind::Network, error.to_string()))?;
    let session = session.at(target);
    session.place(target, manner.auth).await?;
    let answer = Caller::new(target, manner, &session).await?.call(0, payload.to_owned().into()).await;
    Ok(String::from_utf8_lossy(&answer.output?).into_owned())
}
