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
#[path = "../common/environment.rs"]
mod environment;
#[path = "../common/function.rs"]
mod function;
#[path = "../common/statistics.rs"]
mod statistics;

use cloudwatch::{Behaviour, Endpoint};
use effort::rounds;
use environment::Function;
use statistics::Pairs;
use std::path::Path;
use tokio::runtime::{Builder, Runtime};

const WARM_UP: usize = 2;
const ROUNDS: usize = 30;
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
    let time = |function: &Function| runtime.block_on(function.call(REQUEST)).time.as_secs_f64() * 1e3;
    let in_turns = |rounds| Pairs::in_turns(rounds, both_ready, || time(&with_metrics), || time(&without));
    in_turns(rounds(WARM_UP));
    let pairs = in_turns(rounds(ROUNDS));
    let (subject, standard) = pairs.medians();
    println!("{behaviour:<10} {standard:>12.3} {:>12.3}  {}", subject - standard, pairs.ratio());
}
