//! Layers around the handler: before it receives the event, and after its answer has been sent.

use super::{metrics::Outbox, sink::Sink};
use lambda_runtime::{
    LambdaInvocation,
    tower::{Layer, Service},
};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Hands any event to the handler as text.
///
/// The runtime deserializes events itself and reports its own error for text that is not JSON. As a JSON string, any
/// text reaches the handler, which refuses it with an error of this service.
pub struct RawEvent;

impl<S> Layer<S> for RawEvent {
    type Service = RawEventService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RawEventService(inner)
    }
}

/// The service of [`RawEvent`].
pub struct RawEventService<S>(S);

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for RawEventService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> Self::Future {
        let text = String::from_utf8_lossy(&invocation.body);
        invocation.body = serde_json::to_vec(&text).expect("text is JSON").into();
        self.0.call(invocation)
    }
}

/// Delivers metrics when the answer has been handed over, before the next event is asked for.
///
/// Lambda freezes the environment as soon as the next event is asked for, so delivery cannot be
/// left to the background; before the answer it would add to the caller's latency.
pub struct AfterResponse {
    outbox: Outbox,
    sink: Arc<Sink>,
}

impl AfterResponse {
    /// Delivers reports from `outbox` to `sink`.
    pub fn new(outbox: Outbox, sink: Sink) -> Self {
        Self { outbox, sink: Arc::new(sink) }
    }
}

impl<S> Layer<S> for AfterResponse {
    type Service = AfterResponseService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AfterResponseService { inner, outbox: self.outbox.clone(), sink: Arc::clone(&self.sink) }
    }
}

/// The service of [`AfterResponse`].
pub struct AfterResponseService<S> {
    inner: S,
    outbox: Outbox,
    sink: Arc<Sink>,
}

impl<S> Service<LambdaInvocation> for AfterResponseService<S>
where
    S: Service<LambdaInvocation, Response = ()>,
    S::Future: Send + 'static,
    S::Error: Send,
{
    type Response = ();
    type Error = S::Error;
    type Future = BoxFuture<Result<(), S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let answered = self.inner.call(invocation);
        let (outbox, sink) = (self.outbox.clone(), Arc::clone(&self.sink));
        Box::pin(async move {
            answered.await?;
            if let Some(report) = outbox.take() {
                sink.deliver(&report).await;
            }
            Ok(())
        })
    }
}
