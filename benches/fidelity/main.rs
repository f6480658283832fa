//! The handler's own measurement beside Criterion's, of the same kernels: for each workload at `medium`
//! the median time by either, and the first as a multiple of the second with its 95% interval.
//!
//! Aim: every workload of 1 ms or more within 1%. `cargo bench --bench fidelity -- sorting` measures a
//! part; all of it takes some seven minutes. Criterion's files and all that it prints, panics included,
//! go to `target/fidelity`.
//!
//! Both take turns in one process, in rounds of ten iterations after one to warm up. In a round both run
//! the same routine, on the same buffers: where those come to lie in memory is chance and can matter more
//! than 1%. Every round prepares new ones. Criterion's times are its raw samples, not its estimates.

#[path = "../common/effort.rs"]
mod effort;
#[path = "../common/kernel.rs"]
mod kernel;
#[path = "../common/statistics.rs"]
mod statistics;

use criterion::{Criterion, SamplingMode};
use effort::rounds;
use lambda_duet::{
    measure::{self, Budget, heap::CountingAllocator},
    protocol::{Request, Selection, Status},
    workload::{self, Params, Routine, Workload},
};
use serde::Deserialize;
use statistics::{Pairs, Ratio, median};
use std::{
    cell::RefCell,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// As in the handler.
#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const ROUNDS: usize = 32;
/// The least that Criterion takes.
const ITERATIONS: u32 = 10;
/// From here on the aim holds, in nanoseconds.
const LONG_ENOUGH: f64 = 1e6;

fn main() {
    // Cargo hands `--bench` to every benchmark.
    let selectors: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let selection = if selectors.is_empty() { Selection::All } else { Selection::Some(selectors) };
    let workloads = workload::select(&selection).unwrap_or_else(|error| {
        eprintln!("{error}");
        std::process::exit(2);
    });
    let handler = Request { iterations: ITERATIONS, warmup: 1, heap: false, ..Request::default() };
    let criterion = CriterionRun::new();
    println!("{:<27} {:>13} {:>13}  ratio", "median, ns", "handler", "Criterion");
    let mut long = Vec::new();
    for workload in workloads {
        let params = Params { elements: workload.elements(handler.size), seed: handler.seed, shape: handler.shape };
        let shared = shared(workload);
        let pairs = Pairs::in_turns(
            rounds(ROUNDS),
            || ROUTINE.set(Some((workload.prepare)(&params))),
            || handler_median(shared, &handler),
            || criterion.median(shared, &params),
        );
        let (time, criterion_time) = pairs.medians();
        let ratio = pairs.ratio();
        println!("{:<27} {time:>13.0} {criterion_time:>13.0}  {ratio}", workload.name);
        if time >= LONG_ENOUGH {
            long.push((workload.name, ratio));
        }
    }
    conclude(&long);
}

fn conclude(long: &[(&str, Ratio)]) {
    let off = |ratio: &Ratio| (ratio.median - 1.0).abs();
    let within = long.iter().filter(|(_, ratio)| off(ratio) <= 0.01).count();
    println!("{within} of {} workloads of 1 ms or more are within 1%", long.len());
    if let Some((name, ratio)) = long.iter().max_by(|a, b| off(&a.1).total_cmp(&off(&b.1))) {
        println!("the worst is {name}: {ratio}");
    }
}

fn handler_median(workload: &'static Workload, request: &Request) -> f64 {
    const HOUR: Duration = Duration::from_secs(3600);
    let samples = measure::run(&[workload], request, &Budget::new(HOUR, 1.0));
    assert_eq!(samples[0].status, Status::Completed, "{:?}", samples[0].error);
    median(samples[0].wall_ns.iter().copied())
}

thread_local! {
    /// What both run in a round.
    static ROUTINE: RefCell<Option<Box<dyn Routine>>> = const { RefCell::new(None) };
}

/// The workload that, instead of preparing a routine, takes that of the round.
fn shared(workload: &Workload) -> &'static Workload {
    Box::leak(Box::new(Workload { prepare: |_| Box::new(Shared), ..*workload }))
}

struct Shared;

impl Shared {
    fn with<T>(work: impl FnOnce(&mut dyn Routine) -> T) -> T {
        ROUTINE.with_borrow_mut(|routine| work(&mut **routine.as_mut().expect("a round has begun")))
    }
}

impl Routine for Shared {
    fn restore(&mut self) {
        Self::with(|routine| routine.restore());
    }

    fn run(&mut self) {
        Self::with(|routine| routine.run());
    }

    fn checksum(&self) -> u64 {
        Self::with(|routine| routine.checksum())
    }
}

/// Where Criterion leaves its files, and what it prints.
struct CriterionRun {
    directory: PathBuf,
    log: File,
}

/// The file that Criterion keeps its raw times in.
#[derive(Deserialize)]
struct RawTimes {
    iters: Vec<f64>,
    times: Vec<f64>,
}

impl CriterionRun {
    fn new() -> Self {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fidelity");
        fs::create_dir_all(&directory).expect("a directory can be made in target");
        let log = File::create(directory.join("criterion.log")).expect("a file can be made in target");
        Self { directory, log }
    }

    /// The median time of a run by Criterion.
    fn median(&self, workload: &Workload, params: &Params) -> f64 {
        self.redirected(|| self.bench(workload, params)).expect("standard output and error can be redirected");
        let file = self.directory.join(workload.name.replace('/', "_")).join("medium/new/sample.json");
        let text = fs::read(file).expect("Criterion keeps its raw times");
        let RawTimes { iters, times } = serde_json::from_slice(&text).expect("they are lists of numbers");
        median(times.iter().zip(&iters).map(|(time, iterations)| time / iterations))
    }

    /// A warm-up of one iteration, then samples of one where that takes a tenth of a millisecond.
    fn bench(&self, workload: &Workload, params: &Params) {
        // A new one each time: of a benchmark that it knows already, one would change the name.
        let mut criterion = Criterion::default()
            .without_plots()
            .output_directory(&self.directory)
            .warm_up_time(Duration::from_nanos(1))
            .measurement_time(Duration::from_millis(1))
            .sample_size(ITERATIONS as usize)
            .nresamples(2000);
        let mut group = criterion.benchmark_group(workload.name);
        group.sampling_mode(SamplingMode::Flat);
        kernel::bench(&mut group, "medium", workload, params);
        group.finish();
    }

    /// Does `work` with standard output and error going to the log.
    fn redirected(&self, work: impl FnOnce()) -> io::Result<()> {
        let output = rustix::io::dup(io::stdout())?;
        let error = rustix::io::dup(io::stderr())?;
        rustix::stdio::dup2_stdout(&self.log)?;
        rustix::stdio::dup2_stderr(&self.log)?;
        work();
        rustix::stdio::dup2_stdout(output)?;
        rustix::stdio::dup2_stderr(error)?;
        Ok(())
    }
}
