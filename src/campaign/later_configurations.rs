//! Later configurations of a campaign's functions, and later programs of its processes: they are read again whenever it
//! ends or is continued, and changed ones are stored.

use super::{
    configuration::Configuration,
    manifest::Variant,
    program::Program,
    run_directory::{self, JournalError},
    variants::VariantIndex,
};
use serde::{Deserialize, Serialize};
use std::{ops::Not, path::Path};

/// The file of the run directory that stores them; it exists only if something has changed.
const FILE: &str = "configurations.json";

/// What a function was when it was read again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// When it was read, in milliseconds since 1970-01-01 UTC.
    pub unix_ms: u64,
    /// The variant that is this function; files of schema 1 have a side.
    #[serde(alias = "side")]
    pub variant: VariantIndex,
    #[serde(flatten)]
    pub identity: Identity,
    /// Whether the user allows samples from before and after in one campaign (`--allow-changed`).
    pub is_allowed: bool,
    /// Whether it was read after the campaign itself had removed what a killed one had left, which is not a change.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub is_restored: bool,
}

/// What a function is told by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// That of a Lambda function.
    Configuration(Box<Configuration>),
    /// That of processes on this machine.
    Program(Program),
}

impl Identity {
    /// What the variant was when the campaign began, if that is known.
    pub fn of(variant: &Variant) -> Option<Self> {
        let configuration = variant.configuration.clone().map(|known| Self::Configuration(Box::new(known)));
        configuration.or_else(|| variant.program.clone().map(Self::Program))
    }

    /// The changes since it was `before`, one sentence each.
    pub fn changes_since(&self, before: &Self) -> Vec<String> {
        match (self, before) {
            (Self::Configuration(now), Self::Configuration(before)) => now.changes_since(before),
            (Self::Program(now), Self::Program(before)) => now.changes_since(before),
            (Self::Configuration(_), Self::Program(_)) | (Self::Program(_), Self::Configuration(_)) => Vec::new(),
        }
    }

    /// Whether it is another revision of a function, which shows what is not stored.
    pub fn has_other_revision(&self, before: &Self) -> bool {
        matches!((self, before), (Self::Configuration(now), Self::Configuration(before)) if now.has_other_revision(before))
    }

    /// Whether it is a function in another account or region.
    pub fn is_of_another_function(&self, before: &Self) -> bool {
        matches!((self, before), (Self::Configuration(now), Self::Configuration(before)) if now.is_of_another_function(before))
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn readings_of_functions_and_of_programs_are_stored_under_their_names() {
        let program = json!({
            "unix_ms": 1, "variant": 1, "program": { "sha256": null, "bytes": 3 }, "is_allowed": true
        });
        let reading: Reading = serde_json::from_value(program.clone()).unwrap();
        assert_eq!(reading.identity, Identity::Program(Program { sha256: None, bytes: 3 }));
        assert_eq!(serde_json::to_value(&reading).unwrap(), program);
        // As an earlier version stored it.
        let function = json!({
            "unix_ms": 1, "side": "candidate", "is_allowed": false, "configuration": {
                "arn": null, "architecture": "arm64", "memory_mb": 512, "timeout_s": 3, "tracing": null, "runtime": null,
                "log_format": null, "ephemeral_storage_mb": 512, "layers": []
            }
        });
        let reading: Reading = serde_json::from_value(function.clone()).unwrap();
        assert_eq!(reading.variant.get(), 1);
        assert!(matches!(reading.identity, Identity::Configuration(known) if known.memory_mb == 512));
        for neither in ["configuration", "is_allowed"] {
            let mut wrong = function.clone();
            wrong.as_object_mut().unwrap().remove(neither);
            assert!(serde_json::from_value::<Reading>(wrong).is_err(), "{neither}");
        }
    }
}
