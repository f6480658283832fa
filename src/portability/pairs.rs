//! Which native code is in the way, and which has a counterpart or is meant for elsewhere.

use super::{FindingKind, Origin, System, contents::NativeFile, path_words::PathWords};
use crate::protocol::Architecture;
use std::collections::{BTreeSet, HashMap};

/// A file of native code with what it is part of.
pub struct Placed<'a> {
    pub file: &'a NativeFile,
    pub origin: Origin,
    /// Whether Lambda starts it: then nothing is taken in its place.
    pub is_started: bool,
}

/// What is there under paths that differ in their platforms only.
#[derive(Default)]
struct Group {
    for_present: bool,
    for_other: bool,
}

/// The words of paths, and whether they name a foreign system: what is for Lambda nevertheless, as static programs for
/// musl are, has no counterpart among what is for glibc.
type Key = (String, bool);

struct Groups {
    present: Architecture,
    by_file: HashMap<Key, Group>,
    by_directory: HashMap<Key, Group>,
    /// Directories with files that have a counterpart of the same name: there, each needs one.
    strict: BTreeSet<Key>,
    /// Packages that have native code for Lambda.
    origins: BTreeSet<Origin>,
}

/// What is found of each file, if anything.
pub fn judge(files: &[Placed<'_>], present: Architecture) -> Vec<Option<FindingKind>> {
    let words: Vec<PathWords> = files.iter().map(|placed| PathWords::of(&placed.file.path)).collect();
    let groups = Groups::of(files, &words, present);
    files.iter().zip(&words).map(|(placed, words)| groups.finding(placed, words)).collect()
}

/// The architecture of Lambda that a file can run on.
fn runs_on(file: &NativeFile) -> Option<Architecture> {
    file.native.machine.architecture().filter(|_| file.native.system == System::Linux)
}

/// Whether a package is made for all the platforms that it supports, so that it tells what other files of it are for.
fn is_package(origin: &Origin) -> bool {
    matches!(
        origin,
        Origin::Wheel { .. } | Origin::NpmPackage { .. } | Origin::Gem { .. } | Origin::Jar { file: Some(_), .. }
    )
}

fn file_key(words: &PathWords) -> Key {
    (words.file.clone(), words.names_foreign_system)
}

fn directory_key(words: &PathWords) -> Option<Key> {
    Some((words.directory.clone()?, words.names_foreign_system))
}

fn is_complete(group: Option<&Group>) -> bool {
    group.is_some_and(|group| group.for_present && group.for_other)
}

impl Groups {
    fn of(files: &[Placed<'_>], words: &[PathWords], present: Architecture) -> Self {
        let mut groups = Self {
            present,
            by_file: HashMap::new(),
            by_directory: HashMap::new(),
            strict: BTreeSet::new(),
            origins: BTreeSet::new(),
        };
        for (placed, words) in files.iter().zip(words) {
            let Some(architecture) = runs_on(placed.file) else { continue };
            let note = |group: &mut Group| {
                group.for_present |= architecture == present;
                group.for_other |= architecture != present;
            };
            if is_package(&placed.origin) {
                groups.origins.insert(placed.origin.clone());
            }
            if placed.is_started {
                continue;
            }
            note(groups.by_file.entry(file_key(words)).or_default());
            if let Some(key) = directory_key(words) {
                note(groups.by_directory.entry(key).or_default());
            }
        }
        let complete = words.iter().filter(|words| is_complete(groups.by_file.get(&file_key(words))));
        groups.strict = complete.filter_map(directory_key).collect();
        groups
    }

    /// Whether a file is there for both architectures. Directories that are for one of them each count as such, though
    /// the files in them may be named differently.
    fn has_counterpart(&self, words: &PathWords) -> bool {
        let by_directory = directory_key(words).filter(|key| words.has_lambda_directory && !self.strict.contains(key));
        is_complete(self.by_file.get(&file_key(words)))
            || by_directory.is_some_and(|key| is_complete(self.by_directory.get(&key)))
    }

    /// Whether there is a file for Lambda where this one is for another platform.
    fn is_beside_another(&self, words: &PathWords) -> bool {
        let words = PathWords { names_foreign_system: false, ..words.clone() };
        self.by_file.contains_key(&file_key(&words))
            || directory_key(&words).is_some_and(|key| self.by_directory.contains_key(&key))
    }

    fn finding(&self, placed: &Placed<'_>, words: &PathWords) -> Option<FindingKind> {
        let machine = placed.file.native.machine;
        let system = placed.file.native.system;
        let is_started = placed.is_started;
        let is_elsewhere = !is_started && self.is_beside_another(words);
        if system != System::Linux {
            let is_silent = is_elsewhere || !is_started && self.origins.contains(&placed.origin);
            return (!is_silent).then_some(FindingKind::ForeignSystem { system, machine, is_started });
        }
        if words.names_foreign_system && is_elsewhere {
            return None;
        }
        match machine.architecture() {
            None => (!is_elsewhere).then_some(FindingKind::ForeignMachine { machine, is_started }),
            Some(_) if !is_started && self.has_counterpart(words) => None,
            Some(architecture) if architecture == self.present => Some(FindingKind::PresentArchitecture { machine }),
            Some(_) => Some(FindingKind::OtherArchitecture { machine }),
        }
    }
}
