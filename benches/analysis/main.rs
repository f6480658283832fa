//! How long `duet report` takes for a campaign of a million samples and 60 environments a side, beside a NumPy and SciPy
//! script that makes the same estimates from the same files, in turns; and how much memory reports of ten times as many
//! samples take.
//!
//! The times are those of the whole processes, reading included. `make bench BENCH=analysis` runs this and installs the
//! script's libraries; aims: 20 times as fast, and less than 1 GB of memory for ten million samples.

#[path = "../common/effort.rs"]
mod effort;
#[path = "../common/process.rs"]
mod process;
#[path = "../common/statistics.rs"]
mod statistics;

use effort::is_short;
use lambda_duet::{
    campaign::{
        Auth, Target,
        manifest::{CampaignLimits, Manifest, Order, SCHEMA, Variant},
        platform_report::PlatformReport,
        row::Row,
        run_directory::Journal,
        schedule::{self, Call},
        variants::VariantIndex,
    },
    protocol::Architecture,
};
use process::{Finished, finish};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::{Value, json};
use statistics::Pairs;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const ENVIRONMENTS: u32 = 60;
const ROUNDS: usize = 6;

/// Samples of the campaign that both read, and of the one whose memory is measured.
const SAMPLES: [u64; 2] = [1_000_000, 10_000_000];

fn main() {
    // Cargo runs benchmarks as tests too, where few samples have to do.
    let (rounds, samples) = if is_short() { (1, [1200, 12_000]) } else { (ROUNDS, SAMPLES) };
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("analysis");
    make(&directory, samples[0]);
    match env::var("NUMPY") {
        Err(_) => println!("NUMPY does not name a Python that has NumPy and SciPy: nothing to compare with"),
        Ok(python) => {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/analysis/estimates.py");
            let script = || Command::new(&python).arg(&script).arg(&directory).stdout(Stdio::piped()).spawn();
            assert_same(&report(&directory), &finish(script().expect("Python starts")));
            let pairs = Pairs::in_turns(
                rounds,
                || {},
                || finish(script().expect("Python starts")).seconds,
                || report(&directory).seconds,
            );
            let (numpy, duet) = pairs.medians();
            println!("{} samples: duet report {duet:.2} s, NumPy {numpy:.2} s", samples[0]);
            println!("NumPy's time as a multiple of duet's: {} (aim: at least 20)", pairs.ratio());
        }
    }
    make(&directory, samples[1]);
    let Finished { seconds, peak_kib, .. } = report(&directory);
    let mebibytes = peak_kib as f64 / 1024.0;
    println!("{} samples: {seconds:.1} s, {mebibytes:.0} MiB at most (aim: less than 954, which is 1 GB)", samples[1]);
    let _ = fs::remove_dir_all(&directory);
}

fn report(directory: &Path) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duet"));
    let command = command.arg("report").arg(directory).args(["--format", "json"]).stdout(Stdio::piped());
    finish(command.spawn().expect("duet starts"))
}

/// Both make the same estimates.
fn assert_same(duet: &Finished, numpy: &Finished) {
    let read = |process: &Finished| serde_json::from_slice::<Value>(&process.output).expect("JSON");
    let (duet, numpy) = (read(duet), read(numpy));
    for comparison in duet["comparisons"][0]["cells"][0]["comparisons"].as_array().expect("comparisons") {
        let measure = comparison["measure"].as_str().expect("a measure");
        for number in ["estimate", "log_standard_error", "degrees_of_freedom"] {
            let [one, other] = [&comparison["ratio"][number], &numpy[measure][number]].map(Value::as_f64);
            let (one, other) = (one.expect("duet's number"), other.expect("NumPy's number"));
            // Samples are kept with seven digits.
            assert!((one / other - 1.0).abs() < 1e-4, "{measure}, {number}: {one} is not {other}");
        }
    }
}

/// A campaign of so many calls of a user's own function, in which environments come and go.
fn make(directory: &PathBuf, samples: u64) {
    let _ = fs::remove_dir_all(directory);
    let variant = |architecture: Architecture| Variant {
        name: architecture.to_string(),
        target: Target::Function { name: architecture.to_string(), qualifier: None },
        place: None,
        configuration: None,
        program: None,
        price: None,
        ended: None,
    };
    let manifest = Manifest {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        created_unix_ms: 1_800_000_000_000,
        variants: [Architecture::X86_64, Architecture::Arm64].into_iter().map(variant).collect(),
        baseline: VariantIndex::default(),
        plan: serde_json::from_value(json!({
            "seed": 7, "environments": 20, "cold": false, "concurrent": true, "order": Order::JointSteps,
            "cells": [{"name": "order.json", "weight": 1, "payload": "{}", "guess_ms": 20.0}],
            "pace_ms": 0, "timeout_ms": 30_000, "auth": Auth::SigV4, "compare_output": false, "ignore": [],
            "environment": "/environment", "cpu_model": "/cpu",
        }))
        .expect("a plan"),
        limits: CampaignLimits::default(),
        imported: None,
        trial: None,
    };
    let mut journal = Journal::create(directory, &manifest).expect("a run directory");
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let blocks = samples / manifest.calls_of_block();
    let (mut rows, variants) = (Vec::new(), manifest.variants.indices().collect::<Vec<_>>());
    for block in 0..blocks {
        // A third of a variant's environments lives at a time.
        let first = (block * u64::from(ENVIRONMENTS - manifest.plan.environments) / blocks) as u32;
        for (step, calls) in (0..).zip(schedule::block(&manifest.plan, &variants, block, Order::JointSteps)) {
            for Call { variant, slot, .. } in calls {
                let environment = first + slot;
                let cpu = environment % 3;
                let of_environment = f64::from(environment * 37 % 11) * 0.5;
                let duration_ms = 20.0 + f64::from(cpu) * 6.0 + of_environment + rng.random_range(0.0..4.0);
                rows.push(Row {
                    block,
                    step,
                    slot,
                    attempt: 0,
                    variant,
                    cell: "order.json".to_owned(),
                    started_unix_ms: 1_800_000_000_000 + block * 50,
                    elapsed_ms: block * 50,
                    delay_ns: 50_000,
                    latency_ns: ((duration_ms + rng.random_range(2.0..6.0)) * 1e6) as u64,
                    cold: Some(false),
                    cost_usd: 0.000_001,
                    report: Some(PlatformReport {
                        duration_ms: Some(duration_ms),
                        billed_ms: Some(duration_ms.ceil()),
                        billed_restore_ms: None,
                        init_ms: None,
                        memory_mb: Some(1769),
                        max_memory_mb: Some(60),
                    }),
                    request_id: None,
                    executed_version: None,
                    response: None,
                    environment: Some(format!("{variant}-{environment}")),
                    cpu_model: Some(
                        if variant == manifest.baseline { "Xeon" } else { "Neoverse" }.to_owned() + &cpu.to_string(),
                    ),
                    output_sha256: None,
                    failure: None,
                });
            }
        }
        if rows.len() > 10_000 {
            journal.append(&rows).expect("a disk");
            rows.clear();
        }
    }
    journal.append(&rows).expect("a disk");
}
