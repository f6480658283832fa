//! What measurements are read from, and what one is.

use super::{Columns, Format, csv_table, json_lines};
use crate::campaign::control_characters::visible;
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// A table that can be read again and again.
#[derive(Clone, Debug)]
pub struct Table {
    pub path: PathBuf,
    pub format: Format,
    pub columns: Columns,
}

/// One measurement.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measurement<'a> {
    pub variant: String,
    /// `None` if all measurements are of one cell.
    pub cell: Option<String>,
    pub block: Option<&'a str>,
    pub environment: Option<&'a str>,
    pub cpu_model: Option<&'a str>,
    pub value_ms: f64,
}

/// The reason why a file cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{path}: {source}", path = .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{path}, line {line}: {reason}", path = .path.display())]
    Line { path: PathBuf, line: u64, reason: String },
    #[error("{path}: {reason}", path = .path.display())]
    File { path: PathBuf, reason: String },
}

impl ImportError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// What is wrong with a line; names that are repeated in it are safe to show.
    pub(super) fn line(path: &Path, line: u64, reason: impl AsRef<str>) -> Self {
        Self::Line { path: path.to_owned(), line, reason: visible(reason.as_ref()) }
    }

    pub(super) fn file(path: &Path, reason: impl Into<String>) -> Self {
        Self::File { path: path.to_owned(), reason: reason.into() }
    }
}

/// Takes in a measurement, or says what is wrong with it.
pub(super) type Take<'t> = &'t mut dyn FnMut(Measurement<'_>) -> Result<(), String>;

impl Table {
    /// Hands over the measurements one after the other, in their order.
    ///
    /// # Errors
    /// For the first that is none, or that is not taken.
    pub(super) fn read(&self, take: Take<'_>) -> Result<(), ImportError> {
        match self.format {
            Format::Csv => csv_table::read(&self.path, &self.columns, take),
            Format::JsonLines => json_lines::read(&self.path, &self.columns, take),
        }
    }
}

/// Opens a file that can be read a second time.
pub(super) fn open(path: &Path) -> Result<File, ImportError> {
    let file = File::open(path).map_err(ImportError::io(path))?;
    match file.metadata().map_err(ImportError::io(path))?.is_file() {
        true => Ok(file),
        false => Err(ImportError::file(path, "this is not a regular file, which it must be to be read twice")),
    }
}
