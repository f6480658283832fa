//! Direct invocation of a Lambda function.

mod readiness;

use super::{
    super::{
        aws::{self, Session},
        cold::{VARIABLE, Variables},
        configuration::Configuration,
        payload::MAX_NAME_BYTES,
        platform_report::PlatformReport,
        row::{Failure, FailureKind},
        runtime_api::FunctionError,
    },
    Answer,
    classify::{failure, is_expired},
};
use crate::transport::Transport;
use aws_sdk_lambda::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        RequestId,
        get_function_configuration::{GetFunctionConfigurationError, GetFunctionConfigurationOutput as Configured},
        invoke::InvokeOutput,
    },
    primitives::Blob,
    types::LogType,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::body::Bytes;
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

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
    /// The same with credentials that were fetched again, once the first had expired.
    renewed: Mutex<Option<Client>>,
    transport: Transport,
    name: String,
    qualifier: Option<String>,
    tenant: Option<String>,
    variables: Variables,
    /// Whether the endpoint can send the end of the log.
    has_log_tail: AtomicBool,
}

impl Function {
    pub(super) async fn new(name: &str, qualifier: Option<&str>, tenant: Option<&str>, session: &Session) -> Self {
        let client = Client::new(session.config().await);
        let function = Self::with(client, session.transport().clone(), name, qualifier);
        Self { tenant: tenant.map(str::to_owned), ..function }
    }

    pub(in crate::campaign) fn with(client: Client, transport: Transport, name: &str, qualifier: Option<&str>) -> Self {
        Self {
            variables: Variables::new(client.clone(), name),
            client,
            renewed: Mutex::default(),
            transport,
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
            tenant: None,
            has_log_tail: true.into(),
        }
    }

    pub(super) async fn call(&self, payload: Bytes) -> Answer {
        let with_log = self.has_log_tail.load(Ordering::Relaxed);
        let mut answer = self.invoke(payload.clone(), with_log).await;
        if with_log && answer.as_ref().is_err_and(|(failure, _)| failure.message.contains("log-type")) {
            // `sam local start-lambda` refuses the wish before it calls the function.
            self.has_log_tail.store(false, Ordering::Relaxed);
            answer = self.invoke(payload, false).await;
        }
        let output = match answer {
            Ok(output) => output,
            Err((failure, request_id)) => return Answer { request_id, ..failure.into() },
        };
        let request_id = name(output.request_id());
        let log = output.log_result().and_then(|log| BASE64_STANDARD.decode(log).ok()).unwrap_or_default();
        let report = PlatformReport::find(&String::from_utf8_lossy(&log), request_id.as_deref());
        let executed_version = name(output.executed_version());
        Answer { report, request_id, executed_version, ..Answer::of(outcome(output)) }
    }

    /// The answer; else why there is none, with the id of the request.
    async fn invoke(&self, payload: Bytes, with_log: bool) -> Result<InvokeOutput, (Failure, Option<String>)> {
        let client = self.invoking_client();
        let invoke = client
            .invoke()
            .function_name(&self.name)
            .set_qualifier(self.qualifier.clone())
            .set_tenant_id(self.tenant.clone())
            .set_log_type(with_log.then_some(LogType::Tail))
            .payload(Blob::new(payload));
        let error = match invoke.send().await {
            Ok(output) => return Ok(output),
            Err(error) => error,
        };
        if error.code().is_some_and(is_expired) {
            self.renew_credentials().await;
        }
        Err((failure(&error), name(error.request_id())))
    }

    fn invoking_client(&self) -> Client {
        let renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        renewed.as_ref().unwrap_or(&self.client).clone()
    }

    /// Has the next calls signed with credentials that are fetched again: whoever keeps the user's in a file may have
    /// replaced them.
    async fn renew_credentials(&self) {
        let Some(credentials) = aws::fetch_credentials(&self.transport).await else { return };
        let config = self.client.config().to_builder().credentials_provider(credentials).build();
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Client::from_conf(config));
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

/// What an answer to an invocation is: of a call whose answer is waited for the status is 200.
fn outcome(output: InvokeOutput) -> Result<Bytes, Failure> {
    let payload = output.payload.map(Blob::into_inner).unwrap_or_default();
    if output.function_error.is_some() {
        return Err(FunctionError::parse(&payload).into());
    }
    match output.status_code {
        200 => Ok(Bytes::from(payload)),
        status => {
            let text = String::from_utf8_lossy(&payload);
            let message = format!("HTTP {status}, where Lambda answers 200 with the function's answer: {text}");
            Err(Failure::new(FailureKind::Answer, message))
        }
    }
}

/// A name in an answer, unless it is longer than any is.
fn name(text: Option<&str>) -> Option<String> {
    text.filter(|text| (1..=MAX_NAME_BYTES).contains(&text.len())).map(str::to_owned)
}
