//! What SeBS, the serverless benchmark suite, keeps of an experiment: each invocation by its request id.
//!
//! Functions, architectures and memory sizes are variants, as far as they tell the invocations apart. Cold and warm
//! invocations are cells. The first file of each variant and cell is in the first block, the second in the second.

use super::{
    ImportedMeasure, Unit,
    source::{ImportError, Measurement, Name, Take, check_files, json, tool_ms},
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// Other members are not read, the credentials of an AWS account among them.
#[derive(Deserialize)]
struct Experiment {
    /// By function and request id.
    #[serde(rename = "_invocations")]
    invocations: BTreeMap<String, BTreeMap<String, Invocation>>,
    #[serde(default)]
    config: Config,
}

#[derive(Default, Deserialize)]
struct Config {
    #[serde(default)]
    experiments: ExperimentConfig,
}

#[derive(Default, Deserialize)]
struct ExperimentConfig {
    architecture: Option<String>,
}

#[derive(Deserialize)]
struct Invocation {
    stats: Stats,
    times: Times,
    #[serde(default)]
    provider_times: ProviderTimes,
    #[serde(default)]
    billing: Billing,
    #[serde(default)]
    output: Output,
}

#[derive(Deserialize)]
struct Stats {
    cold_start: bool,
    failure: bool,
}

/// In microseconds.
#[derive(Deserialize)]
struct Times {
    client: f64,
}

/// In microseconds; 0 until SeBS has read AWS's logs.
#[derive(Default, Deserialize)]
struct ProviderTimes {
    execution: Option<f64>,
    initialization: Option<f64>,
}

/// Null until SeBS has read AWS's logs.
#[derive(Default, Deserialize)]
struct Billing {
    #[serde(rename = "_memory")]
    memory_mb: Option<u64>,
    #[serde(rename = "_billed_time")]
    billed_ms: Option<f64>,
}

#[derive(Default, Deserialize)]
struct Output {
    container_id: Option<String>,
}

/// An invocation that has what is to be measured.
struct Call {
    setup: Setup,
    cell: &'static str,
    container: Option<String>,
    value_ms: f64,
}

/// What an invocation ran on; a part that a file does not tell is empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Setup {
    function: String,
    architecture: String,
    memory_mb: String,
}

pub(super) fn read(paths: &[PathBuf], measure: ImportedMeasure, take: Take<'_>) -> Result<(), ImportError> {
    check_files(paths)?;
    let files: Vec<Vec<Call>> = paths.iter().map(|path| calls(path, measure)).collect::<Result<_, _>>()?;
    if measure == ImportedMeasure::Init && files.iter().all(Vec::is_empty) {
        let reason = "no invocation was a cold start, which alone has an init duration";
        return Err(ImportError::file(paths.first().map_or(Path::new(""), PathBuf::as_path), reason));
    }
    check_parts(paths, &files)?;
    let setups: BTreeSet<&Setup> = files.iter().flatten().map(|call| &call.setup).collect();
    let parts = Parts::telling_apart(&setups);
    let mut runs: BTreeMap<(&Setup, &str), usize> = BTreeMap::new();
    for (path, calls) in paths.iter().zip(&files) {
        for Call { setup, cell, container, value_ms } in calls {
            take(Measurement {
                variant: Name::of(&parts.of(setup)),
                cell: Some(Name::of(&[cell])),
                block: Some(&runs.get(&(setup, *cell)).copied().unwrap_or_default().to_string()),
                environment: container.as_deref(),
                cpu_model: None,
                value_ms: *value_ms,
            })
            .map_err(|reason| ImportError::file(path, reason))?;
        }
        for run in calls.iter().map(|call| (&call.setup, call.cell)).collect::<BTreeSet<_>>() {
            *runs.entry(run).or_default() += 1;
        }
    }
    Ok(())
}

