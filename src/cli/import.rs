//! `duet import`

use super::{
    output::{self, note},
    signals::{INTERRUPTED, Signals},
    wrong_arguments::wrong_arguments,
};
use crate::campaign::{
    import::{
        Choices, Columns, EnvironmentNames, ImportError, Imported, ImportedMeasure, Source, Unit, column_names, import,
    },
    manifest::Manifest,
    shell_quoting,
};
use crate::protocol::control_characters::visible;
use crate::report::words::{counted, listed};
use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
};
use tokio::{sync::watch, task::spawn_blocking};

/// Makes a campaign of measurements that other programs have made, for every subcommand that reads one.
///
/// A table has one measurement a row, and columns with names. Of criterion, hyperfine and SeBS, each file is a run of the tool,
/// and each run a block. Nothing is called.
///
/// Exit codes: 0 imported, 1 the file cannot be imported, and nothing is written, 2 wrong arguments, 130 interrupted.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// A table, which takes --variant and --value: comma-separated values under a header, or a JSON object per line. Or
    /// files of a tool that --from names.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The format of the file [default: json-lines if its name ends with .jsonl or .ndjson, else csv].
    #[arg(long, value_enum, value_name = "FORMAT")]
    from: Option<FormatName>,
    /// The column that names the variant of a row; several, with commas between them, name it together, joined by "-". A name
    /// that has a comma stands in quotation marks, as in '"a, b",c'.
    #[arg(long, value_name = "COLUMN", value_parser = names)]
    variant: Vec<Names>,
    /// The variant that the others are compared with [default: x86_64, if there is one, else the first].
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    /// The column with the measurement.
    #[arg(long, value_name = "COLUMN")]
    value: Option<String>,
    /// The unit of that column [default: ms].
    #[arg(long, value_enum)]
    unit: Option<UnitName>,
    /// What was measured.
    #[arg(long, value_enum, default_value_t = MeasureName::Duration)]
    measure: MeasureName,
    /// The column that names what is compared by itself, such as the payload; several name it together, as for --variant.
    #[arg(long, value_name = "COLUMN", value_parser = names)]
    cell: Vec<Names>,
    /// The column that names the day, the run or the round, in which all variants were measured: without one there is no
    /// verdict, because nothing tells a difference from drift.
    #[arg(long, value_name = "COLUMN")]
    block: Option<String>,
    /// The column that names the execution environment, host or process in which a row was measured.
    #[arg(long, value_name = "COLUMN", conflicts_with = "each_row_an_environment")]
    environment: Option<String>,
    /// Each row was measured in an environment of its own; init durations always are.
    #[arg(long)]
    each_row_an_environment: bool,
    /// The column with the model of the processor.
    #[arg(long, value_name = "COLUMN")]
    cpu_model: Option<String>,
    /// The run directory, which must be empty or not exist.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print what was imported as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatName {
    /// Comma-separated values under a header.
    Csv,
    /// A JSON object per line.
    JsonLines,
    /// Files sample.json of criterion, each beside its benchmark.json.
    Criterion,
    /// What hyperfine writes with --export-json.
    Hyperfine,
    /// What SeBS keeps of the invocations of an experiment.
    Sebs,
    /// Refused, with the reason.
    #[value(hide = true)]
    PowerTuning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum UnitName {
    Ns,
    Us,
    Ms,
    S,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MeasureName {
    /// How long the function took.
    Duration,
    /// The init duration of a cold start.
    Init,
    /// What Lambda billed.
    Billed,
    /// What the client waited for.
    Latency,
}

/// The columns that one use of an option names.
#[derive(Clone, Debug)]
struct Names(Vec<String>);

fn names(text: &str) -> Result<Names, String> {
    column_names(text).map(Names)
}

impl ImportArgs {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let (source, choices, out) = (self.source()?, self.choices(), self.out.clone());
        let mut signals = Signals::catch().context("catching signals")?;
        let (stop, stopped) = watch::channel(false);
        let mut importing = spawn_blocking(move || import(&source, &choices, &out, &stopped));
        let imported = tokio::select! {
            imported = &mut importing => imported,
            () = signals.any() => {
                stop.send_replace(true);
                importing.await
            }
        };
        let imported = match imported? {
            Err(error @ ImportError::Interrupted) => {
                note(error);
                return Ok(ExitCode::from(INTERRUPTED));
            }
            imported => imported?,
        };
        output::print(&if self.json { json(&imported, &self.out)? } else { text(&imported, &self.out) })?;
        Ok(ExitCode::SUCCESS)
    }

    fn source(&self) -> anyhow::Result<Source> {
        let format = self.format();
        if self.measure == MeasureName::Init && self.environment.is_some() {
            return Err(wrong_arguments(
                "--environment: an init duration is that of an environment of its own; leave out --environment",
            ));
        }
        if matches!(format, FormatName::Criterion | FormatName::Hyperfine | FormatName::Sebs) {
            self.check_no_columns(format)?;
        }
        Ok(match format {
            FormatName::Csv => Source::Csv(self.table()?, self.columns()?),
            FormatName::JsonLines => Source::JsonLines(self.table()?, self.columns()?),
            FormatName::Criterion => Source::Criterion(self.files.clone()),
            FormatName::Hyperfine => Source::Hyperfine(self.files.clone()),
            FormatName::Sebs => Source::Sebs(self.files.clone(), self.measure()),
            FormatName::PowerTuning => {
                return Err(wrong_arguments(
                    "AWS Lambda Power Tuning puts out means, and none of the measurements behind them, without which \
                     nothing tells how certain a difference is; compare memory sizes with duet run",
                ));
            }
        })
    }

    fn format(&self) -> FormatName {
        let is_json_lines = |path: &PathBuf| path.extension().is_some_and(|it| it == "jsonl" || it == "ndjson");
        let by_name = if self.files.iter().all(is_json_lines) { FormatName::JsonLines } else { FormatName::Csv };
        self.from.unwrap_or(by_name)
    }

    /// Refuses options that name columns, which a tool's files do not have.
    fn check_no_columns(&self, format: FormatName) -> anyhow::Result<()> {
        let given = [
            ("--variant", !self.variant.is_empty()),
            ("--value", self.value.is_some()),
            ("--unit", self.unit.is_some()),
            ("--cell", !self.cell.is_empty()),
            ("--block", self.block.is_some()),
            ("--environment", self.environment.is_some()),
            ("--each-row-an-environment", self.each_row_an_environment),
            ("--cpu-model", self.cpu_model.is_some()),
        ];
        if let Some((option, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
            let reason = format!("{option} is for tables, and --from {} knows what its files hold", value_name(format));
            return Err(wrong_arguments(reason));
        }
        if self.measure != MeasureName::Duration && format != FormatName::Sebs {
            return Err(wrong_arguments(format_args!("--measure: --from {} has durations", value_name(format))));
        }
        Ok(())
    }

    /// The only file.
    fn table(&self) -> anyhow::Result<PathBuf> {
        match self.files.as_slice() {
            [file] => Ok(file.clone()),
            files => Err(wrong_arguments(format_args!(
                "{} tables are given; put their rows into one, with a column that tells them apart",
                files.len()
            ))),
        }
    }

    fn columns(&self) -> anyhow::Result<Columns> {
        if self.variant.is_empty() {
            return Err(wrong_arguments(
                "--variant is missing: name the column that tells what a row measures, such as --variant architecture",
            ));
        }
        let value = self.value.clone();
        let names = |options: &[Names]| options.iter().flat_map(|Names(names)| names.clone()).collect();
        let columns = Columns {
            value: value.ok_or_else(|| wrong_arguments("--value is missing: name the column with the measurement"))?,
            unit: match self.unit {
                Some(UnitName::Ns) => Unit::Ns,
                Some(UnitName::Us) => Unit::Us,
                Some(UnitName::Ms) | None => Unit::Ms,
                Some(UnitName::S) => Unit::S,
            },
            variant: names(&self.variant),
            cell: names(&self.cell),
            block: self.block.clone(),
            environment: self.environment.clone(),
            cpu_model: self.cpu_model.clone(),
        };
        let mut known = BTreeSet::new();
        if let Some(twice) = columns.names().into_iter().find(|name| !known.insert(*name)) {
            return Err(wrong_arguments(format_args!(
                "the column {twice:?} is named twice; each says one thing of a row"
            )));
        }
        Ok(columns)
    }

    fn measure(&self) -> ImportedMeasure {
        match self.measure {
            MeasureName::Duration => ImportedMeasure::Duration,
            MeasureName::Init => ImportedMeasure::Init,
            MeasureName::Billed => ImportedMeasure::Billed,
            MeasureName::Latency => ImportedMeasure::Latency,
        }
    }

    fn choices(&self) -> Choices {
        let is_init = self.measure == MeasureName::Init;
        // Hyperfine starts a process for each run of a command; criterion runs all samples of a benchmark in one; SeBS
        // names environments.
        let has_named = self.environment.is_some() || matches!(self.format(), FormatName::Criterion | FormatName::Sebs);
        let each_row = self.each_row_an_environment || is_init || self.format() == FormatName::Hyperfine;
        Choices {
            measure: self.measure(),
            environments: match (has_named, each_row) {
                (true, _) => EnvironmentNames::Named,
                (false, true) => EnvironmentNames::EachRow,
                (false, false) => EnvironmentNames::Unknown,
            },
            baseline: self.baseline.clone(),
        }
    }
}

/// What the command line calls a format.
fn value_name(format: FormatName) -> String {
    format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn text(Imported { manifest, measurements, blocks }: &Imported, directory: &Path) -> String {
    let names: Vec<&str> = manifest.variants.iter().map(|(_, variant)| variant.name.as_str()).collect();
    let verdict = match what_a_verdict_lacks(manifest).as_slice() {
        [] => String::new(),
        options => format!("There will be no verdict: that takes {}.\n", listed(options)),
    };
    format!(
        "Imported {} of {} into {}, in {} and {}; the baseline is {}.\n{verdict}Summary: duet report {}\n",
        counted(*measurements, "measurement"),
        listed(&names),
        visible(&directory.display().to_string()),
        counted(*blocks, "block"),
        counted(manifest.plan.cells.len() as u64, "cell"),
        manifest.variants[manifest.baseline].name,
        shell_quoting::word(directory)
    )
}

/// The options without which nothing tells how certain a difference is.
fn what_a_verdict_lacks(manifest: &Manifest) -> Vec<&'static str> {
    let Some(import) = manifest.imported.as_ref().filter(|import| !import.is_of_tool()) else { return Vec::new() };
    let blocks = (!import.has_blocks).then_some("--block");
    let is_unknown = import.environments == EnvironmentNames::Unknown;
    let environments = is_unknown.then_some("--environment or --each-row-an-environment");
    blocks.into_iter().chain(environments).collect()
}

fn json(Imported { manifest, measurements, blocks }: &Imported, directory: &Path) -> serde_json::Result<String> {
    let names: Vec<&str> = manifest.variants.iter().map(|(_, variant)| variant.name.as_str()).collect();
    let cells: Vec<&str> = manifest.plan.cells.iter().map(|cell| cell.name.as_str()).collect();
    let summary = json!({
        "directory": directory.display().to_string(),
        "measurements": measurements,
        "blocks": blocks,
        "variants": names,
        "baseline": manifest.variants[manifest.baseline].name,
        "cells": cells,
    });
    Ok(serde_json::to_string_pretty(&summary)? + "\n")
}
