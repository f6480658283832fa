//! `duet import`

use super::output;
use crate::campaign::{
    import::{Choices, Columns, EnvironmentNames, Format, Imported, ImportedMeasure, Table, Unit, import},
    shell_quoting,
};
use crate::report::words::{counted, listed};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Makes a campaign of measurements that other programs have made, for every subcommand that reads one.
///
/// The table has one measurement a row, under a header with the names of its columns. Nothing is called.
///
/// Exit codes: 0 imported, 1 the table cannot be imported, and nothing is written, 2 wrong arguments.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The table: comma-separated values under a header, or a JSON object per line (.jsonl, .ndjson).
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The format of the table [default: as its name says, else csv].
    #[arg(long, value_enum, value_name = "FORMAT")]
    from: Option<FormatName>,
    /// The column that names the variant of a row; several name it together, joined by "-".
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', required = true)]
    variant: Vec<String>,
    /// The variant that the others are compared with [default: x86_64, if there is one, else the first].
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    /// The column with the measurement.
    #[arg(long, value_name = "COLUMN")]
    value: String,
    /// The unit of that column.
    #[arg(long, value_enum, default_value_t = UnitName::Ms)]
    unit: UnitName,
    /// What was measured.
    #[arg(long, value_enum, default_value_t = MeasureName::Duration)]
    measure: MeasureName,
    /// The column that names what is compared by itself, such as the payload; several name it together.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    cell: Vec<String>,
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

impl ImportArgs {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let (table, choices) = (self.table(), self.choices());
        let imported = import(&table, &choices, &self.out)?;
        output::print(&if self.json { json(&imported, &self.out)? } else { text(&imported, &self.out) })?;
        Ok(ExitCode::SUCCESS)
    }

    fn table(&self) -> Table {
        let columns = Columns {
            value: self.value.clone(),
            unit: match self.unit {
                UnitName::Ns => Unit::Ns,
                UnitName::Us => Unit::Us,
                UnitName::Ms => Unit::Ms,
                UnitName::S => Unit::S,
            },
            variant: self.variant.clone(),
            cell: self.cell.clone(),
            block: self.block.clone(),
            environment: self.environment.clone(),
            cpu_model: self.cpu_model.clone(),
        };
        Table { path: self.file.clone(), format: self.format(), columns }
    }

    fn format(&self) -> Format {
        let extension = self.file.extension().unwrap_or_default().to_ascii_lowercase();
        match self.from {
            Some(FormatName::JsonLines) => Format::JsonLines,
            None if extension == "jsonl" || extension == "ndjson" => Format::JsonLines,
            Some(FormatName::Csv) | None => Format::Csv,
        }
    }

    fn choices(&self) -> Choices {
        let is_init = self.measure == MeasureName::Init;
        Choices {
            measure: match self.measure {
                MeasureName::Duration => ImportedMeasure::Duration,
                MeasureName::Init => ImportedMeasure::Init,
                MeasureName::Billed => ImportedMeasure::Billed,
                MeasureName::Latency => ImportedMeasure::Latency,
            },
            environments: match self.environment {
                Some(_) => EnvironmentNames::Named,
                // An environment starts once.
                None if self.each_row_an_environment || is_init => EnvironmentNames::EachRow,
                None => EnvironmentNames::Unknown,
            },
            baseline: self.baseline.clone(),
        }
    }
}

fn text(Imported { manifest, measurements, blocks }: &Imported, directory: &Path) -> String {
    let names: Vec<&str> = manifest.variants.iter().map(|(_, variant)| variant.name.as_str()).collect();
    format!(
        "Imported {} of {} into {}, in {} and {}; the baseline is {}.\nSummary: duet report {}\n",
        counted(*measurements, "measurement"),
        listed(&names),
        directory.display(),
        counted(*blocks, "block"),
        counted(manifest.plan.cells.len() as u64, "cell"),
        manifest.variants[manifest.baseline].name,
        shell_quoting::word(directory)
    )
}

fn json(Imported { manifest, measurements, blocks }: &Imported, directory: &Path) -> serde_json::Result<String> {
    let names: Vec<&str> = manifest.variants.iter().map(|(_, variant)| variant.name.as_str()).collect();
    let cells: Vec<&str> = manifest.plan.cells.iter().map(|cell| cell.name.as_str()).collect();
    let summary = json!({
        "directory": directory,
        "measurements": measurements,
        "blocks": blocks,
        "variants": names,
        "baseline": manifest.variants[manifest.baseline].name,
        "cells": cells,
    });
    Ok(serde_json::to_string_pretty(&summary)? + "\n")
}
