//! What hyperfine writes with `--export-json`: each command is a variant, each file a block. Every run of a command is a
//! process of its own.

use super::source::{ImportError, Measurement, Name, Take, check_files, json, tool_ms};
use serde::Deserialize;
use std::{collections::BTreeSet, path::PathBuf};

/// Other members describe the times.
#[derive(Deserialize)]
struct Export {
    results: Vec<Command>,
}

#[derive(Deserialize)]
struct Command {
    command: String,
    /// In seconds.
    times: Vec<f64>,
    #[serde(default)]
    exit_codes: Vec<Option<i32>>,
}

pub(super) fn read(paths: &[PathBuf], take: Take<'_>) -> Result<(), ImportError> {
    check_files(paths)?;
    for (number, path) in paths.iter().enumerate() {
        let Export { results } = json(path)?;
        let block = number.to_string();
        let mut names = BTreeSet::new();
        for result in &results {
            let taken = if names.insert(&result.command) {
                result.measurements(&block, take)
            } else {
                Err("it has two results; name each with --command-name".to_owned())
            };
            taken.map_err(|reason| ImportError::file(path, format!("the command {:?}: {reason}", result.command)))?;
        }
    }
    Ok(())
}

impl Command {
    fn measurements(&self, block: &str, take: Take<'_>) -> Result<(), String> {
        for (run, seconds) in self.times.iter().enumerate() {
            // With --ignore-failure hyperfine keeps the times of failed runs.
            if self.exit_codes.get(run).is_some_and(|code| *code != Some(0)) {
                return Err(format!("times[{run}] is that of a run that failed, and no measurement"));
            }
            take(Measurement {
                variant: Name::of(&[&self.command]),
                cell: None,
                block: Some(block),
                environment: None,
                cpu_model: None,
                value_ms: tool_ms(&format!("times[{run}]"), seconds * 1e3)?,
            })?;
        }
        Ok(())
    }
}
