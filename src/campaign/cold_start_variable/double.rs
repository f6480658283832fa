//! A function in memory, whose control plane follows a test's script in virtual time.

use super::{COLD_START_VARIABLE, Variables};
use aws_sdk_lambda::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// What the control plane does with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::campaign) enum Act {
    /// It answers as Lambda does.
    Answer,
    /// It refuses with this status and code.
    Refuse(u16, &'static str),
    /// The connection breaks before the request arrives.
    LoseRequest,
    /// It handles the request, and the connection breaks before the answer arrives.
    LoseAnswer,
    /// It answers with the configuration before the last update.
    AnswerLate,
    /// It answers without the variables.
    LeaveOutVariables,
    /// It never answers; an update is made this much later.
    HangFor(Duration),
}

/// Decides about a request by its number and its method.
type Script = Box<dyn Fn(usize, &str) -> Act + Send + Sync>;

/// A function `x` and its control plane.
pub(in crate::campaign) struct FakeLambda {
    pub variables: Mutex<Value>,
    /// The configuration before the last update.
    pub before: Mutex<Option<Value>>,
    pub revision: Mutex<u32>,
    /// When the last update is complete.
    pub busy_until: Mutex<Instant>,
    pub update_takes: Duration,
    /// The status of the last update, and any other fields that a test overrides.
    pub result: Value,
    pub script: Script,
    pub calls: Mutex<Vec<String>>,
}

#[derive(Clone, Debug)]
struct FakeConnector(Arc<FakeLambda>);

impl FakeLambda {
    pub fn new(script: impl Fn(usize, &str) -> Act + Send + Sync + 'static) -> Self {
        Self {
            variables: json!({"KEEP": "secret value"}).into(),
            before: Mutex::default(),
            revision: 0.into(),
            busy_until: Instant::now().into(),
            update_takes: Duration::ZERO,
            result: json!({"LastUpdateStatus": "Successful"}),
            script: Box::new(script),
            calls: Mutex::default(),
        }
    }

    fn is_busy(&self) -> bool {
        Instant::now() < *self.busy_until.lock().unwrap()
    }

    fn configuration(&self) -> (u16, Value) {
        let mut answer = json!({
            "FunctionName": "x",
            "RevisionId": self.revision.lock().unwrap().to_string(),
            "Environment": {"Variables": *self.variables.lock().unwrap()},
        });
        let status = if self.is_busy() { json!({"LastUpdateStatus": "InProgress"}) } else { self.result.clone() };
        answer.as_object_mut().unwrap().extend(status.as_object().unwrap().clone());
        (200, answer)
    }

    fn update(&self, body: &Value) -> (u16, Value) {
        let (_, before) = self.configuration();
        if self.is_busy() {
            return (409, json!({"__type": "ResourceConflictException", "Message": "An update is in progress"}));
        }
        if body["RevisionId"] != before["RevisionId"] {
            return (412, json!({"__type": "PreconditionFailedException", "Message": "stale"}));
        }
        *self.before.lock().unwrap() = Some(before);
        *self.revision.lock().unwrap() += 1;
        *self.variables.lock().unwrap() = body["Environment"]["Variables"].clone();
        *self.busy_until.lock().unwrap() = Instant::now() + self.update_takes;
        self.configuration()
    }

    fn answer(&self, request: &HttpRequest) -> (u16, Value) {
        match request.method() {
            "POST" => {
                // Every answer is that of another environment.
                let id = format!("e{}", self.count("POST"));
                (200, json!({"sum": 7, "id": id, "cpu": "Neoverse-V2"}))
            }
            "PUT" => self.update(&serde_json::from_slice(request.body().bytes().unwrap()).unwrap()),
            _ => self.configuration(),
        }
    }

    pub fn client(self: &Arc<Self>) -> Client {
        let connector = SharedHttpConnector::new(FakeConnector(Arc::clone(self)));
        let config = aws_sdk_lambda::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(Credentials::for_tests())
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        Client::from_conf(config)
    }

    pub fn variables(self: &Arc<Self>) -> Variables {
        Variables::new(Arc::new(self.client().into()), "x")
    }

    pub fn has_variable(&self) -> bool {
        self.variables.lock().unwrap().get(COLD_START_VARIABLE).is_some()
    }

    pub fn is_as_before(&self) -> bool {
        *self.variables.lock().unwrap() == json!({"KEEP": "secret value"})
    }

    pub fn count(&self, method: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|call| *call == method).count()
    }
}

impl fmt::Debug for FakeLambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lambda")
    }
}

impl HttpConnector for FakeConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let lambda = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let act = {
                let mut calls = lambda.calls.lock().unwrap();
                calls.push(request.method().to_owned());
                (lambda.script)(calls.len() - 1, request.method())
            };
            let lost = || ConnectorError::io("connection reset".into());
            let (status, body) = match act {
                Act::Answer => lambda.answer(&request),
                Act::Refuse(status, code) => (status, json!({"__type": code, "Message": "KEEP=secret value {…"})),
                Act::AnswerLate => (200, lambda.before.lock().unwrap().clone().expect("an update")),
                Act::LeaveOutVariables => {
                    let (status, mut answer) = lambda.configuration();
                    answer.as_object_mut().unwrap().remove("Environment");
                    (status, answer)
                }
                Act::LoseRequest => return Err(lost()),
                Act::LoseAnswer => {
                    lambda.answer(&request);
                    return Err(lost());
                }
                Act::HangFor(time) => {
                    let late = Arc::clone(&lambda);
                    tokio::spawn(async move {
                        sleep(time).await;
                        late.answer(&request);
                    });
                    std::future::pending().await
                }
            };
            Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body.to_string())))
        })
    }
}
