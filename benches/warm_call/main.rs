//! A warm call of the smallest benchmark, less the workload's own time, beside the same call of an echo on the same
//! `lambda_runtime`, taken in turns in one run: what the service adds to what it measures.
//!
//! A call lasts from sending the event until the answer has arrived; both functions have asked for work beforehand. The
//! handler is the binary of this machine's architecture that `make build` made, or the one that is named as the
//! argument; it logs and sends metrics as it is deployed, or sends none, as in a campaign. Ratios are medians with
//! their 95% interval; aim: at most 1.2. Allocations are counted in runs of their own.

#[path = "../common/build.rs"]
mod build;
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

use build::build;
use cloudwatch::{Behaviour, Endpoint};
use effort::rounds;
use environment::{Call, Function};
use lambda_duet::protocol::{Architecture, Response, Sample};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use statistics::{Pairs, median};
use std::{
    cell::{Cell, RefCell},
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};

const AIM: f64 = 1.2;
const WARM_UP: usize = 200;
const ROUNDS: usize = 3000;
const COUNTED: usize = 500;
const REQUEST: &str = r#"{"workloads":["math/primes"],"size":1,"iterations":1,"warmup":0,"heap":false}"#;

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (echo, handler) =
        (build("benches/warm_call/echo/Cargo.toml", "bare-echo", Architecture::OF_BINARY), function::binary());
    let cloudwatch = runtime.block_on(Endpoint::start(Behaviour::Take));
    let settings = [
        ("as deployed", cloudwatch::variables(&cloudwatch.url).to_vec()),
        ("without metrics", vec![("METRICS_SINK", "none")]),
    ];
    let allocations = Allocations::new();
    let processors = Processors::new();
    println!("{:<26} {:>8} {:>8}", format!("{} calls", rounds(ROUNDS)), "echo", "handler");
    for (name, variables) in &settings {
        println!("{name}");
        compare(&runtime, &processors, &echo, &handler, variables);
        let of_echo = allocations.of_a_call(&runtime, &echo, &[]);
        let of_handler = allocations.of_a_call(&runtime, &handler, variables);
        println!("  {:<24} {of_echo:>8.1} {of_handler:>8.1}", "allocations");
    }
}

fn compare(runtime: &Runtime, processors: &Processors, echo: &Path, handler: &Path, variables: &[(&str, &str)]) {
    let echo = Subject::new(processors.start(runtime, echo, &[]), |_| 0.0);
    let handler = Subject::new(processors.start(runtime, handler, variables), own_us);
    let time = |subject: &Subject| runtime.block_on(subject.time());
    let in_turns = |rounds| Pairs::in_turns(rounds, || (), || time(&handler), || time(&echo));
    in_turns(rounds(WARM_UP));
    let pairs = in_turns(rounds(ROUNDS));
    let (subject, standard) = pairs.medians();
    let ratio = subject / standard;
    let verdict = if ratio <= AIM { "met" } else { "missed" };
    println!("  {:<24} {standard:>8.1} {subject:>8.1}", "µs until the answer");
    println!("    ratio of the medians {ratio:.3}, of the pairs {}; aim ≤ {AIM}, {verdict}", pairs.ratio());
    println!("  {:<24} {:>8.1} {:>8.1}", "µs until ready again", echo.until_ready(), handler.until_ready());
    println!("  {:<24} {:>8} {:>8}", "bytes of the answer", echo.bytes.get(), handler.bytes.get());
}

/// Two processors, one for the functions and one for what calls them, so that a call wakes the other one every time. Both are
/// kept from halting by processes that give way to all others: a virtual machine takes tens of microseconds to wake one, which
/// the handler's calls would be charged for, since callers sleep through its workload, and hardly through an echo's.
struct Processors {
    of_callers: usize,
    of_functions: usize,
    spinning: Vec<Child>,
}

