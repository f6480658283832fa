//! Later configurations of a campaign's functions: they are read again whenever it ends or is continued, and changed
//! ones are stored.

use super::{
    configuration::Configuration,
    run_directory::{self, JournalError},
    variants::VariantIndex,
};
use serde::{Deserialize, Serialize};
use std::{ops::Not, path::Path};

/// The file of the run directory that stores them; it exists only if something has changed.
const FILE: &str = "configurations.json";

/// The configuration of a function when it was read again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// When it was read, in milliseconds since 1970-01-01 UTC.
    pub unix_ms: u64,
    /// The variant that is this function; files of schema 1 have a side.
    #[serde(alias = "side")]
    pub variant: VariantIndex,
    pub configuration: Configuration,
    /// Whether the user allows samples from before and after in one campaign (`--allow-changed`).
    pub is_allowed: bool,
    /// Whether it was read after the campaign itself had removed what a killed one had left, which is not a change.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub is_restored: bool,
}

/// The readings of the campaign in `directory`, the earliest first.
///
/// # Errors
/// When the file exists and cannot be read.
pub fn read(directory: &Path) -> Result<Vec<Reading>, JournalError> {
    let path = directory.join(FILE);
    let Some(text) = run_directory::read_whole(&path).map_err(run_directory::at(&path))? else { return Ok(Vec::new()) };
    serde_json::from_slice(&text).map_err(|error| JournalError::Malformed {
        line: error.line() as u64,
        reason: error.to_string(),
        path,
    })
}

/// Adds readings of the campaign in `directory`.
///
/// # Errors
/// When they cannot be read or written.
pub fn add(directory: &Path, new: Vec<Reading>) -> Result<(), JournalError> {
    let mut all = read(directory)?;
    all.extend(new);
    let path = directory.join(FILE);
    run_directory::write_json(&path, &all).map_err(run_directory::at(&path))
}
