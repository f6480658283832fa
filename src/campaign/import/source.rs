//! What measurements are read from, and what one is.

use super::{Columns, Format, ImportedMeasure, columns::LONGEST_MS, criterion, csv_table, hyperfine, json_lines, sebs};
use crate::protocol::control_characters::visible;
use serde::de::DeserializeOwned;
use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufReader},
    path::{Path, PathBuf},
    slice,
};

/// What measurements are read from; it can be read again and again.
#[derive(Clone, Debug)]
pub enum Source {
    Csv(PathBuf, Columns),
    JsonLines(PathBuf, Columns),
    /// Files `sample.json` of criterion, each with a file `benchmark.json` beside it.
    Criterion(Vec<PathBuf>),
    /// What hyperfine has written with `--export-json`.
    Hyperfine(Vec<PathBuf>),
    /// Results of experiments of SeBS, and which of its times are taken.
    Sebs(Vec<PathBuf>, ImportedMeasure),
}

/// One measurement.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measurement<'a> {
    pub variant: Name,
    /// `None` if all measurements are of one cell.
    pub cell: Option<Name>,
    pub block: Option<&'a str>,
    pub environment: Option<&'a str>,
    pub cpu_model: Option<&'a str>,
    pub value_ms: f64,
}

/// A name, perhaps of several parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub text: String,
    /// The lengths of the parts: other parts may come to the same text.
    pub lengths: Vec<usize>,
}

impl Name {
    pub(super) fn of(parts: &[&str]) -> Self {
        Self { text: parts.join("-"), lengths: parts.iter().map(|part| part.len()).collect() }
    }
}

/// The reason why a file cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{path}: {error}", path = printable(.path))]
    Io { path: PathBuf, error: io::Error },
    #[error("{path}, line {line}: {reason}", path = printable(.path))]
    Line { path: PathBuf, line: u64, reason: String },
    #[error("{path}: {reason}", path = printable(.path))]
    File { path: PathBuf, reason: String },
    #[error("interrupted; nothing was imported")]
    Interrupted,
}

/// The name of a file, which may hold anything, as it is printed and stored.
pub(super) fn printable(path: &Path) -> String {
    visible(&path.display().to_string())
}

impl ImportError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { path, error }
    }

    /// What is wrong with a line; names that are repeated in it are safe to show.
    pub(super) fn line(path: &Path, line: u64, reason: impl AsRef<str>) -> Self {
        Self::Line { path: path.to_owned(), line, reason: visible(reason.as_ref()) }
    }

    pub(super) fn file(path: &Path, reason: impl AsRef<str>) -> Self {
        Self::File { path: path.to_owned(), reason: visible(reason.as_ref()) }
    }
}

/// Takes in a measurement, or says what is wrong with it.
pub(super) type Take<'t> = &'t mut dyn FnMut(Measurement<'_>) -> Result<(), String>;

impl Source {
    pub(super) fn paths(&self) -> &[PathBuf] {
        match self {
            Self::Csv(path, _) | Self::JsonLines(path, _) => slice::from_ref(path),
            Self::Criterion(paths) | Self::Hyperfine(paths) | Self::Sebs(paths, _) => paths,
        }
    }

    /// The first file, for what is wrong with all of them together.
    pub(super) fn path(&self) -> &Path {
        self.paths().first().map_or(Path::new(""), PathBuf::as_path)
    }

    pub(super) fn columns(&self) -> Option<&Columns> {
        match self {
            Self::Csv(_, columns) | Self::JsonLines(_, columns) => Some(columns),
            Self::Criterion(_) | Self::Hyperfine(_) | Self::Sebs(..) => None,
        }
    }

    pub(super) fn format(&self) -> Format {
        match self {
            Self::Csv(..) => Format::Csv,
            Self::JsonLines(..) => Format::JsonLines,
            Self::Criterion(_) => Format::Criterion,
            Self::Hyperfine(_) => Format::Hyperfine,
            Self::Sebs(..) => Format::Sebs,
        }
    }

    /// Checks what is read only once, before [`Self::read`].
    ///
    /// # Errors
    /// When a table is none.
    pub(super) fn check(&self) -> Result<(), ImportError> {
        match self {
            Self::Csv(path, columns) => csv_table::check(path, columns),
            Self::JsonLines(..) | Self::Criterion(_) | Self::Hyperfine(_) | Self::Sebs(..) => Ok(()),
        }
    }

    /// Hands over the measurements one after the other, in their order.
    ///
    /// # Errors
    /// For the first that is none, or that is not taken.
    pub(super) fn read(&self, take: Take<'_>) -> Result<(), ImportError> {
        match self {
            Self::Csv(path, columns) => csv_table::read(path, columns, take),
            Self::JsonLines(path, columns) => json_lines::read(path, columns, take),
            Self::Criterion(paths) => criterion::read(paths, take),
            Self::Hyperfine(paths) => hyperfine::read(paths, take),
            Self::Sebs(paths, measure) => sebs::read(paths, *measure, take),
        }
    }
}

/// Reads a JSON file of a tool.
pub(super) fn json<T: DeserializeOwned>(path: &Path) -> Result<T, ImportError> {
    serde_json::from_reader(BufReader::new(open(path)?)).map_err(|error| match error.io_error_kind() {
        Some(kind) => ImportError::io(path)(kind.into()),
        None => ImportError::line(path, error.line() as u64, error.to_string()),
    })
}

/// A number of a tool as milliseconds.
///
/// # Errors
/// With the field and its value.
pub(super) fn tool_ms(field: &str, ms: f64) -> Result<f64, String> {
    let is_time = ms.is_finite() && ms > 0.0 && ms < LONGEST_MS;
    is_time
        .then_some(ms)
        .ok_or_else(|| format!("{field} is a time of {ms:e} ms; it must be above 0, and less than a year"))
}

/// Opens a file that can be read a second time.
pub(super) fn open(path: &Path) -> Result<File, ImportError> {
    let file = File::open(path).map_err(ImportError::io(path))?;
    if !file.metadata().map_err(ImportError::io(path))?.is_file() {
        return Err(ImportError::file(path, "this is not a regular file, which it must be to be read twice"));
    }
    Ok(file)
}

/// Refuses a file that is given twice: a run of a tool counts once.
pub(super) fn check_files(paths: &[PathBuf]) -> Result<(), ImportError> {
    let mut known = BTreeSet::new();
    for path in paths {
        if !known.insert(path.canonicalize().map_err(ImportError::io(path))?) {
            return Err(ImportError::file(path, "it is given twice; each run of a tool counts once"));
        }
    }
    Ok(())
}
