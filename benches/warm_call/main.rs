//! A warm call of the smallest benchmark, less the workload's own time, beside the same call of an echo on the same
//! `lambda_runtime`, taken in turns in one run: what the service adds to what it measures.
//!
//! A call lasts from sending the event until the answer has arrived; both functions have asked for work beforehand. The
//! handler is the binary of this machine's architecture that `make build` made, or the one that is named as the
//! argument; it logs and sends metrics as it is deployed, or sends none, as in a campaign. Ratios are medians with
//! their 95% interval; aim: at most 1.2. Allocations are counted in runs of their own.

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
use lambda_duet::{
    campaign::local::LocalEnvironment,
    protocol::{Architecture, Response},
};
use statistics::{Pairs, median};
use std::{
    cell::Cell,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};

const AIM: f64 = 1.2;
const WARM_UP: usize = 200;
const ROUNDS: usize = 3000;
const COUNTED: usize = 500;
const TIMEOUT: Duration = Duration::from_secs(20);
const REQUEST: &str = r#"{"workloads":["math/primes"],"size":1,"iterations":1,"warmup":0,"heap":false}"#;

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (echo, handler) = (build_echo(), function::binary());
    let cloudwatch = runtime.block_on(Endpoint::start(Behaviour::Take));
    let settings = [
        ("as deployed", cloudwatch::variables(&cloudwatch.url).to_vec()),
        ("without metrics", vec![("METRICS_SINK", "none")]),
    ];
    println!(
        "{} calls each                                echo     handler  ratio of the medians; of the pairs",
        rounds(ROUNDS)
    );
    for (name, variables) in &settings {
        compare(&runtime, name, &echo, &handler, variables);
    }
    let allocations = Allocations::new();
    for (name, variables) in &settings {
        let of_echo = allocations.of_a_call(&runtime, &echo, &[]);
        let of_handler = allocations.of_a_call(&runtime, &handler, variables);
        println!("{name:<16} allocations a call     {of_echo:>10.1}  {of_handler:>10.1}");
    }
}

fn compare(runtime: &Runtime, name: &str, echo: &Path, handler: &Path, variables: &[(&str, &str)]) {
    let echo = runtime.block_on(Function::start(echo, &[]));
    let handler = runtime.block_on(Function::start(handler, variables));
    let mut bytes = (0, 0);
    let mut until_ready = Vec::new();
    let mut of_handler = || {
        let call = runtime.block_on(handler.call());
        let answer: Response = serde_json::from_slice(&call.answer).expect("a response");
        bytes.1 = call.answer.len();
        let own = own_us(&answer);
        until_ready.push(call.until_ready_us - own);
        call.us - own
    };
    let mut of_echo = || {
        let call = runtime.block_on(echo.call());
        bytes.0 = call.answer.len();
        call.us
    };
    Pairs::in_turns(rounds(WARM_UP), || (), &mut of_handler, &mut of_echo);
    let pairs = Pairs::in_turns(rounds(ROUNDS), || (), &mut of_handler, &mut of_echo);
    let (subject, standard) = pairs.medians();
    let ratio = subject / standard;
    let verdict = if ratio <= AIM { "met" } else { "missed" };
    println!(
        "{name:<16} answer after, µs       {standard:>10.1}  {subject:>10.1}  {ratio:.3}; {}  aim ≤ {AIM} {verdict}",
        pairs.ratio()
    );
    println!("{name:<16} asks for the next after, µs    {:>14.1}", median(until_ready.iter().copied()));
    println!("{name:<16} bytes of the answer    {:>10}  {:>10}", bytes.0, bytes.1);
}

/// The microseconds that the workload itself took: those of whole batches, as far as the answer tells them.
fn own_us(answer: &Response) -> f64 {
    let of_batches = |sample: &lambda_duet::protocol::Sample| {
        sample.wall_ns.iter().sum::<f64>() * f64::from(sample.batch_size) / 1e3
    };
    answer.results.iter().map(of_batches).sum()
}

/// Builds the echo as the handler is built.
fn build_echo() -> PathBuf {
    let flag = match Architecture::OF_BINARY {
        Architecture::Arm64 => "--arm64",
        Architecture::X86_64 => "--x86-64",
    };
    let directory = root().join("target/warm_call");
    let manifest = "benches/warm_call/echo/Cargo.toml";
    cargo(&["lambda", "build", "--release", flag, "--manifest-path", manifest, "--lambda-dir"], Some(&directory));
    directory.join("bare-echo/bootstrap")
}

fn cargo(arguments: &[&str], path: Option<&Path>) {
    let mut command = Command::new(env!("CARGO"));
    let status = command.args(arguments).args(path).current_dir(root()).stdout(Stdio::null()).status();
    assert!(
        status.expect("cargo runs").success(),
        "cargo {} failed; `make bench` installs what it needs",
        arguments[0]
    );
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Counts of allocations, by a library that is preloaded into a function.
struct Allocations {
    library: String,
    counter: PathBuf,
}

impl Allocations {
    fn new() -> Self {
        cargo(&["build", "--quiet", "--release", "--package", "allocations"], None);
        let library = root().join("target/release/liballocations.so").display().to_string();
        Self { library, counter: root().join("target/warm_call/allocations") }
    }

    /// The mean number of a warm call, work after the answer included.
    fn of_a_call(&self, runtime: &Runtime, binary: &Path, variables: &[(&str, &str)]) -> f64 {
        fs::write(&self.counter, 0u64.to_ne_bytes()).expect("the build's directory can be written");
        let counter = self.counter.display().to_string();
        let counting = [("LD_PRELOAD", self.library.as_str()), ("ALLOCATIONS", counter.as_str())];
        let function = runtime.block_on(Function::start(binary, &[&counting, variables].concat()));
        let calls = |number: usize| {
            for _ in 0..number {
                runtime.block_on(function.call());
            }
            let count = fs::read(&self.counter).expect("it was written");
            u64::from_ne_bytes(count.try_into().expect("a number"))
        };
        let before = calls(rounds(WARM_UP));
        assert!(before > 0, "the library {} was not loaded", self.library);
        (calls(rounds(COUNTED)) - before) as f64 / rounds(COUNTED) as f64
    }
}

struct Function {
    environment: LocalEnvironment,
    calls: Cell<u64>,
}

struct Call {
    /// The microseconds until the answer had arrived.
    us: f64,
    /// Those until the function had asked for the next event, which Lambda bills.
    until_ready_us: f64,
    answer: Vec<u8>,
}

impl Function {
    async fn start(binary: &Path, variables: &[(&str, &str)]) -> Self {
        let environment = LocalEnvironment::start(binary, variables.iter().copied(), Stdio::null()).await;
        let function = Self {
            environment: environment.expect("the function starts; `make build` builds it"),
            calls: Cell::new(0),
        };
        function.ready().await;
        function
    }

    /// Waits until everything behind the last answer is done.
    async fn ready(&self) {
        self.environment.api().asked_for_work(self.calls.get() + 1).await;
    }

    async fn call(&self) -> Call {
        self.calls.set(self.calls.get() + 1);
        let start = Instant::now();
        let outcome = self.environment.api().send(REQUEST, TIMEOUT).await.expect("the function answers");
        let us = start.elapsed().as_secs_f64() * 1e6;
        self.ready().await;
        let until_ready_us = start.elapsed().as_secs_f64() * 1e6;
        Call { us, until_ready_us, answer: outcome.expect("no error").to_vec() }
    }
}
