//! How often the intervals of real campaigns cover the truth: campaigns of one binary against itself, which differ from
//! nothing, on the machine that this runs on, first as it is and then beside a load that comes and goes.
//!
//! A row of the table is a measure of both cells, or all cells together. Aims: 93% to 97% covered, within the error that
//! so many campaigns leave, both times; no more false verdicts than 5%. It fails where a measure covers less than that by
//! more than chance, once in ten thousand. `DUET_BEFORE` may name another build of `duet`,
//! whose campaigns take turns with these: the last column then says how wide these intervals are beside its own.
//!
//! `make bench BENCH=identical` builds the function and takes half an hour; `CAMPAIGNS` says of how many, and the
//! function's binary may be named as the argument.

#[path = "../common/effort.rs"]
mod effort;
#[path = "../common/function.rs"]
mod function;

use effort::is_short;
use lambda_duet::{analysis::proportion::Proportion, protocol::quantile};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::Value;
use statrs::distribution::{Binomial, DiscreteCDF};
use std::{
    env, fs,
    hint::spin_loop,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

const CAMPAIGNS: usize = 200;
const ENVIRONMENTS: usize = 10;
const BLOCKS: usize = 8;
const CELLS: [&str; 2] = ["sorting/quicksort", "math/primes"];

/// How long the load lasts, and how long it pauses, in milliseconds.
const BURST_MS: std::ops::Range<u64> = 20..500;
const REST_MS: std::ops::Range<u64> = 50..1000;

/// The coverage that is required, and the level of the test that finds less.
const LEAST: f64 = 0.93;
const CHANCE: f64 = 1e-4;

/// The measures, and what stands for all cells together by the one that decides.
const MEASURES: [&str; 6] = ["wall", "cpu", "duration", "billed", "latency", "all cells"];

fn main() {
    let campaigns = match env::var("CAMPAIGNS") {
        Ok(number) => number.parse().expect("CAMPAIGNS is a number"),
        // Cargo runs benchmarks as tests too, where a few have to do.
        Err(_) if is_short() => 2,
        Err(_) => CAMPAIGNS,
    };
    let bench = Bench {
        function: function::binary(),
        duet: PathBuf::from(env!("CARGO_BIN_EXE_duet")),
        before: env::var_os("DUET_BEFORE").map(PathBuf::from),
        directory: Path::new(env!("CARGO_TARGET_TMPDIR")).join("identical"),
    };
    println!("{campaigns} campaigns of {} against itself, each {BLOCKS} blocks", bench.function.display());
    println!("\nthis machine as it is");
    let mut missed = bench.run(0, campaigns);
    println!("\nbeside bursts of {BURST_MS:?} ms on all cores, {REST_MS:?} ms apart");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| load(&is_over));
        missed.extend(bench.run(campaigns, campaigns));
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(missed.is_empty(), "covered less than {:.0}%: {}", LEAST * 100.0, missed.join(", "));
}

/// Keeps all cores busy for a while, again and again.
fn load(is_over: &AtomicBool) {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    while !is_over.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(rng.random_range(REST_MS)));
        let end = Instant::now() + Duration::from_millis(rng.random_range(BURST_MS));
        thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(|| {
                    while Instant::now() < end {
                        spin_loop();
                    }
                });
            }
        });
    }
}

struct Bench {
    function: PathBuf,
    duet: PathBuf,
    /// The build to compare with.
    before: Option<PathBuf>,
    directory: PathBuf,
}

/// What the intervals of one measure came to.
#[derive(Default)]
struct Found {
    covered: u64,
    intervals: u64,
    /// Those that led to a verdict of faster or slower.
    told_apart: u64,
    /// Half their widths, in percent.
    half_widths: Vec<f64>,
}

impl Found {
    fn add(&mut self, comparison: &Value) {
        let [low, high] = ["low", "high"].map(|end| comparison["ratio"]["interval"][end].as_f64());
        let (Some(low), Some(high)) = (low, high) else { panic!("no interval: {comparison}") };
        self.intervals += 1;
        self.covered += u64::from(low <= 1.0 && 1.0 <= high);
        self.told_apart += u64::from(matches!(comparison["verdict"].as_str(), Some("faster" | "slower")));
        self.half_widths.push((high / low).sqrt().ln() * 100.0);
    }