impl Processors {
    fn new() -> Self {
        let allowed = sched_getaffinity(None).expect("Linux tells the processors");
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|processor| allowed.is_set(*processor));
        let of_callers = allowed.next().expect("this runs on a processor");
        let of_functions = allowed.next().unwrap_or(of_callers);
        println!("callers on processor {of_callers}, functions on {of_functions}; both are kept from halting");
        // It ends with this process, even if that is killed.
        const SPIN: &str = "while kill -0 $PPID; do i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; done";
        let spin = |processor| {
            run_on(processor);
            Command::new("nice").args(["-n", "19", "sh", "-c", SPIN]).stderr(Stdio::null()).spawn()
        };
        let spinning = [of_callers, of_functions].map(|processor| spin(processor).expect("nice and sh are there"));
        Self { of_callers, of_functions, spinning: spinning.into() }
    }

    /// Starts a function on its processor.
    fn start(&self, runtime: &Runtime, binary: &Path, variables: &[(&str, &str)]) -> Function {
        run_on(self.of_functions);
        let function = runtime.block_on(Function::start(binary, variables.iter().copied()));
        run_on(self.of_callers);
        function
    }
}

impl Drop for Processors {
    fn drop(&mut self) {
        for child in &mut self.spinning {
            // Whatever happens here, the benchmark is over.
            let _ = child.kill().and_then(|()| child.wait());
        }
    }
}

/// Has this thread, and what it starts from now on, run on one processor.
fn run_on(processor: usize) {
    let mut processors = CpuSet::new();
    processors.set(processor);
    sched_setaffinity(None, &processors).expect("this may run there");
}

/// One of the two functions, and what is told of its calls beside their times.
struct Subject {
    function: Function,
    own_us: fn(&[u8]) -> f64,
    bytes: Cell<usize>,
    until_ready: RefCell<Vec<f64>>,
}

impl Subject {
    fn new(function: Function, own_us: fn(&[u8]) -> f64) -> Self {
        Self { function, own_us, bytes: Cell::default(), until_ready: RefCell::default() }
    }

    /// The microseconds of a call until its answer, less those of the workload.
    async fn time(&self) -> f64 {
        let (call, until_ready) = call(&self.function).await;
        self.bytes.set(call.answer.len());
        let own = (self.own_us)(&call.answer);
        self.until_ready.borrow_mut().push(us(until_ready) - own);
        us(call.time) - own
    }

    fn until_ready(&self) -> f64 {
        median(self.until_ready.borrow().iter().copied())
    }
}

/// Calls a function, and waits until it has asked for the next event, which takes the second time from the beginning.
async fn call(function: &Function) -> (Call, Duration) {
    let start = Instant::now();
    let call = function.call(REQUEST).await;
    function.ready().await;
    (call, start.elapsed())
}

fn us(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The microseconds that the workload itself took, in whole batches, as the answer says.
fn own_us(answer: &[u8]) -> f64 {
    let answer: Response = serde_json::from_slice(answer).expect("a response");
    let of_batches = |sample: &Sample| sample.wall_ns.iter().sum::<f64>() * f64::from(sample.batch_size) / 1e3;
    answer.results.iter().map(of_batches).sum()
}

/// Counts of allocations, by a library that is preloaded into a function.
struct Allocations {
    counting: String,
    counter: PathBuf,
}

impl Allocations {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let directory = root.join("target/warm_call");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--release", "--package", "allocations", "--target-dir"]).arg(&directory);
        assert!(cargo.current_dir(root).status().expect("cargo runs").success(), "cargo cannot build the counter");
        let counting = directory.join("release/liballocations.so").display().to_string();
        Self { counting, counter: directory.join("allocations") }
    }

    /// The mean number of a warm call, work after the answer included.
    fn of_a_call(&self, runtime: &Runtime, binary: &Path, variables: &[(&str, &str)]) -> f64 {
        fs::write(&self.counter, 0u64.to_ne_bytes()).expect("the build's directory can be written");
        let counter = self.counter.display().to_string();
        let preloaded = [("LD_PRELOAD", self.counting.as_str()), ("ALLOCATIONS", counter.as_str())];
        let function =
            runtime.block_on(Function::start(binary, preloaded.into_iter().chain(variables.iter().copied())));
        let calls = |number: usize| {
            for _ in 0..number {
                runtime.block_on(call(&function));
            }
            let count = fs::read(&self.counter).expect("it was written");
            u64::from_ne_bytes(count.try_into().expect("a number"))
        };
        let before = calls(rounds(WARM_UP));
        assert!(before > 0, "{} was not loaded", self.counting);
        (calls(rounds(COUNTED)) - before) as f64 / rounds(COUNTED) as f64
    }
}
