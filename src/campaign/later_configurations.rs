//! Later configurations of a campaign's functions, and later programs of its processes: they are read again whenever it
//! ends or is continued, and changed ones are stored.

use super::{
    configuration::Configuration,
    manifest::Variant,
    program::Program,
    run_directory::{self, JournalError},
    variants::VariantIndex,
};
use serde::{Deserialize, Deserializer, Serialize};
use std::{ops::Not, path::Path};

/// The file of the run directory that stores them; it exists only if something has changed.
const FILE: &str = "configurations.json";

/// What a function was when it was read again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredReading")]
pub struct Reading {
    /// When it was read, in milliseconds since 1970-01-01 UTC.
    pub unix_ms: u64,
    /// The variant that is this function.
    pub variant: VariantIndex,
    #[serde(flatten)]
    pub identity: Identity,
    /// Whether the user allows samples from before and after in one campaign (`--allow-changed`).
    pub is_allowed: bool,
    /// Whether it was read after the campaign itself had removed what a killed one had left, which is not a change.
    #[serde(skip_serializing_if = "Not::not")]
    pub is_restored: bool,
}

/// A reading as it is stored: a flattened one would take any field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredReading {
    unix_ms: u64,
    /// Files of schema 1 have a side.
    #[serde(alias = "side")]
    variant: VariantIndex,
    #[serde(default, deserialize_with = "present")]
    configuration: Option<Box<Configuration>>,
    #[serde(default, deserialize_with = "present")]
    program: Option<Option<Program>>,
    is_allowed: bool,
    #[serde(default)]
    is_restored: bool,
}

/// A field that is there, even if it is null.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A stored reading does not tell what was read.
#[derive(Debug, thiserror::Error)]
enum ReadingError {
    #[error("the reading has neither configuration nor program; it must have one of them")]
    Neither,
    #[error("the reading has both configuration and program; it must have one of them")]
    Both,
}

impl TryFrom<StoredReading> for Reading {
    type Error = ReadingError;

    fn try_from(stored: StoredReading) -> Result<Self, ReadingError> {
        let StoredReading { unix_ms, variant, configuration, program, is_allowed, is_restored } = stored;
        let identity = match (configuration, program) {
            (Some(configuration), None) => Identity::Configuration(configuration),
            (None, Some(program)) => Identity::Program(program),
            (None, None) => return Err(ReadingError::Neither),
            (Some(_), Some(_)) => return Err(ReadingError::Both),
        };
        Ok(Self { unix_ms, variant, identity, is_allowed, is_restored })
    }
}

/// What a function is told by.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// That of a Lambda function.
    Configuration(Box<Configuration>),
    /// That of processes on this machine; `None` if their program is gone.
    Program(Option<Program>),
}

impl Identity {
    /// What the variant was when the campaign began, if that is known.
    pub fn of(variant: &Variant) -> Option<Self> {
        let configuration = variant.configuration.clone().map(|known| Self::Configuration(Box::new(known)));
        configuration.or_else(|| variant.program.clone().map(|program| Self::Program(Some(program))))
    }

    /// The changes since it was `before`, one sentence each.
    pub fn changes_since(&self, before: &Self) -> Vec<String> {
        match (self, before) {
            (Self::Configuration(now), Self::Configuration(before)) => now.changes_since(before),
            (Self::Program(Some(now)), Self::Program(Some(before))) => now.changes_since(before),
            (Self::Program(None), Self::Program(Some(_))) => vec!["the program is gone".to_owned()],
            (Self::Program(Some(_)), Self::Program(None)) => {
                vec!["the program was gone, and there is one again".to_owned()]
            }
            (Self::Program(None), Self::Program(None))
            | (Self::Configuration(_), Self::Program(_))
            | (Self::Program(_), Self::Configuration(_)) => Vec::new(),
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
    use serde_json::{Value, json};

    #[test]
    fn readings_of_functions_and_of_programs_are_stored_under_their_names() {
        let program = json!({
            "unix_ms": 1, "variant": 1, "program": { "sha256": null, "bytes": 3 }, "is_allowed": true
        });
        let reading: Reading = serde_json::from_value(program.clone()).unwrap();
        assert_eq!(reading.identity, Identity::Program(Some(Program { sha256: None, bytes: 3 })));
        assert_eq!(serde_json::to_value(&reading).unwrap(), program);
        let gone = json!({ "unix_ms": 1, "variant": 1, "program": null, "is_allowed": false });
        let reading: Reading = serde_json::from_value(gone.clone()).unwrap();
        assert_eq!(reading.identity, Identity::Program(None));
        assert_eq!(serde_json::to_value(&reading).unwrap(), gone);
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
        let refused = |wrong: Value| serde_json::from_value::<Reading>(wrong).unwrap_err().to_string();
        for (missing, message) in [("configuration", "neither"), ("is_allowed", "missing field `is_allowed`")] {
            let mut wrong = function.clone();
            wrong.as_object_mut().unwrap().remove(missing);
            assert!(refused(wrong).contains(message), "{missing}");
        }
        for (field, message) in
            [("program", "both configuration and program"), ("is_alowed", "unknown field `is_alowed`")]
        {
            let mut wrong = function.clone();
            wrong[field] = Value::Null;
            assert!(refused(wrong).contains(message), "{field}");
        }
    }

    #[test]
    fn a_program_that_is_gone_and_one_that_is_there_again_are_changes() {
        let [there, gone] = [Some(Program { sha256: None, bytes: 3 }), None].map(Identity::Program);
        assert_eq!(gone.changes_since(&there), ["the program is gone"]);
        assert_eq!(there.changes_since(&gone), ["the program was gone, and there is one again"]);
        assert!(gone.changes_since(&gone).is_empty() && there.changes_since(&there).is_empty());
    }
}
