//! Direct invocation of a Lambda function.

mod concurrency;
mod readiness;

use super::{
    super::{
        aws::Lambda,
        clones::probe::cpu_model,
        cold_start_variable::Variables,
        configuration::{COLD_START_VARIABLE, Configuration},
        failure::Failure,
        pauses,
        payload::MAX_NAME_BYTES,
        platform_report::PlatformReport,
        runtime_api::FunctionError,
        target::LATEST,
    },
    Answer,
    classify::{failure, of_lambda},
};
use aws_sdk_lambda::{
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        RequestId,
        get_function_configuration::{GetFunctionConfigurationError, GetFunctionConfigurationOutput as Configured},
        invoke::InvokeOutput,
    },
    primitives::Blob,
    types::{EnvironmentResponse, LogType},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::body::Bytes;
use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

/// The error codes of denied requests.
const DENIED: [&str; 2] = ["AccessDeniedException", "AccessDenied"];

/// What is known about a function before it is called.
#[derive(Debug, Default)]
pub struct Found {
    /// Its configuration; `None` if the endpoint does not provide it.
    pub configuration: Option<Configuration>,
    /// Whether the credentials do not allow reading it.
    pub is_denied: bool,
    /// Whether a campaign has changed it to force cold starts and not restored it; always false for published versions,
    /// which cannot be changed.
    pub is_changed: bool,
}

/// A Lambda function that is called.
#[derive(Debug)]
pub struct FunctionCaller {
    lambda: Arc<Lambda>,
    name: String,
    qualifier: Option<String>,
    tenant: Option<String>,
    variables: Variables,
    /// Whether the endpoint can send the end of the log.
    has_log_tail: AtomicBool,
}

impl FunctionCaller {
    pub(crate) fn new(lambda: Lambda, name: &str, qualifier: Option<&str>, tenant: Option<&str>) -> Self {
        let lambda = Arc::new(lambda);
        Self {
            variables: Variables::new(Arc::clone(&lambda), name),
            lambda,
            name: name.to_owned(),
            // Without a qualifier this is the same function, but one that can be changed.
            qualifier: qualifier.filter(|qualifier| *qualifier != LATEST).map(str::to_owned),
            tenant: tenant.map(str::to_owned),
            has_log_tail: true.into(),
        }
    }

    pub(super) async fn call(&self, payload: Bytes) -> Answer {
        let with_log = self.has_log_tail.load(Ordering::Relaxed);
        let mut answer = self.invoke(payload.clone(), with_log).await;
        let mut sent = None;
        if let Err((refusal, _)) = &answer
            && with_log
            && refuses_log_tail(refusal)
        {
            if self.has_log_tail.swap(false, Ordering::Relaxed) {
                let _ = writeln!(
                    io::stderr(),
                    "Warning: {} is called without the end of its log, which is refused ({refusal}): what Lambda reports \
                     of calls is missing, so durations and bills are the client's, and cold starts are not recognized",
                    self.name
                );
            }
            sent = Some(Instant::now());
            answer = self.invoke(payload, false).await;
        }
        let output = match answer {
            Ok(output) => output,
            Err((failure, request_id)) => return Answer { request_id, sent, ..failure.into() },
        };
        let request_id = name(output.request_id());
        let log = output.log_result().and_then(|log| BASE64_STANDARD.decode(log).ok()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let report = PlatformReport::find(&log, request_id.as_deref());
        let cpu_model = name(cpu_model(&log).as_deref());
        let executed_version = name(output.executed_version());
        Answer { report, cpu_model, request_id, executed_version, sent, ..Answer::from_output(outcome(output)) }
    }

    /// The answer, or the reason why there is none and the id of the request.
    async fn invoke(&self, payload: Bytes, with_log: bool) -> Result<InvokeOutput, (Failure, Option<String>)> {
        let answer = self.lambda.request(async |client| {
            let invoke = client.invoke().function_name(&self.name).set_qualifier(self.qualifier.clone());
            let invoke = invoke.set_tenant_id(self.tenant.clone()).payload(Blob::new(payload));
            invoke.set_log_type(with_log.then_some(LogType::Tail)).send().await
        });
        answer.await.map_err(|error| (failure(&error), name(error.request_id())))
    }

    /// Reads the function's configuration, again after passing failures.
    ///
    /// # Errors
    /// When there is no such function, no credentials, or no answer.
    pub async fn configuration(&self) -> Result<Found, Failure> {
        pauses::repeated(async || self.read_configuration().await).await
    }

    async fn read_configuration(&self) -> Result<Found, Failure> {
        match self.configured().await {
            Ok(configured) => Ok(Found {
                is_changed: self.qualifier.is_none()
                    && configured
                        .environment()
                        .and_then(EnvironmentResponse::variables)
                        .is_some_and(|variables| variables.contains_key(COLD_START_VARIABLE)),
                configuration: Some(Configuration::from_output(&configured)),
                is_denied: false,
            }),
            // Permission to call a function does not include permission to read its configuration.
            Err(SdkError::ServiceError(error)) if error.err().code().is_some_and(|code| DENIED.contains(&code)) => {
                Ok(Found { is_denied: true, ..Found::default() })
            }
            // Emulators that can only invoke functions answer this request with errors of their own.
            Err(SdkError::ServiceError(error))
                if error.err().code().is_none_or(|code| code.contains("PathNotFound")) =>
            {
                Ok(Found::default())
            }
            Err(SdkError::ResponseError(_)) => Ok(Found::default()),
            Err(error) => Err(failure(&error)),
        }
    }

    /// The function's configuration as Lambda tells it.
    pub(in crate::campaign) async fn configured(&self) -> Result<Configured, SdkError<GetFunctionConfigurationError>> {
        let answer = self.lambda.request(async |client| {
            let get = client.get_function_configuration().function_name(&self.name);
            get.set_qualifier(self.qualifier.clone()).send().await
        });
        answer.await
    }

    /// The function's variables, one of which forces cold starts.
    pub fn variables(&self) -> &Variables {
        &self.variables
    }
}

/// The function's answer in the output of an invocation.
fn outcome(output: InvokeOutput) -> Result<Bytes, Failure> {
    let payload = output.payload.map(Blob::into_inner).unwrap_or_default();
    if output.function_error.is_some() {
        return Err(FunctionError::parse(&payload).into());
    }
    of_lambda(output.status_code, &payload).map(|()| Bytes::from(payload))
}

/// A name in an answer, if its length is plausible.
fn name(text: Option<&str>) -> Option<String> {
    text.filter(|text| (1..=MAX_NAME_BYTES).contains(&text.len())).map(str::to_owned)
}

/// Whether a call was refused only because it asked for the end of the log, before the function ran. `sam local
/// start-lambda` always refuses that, Lambda refuses it to callers of another account.
fn refuses_log_tail(failure: &Failure) -> bool {
    ["log-type", "Cross-account log access is not allowed"].iter().any(|part| failure.message.contains(part))
}
