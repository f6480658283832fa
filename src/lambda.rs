//! The deployed service: events in, measurements out, metrics after the answer.
//!
//! The Lambda runtime hands over every event as raw text (`layers::RawEvent`). An API Gateway event goes through
//! `lambda_http`, any other event is itself a request (`service`). Metrics are sent to CloudWatch after the answer
//! (`layers::AfterResponse`).

mod aws;
mod emf;
mod envelope;
mod http;
mod layers;
mod logging;
mod metrics;
mod service;
mod sink;

use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use layers::{AfterResponse, RawEvent};
pub use metrics::Outbox;
pub use service::{SAFETY_MARGIN, Service};
use sink::Sink;
use std::{env, sync::Arc, time::Instant};

/// Serves invocations until the execution environment is taken down.
///
/// `started` is the moment at which the process began, for `init_ms`.
///
/// # Errors
/// When `METRICS_SINK` is unknown, or the Runtime API cannot be reached.
///
/// # Panics
/// When variables that Lambda sets for every function are missing.
pub async fn run(started: Instant) -> Result<(), lambda_runtime::Error> {
    logging::init();
    let sink = Sink::named(env::var("METRICS_SINK").as_deref().unwrap_or_default())?;
    let outbox = Outbox::default();
    let service = Arc::new(Service::new(started, outbox.clone()));
    let handle = move |event: LambdaEvent<String>| {
        let service = Arc::clone(&service);
        async move { service.handle(event).await }
    };
    Runtime::new(service_fn(handle)).layer(AfterResponse::new(outbox, sink)).layer(RawEvent).run().await
}
