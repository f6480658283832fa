//! Direct invocation of a Lambda function.

use super::{
    super::{
        aws::Session,
        cold::{VARIABLE, Variables},
        configuration::Configuration,
        platform_report::PlatformReport,
        row::{Failure, FailureKind},
        runtime_api::FunctionError,
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
    types::LogType,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::body::Bytes;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is found out about a function before it is called.
#[derive(Debug)]
pub struct Found {
    /// How it is configured; none where the endpoint does not know such a question.
    pub configuration: Option<Configuration>,
    /// Whether a campaign has changed it to force cold starts, and not changed it back. Of a published version nothing
    /// can be changed back.
    pub is_changed: bool,
}

/// A Lambda function that is called.
#[derive(Debug)]
pub struct Function {
    client: Client,
    name: String,
    qualifier: Option<String>,
    tenant: Option<String>,
    variables: Variables,
    /// Whether the endpoint can send the end of the log.
    has_log_tail: AtomicBool,
}

impl Function {
    pub(super) async fn new(name: &str, qualifier: Option<&str>, tenant: Option<&str>, session: &Session) -> Self {
        let function = Self::with(Client::new(session.config().await), name, qualifier);
        Self { tenant: tenant.map(str::to_owned), ..function }
    }

    pub(in crate::campaign) fn with(client: Client, name: &str, qualifier: Option<&str>) -> Self {
        Self {
            variables: Variables::new(client.clone(), name),
            client,
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
            tenant: None,
            has_log_tail: true.into(),
        }
    }

    pub(super) async fn call(&self, payload: Bytes) -> Answer {
        let with_log = self.has_log_tail.load(Ordering::Relaxed);
        let mut answer = self.invoke(payload.clone(), with_log).await;
        if with_log && answer.as_ref().is_err_and(|failure| failure.message.contains("log-type")) {
            // `sam local start-lambda` refuses the wish before it calls the function.
            self.has_log_tail.store(false, Ordering::Relaxed);
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
            .set_tenant_id(self.tenant.clone())
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
                is_changed: self.qualifier.is_none() && has_variable(&configured),
                configuration: Some(Configuration::of(&configured)),
            }),
            // Emulators of Lambda that only invoke do not say in Lambda's words that there is nothing.
            Err(SdkError::ServiceError(error))
                if error.err().code().is_none_or(|code| code.contains("PathNotFound")) =>
            {
                Ok(Found { configuration: None, is_changed: false })
            }
            Err(SdkError::ResponseError(_)) => Ok(Found { configuration: None, is_changed: false }),
            Err(error) => Err(failure(&error)),
        }
    }

    async fn configured(&self, qualifier: Option<&str>) -> Result<Configured, SdkError<GetFunctionConfigurationError>> {
        let get = self.client.get_function_configuration().function_name(&self.name);
        get.set_qualifier(qualifier.map(str::to_owned)).send().await
    }

    /// Its variables, one of which forces cold starts.
    pub fn variables(&self) -> &Variables {
        &self.variables
    }
}

fn has_variable(configured: &Configured) -> bool {
    let variables = configured.environment().and_then(|environment| environment.variables());
    variables.is_some_and(|variables| variables.contains_key(VARIABLE))
}

/// What an error of the SDK means for a campaign.
pub(in crate::campaign) fn failure<E>(error: &SdkError<E, HttpResponse>) -> Failure
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
