//! The list of functions that a campaign has changed and not yet restored.

use crate::campaign::{
    Target,
    configuration::COLD_START_VARIABLE,
    open_list::{self, Listing, OpenList},
    owner::Owner,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, io, path::Path};

/// The file of the run directory that names the changed functions; it exists only while there are any.
const FILE: &str = "changed.json";

/// The functions that are changed. Each is recorded before its change, and removed when the change is undone, so that a
/// program that is killed leaves the list behind.
#[derive(Debug)]
pub struct ChangedFunctions(OpenList<Content>);

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    /// The variable that is changed.
    variable: String,
    /// The program that makes the changes.
    owner: String,
    functions: BTreeSet<String>,
}

impl Listing for Content {
    fn open(&self) -> &BTreeSet<String> {
        &self.functions
    }

    fn open_mut(&mut self) -> &mut BTreeSet<String> {
        &mut self.functions
    }
}

impl ChangedFunctions {
    /// The changes of the campaign in `directory`, including those of an earlier start of the program.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn read(directory: &Path, owner: &Owner) -> io::Result<Self> {
        let path = directory.join(FILE);
        let remedy = "change them back with `duet clean-up lambda:NAME`";
        let content: Option<Content> = open_list::read(&path, "which functions are changed", remedy)?;
        let functions = content.map(|content| content.functions).unwrap_or_default();
        let content = Content { variable: COLD_START_VARIABLE.to_owned(), owner: owner.to_string(), functions };
        Ok(Self(OpenList::new(path, content)))
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
        self.0.begin(&target.to_string())
    }

    /// Removes `target`, whose change is undone.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn undone(&self, target: &Target) -> io::Result<()> {
        self.0.undone(&target.to_string())
    }

    /// The targets that are changed, as on the command line.
    pub fn open(&self) -> Vec<String> {
        self.0.open()
    }
}
