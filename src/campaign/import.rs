//! Measurements that other programs have made: a table of them becomes a campaign.
//!
//! A table is read twice, so that memory does not grow with its rows: first for its names, which the manifest needs,
//! then for its values. Whatever is wrong with it is found the first time, before anything is written.

mod columns;
mod criterion;
mod csv_table;
mod hyperfine;
mod json_lines;
mod other_format;
mod quotation;
mod sebs;
mod source;
mod survey;
mod to_campaign;

pub use columns::{Columns, column_names};
pub use source::{ImportError, Source};
pub use to_campaign::{Choices, Imported, import};

use serde::{Deserialize, Serialize};

/// Where the measurements of an imported campaign are from, and what is known of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The files, as the user named them.
    pub files: Vec<String>,
    pub format: Format,
    pub measure: ImportedMeasure,
    /// What was read of a table; `None` for files of a tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Columns>,
    pub environments: EnvironmentNames,
    /// Whether the measurements are in blocks; else they are all in one.
    pub has_blocks: bool,
    /// Whether blocks are named by their time.
    pub has_times: bool,
    pub has_cpu_models: bool,
}

impl Import {
    /// The files in a few words.
    pub fn files_in_short(&self) -> String {
        in_short(&self.files)
    }

    /// Whether CPU models can be told: they are those of environments.
    pub fn tells_cpu_models(&self) -> bool {
        self.has_cpu_models && self.environments != EnvironmentNames::Unknown
    }

    /// Whether files have the format of a tool, in which nothing can be named.
    pub fn is_of_tool(&self) -> bool {
        self.columns.is_none()
    }
}

/// The files that something was imported from, in a few words.
fn in_short(files: &[String]) -> String {
    match files {
        [] => String::new(),
        [file] => file.clone(),
        [first, others @ ..] => format!("{first} and {} more", others.len()),
    }
}

/// The format of an imported file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Comma-separated values under a header.
    Csv,
    /// A JSON object per line.
    JsonLines,
    /// `sample.json` of criterion.
    Criterion,
    /// `--export-json` of hyperfine.
    Hyperfine,
    /// Results of an experiment of SeBS.
    Sebs,
}

/// What an imported table measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportedMeasure {
    /// How long a function, or whatever was called, took.
    Duration,
    /// What Lambda billed.
    Billed,
    /// What the client waited for.
    Latency,
    /// How long an environment took to start.
    Init,
}

/// How the environments of imported measurements are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnvironmentNames {
    /// They have names.
    Named,
    /// Each measurement has an environment of its own.
    EachRow,
    Unknown,
}

/// The unit of imported values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    Ns,
    Us,
    #[default]
    Ms,
    S,
}

impl Unit {
    pub(super) fn to_ms(self, value: f64) -> f64 {
        match self {
            Self::Ns => value / 1e6,
            Self::Us => value / 1e3,
            Self::Ms => value,
            Self::S => value * 1e3,
        }
    }
}

crate::protocol::display_as_serialized!(Format, ImportedMeasure, Unit);

#[cfg(test)]
mod tests;
