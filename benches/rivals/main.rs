//! Workloads beside the best-known libraries for the same jobs, on the same input at `medium`: that no
//! kernel is a straw man, and how far a library of the common kind is from the fastest there is.
//!
//! For each it prints our median time, the rival's, and ours as a multiple of the rival's with its 95%
//! interval, both in turns on one thread. Both are prepared anew for every time, so that chance in where
//! buffers come to lie evens out. That the two do the same work is checked by the checksum.
//!
//! The aim concerns the kernels that call themselves tuned: at most 1.1 times the time of the best rival.
//! `cargo bench -p rivals -- string/json` measures a part; all of it takes two minutes.
//!
//! `scripts/bench.sh` builds this with the function's flags; the rivals are optimized for speed as the
//! libraries of the workloads are.

mod bytes;
#[path = "../common/effort.rs"]
mod effort;
mod json;
mod matrices;
mod patterns;
mod sorting;
#[path = "../common/statistics.rs"]
mod statistics;
#[path = "../common/timing.rs"]
mod timing;

use effort::rounds;
use lambda_duet::{
    measure::heap::CountingAllocator,
    protocol::{Implementation, Request, Selection},
    workload::{self, Params, Routine, Workload},
};
use statistics::Pairs;
use timing::time;

/// As in the handler.
#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const ROUNDS: usize = 20;

/// The most times that a tuned kernel may take of its best rival.
const AIM: f64 = 1.1;

type Prepare = fn(&Params) -> Box<dyn Routine>;

/// Another way to do the job of a workload.
struct Rival {
    name: &'static str,
    prepare: Prepare,
    /// The part of the workload that it can do, where that is not all of it, and our way to do that part.
    part: Option<(&'static str, Prepare)>,
}

impl Rival {
    const fn new(name: &'static str, prepare: Prepare) -> Self {
        Self { name, prepare, part: None }
    }

    const fn of_part(name: &'static str, prepare: Prepare, part: &'static str, ours: Prepare) -> Self {
        Self { name, prepare, part: Some((part, ours)) }
    }
}

fn rivals_of(workload: &Workload) -> &'static [Rival] {
    match workload.name {
        "math/matmul" => &matrices::OF_REALS,
        "math/matmul-tuned" => &matrices::OF_INTEGERS,
        "sorting/heapsort" | "sorting/mergesort" | "sorting/quicksort" | "sorting/radix" => &sorting::ALL,
        "sorting/std-unstable" => sorting::NOT_STD,
        "string/base64" => &bytes::BASE64,
        "string/gunzip" => &bytes::GUNZIP,
        "string/gzip" => &bytes::GZIP,
        "string/json" => &json::ALL,
        "string/regex" => &patterns::OF_REGEX,
        "string/search" | "string/search-naive" => &patterns::OF_SEARCH,
        "string/sha256" => &bytes::SHA256,
        "string/utf8" => &bytes::UTF8,
        _ => &[],
    }
}

fn main() {
    // Cargo hands `--bench` to every benchmark.
    let selectors: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let selection = if selectors.is_empty() { Selection::All } else { Selection::Some(selectors) };
    let workloads = workload::select(&selection).unwrap_or_else(|error| {
        eprintln!("{error}");
        std::process::exit(2);
    });
    println!("{:<36} {:<9} {:<24} {:>8} {:>8}  ours / rival's", "median, ms", "ours is", "rival", "ours", "rival");
    let mut tuned = Vec::new();
    for workload in workloads {
        let ratios = rivals_of(workload).iter().map(|rival| compare(workload, rival));
        let worst = ratios.max_by(f64::total_cmp);
        if workload.implementation == Implementation::Tuned {
            tuned.extend(worst.map(|ratio| (workload.name, ratio)));
        }
    }
    for (name, ratio) in tuned {
        let verdict = if ratio <= AIM { "met" } else { "missed" };
        println!("{name} is tuned: {ratio:.3} times the best rival; aim ≤ {AIM} {verdict}");
    }
}

/// Prints one line and returns our time as a multiple of the rival's.
fn compare(workload: &Workload, rival: &Rival) -> f64 {
    let request = Request::default();
    let params = Params { elements: workload.elements(request.size), seed: request.seed, shape: request.shape };
    let (name, prepare) = match rival.part {
        Some((part, prepare)) => (format!("{}: {part}", workload.name), prepare),
        None => (workload.name.to_owned(), workload.prepare),
    };
    let same_work = checksum(prepare, &params) == checksum(rival.prepare, &params);
    assert!(same_work, "{name} and {} do not do the same work", rival.name);
    let pairs =
        Pairs::in_turns(rounds(ROUNDS), || (), || time_of(prepare, &params), || time_of(rival.prepare, &params));
    let ((our_time, their_time), ratio) = (pairs.medians(), pairs.ratio());
    println!(
        "{name:<36} {:<9} {:<24} {:>8.3} {:>8.3}  {ratio}",
        workload.implementation,
        rival.name,
        our_time / 1e6,
        their_time / 1e6
    );
    ratio.median
}

fn checksum(prepare: Prepare, params: &Params) -> u64 {
    let mut routine = prepare(params);
    routine.restore();
    routine.run();
    routine.checksum()
}

/// The time of the second run: the first one is to warm up.
fn time_of(prepare: Prepare, params: &Params) -> f64 {
    let mut routine = prepare(params);
    time(&mut *routine);
    time(&mut *routine)
}
