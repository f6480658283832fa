//! What the delivery of metrics adds to the time until the answer has arrived, whatever CloudWatch does:
//! against a function without metrics, in turns.
//!
//! Aim: at most 1 ms. Runs the binary of this machine's architecture that `make build` made, or the one that
//! is named as the argument.

#[path = "../../tests/suite/cloudwatch.rs"]
#[allow(dead_code, reason = "what the tests look at in a call")]
mod cloudwatch;
#[path = "../common/effort.rs"]
mod effort;
#[path = "../common/function.rs"]
mod function;
#[path = "../common/statistics.rs"]
mod statistics;

use cloudwatch::{Behaviour, Endpoint};
use effort::rounds;
use lambda_duet::campaign::local::LocalEnvironment;
use statistics::Pairs;
use std::{
    cell::Cell,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};

const WARM_UP: usize = 2;
const ROUNDS: usize = 30;
const TIMEOUT: Duration = Duration::from_secs(20);
const REQUEST: &str = r#"{"workloads":["math/primes"],"size":1000,"iterations":3,"warmup":0,"heap":false}"#;

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let binary = function::binary();
    println!("{:<10} {:>12} {:>12}  ratio of the pairs", "CloudWatch", "no sink, ms", "added, ms");
    let unreachable = runtime.block_on(cloudwatch::unreachable());
    compare(&runtime, &binary, "Refuse", &unreachable);
    for behaviour in [Behaviour::Take].into_iter().chain(Behaviour::FAULTS) {
        let cloudwatch = runtime.block_on(Endpoint::start(behaviour));
        compare(&runtime, &binary, &format!("{behaviour:?}"), &cloudwatch.url);
    }
}

fn compare(runtime: &Runtime, binary: &Path, behaviour: &str, endpoint: &str) {
    let with_metrics = runtime.block_on(Function::start(binary, cloudwatch::variables(endpoint)));
    let without = runtime.block_on(Function::start(binary, [("METRICS_SINK", "none")]));
    let both_ready = || {
        runtime.block_on(with_metrics.ready());
        runtime.block_on(without.ready());
    };
    let time = |function: &Function| runtime.block_on(function.answer());
    let in_turns = |rounds| Pairs::in_turns(rounds, both_ready, || time(&with_metrics), || time(&without));
    in_turns(rounds(WARM_UP));
    let pairs = in_turns(rounds(ROUNDS));
    let (subject, standard) = pairs.medians();
    println!("{behaviour:<10} {standard:>12.3} {:>12.3}  {}", subject - standard, pairs.ratio());
}

struct Function {
    environment: LocalEnvironment,
    invocations: Cell<u64>,
}

impl Function {
    async fn start<'a>(binary: &Path, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let environment = LocalEnvironment::start(binary, variables, Stdio::null()).await;
        Self {
            environment: environment.expect("the function starts; `make build` builds it"),
            invocations: Cell::new(0),
        }
    }

    /// Waits until everything behind the last answer is done.
    async fn ready(&self) {
        self.environment.api().asked_for_work(self.invocations.get() + 1).await;
    }

    /// The milliseconds from sending an event until its answer has arrived.
    async fn answer(&self) -> f64 {
        self.invocations.set(self.invocations.get() + 1);
        let start = Instant::now();
        let outcome = self.environment.api().send(REQUEST, TIMEOUT).await.expect("the function answers");
        assert!(outcome.is_ok(), "{outcome:?}");
        start.elapsed().as_secs_f64() * 1e3
    }
}
