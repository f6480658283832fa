//! Calls of functions, with one interface wherever the function runs.

pub(super) mod classify;
mod endpoint;
mod function;
mod process;

use super::{
    Auth, Target,
    accepted_status::AcceptedStatus,
    aws::{Lambda, Session},
    local::variables::Variable,
    platform_report::PlatformReport,
    request_header::Header,
    row::{Failure, FailureKind},
};
use endpoint::Endpoint;
use hyper::{Method, body::Bytes};
use process::Process;
use std::{path::Path, time::Instant};

pub(super) use classify::of_api_answer;
pub use function::{Found, FunctionCaller};

/// The outcome of a call.
#[derive(Debug)]
pub struct Answer {
    /// The function's answer, or the reason why there is none.
    pub output: Result<Bytes, Failure>,
    /// Lambda's report of the invocation, or measurements in its place.
    pub report: Option<PlatformReport>,
    /// The id of the environment that answered, if the caller knows it; it is never used again.
    pub environment: Option<String>,
    /// The CPU that the probe of a clone has written into the log.
    pub cpu_model: Option<String>,
    /// Lambda's id of the request.
    pub request_id: Option<String>,
    /// The version of the function that ran.
    pub executed_version: Option<String>,
    /// When the answered request was sent, if that was later than the call: an earlier one was refused, or the process was
    /// still busy.
    pub sent: Option<Instant>,
}

impl Answer {
    /// An answer about which nothing else is known.
    fn from_output(output: Result<Bytes, Failure>) -> Self {
        Self {
            output,
            report: None,
            environment: None,
            cpu_model: None,
            request_id: None,
            executed_version: None,
            sent: None,
        }
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self::from_output(Err(failure))
    }
}

/// How calls are made.
#[derive(Clone, Copy, Debug)]
pub struct CallOptions<'a> {
    /// The authentication of requests to HTTP endpoints.
    pub auth: Auth,
    /// The API key, for [`Auth::ApiKey`].
    pub api_key: Option<&'a str>,
    /// The tenant for which functions with tenant isolation are called.
    pub tenant: Option<&'a str>,
    /// Further statuses of HTTP endpoints that count as success.
    pub accept_status: &'a [AcceptedStatus],
    /// The method of requests to HTTP endpoints; `None` for POST.
    pub method: Option<&'a Method>,
    /// Further headers of requests to HTTP endpoints.
    pub headers: &'a [Header],
    /// Environment variables of functions on this machine, besides those that Lambda sets.
    pub variables: &'a [Variable],
    /// The file for the output of functions on this machine; `None` for standard error.
    pub log: Option<&'a Path>,
}

impl CallOptions<'_> {
    /// The defaults, with this authentication.
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

/// A target that is ready for calls, also for concurrent ones.
#[derive(Debug)]
pub enum Caller {
    /// A Lambda function.
    Function(FunctionCaller),
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
            Target::Function { name, qualifier } => Self::Function(FunctionCaller::new(
                Lambda::new(session).await?,
                name,
                qualifier.as_deref(),
                options.tenant,
            )),
            Target::Endpoint { url } => Self::Endpoint(Endpoint::new(url, options, session).await?.into()),
            Target::Process { path } => Self::Process(Process::new(path, options)),
            Target::Import { file } => {
                return Err(Failure::refused(format!("{file} is a table, which cannot be called")));
            }
        })
    }

    /// Prepares calls of `target` with the credentials, region and endpoint of the environment and the configuration files.
    ///
    /// # Errors
    /// When they are missing, or the target cannot be called like that.
    pub async fn from_settings(target: &Target, options: CallOptions<'_>) -> Result<Self, Failure> {
        let session = Session::new().map_err(|error| Failure::new(FailureKind::Network, error.to_string()))?.at(target);
        session.place(target, options.auth).await?;
        Self::new(target, options, &session).await
    }

    /// Makes one call. Concurrent calls of different slots meet different environments.
    pub async fn call(&self, slot: u32, payload: Bytes) -> Answer {
        match self {
            Self::Function(function) => function.call(payload).await,
            Self::Endpoint(endpoint) => endpoint.call(payload).await,
            Self::Process(process) => process.call(slot, payload).await,
        }
    }

    /// Makes one call and gives its answer's text.
    ///
    /// # Errors
    /// When there is no answer, or one that reports a failure.
    pub async fn call_for_text(&self, payload: impl Into<Bytes>) -> Result<String, Failure> {
        let answer = self.call(0, payload.into()).await;
        Ok(String::from_utf8_lossy(&answer.output?).into_owned())
    }

    /// Ends the processes on this machine, if there are any, when they have done what they do after their answers.
    pub async fn end(&self) {
        if let Self::Process(process) = self {
            process.end().await;
        }
    }
}
