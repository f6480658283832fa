//! Direct invocation of a Lambda function.

use super::{
    super::{
        aws::Session,
        configuration::Configuration,
        platform_report::PlatformReport,
        row::{Failure, FailureKind},
        runtime_api::FunctionError,
        target::LATEST,
    },
    Answer,
};
use crate::transport::with_causes;
use aws_sdk_lambda::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        get_function_configuration::{GetFunctionConfigurationError, GetFunctionConfigurationOutput as Configured},
        invoke::InvokeOutput,
    },
    primitives::Blob,
    types::{Environment, LastUpdateStatus, LogType},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::body::Bytes;
use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::{Instant, sleep};

/// The variable whose change makes Lambda start new environments.
const FRESHENED_BY: &str = "LAMBDA_DUET_COLD";

/// How long Lambda gets to take a change of configuration.
const UPDATE: Duration = Duration::from_secs(120);

/// The codes of those who may not ask.
const DENIED: [&str; 2] = ["AccessDeniedException", "AccessDenied"];

/// What is found out about a function before it is called.
#[derive(Debug)]
pub struct Found {
    /// How it is configured; none where the endpoint does not know such a question, or does not answer it.
    pub configuration: Option<Configuration>,
    /// Whether the caller may not know how.
    pub is_denied: bool,
    /// Whether a campaign has left a change behind.
    pub is_freshened: bool,
}

/// A Lambda function that is called.
#[derive(Debug)]
pub struct Function {
    client: Client,
    name: String,
    qualifier: Option<String>,
    /// Whether the endpoint can send the end of the log.
    has_log_tail: AtomicBool,
}

impl Function {
    pub(super) async fn new(name: &str, qualifier: Option<&str>, session: &Session) -> Result<Self, Failure> {
        Ok(Self {
            client: session.lambda().await?,
            name: name.to_owned(),
            // Without a qualifier it is the same function, and one that can be changed.
            qualifier: qualifier.filter(|it| *it != LATEST).map(str::to_owned),
            has_log_tail: true.into(),
        })
    }

    pub(super) async fn call(&self, payload: Bytes) -> Answer {
        let with_log = self.has_log_tail.load(Ordering::Relaxed);
        let mut answer = self.invoke(payload.clone(), with_log).await;
        if let Some(refusal) = answer.as_ref().err().filter(|failure| with_log && refuses_log_tail(failure)) {
            if self.has_log_tail.swap(false, Ordering::Relaxed) {
                eprintln!(
                    "Warning: {} is called without the end of its log, which is refused ({refusal}): what Lambda reports \
                     of calls is missing, so durations and bills are the client's, and starts are not told apart",
                    self.name
                );
            }
            answer = self.invoke(payload, false).await;
        }
        let output = match answer {
            Ok(output) => output,
            Err(failure) => return failure.into(),
        };
        let log = output.log_result().and_then(|log| BASE64_STANDARD.decode(log).ok()).unwrap_or_default();
        let report = PlatformReport::find(&String::from_utf8_lossy(&log));
        let failed = output.function_error.is_some();
        let payload = output.payload.map(Blob::into_inner).unwrap_or_default();
        let output = if failed { Err(FunctionError::parse(&payload).into()) } else { Ok(Bytes::from(payload)) };
        Answer { output, report, environment: None }
    }

    async fn invoke(&self, payload: Bytes, with_log: bool) -> Result<InvokeOutput, Failure> {
        let invoke = self
            .client
            .invoke()
            .function_name(&self.name)
            .set_qualifier(self.qualifier.clone())
            .set_log_type(with_log.then_some(LogType::Tail))
            .payload(Blob::new(payload));
        invoke.send().await.map_err(|error| failure(&error))
    }

    /// How the function is configured.
    ///
    /// # Errors
    /// When there is no such function, no credentials, or no answer.
    pub async fn configuration(&self) -> Result<Found, Failure> {
        match self.configured(self.qualifier.as_deref()).await {
            Ok(configured) => Ok(Found {
                is_freshened: variables(&configured).contains_key(FRESHENED_BY),
                configuration: Some(Configuration::of(&configured)),
                is_denied: false,
            }),
            // Whoever may call a function need not be allowed to look at it.
            Err(SdkError::ServiceError(error)) if error.err().code().is_some_and(|code| DENIED.contains(&code)) => {
                Ok(Found { configuration: None, is_denied: true, is_freshened: false })
            }
            // Emulators of Lambda that only invoke do not say in Lambda's words that there is nothing.
            Err(SdkError::ServiceError(error))
                if error.err().code().is_none_or(|code| code.contains("PathNotFound")) =>
            {
                Ok(Found { configuration: None, is_denied: false, is_freshened: false })
            }
            Err(SdkError::ResponseError(_)) => Ok(Found { configuration: None, is_denied: false, is_freshened: false }),
            Err(error) => Err(failure(&error)),
        }
    }

