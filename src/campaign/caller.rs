//! Making calls: one way to ask, wherever the function runs, and one way to be told.

mod classify;
mod endpoint;
mod function;
mod process;

use super::{
    Auth, Target,
    aws::Session,
    header::Header,
    local::variables::Variable,
    platform_report::PlatformReport,
    row::{Failure, FailureKind},
    status::AcceptedStatus,
};
use endpoint::Endpoint;
use hyper::{Method, body::Bytes};
use process::Process;
use std::{path::Path, time::Instant};

pub(super) use classify::{failure, is_expired, of_api_answer};
pub use function::{Found, Function};

/// What came back from a call.
#[derive(Debug)]
pub struct Answer {
    /// The function's answer, or why there is none.
    pub output: Result<Bytes, Failure>,
    /// What is known about the invocation from outside of the function.
    pub report: Option<PlatformReport>,
    /// The id of the environment that answered, where the caller knows it; no other has it, nor had it before.
    pub environment: Option<String>,
    /// What Lambda calls the request.
    pub request_id: Option<String>,
    /// The version of the function that ran.
    pub executed_version: Option<String>,
    /// When the request was sent that it is the answer to, where another was refused before.
    pub sent: Option<Instant>,
}

impl Answer {
    /// An answer of which nothing else is known.
    fn of(output: Result<Bytes, Failure>) -> Self {
        Self { output, report: None, environment: None, request_id: None, executed_version: None, sent: None }
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self::of(Err(failure))
    }
}

/// How calls are made.
#[derive(Clone, Copy, Debug)]
pub struct CallOptions<'a> {
    /// How requests to HTTP endpoints prove who sends them.
    pub auth: Auth,
    /// The key, where that is a key.
    pub api_key: Option<&'a str>,
    /// The tenant that functions with tenant isolation are called for.
    pub tenant: Option<&'a str>,
    /// Statuses of HTTP endpoints that count as success beside those that do by themselves.
    pub accept_status: &'a [AcceptedStatus],
    /// The method of requests to HTTP endpoints; none for POST.
    pub method: Option<&'a Method>,
    /// What else requests to HTTP endpoints have in their heads.
    pub headers: &'a [Header],
    /// The variables of a function's own that runs on this machine.
    pub variables: &'a [Variable],
    /// The file that such a function's output goes to; standard error where there is none.
    pub log: Option<&'a Path>,
}

impl CallOptions<'_> {
    /// Calls with this proof of who sends them, and nothing else out of the ordinary.
    pub const fn new(auth: Auth) -> Self {
        Self {
            auth,
            api_key: None,
            tenant: None,
            accept_status: &[],
            method: None,
            headers: &[],
            variables: &[],
            log: None,
        }
    }
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
    pub async fn new(target: &Target, options: CallOptions<'_>, session: &Session) -> Result<Self, Failure> {
        Ok(match target {
            Target::Function { name, qualifier } => {
                Self::Function(Function::new(name, qualifier.as_deref(), options.tenant, session).await?)
            }
            Target::Endpoint { url } => Self::Endpoint(Endpoint::new(url, options, session).await?.into()),
            Target::Process { path } => Self::Process(Process::new(path, options)),
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
}

/// Calls `target` once and gives its answer's text.
///
/// # Errors
/// When there is no answer, or one that reports a failure.
pub async fn call_once(target: &Target, payload: &str, options: CallOptions<'_>) -> Result<String, Failure> {
    let session = Session::new().map_err(|error| Failure::new(FailureKind::Network, error.to_string()))?;
    let session = session.at(target);
    session.place(target, options.auth).await?;
    let answer = Caller::new(target, options, &session).await?.call(0, payload.to_owned().into()).await;
    Ok(String::from_utf8_lossy(&answer.output?).into_owned())
}
