//! How the functions of a campaign were configured later on: they are looked at again at every end and every
//! continuation, and what has changed is kept.

use super::{
    configuration::Configuration,
    journal::{self, JournalError},
    sides::Side,
};
use serde::{Deserialize, Serialize};
use std::{ops::Not, path::Path};

/// The file of the run directory that keeps them; there is none where nothing has changed.
const FILE: &str = "configurations.json";

/// How a function was configured when it was looked at again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// When, in milliseconds since 1970-01-01 UTC.
    pub unix_ms: u64,
    /// Whose function it is.
    pub side: Side,
    pub configuration: Configuration,
    /// Whether the user wants samples from before and after in one campaign (`--allow-changed`).
    pub is_allowed: bool,
    /// Whether it is how the function was after the campaign itself had removed what a killed one had left: no change.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub is_restored: bool,
}

/// The readings of the campaign in `directory`, the earliest first.
///
/// # Errors
/// When they are there and cannot be read.
pub fn of(directory: &Path) -> Result<Vec<Reading>, JournalError> {
    let path = directory.join(FILE);
    let text = match journal::read_whole(&path) {
        Ok(None) => return Ok(Vec::new()),
        Err(source) => return Err(JournalError::Io { path, source }),
        Ok(Some(text)) => text,
    };
    serde_json::from_slice(&text).map_err(|error| JournalError::Malformed {
        line: error.line() as u64,
        reason: error.to_string(),
        path,
    })
}

/// Adds readings to those of the campaign in `directory`.
///
/// # Errors
/// When they cannot be read or written.
pub fn add(directory: &Path, new: Vec<Reading>) -> Result<(), JournalError> {
    let mut all = of(directory)?;
    all.extend(new);
    let path = directory.join(FILE);
    journal::write_json(&path, &all).map_err(|source| JournalError::Io { path, source })
}
