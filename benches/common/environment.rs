//! A function as a process, one call after the other.

use hyper::body::Bytes;
use lambda_duet::campaign::local::LocalEnvironment;
use std::{
    cell::Cell,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

const TIMEOUT: Duration = Duration::from_secs(20);

pub struct Function {
    environment: LocalEnvironment,
    calls: Cell<u64>,
}

/// An answer, and how long it took.
pub struct Call {
    #[allow(dead_code, reason = "not every benchmark reads it")]
    pub answer: Bytes,
    /// From sending the event until the answer had arrived.
    pub time: Duration,
}

impl Function {
    pub async fn start<'a>(binary: &Path, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let environment = LocalEnvironment::start(binary, variables, Stdio::null()).await;
        Self { environment: environment.expect("the function starts; `make build` builds it"), calls: Cell::new(0) }
    }

    /// Waits until everything behind the last answer is done.
    pub async fn ready(&self) {
        self.environment.api().asked_for_work(self.calls.get() + 1).await;
    }

    pub async fn call(&self, request: &'static str) -> Call {
        self.calls.set(self.calls.get() + 1);
        let start = Instant::now();
        let outcome = self.environment.api().send(request, TIMEOUT).await.expect("the function answers");
        let time = start.elapsed();
        Call { answer: outcome.expect("an answer that is no error"), time }
    }
}
