//! What is known of a package once all of it has been read.

use super::{Refusal, markers::Markers, native::Native, wheels::Wheel};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What was read of one package. Paths in archives within it are `outer.jar!/inner.so`.
#[derive(Debug, Default)]
pub struct Contents {
    /// All files, those in archives within it left out.
    pub paths: HashSet<String>,
    pub natives: Vec<NativeFile>,
    /// Symbolic links, with their targets.
    pub links: BTreeMap<String, String>,
    /// Python's wheels, by the directory they are installed in and their normalized name.
    pub wheels: BTreeMap<(String, String), Wheel>,
    /// The `package.json` of a directory.
    pub npm_packages: HashMap<String, NpmPackage>,
    /// Maven's coordinates of JARs, by their paths: all that are in them.
    pub coordinates: HashMap<Option<String>, Vec<String>>,
    /// The text of `bootstrap`, if it is not native.
    pub bootstrap: Option<String>,
    /// What was not looked at. Without a path it is the package.
    pub refusals: Vec<(Option<String>, Refusal)>,
}

/// A file of native code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeFile {
    pub path: String,
    pub native: Native,
    pub markers: Markers,
}

/// What matters of a `package.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct NpmPackage {
    pub name: String,
    pub version: String,
    #[serde(default, rename = "optionalDependencies")]
    pub optional_dependencies: BTreeMap<String, serde_json::Value>,
}

impl Contents {
    /// Where a path leads through links, as long as it stays in the package.
    pub fn follow(&self, path: &str) -> Option<String> {
        const MOST_LINKS: usize = 8;
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            let Some(target) = self.links.get(&path) else { return Some(path) };
            path = match target.strip_prefix("/var/task/").or_else(|| target.strip_prefix("/opt/")) {
                Some(inside) => super::paths::resolve("", inside)?,
                None if target.starts_with('/') => return None,
                None => super::paths::resolve(super::paths::split(&path).0, target)?,
            };
        }
        None
    }

    /// Whether there is a file at this path, or at the end of links from it.
    pub fn has_file(&self, path: &str) -> bool {
        self.follow(path).is_some_and(|path| self.paths.contains(&path))
    }
}
