//! A table as a run directory.

use super::{
    EnvironmentNames, Import, ImportedMeasure, in_short,
    source::{ImportError, Measurement, Source, Take, printable},
    survey::Survey,
};
use crate::{
    campaign::{
        Auth, Target,
        manifest::{CampaignLimits, Cell, Manifest, Order, Plan, Variant},
        platform_report::PlatformReport,
        row::Row,
        run_directory::{self, Journal, JournalError},
        variants::VariantIndex,
    },
    protocol::{Architecture, nearest},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
};
use tokio::sync::watch;

/// What the user says of a table, besides its columns.
#[derive(Clone, Debug)]
pub struct Choices {
    pub measure: ImportedMeasure,
    pub environments: EnvironmentNames,
    /// The name of the variant that the others are compared with.
    pub baseline: Option<String>,
}

/// What has been imported.
#[derive(Debug)]
pub struct Imported {
    pub manifest: Manifest,
    pub measurements: u64,
    pub blocks: u64,
}

/// The rows that are written at a time.
const ROWS_AT_A_TIME: usize = 1000;

/// Makes a campaign of a table, in a directory that holds all of it or nothing.
///
/// # Errors
/// When the table is none, or has too few variants, or when there is something in the directory, or it cannot be written,
/// or when `stop` turns true.
pub fn import(
    source: &Source,
    choices: &Choices,
    directory: &Path,
    stop: &watch::Receiver<bool>,
) -> Result<Imported, ImportError> {
    check_vacant(directory)?;
    source.check()?;
    let mut survey = Survey::default();
    read(source, stop, &mut |measurement| survey.add(&measurement))?;
    let manifest = manifest(source, choices, &survey)?;
    let unfinished = Unfinished::create(directory)?;
    write(source, &manifest, &survey, &unfinished.part, stop)?;
    unfinished.complete()?;
    let blocks = survey.blocks.names.len().max(1) as u64;
    Ok(Imported { manifest, measurements: survey.rows, blocks })
}

/// Hands over measurements, unless `stop` turns true.
fn read(source: &Source, stop: &watch::Receiver<bool>, take: Take<'_>) -> Result<(), ImportError> {
    let mut unless_stopped = |measurement: Measurement<'_>| {
        if *stop.borrow() { Err(INTERRUPTED.to_owned()) } else { take(measurement) }
    };
    let read = source.read(&mut unless_stopped);
    if *stop.borrow() { Err(ImportError::Interrupted) } else { read }
}

fn check_vacant(directory: &Path) -> Result<(), ImportError> {
    if run_directory::is_there(directory) {
        return Err(ImportError::file(directory, "there is a campaign already; choose another --out"));
    }
    match fs::read_dir(directory).map(|mut entries| entries.next().is_some()) {
        Ok(false) => Ok(()),
        Ok(true) => Err(ImportError::file(directory, "there are files in this directory; choose another --out")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(ImportError::io(directory)(error)),
    }
}

/// A campaign that is not complete: it is in a directory of its own within the run directory, which may be a link or where
/// the user's shell is, and so cannot be replaced.
struct Unfinished<'a> {
    directory: &'a Path,
    part: PathBuf,
    /// The directories that did not exist, the innermost first.
    created: Vec<&'a Path>,
}

impl<'a> Unfinished<'a> {
    fn create(directory: &'a Path) -> Result<Self, ImportError> {
        let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
        let created = directory.ancestors().take_while(is_missing).collect();
        let unfinished = Self { directory, part: directory.join(format!("import.{}.part", process::id())), created };
        fs::create_dir_all(&unfinished.part).map_err(ImportError::io(directory))?;
        Ok(unfinished)
    }

    /// Moves all files to the run directory.
    fn complete(mut self) -> Result<(), ImportError> {
        run_directory::move_campaign(&self.part, self.directory).map_err(ImportError::io(self.directory))?;
        self.created.clear();
        Ok(())
    }
}

impl Drop for Unfinished<'_> {
    /// What is left is of no use, and whatever went wrong has been said.
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.part);
        for directory in &self.created {
            let _ = fs::remove_dir(directory);
        }
    }
}

