//! What is left to do of an invocation when its answer has been handed over.

use super::{logging, metrics::Report};
use crate::protocol::{Environment, Error, Response};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Instant, SystemTime},
};

/// An invocation that has been answered.
pub struct Answered {
    /// The environment that served it.
    pub environment: Environment,
    pub request_id: String,
    pub outcome: Result<Response, Error>,
    pub emit_metrics: bool,
    /// The CPU's model, if it has been read.
    pub cpu_model: Option<String>,
    /// When the answer was ready.
    pub timestamp: SystemTime,
    /// The invocation's deadline, by which the metrics have to be delivered.
    pub deadline: Instant,
}

impl Answered {
    /// Logs its summary.
    pub fn log(&self) {
        match &self.outcome {
            Ok(response) if response.held_ms.is_some() => logging::held(response),
            Ok(response) => logging::answered(response),
            Err(error) => logging::unmeasured(&self.request_id, &self.environment, Some(error)),
        }
    }

    /// What its metrics are made from; `None` if it emits none.
    pub fn into_report(self) -> Option<Report> {
        self.emit_metrics.then(|| Report {
            environment: self.environment,
            results: self.outcome.ok().map(|response| response.results),
            request_id: self.request_id,
            cpu_model: self.cpu_model,
            timestamp: self.timestamp,
            deadline: self.deadline,
        })
    }
}

/// An invocation on its way from the handler to the layer that comes after the answer.
#[derive(Clone, Default)]
pub struct Outbox(Arc<Mutex<Option<Answered>>>);

impl Outbox {
    /// Leaves an invocation.
    pub fn put(&self, answered: Answered) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answered);
    }

    /// Takes the invocation out, if there is one.
    pub fn take(&self) -> Option<Answered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
