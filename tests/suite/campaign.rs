//! `duet run` and `duet report` as processes.

mod answers;
mod changed;
pub mod cold;
mod control_plane;
mod credentials;
mod damage;
mod display;
mod endpoints;
mod ends;
mod failures;
mod faults;
mod hooks;
mod kill;
mod labels;
mod log_streams;
mod names;
mod options;
mod order;
mod places;
mod prices;
mod processes;
mod proxies;
mod samconfig;
mod spent;
pub mod targets;
mod variants;

use crate::{cli::stderr, handler::root, program, scripted::Scripted};
use lambda_duet::campaign::{manifest::Manifest, row::Row, run_directory, schedule, variants::VariantIndex};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{self, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

/// The places of two variants, the baseline first.
pub fn both() -> [VariantIndex; 2] {
    [0, 1].map(|place| VariantIndex::first(2).nth(place).unwrap())
}

/// A place for run directories and payloads, gone with this.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("campaign-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }

    pub fn file(&self, name: &str, text: &str) -> String {
        fs::write(self.0.join(name), text).unwrap();
        self.path(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `duet run` with these arguments, with `endpoint` as all of AWS.
pub fn command(endpoint: &str, arguments: &[&str]) -> Command {
    let mut command = subcommand(endpoint, "run");
    command.args(arguments);
    command
}

/// A subcommand of `duet`, with `endpoint` as all of AWS.
pub fn subcommand(endpoint: &str, name: &str) -> Command {
    let mut command = program::duet();
    command
        .arg(name)
        .current_dir(root())
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("no_proxy", "*")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(endpoint: &str, arguments: &[&str]) -> Output {
    command(endpoint, arguments).output().unwrap()
}

/// A campaign of one payload on both sides, without signatures, and what else is asked for.
fn run_plain(scratch: &Scratch, target: &Scripted, arguments: &[&str]) -> Output {
    let payload = scratch.file("payload.json", r#"{"order": 1}"#);
    let out = scratch.path("run");
    let mut all = vec!["--targets", &target.url, &target.url, "--no-auth", "--payload", &payload, "--out", &out];
    all.extend_from_slice(arguments);
    run("", &all)
}

/// Waits for two minutes at most.
pub fn wait_until(mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_secs(120), "it never came to that");
        sleep(Duration::from_millis(5));
    }
}

pub fn assert_code(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", stderr(output));
}

/// The manifest and the samples of a run directory, after both were held to their schemas and to the schedule.
pub fn samples(directory: &str) -> (Manifest, Vec<Row>) {
    let directory = Path::new(directory);
    let schema = |name: &str| {
        let text = fs::read_to_string(root().join("docs/schema").join(name)).unwrap();
        jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
    };
    let manifest: Value = serde_json::from_str(&fs::read_to_string(directory.join("campaign.json")).unwrap()).unwrap();
    schema("campaign.schema.json").validate(&manifest).unwrap_or_else(|error| panic!("{error}: {manifest}"));
    let line_schema = schema("sample.schema.json");
    for line in fs::read_to_string(directory.join("samples.jsonl")).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        line_schema.validate(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    if let Ok(text) = fs::read_to_string(directory.join("environments.jsonl")) {
        let line_schema = schema("environments.schema.json");
        for line in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
            line_schema.validate(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        }
    }
    let manifest = run_directory::manifest(directory).unwrap();
    let rows: Vec<Row> = run_directory::rows(directory, &manifest).unwrap().map(Result::unwrap).collect();
    // What was imported follows none.
    if manifest.imported.is_none() {
        assert_schedule(&manifest, &rows);
    }
    (manifest, rows)
}

/// Every call of the schedule is there once, up to the last; those that were made again come before.
fn assert_schedule(manifest: &Manifest, rows: &[Row]) {
    let plan = &manifest.plan;
    let is_called = |variant: VariantIndex, block: u64, step: u32| {
        manifest.variants[variant].ended.is_none_or(|ended| (ended.block, ended.step) > (block, step))
    };
    let steps = |block: u64| {
        let called: Vec<_> = manifest.variants.indices().filter(|variant| is_called(*variant, block, 0)).collect();
        let mut steps = schedule::block(plan, &called, block, plan.order_of(block, plan.separate_from));
        for (number, step) in (0..).zip(&mut steps) {
            step.retain(|call| is_called(call.variant, block, number));
        }
        steps
    };
    let mut settled: BTreeMap<(u64, u32), Vec<(VariantIndex, u32)>> = BTreeMap::new();
    let mut seen = std::collections::BTreeSet::new();
    for row in rows {
        let step = &steps(row.block)[row.step as usize];
        let is_it = |call: &schedule::Call| {
            (call.variant, call.slot, &plan.cells[call.cell].name) == (row.variant, row.slot, &row.cell)
        };
        assert!(step.iter().any(is_it), "{row:?}");
        assert!(seen.insert((row.block, row.step, row.variant, row.slot, row.attempt)), "twice: {row:?}");
        if !row.is_made_again() {
            settled.entry((row.block, row.step)).or_default().push((row.variant, row.slot));
        }
    }
    let last = settled.keys().last().copied();
    let mut expected = (0, 0);
    for (place, mut calls) in settled {
        assert_eq!(place, expected, "a step is missing");
        let steps = steps(place.0);
        let mut whole: Vec<_> = steps[place.1 as usize].iter().map(|call| (call.variant, call.slot)).collect();
        calls.sort_unstable();
        whole.sort_unstable();
        assert!(calls == whole || Some(place) == last, "{place:?}: {calls:?}");
        let next = (place.1 as usize + 1..steps.len()).find(|step| !steps[*step].is_empty());
        expected = next.map_or((place.0 + 1, 0), |step| (place.0, step as u32));
    }
}

fn report(directory: &str) -> String {
    crate::cli::stdout(&crate::cli::duet(&["report", directory, "--details"]))
}
