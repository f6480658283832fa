//! The deployed service: events in, measurements out, the log line and metrics after the answer.
//!
//! The Lambda runtime hands over every event as text (`as_text`). An API Gateway event goes through `lambda_http`, any
//! other event is itself a request (`service`). The invocation is logged and its metrics are sent to CloudWatch after the answer
//! (`deliver`).

mod aws;
mod emf;
mod envelope;
mod http;
mod logging;
mod metrics;
mod outbox;
mod service;
mod sink;

use lambda_runtime::{
    LambdaEvent, LambdaInvocation, Runtime, service_fn,
    tower::util::{AndThenLayer, MapRequestLayer},
};
pub use outbox::Outbox;
pub use service::{SAFETY_MARGIN, Service};
use sink::Sink;
use std::{env, sync::Arc, time::Instant};

/// Serves invocations until the execution environment is taken down.
///
/// `started` is when the process began, for `init_ms`.
///
/// # Errors
/// When `METRICS_SINK` is unknown, or the Runtime API cannot be reached.
///
/// # Panics
/// When variables that Lambda sets for every function are missing.
pub async fn run(started: Instant) -> Result<(), lambda_runtime::Error> {
    logging::init();
    let sink = Arc::new(Sink::named(env::var("METRICS_SINK").as_deref().unwrap_or_default())?);
    let outbox = Outbox::default();
    let service = Arc::new(Service::new(started, outbox.clone()));
    let handle = move |event: LambdaEvent<String>| {
        let service = Arc::clone(&service);
        async move { service.handle(event).await }
    };
    let deliver = move |()| deliver(outbox, sink);
    Runtime::new(service_fn(handle)).layer(AndThenLayer::new(deliver)).layer(MapRequestLayer::new(as_text)).run().await
}

/// The invocation with its event as a JSON string.
///
/// The runtime deserializes events itself and reports its own error for text that is not JSON. As a JSON string, any
/// text reaches the handler, which refuses it with an error of this service.
fn as_text(mut invocation: LambdaInvocation) -> LambdaInvocation {
    let text = String::from_utf8_lossy(&invocation.body);
    invocation.body = serde_json::to_vec(&text).expect("text is JSON").into();
    invocation
}

/// Logs the invocation and delivers its metrics when the answer has been handed over, before the next event is asked for.
///
/// Lambda freezes the environment as soon as the next event is asked for, so this cannot be left to the background; before
/// the answer it would add to the caller's latency.
async fn deliver(outbox: Outbox, sink: Arc<Sink>) -> Result<(), lambda_runtime::Error> {
    let Some(answered) = outbox.take() else { return Ok(()) };
    answered.log();
    if let Some(report) = answered.into_report() {
        sink.deliver(&report).await;
    }
    Ok(())
}
