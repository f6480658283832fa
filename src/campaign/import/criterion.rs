//! The samples of criterion, a file `sample.json` of each run of a benchmark, beside a file `benchmark.json` with its name.
//!
//! Of files in directories of different names, as `--save-baseline` makes them, these are the variants and benchmarks are
//! cells. Else the functions of a group are the variants, and its parameters are cells. The first file of each variant and
//! cell is in the first block, the second in the second.

use super::source::{ImportError, Measurement, Name, Take, check_files, json, tool_ms};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// Each sample is a number of iterations, and the nanoseconds that they took together.
#[derive(Deserialize)]
struct Samples {
    iters: Vec<f64>,
    times: Vec<f64>,
}

#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
    full_id: String,
}

pub(super) fn read(paths: &[PathBuf], take: Take<'_>) -> Result<(), ImportError> {
    check_files(paths)?;
    let directories: BTreeSet<&str> = paths.iter().map(|path| directory(path)).collect();
    let has_baselines = directories.len() > 1;
    let mut runs: BTreeMap<(String, String), usize> = BTreeMap::new();
    for path in paths {
        let beside = path.with_file_name("benchmark.json");
        if !beside.is_file() {
            let reason = "there is no benchmark.json beside it, in which criterion writes what was measured";
            return Err(ImportError::file(path, reason));
        }
        let benchmark: Benchmark = json(&beside)?;
        let (variant, cell) =
            if has_baselines { (directory(path).to_owned(), benchmark.full_id) } else { benchmark.variant_and_cell() };
        let run = runs.entry((variant.clone(), cell.clone())).or_default();
        let samples: Samples = json(path)?;
        samples.measurements(&variant, &cell, *run, take).map_err(|reason| ImportError::file(path, reason))?;
        *run += 1;
    }
    Ok(())
}

/// The name of the directory of a file: `new`, or that of a baseline.
fn directory(path: &Path) -> &str {
    path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default()
}

impl Benchmark {
    fn variant_and_cell(self) -> (String, String) {
        let Self { group_id, function_id, value_str, .. } = self;
        let (variant, group) = match function_id {
            Some(function) => (function, group_id),
            None => (group_id, "time".to_owned()),
        };
        let cell = value_str.map_or(group.clone(), |value| format!("{group}/{value}"));
        (variant, cell)
    }
}

impl Samples {
    fn measurements(&self, variant: &str, cell: &str, run: usize, take: Take<'_>) -> Result<(), String> {
        let Self { iters, times } = self;
        if iters.len() != times.len() {
            return Err(format!(
                "iters and times have different lengths, {} and {}; each sample has both",
                iters.len(),
                times.len()
            ));
        }
        let run = run.to_string();
        for (place, (iterations, ns)) in iters.iter().zip(times).enumerate() {
            take(Measurement {
                variant: Name::of(&[variant]),
                cell: Some(Name::of(&[cell])),
                block: Some(&run),
                // All of a run is one process.
                environment: Some(&run),
                cpu_model: None,
                value_ms: tool_ms(&format!("times[{place}] by iters[{place}]"), ns / iterations / 1e6)?,
            })?;
        }
        Ok(())
    }
}
