//! How much of the safety margin before an invocation's deadline is used by answers whose measuring was ended
//! for want of time: from the end of the budget until the answer has arrived.
//!
//! Every workload by itself, and the largest answer there is, to time: alone, beside two busy loops, and with
//! as little of a processor as a function of 128 MB gets. Aim: at most half of the margin. Runs the binary of
//! this machine's architecture that `make build` made, or the one that is named as the argument.

#[path = "../common/effort.rs"]
mod effort;
#[path = "../common/function.rs"]
mod function;
#[path = "../../tests/suite/load.rs"]
mod load;

use effort::is_short;
use lambda_duet::{
    campaign::{local::LocalEnvironment, runtime_api::InvocationResult},
    lambda::SAFETY_MARGIN,
    workload::ALL,
};
use load::BusyLoops;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::Builder;

const ALONE: Setting = Setting { name: "alone", memory_mb: 1769, size: "large", busy_loops: 0 };
const BESIDE_BUSY_LOOPS: Setting = Setting { name: "beside 2 busy loops", busy_loops: 2, ..ALONE };
const SMALLEST_FUNCTION: Setting = Setting { name: "on 1/14 of a CPU", memory_mb: 128, size: "medium", ..ALONE };

/// The conditions under which a function runs.
struct Setting {
    name: &'static str,
    memory_mb: u64,
    size: &'static str,
    busy_loops: usize,
}

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let binary = function::binary();
    println!("{:<20} {:>9} {:>8} {:>13}  of the margin of {SAFETY_MARGIN:?}", "", "timeout", "answers", "most used");
    let settings: &[Setting] = if is_short() { &[ALONE] } else { &[ALONE, BESIDE_BUSY_LOOPS, SMALLEST_FUNCTION] };
    for setting in settings {
        for timeout in [1, 3].map(Duration::from_secs) {
            runtime.block_on(use_up(&binary, setting, timeout));
        }
        runtime.block_on(use_up_with_largest_answer(&binary, setting));
    }
}

/// One invocation for each workload.
async fn use_up(binary: &Path, setting: &Setting, timeout: Duration) {
    let environment = Environment::start(binary, setting).await;
    let mut uses = Vec::new();
    for workload in &ALL[..if is_short() { 3 } else { ALL.len() }] {
        let request = request(&format!("\"{}\"", workload.name), setting.size);
        uses.push((environment.margin_used(request, timeout).await, workload.name));
    }
    report(setting, timeout, &uses);
}

/// All workloads, as far as they get with a thousand iterations each.
async fn use_up_with_largest_answer(binary: &Path, setting: &Setting) {
    let timeout = Duration::from_secs(20);
    let environment = Environment::start(binary, setting).await;
    let used = environment.margin_used(request(r#""sorting","math","string""#, "small"), timeout).await;
    report(setting, timeout, &[(used, "all of them")]);
}

fn request(workloads: &str, size: &str) -> String {
    format!(r#"{{"workloads":[{workloads}],"size":"{size}","iterations":1000,"warmup":0}}"#)
}

fn report(setting: &Setting, timeout: Duration, uses: &[(f64, &str)]) {
    let (used, workload) = uses.iter().max_by(|a, b| a.0.total_cmp(&b.0)).expect("one invocation at least");
    println!("{:<20} {timeout:>9?} {:>8} {used:>13.3}  {workload}", setting.name, uses.len());
}

/// An execution environment with what is beside it.
struct Environment {
    environment: LocalEnvironment,
    _busy_loops: BusyLoops,
}

impl Environment {
    async fn start(binary: &Path, setting: &Setting) -> Self {
        let memory = setting.memory_mb.to_string();
        let variables = [("METRICS_SINK", "none"), ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory)];
        let environment = LocalEnvironment::start(binary, variables, Stdio::null()).await;
        let environment = environment.expect("the function starts; `make build` builds it");
        environment.api().asked_for_work(1).await;
        if setting.memory_mb < ALONE.memory_mb {
            let process = environment.process_id().and_then(|id| Pid::from_raw(id.cast_signed()));
            ration(process.expect("the function runs"), setting.memory_mb as f64 / ALONE.memory_mb as f64);
        }
        Self { environment, _busy_loops: BusyLoops::start(setting.busy_loops) }
    }

    /// The part of the margin that was over when the answer arrived; 0 where nothing was ended.
    async fn margin_used(&self, request: String, timeout: Duration) -> f64 {
        let start = Instant::now();
        let outcome = self.environment.api().send(request, timeout).await.expect("the function answers");
        let over = start.elapsed().saturating_sub(timeout - SAFETY_MARGIN);
        assert!(outcome.is_ok() || over.is_zero() || is_too_short(&outcome), "{outcome:?}");
        over.div_duration_f64(SAFETY_MARGIN)
    }
}

fn is_too_short(outcome: &InvocationResult) -> bool {
    matches!(outcome, Err(error) if error.error_type == "DeadlineTooShort")
}

/// Lets a process run for its share of each 20 ms, as Lambda does, until it ends.
fn ration(process: Pid, share: f64) {
    const PERIOD: Duration = Duration::from_millis(20);
    let running = PERIOD.mul_f64(share);
    thread::spawn(move || {
        while kill_process(process, Signal::CONT).is_ok() {
            thread::sleep(running);
            if kill_process(process, Signal::STOP).is_err() {
                break;
            }
            thread::sleep(PERIOD - running);
        }
    });
}