    /// Whether the truth is covered less often than with this probability, beyond chance.
    fn is_below(&self, probability: f64) -> bool {
        let binomial = Binomial::new(probability, self.intervals).expect("it is a probability");
        binomial.cdf(self.covered) < CHANCE
    }

    fn half_width(&self) -> f64 {
        let mut sorted = self.half_widths.clone();
        sorted.sort_by(f64::total_cmp);
        quantile(&sorted, 0.5)
    }
}

impl Bench {
    /// Makes so many campaigns and prints what they come to; the first has the seed `first`. Returns the measures that cover
    /// less than they should.
    fn run(&self, first: usize, campaigns: usize) -> Vec<&'static str> {
        let (mut found, mut found_before) = (MEASURES.map(|_| Found::default()), MEASURES.map(|_| Found::default()));
        for campaign in first..first + campaigns {
            add(&mut found, &self.report(&self.duet, campaign));
            if let Some(before) = &self.before {
                add(&mut found_before, &self.report(before, campaign));
            }
        }
        println!("measure    covered of intervals            told apart  half width");
        for (measure, (it, before)) in MEASURES.iter().zip(found.iter().zip(&found_before)) {
            if it.intervals == 0 {
                continue;
            }
            let Proportion { estimate, low, high } = Proportion::new(it.covered, it.intervals);
            let [estimate, low, high] = [estimate, low, high].map(|share| share * 100.0);
            print!(
                "{measure:<9}  {estimate:5.1}% of {:<3} ({low:.1}% to {high:.1}%)  {:>10}  ±{:.3}%",
                it.intervals,
                it.told_apart,
                it.half_width()
            );
            if before.intervals > 0 {
                let covered = 100.0 * before.covered as f64 / before.intervals as f64;
                let width = before.half_width();
                print!("  before: {covered:5.1}%, {}, ±{width:.3}%", before.told_apart);
                print!("; ratio of widths {:.3}", it.half_width() / width);
            }
            println!();
        }
        let measures = MEASURES.into_iter().zip(&found);
        measures.filter(|(_, it)| it.is_below(LEAST)).map(|(measure, _)| measure).collect()
    }

    /// The report of a campaign of the function against itself.
    fn report(&self, duet: &Path, seed: usize) -> Value {
        let _ = fs::remove_dir_all(&self.directory);
        let target = format!("exec:{}", self.function.display());
        let calls = CELLS.len() * 2 * ENVIRONMENTS * BLOCKS;
        let run = Command::new(duet)
            .args(["run", "--targets", &target, &target, "--size", "small", "--iterations", "3"])
            .args(CELLS.iter().flat_map(|cell| ["--workload", cell]))
            .args(["--environments", &ENVIRONMENTS.to_string(), "--invocations", &calls.to_string()])
            .args(["--seed", &seed.to_string(), "--out"])
            .arg(&self.directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("duet starts");
        assert!(run.success(), "duet run: {run}");
        let report = Command::new(duet)
            .args(["report", "--format", "json"])
            .arg(&self.directory)
            .stderr(Stdio::inherit())
            .output()
            .expect("duet starts");
        assert!(report.status.success(), "duet report: {}", report.status);
        serde_json::from_slice(&report.stdout).expect("a report is JSON")
    }
}

fn add(found: &mut [Found; MEASURES.len()], report: &Value) {
    let (all, measures) = found.split_last_mut().expect("there are several");
    let pair = &report["comparisons"][0];
    all.add(&pair["headline"]);
    for cell in pair["cells"].as_array().expect("a report has cells") {
        for comparison in cell["comparisons"].as_array().expect("a cell has comparisons") {
            if let Some(index) = MEASURES.iter().position(|measure| comparison["measure"] == *measure)
                && comparison["ratio"]["interval"].is_object()
            {
                measures[index].add(comparison);
            }
        }
    }
}
