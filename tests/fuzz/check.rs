//! What holds for every event: the service answers it, in a way that is documented.

use lambda_duet::{
    lambda::{Outbox, SAFETY_MARGIN, Service},
    protocol::{Problem, Response},
};
use lambda_runtime::{Config, Context, LambdaEvent};
use serde_json::Value;
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::runtime::{Builder, Runtime};

/// The errors of docs/service.md, but for `Internal`, which is a bug.
const ERRORS: [(&str, u64); 5] = [
    ("InvalidRequest", 400),
    ("NotFound", 404),
    ("MethodNotAllowed", 405),
    ("InputTooLarge", 413),
    ("DeadlineTooShort", 504),
];

/// The service, without the runtime around it.
pub struct Checker {
    service: Service,
    outbox: Outbox,
    runtime: Runtime,
}

impl Checker {
    /// A service that has served nothing yet.
    pub fn new() -> Self {
        let outbox = Outbox::default();
        Self {
            service: Service::new(Instant::now(), outbox.clone()),
            outbox,
            runtime: Builder::new_current_thread().enable_time().build().unwrap(),
        }
    }

    /// Has the service answer an event, as the runtime would hand it over.
    ///
    /// # Panics
    /// Where the service does, or where its answer is none of those that are documented.
    pub fn check(&self, event: &[u8]) {
        let text = String::from_utf8_lossy(event).into_owned();
        let answer = self.runtime.block_on(self.service.handle(LambdaEvent::new(text, context(event))));
        self.outbox.take();
        match answer {
            Ok(answer) => check_answer(&serde_json::from_str(answer.get()).unwrap()),
            Err(error) => check_error(&error.error_type, None, &error.error_message),
        }
    }
}

/// The time to work in where there is some. The fuzzer keeps what gets far, so this soon is what most events take.
const BUDGET: Duration = Duration::from_millis(2);

/// An invocation that is late already, so that valid requests too are answered at once; for one event in 256, and
/// always the same ones, there is a little time to work.
fn context(event: &[u8]) -> Context {
    let works = event.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)) == 0;
    let deadline = SystemTime::now() + if works { SAFETY_MARGIN + BUDGET } else { Duration::ZERO };
    let mut context = Context::default();
    context.request_id = "fuzz".to_owned();
    context.deadline = deadline.duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    context.env_config = Arc::new(Config { memory: 1769, ..Config::default() });
    context
}

fn check_answer(answer: &Value) {
    let Some(status) = answer.get("statusCode") else {
        let response: Response = serde_json::from_value(answer.clone()).unwrap();
        let is_census = response.held_ms.is_some();
        assert_eq!(response.results.is_empty(), is_census, "results of a census, or an answer without: {answer}");
        return;
    };
    let body = answer["body"].as_str().unwrap();
    if status == 200 {
        let body: Value = serde_json::from_str(body).unwrap();
        assert!(body["results"].is_array() || body["workloads"].is_array(), "neither results nor catalogue: {body}");
    } else {
        let problem: Problem = serde_json::from_str(body).unwrap();
        let kind = problem.type_uri.strip_prefix("urn:lambda-duet:error:").unwrap();
        assert_eq!(status.as_u64(), Some(problem.status.into()), "{problem:?}");
        check_error(kind, status.as_u64(), &problem.detail);
    }
}

fn check_error(kind: &str, status: Option<u64>, detail: &str) {
    let documented = ERRORS.iter().find(|(name, _)| *name == kind);
    assert!(
        documented.is_some_and(|error| status.is_none_or(|status| status == error.1)),
        "{kind} {status:?}: {detail}"
    );
    assert!(!detail.is_empty() && detail.len() < 1500, "{kind}: {detail}");
}