fn manifest(source: &Source, choices: &Choices, survey: &Survey) -> Result<Manifest, ImportError> {
    let names = &survey.variants.names;
    match names.as_slice() {
        [] => {
            return Err(ImportError::file(source.path(), "there is no measurement in it, and so nothing to compare"));
        }
        [one] => {
            let fix = match source.columns() {
                Some(_) => "name other columns with --variant",
                None => "import the files of what it is compared with too",
            };
            let reason = format!("{one:?} is the only variant, and there is nothing to compare it with; {fix}");
            return Err(ImportError::file(source.path(), reason));
        }
        _ => {}
    }
    let baseline =
        baseline(names, choices.baseline.as_deref()).map_err(|reason| ImportError::file(source.path(), reason))?;
    let files: Vec<String> = source.paths().iter().map(|path| printable(path)).collect();
    let file = in_short(&files);
    let columns = source.columns();
    let variant = |name: &String| Variant {
        name: name.clone(),
        target: Target::Import { file: file.clone() },
        place: None,
        configuration: None,
        program: None,
        price: None,
        ended: None,
    };
    let only_cell = [columns.map_or("time", |columns| &columns.value).to_owned()];
    let cells = if survey.cells.names.is_empty() { &only_cell } else { survey.cells.names.as_slice() };
    let variants = names.iter().map(variant).collect();
    let import = Import {
        files,
        format: source.format(),
        measure: choices.measure,
        columns: columns.cloned(),
        environments: choices.environments,
        has_blocks: !survey.blocks.names.is_empty(),
        has_times: survey.times().is_some(),
        has_cpu_models: columns.is_some_and(|columns| columns.cpu_model.is_some()),
    };
    let plan = plan(choices.measure, cells);
    Ok(Manifest { imported: Some(import), ..Manifest::new(variants, baseline, plan, CampaignLimits::default()) })
}

/// The variant that others are compared with: as the user wants, else x86_64 of architectures, else the first.
fn baseline(names: &[String], wanted: Option<&str>) -> Result<VariantIndex, String> {
    let place_of = |wanted: &str| VariantIndex::first(names.len()).zip(names).find(|(_, name)| *name == wanted);
    let Some(wanted) = wanted else {
        let usual = place_of(&Architecture::X86_64.to_string());
        return Ok(usual.map(|(place, _)| place).unwrap_or_default());
    };
    place_of(wanted).map(|(place, _)| place).ok_or_else(|| {
        let near = nearest(wanted, names.iter().map(String::as_str)).map(|near| format!("; did you mean {near}?"));
        format!(
            "--baseline {wanted} names no variant{}",
            near.unwrap_or_else(|| format!("; they are {}", names.join(", ")))
        )
    })
}

/// A plan that says nothing but what was measured: nothing of it is ever called.
fn plan(measure: ImportedMeasure, cells: &[String]) -> Plan {
    let cell =
        |name: &String| Cell { name: name.clone(), weight: 1, workload: None, payload: String::new(), guess_ms: 0.0 };
    Plan {
        seed: 0,
        environments: 1,
        // What is not known to alternate call by call may have been disturbed together.
        order: Order::SeparateSteps,
        separate_from: None,
        cold: measure == ImportedMeasure::Init,
        concurrent: false,
        cells: cells.iter().map(cell).collect(),
        pace_ms: 0,
        timeout_ms: 1,
        auth: Auth::None,
        compare_output: false,
        tolerance: None,
        ignore: Vec::new(),
        environment: None,
        cpu_model: None,
        tenant: None,
        accept_status: Vec::new(),
        method: None,
        headers: Vec::new(),
        variables: Vec::new(),
        hooks: None,
        census: None,
    }
}

/// A file is read twice.
const CHANGED: &str = "the file has changed while it was read";

/// Why a measurement is not taken that comes after the user has ended the import.
const INTERRUPTED: &str = "the import was interrupted";