/// Refuses files of which some tell a part and others do not: those would be a variant of their own.
fn check_parts(paths: &[PathBuf], files: &[Vec<Call>]) -> Result<(), ImportError> {
    for (part, what) in [(ARCHITECTURE, "the architecture"), (MEMORY, "the memory size")] {
        let is_untold = |call: &Call| part(&call.setup).is_empty();
        let untold = paths.iter().zip(files).find(|(_, calls)| calls.iter().any(is_untold));
        if let Some((path, _)) = untold.filter(|_| !files.iter().flatten().all(is_untold)) {
            let reason = format!(
                "{what} of an invocation is not there, and others have theirs; process all files with SeBS, and leave out \
                 invocations whose log it has not found"
            );
            return Err(ImportError::file(path, reason));
        }
    }
    Ok(())
}

/// The calls of a file that have what is to be measured: all, or those that were cold.
fn calls(path: &Path, measure: ImportedMeasure) -> Result<Vec<Call>, ImportError> {
    let Experiment { invocations, config } = json(path)?;
    let architecture = match config.experiments.architecture.as_deref() {
        Some("x64") => "x86_64",
        other => other.unwrap_or_default(),
    };
    let mut calls = Vec::new();
    for (function, invocations) in invocations {
        for (request_id, invocation) in invocations {
            if measure == ImportedMeasure::Init && !invocation.stats.cold_start {
                continue;
            }
            let value_ms = invocation.value_ms(measure).map_err(|reason| {
                ImportError::file(path, format!("the invocation {request_id} of {function}: {reason}"))
            })?;
            calls.push(Call {
                setup: Setup {
                    function: function.clone(),
                    architecture: architecture.to_owned(),
                    memory_mb: invocation.billing.memory_mb.as_ref().map(u64::to_string).unwrap_or_default(),
                },
                cell: if invocation.stats.cold_start { "cold" } else { "warm" },
                container: invocation.output.container_id,
                value_ms,
            });
        }
    }
    Ok(calls)
}

impl Invocation {
    fn value_ms(&self, measure: ImportedMeasure) -> Result<f64, String> {
        if self.stats.failure {
            return Err("it failed, and a failed call has no time; take such out with \
                        jq 'del(._invocations[][] | select(.stats.failure))'"
                .to_owned());
        }
        let ms = |us: f64| Unit::Us.to_ms(us);
        let (field, value_ms) = match measure {
            ImportedMeasure::Duration => ("provider_times.execution", self.provider_times.execution.map(ms)),
            ImportedMeasure::Init => ("provider_times.initialization", self.provider_times.initialization.map(ms)),
            ImportedMeasure::Billed => ("billing._billed_time", self.billing.billed_ms),
            ImportedMeasure::Latency => ("times.client", Some(ms(self.times.client))),
        };
        let value_ms = value_ms.filter(|value_ms| *value_ms != 0.0).ok_or_else(|| {
            format!(
                "{field} is not there, which SeBS reads from AWS's logs when it processes an experiment; process it, or \
                 take what the client measured, with --measure latency"
            )
        })?;
        tool_ms(field, value_ms)
    }
}

/// A part of a setup.
type Part = fn(&Setup) -> &str;

const FUNCTION: Part = |setup| &setup.function;
const ARCHITECTURE: Part = |setup| &setup.architecture;
const MEMORY: Part = |setup| &setup.memory_mb;

/// The parts of a setup that name a variant.
struct Parts(&'static [Part]);

impl Parts {
    /// The fewest that tell setups apart; the function's name only if it must be, because it may repeat the others.
    fn telling_apart(setups: &BTreeSet<&Setup>) -> Self {
        const CHOICES: [&[Part]; 7] = [
            &[ARCHITECTURE],
            &[MEMORY],
            &[ARCHITECTURE, MEMORY],
            &[FUNCTION],
            &[FUNCTION, ARCHITECTURE],
            &[FUNCTION, MEMORY],
            &[FUNCTION, ARCHITECTURE, MEMORY],
        ];
        let tells_apart = |choice: &&'static [Part]| {
            let names: BTreeSet<Vec<&str>> = setups.iter().map(|setup| Self(choice).of(setup)).collect();
            let is_told = |part: &Part| setups.iter().all(|setup| !part(setup).is_empty());
            names.len() == setups.len() && choice.iter().all(is_told)
        };
        Self(CHOICES.into_iter().find(tells_apart).unwrap_or(&[FUNCTION]))
    }

    fn of<'a>(&self, setup: &'a Setup) -> Vec<&'a str> {
        self.0.iter().map(|part| part(setup)).collect()
    }
}
