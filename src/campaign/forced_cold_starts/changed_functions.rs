//! The list of functions that a campaign has changed and not yet restored.

use crate::campaign::{Target, cold_start_variable::Owner, configuration::COLD_START_VARIABLE, lock, run_directory};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// The file of the run directory that names the changed functions; it exists only while there are any.
const FILE: &str = "changed.json";

/// The functions that are changed. Each is recorded before its change, and removed when the change is undone, so that a
/// program that is killed leaves the list behind.
#[derive(Debug)]
pub struct ChangedFunctions {
    path: PathBuf,
    /// The program that makes the changes.
    owner: String,
    functions: Mutex<BTreeSet<String>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    /// The variable that is changed.
    variable: String,
    owner: String,
    functions: BTreeSet<String>,
}

impl ChangedFunctions {
    /// The changes of the campaign in `directory`, including those of an earlier start of the program.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn read(directory: &Path, owner: &Owner) -> io::Result<Self> {
        let path = directory.join(FILE);
        let functions = read(&path)?.map(|content| content.functions).unwrap_or_default();
        Ok(Self { path, owner: owner.to_string(), functions: Mutex::new(functions) })
    }

    /// Whether the campaign in `directory` has left a list behind.
    pub fn are_in(directory: &Path) -> bool {
        directory.join(FILE).exists()
    }

    /// Records that `target` is about to be changed.
    ///
    /// # Errors
    /// When that cannot be written; the target must not be changed then.
    pub fn begin(&self, target: &Target) -> io::Result<()> {
        let mut functions = lock(&self.functions);
        if functions.insert(target.to_string()) { self.write(&functions) } else { Ok(()) }
    }

    /// Removes `target`, whose change is undone.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn undone(&self, target: &Target) -> io::Result<()> {
        let mut functions = lock(&self.functions);
        if functions.remove(&target.to_string()) { self.write(&functions) } else { Ok(()) }
    }

    /// The targets that are changed, as on the command line.
    pub fn open(&self) -> Vec<String> {
        lock(&self.functions).iter().cloned().collect()
    }

    fn write(&self, functions: &BTreeSet<String>) -> io::Result<()> {
        if functions.is_empty() {
            return fs::remove_file(&self.path);
        }
        let content = Content {
            variable: COLD_START_VARIABLE.to_owned(),
            owner: self.owner.clone(),
            functions: functions.clone(),
        };
        run_directory::write_json(&self.path, &content)
    }
}

fn read(path: &Path) -> io::Result<Option<Content>> {
    let content = |text: Option<Vec<u8>>| Ok(text.map(|text| serde_json::from_slice(&text)).transpose()?);
    run_directory::read_whole(path).and_then(content).map_err(|error| {
        let text = format!(
            "{} does not say which functions are changed ({error}); change them back with `duet clean-up lambda:NAME`, \
             and delete it",
            path.display()
        );
        io::Error::new(error.kind(), text)
    })
}