fn write(
    source: &Source,
    manifest: &Manifest,
    survey: &Survey,
    directory: &Path,
    stop: &watch::Receiver<bool>,
) -> Result<(), ImportError> {
    let failed = |error: JournalError| match error {
        JournalError::Invalid { reason, .. } => ImportError::file(source.path(), reason),
        error => ImportError::file(directory, error.to_string()),
    };
    let mut journal = Journal::create(directory, manifest).map_err(failed)?;
    let writer = RowWriter::new(manifest, survey);
    let mut rows = Vec::with_capacity(ROWS_AT_A_TIME);
    let mut number = 0;
    read(source, stop, &mut |measurement| {
        number += 1;
        let row = writer.row(&measurement, number).filter(|_| number <= survey.rows);
        rows.push(row.ok_or(CHANGED)?);
        if rows.len() == ROWS_AT_A_TIME {
            journal.append(&rows).map_err(|error| format!("writing to {}: {error}", directory.display()))?;
            rows.clear();
        }
        Ok(())
    })?;
    if number < survey.rows {
        return Err(ImportError::file(directory, CHANGED));
    }
    journal.append(&rows).map_err(ImportError::io(directory))
}

/// Makes rows of measurements.
struct RowWriter<'a> {
    survey: &'a Survey,
    variants: Vec<VariantIndex>,
    cells: &'a [Cell],
    measure: ImportedMeasure,
    environments: EnvironmentNames,
    times: Option<Vec<u64>>,
    begin_unix_ms: u64,
}

impl<'a> RowWriter<'a> {
    fn new(manifest: &'a Manifest, survey: &'a Survey) -> Self {
        let import = manifest.imported.as_ref().expect("the manifest is that of an import");
        let times = survey.times();
        Self {
            survey,
            variants: manifest.variants.indices().collect(),
            cells: &manifest.plan.cells,
            measure: import.measure,
            environments: import.environments,
            begin_unix_ms: times.iter().flatten().min().copied().unwrap_or_default(),
            times,
        }
    }

    /// The row of a measurement, the `number`th. `None` if it has names that were not there before.
    fn row(&self, measurement: &Measurement<'_>, number: u64) -> Option<Row> {
        let Measurement { variant, cell, block, environment, cpu_model, value_ms } = measurement;
        let block = block.map_or(Some(0), |block| self.survey.blocks.place(block))?;
        let started_unix_ms = self.times.as_ref().map_or(0, |times| times[block]);
        let cell = cell.as_ref().map_or(Some(0), |cell| self.survey.cells.place(&cell.text))?;
        let is_init = self.measure == ImportedMeasure::Init;
        let environment = match self.environments {
            EnvironmentNames::Named => environment.map(str::to_owned),
            // A cold start has an environment of its own even without a name.
            EnvironmentNames::EachRow if !is_init => Some(format!("row {number}")),
            EnvironmentNames::EachRow | EnvironmentNames::Unknown => None,
        };
        Some(Row {
            block: block as u64,
            step: 0,
            slot: 0,
            attempt: 0,
            variant: self.variants[self.survey.variants.place(&variant.text)?],
            cell: self.cells[cell].name.clone(),
            started_unix_ms,
            elapsed_ms: started_unix_ms.saturating_sub(self.begin_unix_ms),
            delay_ns: 0,
            latency_ns: latency_ns(self.measure, *value_ms),
            cold: Some(is_init),
            cost_usd: 0.0,
            report: report(self.measure, *value_ms),
            request_id: None,
            executed_version: None,
            response: None,
            environment,
            cpu_model: cpu_model.map(str::to_owned),
            output_sha256: None,
            failure: None,
        })
    }
}

/// What Lambda would have reported; `None` for the client's time, which it does not know.
fn report(measure: ImportedMeasure, value_ms: f64) -> Option<PlatformReport> {
    let (value, none) = (Some(value_ms), PlatformReport::default());
    Some(match measure {
        ImportedMeasure::Duration => PlatformReport { duration_ms: value, ..none },
        ImportedMeasure::Billed => PlatformReport { billed_ms: value, ..none },
        ImportedMeasure::Init => PlatformReport { init_ms: value, ..none },
        ImportedMeasure::Latency => return None,
    })
}

/// The client's time; 0 where it was not measured.
fn latency_ns(measure: ImportedMeasure, value_ms: f64) -> u64 {
    match measure {
        ImportedMeasure::Latency => (value_ms * 1e6).round().max(1.0) as u64,
        ImportedMeasure::Duration | ImportedMeasure::Billed | ImportedMeasure::Init => 0,
    }
}
