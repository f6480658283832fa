//! Many callers, one after the other and at once.

use super::service::targets;
use crate::sample::everything;
use lambda_duet::{
    campaign::{
        Auth, Target,
        caller::{CallOptions, Caller},
        row::{Failure, FailureKind},
    },
    protocol::{Architecture, Response},
};
use std::{collections::BTreeMap, time::Duration};
use tokio::{task::JoinSet, time::Instant};

/// Leaves the workload alone whose metrics another test counts.
const REQUEST: &str = r#"{"workloads":["sorting","math","string/json"],"size":100,"iterations":5}"#;

/// How many are made one after the other: twice as many every night.
fn sequential_calls() -> usize {
    if everything() { 200 } else { 100 }
}

const CALLERS: usize = 16;

/// How long they call: a minute every night.
fn time() -> Duration {
    Duration::from_secs(if everything() { 60 } else { 20 })
}

/// How much more memory an environment may have taken at its end than it had after a third of its invocations.
const GROWTH: f64 = 1.05;

/// How much more memory an environment may have taken than the one that served the most, or than it had taken when it
/// was first asked: other tests may have asked it for more.
const SPREAD: f64 = 1.10;

/// The peaks of an environment's resident memory, in the order of its invocations.
type Peaks = BTreeMap<u64, u64>;

/// What came back: by architecture, the peaks of each environment.
#[derive(Default)]
struct Answers {
    resident: BTreeMap<String, BTreeMap<String, Peaks>>,
    throttled: usize,
}

impl Answers {
    /// Counts an answer in. Beside a whole response there is one that is documented: that of a throttle.
    fn add(&mut self, target: &Target, answer: Result<String, Failure>) {
        match answer {
            Ok(text) => {
                let response: Response =
                    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{target}: {error}: {text}"));
                assert!(response.complete, "{target}: {text}");
                let peak = response.results.iter().map(|sample| sample.memory.max_rss_bytes).max().unwrap();
                let environments = self.resident.entry(response.function.architecture.to_string()).or_default();
                let peaks = environments.entry(response.environment.id).or_default();
                peaks.insert(response.environment.invocation_index, peak);
            }
            Err(failure) if failure.kind == FailureKind::Throttled => self.throttled += 1,
            Err(error) => panic!("{target}: {error}"),
        }
    }

    /// The environment that served the most has grown no more since a third of its invocations, and no other has taken
    /// more. Those that served few are still warming up, and under emulation the emulator with them.
    fn assert_flat(&self) {
        for (architecture, environments) in &self.resident {
            let longest = environments.values().max_by_key(|peaks| peaks.len()).unwrap();
            let peaks: Vec<u64> = longest.values().copied().collect();
            assert!(peaks.len() >= sequential_calls() / 2, "{architecture}: {} invocations are too few", peaks.len());
            let (early, last) = (peaks[peaks.len() / 3], peaks[peaks.len() - 1]);
            println!("{architecture}: {} invocations, {early} bytes after a third, {last} at last", peaks.len());
            assert!(last as f64 <= early as f64 * GROWTH, "{architecture}: {peaks:?}");
            for (environment, peaks) in environments {
                let most = peaks.values().copied().max().unwrap();
                println!("{architecture}: {} invocations of {environment}, {most} bytes", peaks.len());
                let first = *peaks.values().next().unwrap();
                let enough = last.max(first) as f64 * SPREAD;
                assert!(most as f64 <= enough, "{architecture}, {environment}: {peaks:?}, not {last}");
            }
        }
    }
}

/// The entry points of both functions, over and over.
fn entry_points() -> impl Iterator<Item = Target> {
    let targets = [Architecture::Arm64, Architecture::X86_64].map(targets).concat();
    let targets: Vec<Target> = targets.iter().map(|target| target.parse().unwrap()).collect();
    (0..).map(move |index| targets[index % targets.len()].clone())
}

async fn call(target: &Target) -> Result<String, Failure> {
    Caller::from_settings(target, CallOptions::new(Auth::SigV4)).await?.call_for_text(REQUEST).await
}

#[tokio::test]
#[ignore = "needs a deployed stack: run by `make test`"]
async fn hundreds_of_calls_are_answered_in_memory_that_does_not_grow() {
    let mut answers = Answers::default();
    for target in entry_points().take(sequential_calls()) {
        answers.add(&target, call(&target).await);
    }
    let sequential: usize = answers.resident.values().flat_map(BTreeMap::values).map(BTreeMap::len).sum();
    assert_eq!((sequential, answers.throttled), (sequential_calls(), 0));

    let end = Instant::now() + time();
    let mut callers = JoinSet::new();
    for target in entry_points().take(CALLERS) {
        callers.spawn(async move {
            let mut answers = Vec::new();
            while Instant::now() < end {
                answers.push(call(&target).await);
            }
            (target, answers)
        });
    }
    while let Some(caller) = callers.join_next().await {
        let (target, calls) = caller.unwrap();
        assert!(!calls.is_empty());
        calls.into_iter().for_each(|answer| answers.add(&target, answer));
    }
    answers.assert_flat();
    println!("{} calls throttled", answers.throttled);
}
