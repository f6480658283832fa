//! What is known of a package once all of it has been read.

use super::{Refusal, markers::Markers, native::Native, paths, wheels::Wheels};
use serde::{Deserialize, de::IgnoredAny};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What was read of one package. Paths in archives within it are `outer.jar!/inner.so`.
#[derive(Debug, Default)]
pub struct Contents {
    /// All files, those in archives within it left out.
    pub paths: BTreeSet<String>,
    pub natives: Vec<NativeFile>,
    /// Symbolic links, with their targets.
    pub links: BTreeMap<String, String>,
    pub wheels: Wheels,
    /// The `package.json` of a directory.
    pub npm_packages: BTreeMap<String, NpmPackage>,
    /// Whether a file at the root configures a runtime of .NET.
    pub has_dot_net_configuration: bool,
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
#[derive(Debug, Default, Deserialize)]
pub struct NpmPackage {
    pub name: String,
    pub version: String,
    #[serde(default, rename = "optionalDependencies")]
    pub optional_dependencies: BTreeMap<String, IgnoredAny>,
}

impl Contents {
    /// Where a path leads through links, in it or at its end, as long as it stays in the package.
    pub fn follow(&self, path: &str) -> Option<String> {
        const MOST_LINKS: usize = 8;
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
            let link =
                ends.map(|end| path.split_at(end)).find_map(|(link, rest)| Some((link, self.links.get(link)?, rest)));
            let Some((link, target, rest)) = link else { return Some(path) };
            let resolved = match target.strip_prefix("/var/task/").or_else(|| target.strip_prefix("/opt/")) {
                Some(inside) => paths::resolve("", inside)?,
                None if target.starts_with('/') => return None,
                None => paths::resolve(paths::split(link).0, target)?,
            };
            // At the root, nothing is before the slash.
            path = format!("{resolved}{rest}").trim_start_matches('/').to_owned();
            if path.len() > paths::LONGEST {
                return None;
            }
        }
        None
    }

    /// Whether there is a file at this path, or at the end of links from it.
    pub fn has_file(&self, path: &str) -> bool {
        self.follow(path).is_some_and(|path| self.paths.contains(&path))
    }

    /// Whether files are in a directory of this path.
    pub fn has_directory(&self, path: &str) -> bool {
        let path = format!("{path}/");
        self.paths.range(path.clone()..).next().is_some_and(|file| file.starts_with(&path))
    }
}
