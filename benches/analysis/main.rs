//! How long `duet report` takes for a campaign of a million samples and 60 environments a side, beside Polars, DuckDB and
//! NumPy, which make the same estimates from the same file, in turns; and how much memory reports of ten times as many
//! samples take.
//!
//! The times of the others are without the start of Python and of the libraries, duet's are those of the whole process.
//! `make bench BENCH=analysis` runs this and installs the libraries. Aims, on two cores: half the time of Polars and of
//! DuckDB; a gigabyte of JSON in a second; less than 1 GB of memory for ten million samples.

mod campaign;
#[path = "../common/effort.rs"]
mod effort;
#[path = "../common/process.rs"]
mod process;
#[path = "../common/statistics.rs"]
mod statistics;

use campaign::{Called, make};
use effort::is_short;
use lambda_duet::campaign::run_directory;
use process::{Finished, finish};
use serde_json::Value;
use statistics::Pairs;
use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Instant,
};

const ROUNDS: usize = 6;

/// Samples of the campaign that all read, and of the one whose memory is measured.
const SAMPLES: [u64; 2] = [1_000_000, 10_000_000];

/// What duet is compared with: its name, the reader of the script, and how many times as long it should take.
const RIVALS: [(&str, &str, Option<f64>); 3] =
    [("Polars", "polars", Some(2.0)), ("DuckDB", "duckdb", Some(2.0)), ("NumPy with Python's json", "json", None)];

fn main() {
    // Cargo runs benchmarks as tests too, where few samples have to do.
    let (rounds, samples) = if is_short() { (1, [1200, 12_000]) } else { (ROUNDS, SAMPLES) };
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("analysis");
    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores");
    // Each answer of the service is ten times as long as what else a sample has.
    for (called, samples) in [(Called::Service, samples[0] / 5), (Called::Own, samples[0])] {
        make(&directory, called, samples);
        let bytes = fs::metadata(directory.join("samples.jsonl")).expect("samples").len() as f64;
        let read = statistics::median((0..rounds).map(|_| read(&directory)));
        let report = statistics::median((0..rounds).map(|_| report(&directory).seconds));
        let name = if called == Called::Own { "a function of one's own" } else { "the benchmark service" };
        println!("{samples} samples of {name}, {:.0} MB: duet report {report:.3} s", bytes / 1e6);
        println!(
            "they are read and checked in {read:.3} s, {:.2} GB of JSON a second (aim: at least 1)",
            bytes / 1e9 / read
        );
    }
    match env::var("DATAFRAMES_PYTHON") {
        Err(_) => println!("DATAFRAMES_PYTHON does not name a Python that has the libraries: nothing to compare with"),
        Ok(python) => compare(&python, &directory, rounds),
    }
    make(&directory, Called::Own, samples[1]);
    let Finished { seconds, peak_kib, .. } = report(&directory);
    let mebibytes = peak_kib as f64 / 1024.0;
    println!("{} samples: {seconds:.1} s, {mebibytes:.0} MiB at most (aim: less than 954, which is 1 GB)", samples[1]);
    let _ = fs::remove_dir_all(&directory);
}

/// Compares duet with its rivals, one after the other.
fn compare(python: &str, directory: &Path, rounds: usize) {
    let duet = json(&report(directory));
    for (name, reader, aim) in RIVALS {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/analysis/estimates.py");
        let rival = || {
            let mut command = Command::new(python);
            let command = command.arg(&script).arg(reader).arg(directory).stdout(Stdio::piped());
            json(&finish(command.spawn().expect("Python starts")))
        };
        assert_same(&duet, &rival()["measures"]);
        let mut read = Vec::new();
        let rival_seconds = || {
            let times = rival();
            read.push(seconds(&times["seconds_to_read"]));
            seconds(&times["seconds"])
        };
        let pairs = Pairs::in_turns(rounds, || {}, rival_seconds, || report(directory).seconds);
        let (rival, duet) = pairs.medians();
        let read = statistics::median(read.into_iter());
        let aim = aim.map_or_else(String::new, |aim| format!(" (aim: at least {aim})"));
        println!("{name}: {rival:.2} s, of which reading and grouping {read:.2} s; duet report {duet:.2} s");
        println!("{name}'s time as a multiple of duet's: {}{aim}", pairs.ratio());
    }
}

/// The seconds that it takes to read the samples of a campaign, and to check that they are its own.
fn read(directory: &Path) -> f64 {
    let begin = Instant::now();
    let manifest = run_directory::manifest(directory).expect("a campaign");
    run_directory::rows(directory, &manifest).expect("samples").for_each(|row| drop(row.expect("a sample")));
    begin.elapsed().as_secs_f64()
}

fn seconds(value: &Value) -> f64 {
    value.as_f64().expect("seconds")
}

fn report(directory: &Path) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duet"));
    let command = command.arg("report").arg(directory).args(["--format", "json"]).stdout(Stdio::piped());
    finish(command.spawn().expect("duet starts"))
}

fn json(process: &Finished) -> Value {
    serde_json::from_slice(&process.output).expect("JSON")
}

/// All make the same estimates.
fn assert_same(duet: &Value, rival: &Value) {
    for comparison in duet["comparisons"][0]["cells"][0]["comparisons"].as_array().expect("comparisons") {
        let measure = comparison["measure"].as_str().expect("a measure");
        let (ratio, rival) = (&comparison["ratio"], &rival[measure]);
        for number in ["estimate", "log_standard_error", "degrees_of_freedom"] {
            assert_close(&ratio[number], &rival[number], number);
        }
        for (side, percentiles) in
            ["baseline", "candidate"].into_iter().zip(rival["percentiles"].as_array().expect("sides"))
        {
            for (index, number) in ["min", "p50", "p90", "p95", "p99", "max"].into_iter().enumerate() {
                assert_close(&comparison["statistics"][side][number], &percentiles[index], number);
            }
        }
    }
}

/// Samples are kept with seven digits.
fn assert_close(duet: &Value, rival: &Value, name: &str) {
    let [duet, rival] = [duet, rival].map(|number| number.as_f64().expect("a number"));
    assert!((duet / rival - 1.0).abs() < 1e-4, "{name}: {duet} is not {rival}");
}
