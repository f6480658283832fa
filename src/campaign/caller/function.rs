//! Direct invocation of a Lambda function.

mod readiness;

use super::{
    super::{
        aws::{self, Renewal, Session},
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
    types::{Environment, LastUpdateStatus, LogType},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::body::Bytes;
use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::{Instant, sleep};

/// The variable whose change makes Lambda start new environments.
const FRESHENED_BY: &str = "LAMBDA_DUET_COLD";

/// How long Lambda gets to take a change of configuration.
const UPDATE: Duration = Duration::from_secs(120);

/// What is found out about a function before it is called.
#[derive(Debug)]
pub struct Found {
    /// How it is configured; none where the endpoint does not know such a question.
    pub configuration: Option<Configuration>,
    /// Whether a campaign has left a change behind.
    pub is_freshened: bool,
}

/// A Lambda function that is called.
#[derive(Debug)]
pub struct Function {
    client: Client,
    /// The same with credentials that were fetched again, once the first had expired.
    renewed: Mutex<Option<Client>>,
    renewal: Renewal,
    transport: Transport,
    name: String,
    qualifier: Option<String>,
    /// Whether the endpoint can send the end of the log.
    has_log_tail: AtomicBool,
}

impl Function {
    pub(super) async fn new(name: &str, qualifier: Option<&str>, session: &Session) -> Self {
        Self {
            client: Client::new(session.config().await),
            renewed: Mutex::default(),
            renewal: Renewal::default(),
            transport: session.transport().clone(),
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
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
        let (renewals, client) = (self.renewal.count(), self.invoking_client());
        let invoke = client
            .invoke()
            .function_name(&self.name)
            .set_qualifier(self.qualifier.clone())
            .set_log_type(with_log.then_some(LogType::Tail))
            .payload(Blob::new(payload));
        let error = match invoke.send().await {
            Ok(output) => return Ok(output),
            Err(error) => error,
        };
        if error.code().is_some_and(is_expired) {
            self.renewal.renew(renewals, self.fetch_credentials()).await;
        }
        Err((failure(&error), name(error.request_id())))
    }

    fn invoking_client(&self) -> Client {
        let renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        renewed.as_ref().unwrap_or(&self.client).clone()
    }

    /// Has the next calls signed with credentials that are fetched again: whoever keeps the user's in a file may have
    /// replaced them.
    async fn fetch_credentials(&self) {
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
                is_freshened: variables(&configured).contains_key(FRESHENED_BY),
                configuration: Some(Configuration::of(&configured)),
            }),
            // Emulators of Lambda that only invoke do not say in Lambda's words that there is nothing.
            Err(SdkError::ServiceError(error))
                if error.err().code().is_none_or(|code| code.contains("PathNotFound")) =>
            {
                Ok(Found { configuration: None, is_freshened: false })
            }
            Err(SdkError::ResponseError(_)) => Ok(Found { configuration: None, is_freshened: false }),
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

fn variables(configured: &Configured) -> HashMap<String, String> {
    configured.environment().and_then(|it| it.variables()).cloned().unwrap_or_default()
}