    async fn configured(&self, qualifier: Option<&str>) -> Result<Configured, SdkError<GetFunctionConfigurationError>> {
        let get = self.client.get_function_configuration().function_name(&self.name);
        get.set_qualifier(qualifier.map(str::to_owned)).send().await
    }

    pub(super) async fn freshen(&self) -> Result<(), Failure> {
        if let Some(qualifier) = &self.qualifier {
            let message = format!("{}:{qualifier} is published and cannot be changed; --cold needs $LATEST", self.name);
            return Err(Failure::new(FailureKind::Refused, message));
        }
        // A counter would do; the time is one that no earlier campaign has used.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        self.change(|variables| drop(variables.insert(FRESHENED_BY.to_owned(), now.to_string()))).await
    }

    pub(super) async fn restore(&self) -> Result<(), Failure> {
        if self.qualifier.is_some() {
            return Ok(());
        }
        self.change(|variables| drop(variables.remove(FRESHENED_BY))).await
    }

    /// Changes the variables, if there is anything to change, and waits until Lambda has taken them.
    async fn change(&self, change: impl FnOnce(&mut HashMap<String, String>)) -> Result<(), Failure> {
        let configured = self.configured(None).await.map_err(|error| failure(&error))?;
        let before = variables(&configured);
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            return Ok(());
        }
        let update = self.client.update_function_configuration().function_name(&self.name);
        // Somebody else's change in between is not undone.
        let update = update.set_revision_id(configured.revision_id);
        let environment = Environment::builder().set_variables(Some(after)).build();
        update.environment(environment).send().await.map_err(|error| failure(&error))?;
        let end = Instant::now() + UPDATE;
        loop {
            let configured = self.configured(None).await.map_err(|error| failure(&error))?;
            match configured.last_update_status {
                Some(LastUpdateStatus::InProgress) if Instant::now() < end => sleep(Duration::from_millis(200)).await,
                None | Some(LastUpdateStatus::Successful) => return Ok(()),
                Some(status) => {
                    let message = format!("the change of {}'s configuration is {}", self.name, status.as_str());
                    return Err(Failure::new(FailureKind::Refused, message));
                }
            }
        }
    }
}

/// Whether a call was refused because of the wish for the end of the log alone, before the function was called: by
/// `sam local start-lambda` always, by Lambda to callers of another account.
fn refuses_log_tail(failure: &Failure) -> bool {
    ["log-type", "Cross-account log access is not allowed"].iter().any(|part| failure.message.contains(part))
}

fn variables(configured: &Configured) -> HashMap<String, String> {
    configured.environment().and_then(|it| it.variables()).cloned().unwrap_or_default()
}

/// What an error of the SDK means for a campaign.
fn failure<E>(error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let kind = match error {
        SdkError::ServiceError(refused) => match refused.raw().status().as_u16() {
            429 => FailureKind::Throttled,
            _ => FailureKind::Refused,
        },
        SdkError::TimeoutError(_) => FailureKind::Timeout,
        SdkError::ConstructionFailure(_) => FailureKind::Refused,
        SdkError::DispatchFailure(dispatch) if dispatch.is_timeout() => FailureKind::Timeout,
        _ => FailureKind::Network,
    };
    let message = match error {
        SdkError::ServiceError(refused) => match (refused.err().code(), refused.err().message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            _ => {
                let body = refused.raw().body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
                format!("HTTP {}: {body}", refused.raw().status().as_u16())
            }
        },
        _ => with_causes(error),
    };
    Failure::new(kind, message)
}

impl From<FunctionError> for Failure {
    fn from(FunctionError { error_type, error_message }: FunctionError) -> Self {
        // Lambda ends what takes too long, and says so in the place of the function.
        let timed_out = error_type == "Sandbox.Timedout" || error_message.contains("Task timed out after");
        let kind = if timed_out { FailureKind::Timeout } else { FailureKind::Function };
        Self::new(kind, format!("the function answered with an error, {error_type}: {error_message}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_lambda_ended_is_a_timeout() {
        let error = |payload: &str| Failure::from(FunctionError::parse(payload.as_bytes())).kind;
        let timed_out = r#"{"errorMessage":"2026-11-20T10:00:00.000Z 8f50 Task timed out after 3.00 seconds"}"#;
        assert_eq!(error(timed_out), FailureKind::Timeout);
        let newer = r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 8f50 Error: Task timed out after 3.00 seconds"}"#;
        assert_eq!(error(newer), FailureKind::Timeout);
        assert_eq!(error(r#"{"errorType":"Runtime.ExitError","errorMessage":"gone"}"#), FailureKind::Function);
    }
}
