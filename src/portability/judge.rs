//! From the contents of a package to what is found in it.

use super::{
    Finding, FindingKind, FunctionDescription, Origin, PackageName,
    contents::Contents,
    finding::Effect,
    function::RuntimeFamily,
    origin,
    pairs::{self, Placed},
    paths,
    rebuild::{self, Parents},
};
use crate::protocol::{Architecture, control_characters::visible};
use std::collections::{BTreeMap, HashSet};

/// What is found in a package, whatever else there is. `started` are the paths of what Lambda starts.
pub fn package(
    name: &PackageName,
    contents: &Contents,
    compatible_architectures: Option<&[Architecture]>,
    function: &FunctionDescription,
    started: &HashSet<String>,
) -> Vec<Finding> {
    let mut findings = natives(name, contents, function, started);
    let target = function.other_architecture();
    if let Some(architectures) = compatible_architectures.filter(|architectures| !architectures.contains(&target)) {
        let kind = FindingKind::IncompatibleLayer { architectures: architectures.to_vec() };
        findings.push(Finding::of_package(name, kind));
    }
    findings.extend(contents.refusals.iter().map(|(path, reason)| {
        let kind = FindingKind::Refused { reason: reason.clone() };
        match path {
            Some(path) => Finding::of_file(name, visible(path), kind),
            None => Finding::of_package(name, kind),
        }
    }));
    findings
}

/// What is found of native code: one finding for all files of a wheel, or of whatever else they are part of.
fn natives(
    name: &PackageName,
    contents: &Contents,
    function: &FunctionDescription,
    started: &HashSet<String>,
) -> Vec<Finding> {
    let parents = Parents::of(contents);
    let mut placed: Vec<Placed<'_>> = contents
        .natives
        .iter()
        .map(|file| Placed {
            file,
            origin: origin::of(file, contents, name, function),
            is_started: started.contains(&file.path),
        })
        .collect();
    placed.sort_by(|a, b| a.file.path.cmp(&b.file.path));
    let kinds = pairs::judge(&placed, function.architecture);
    let mut groups: BTreeMap<(FindingKind, Origin, Option<&str>), (String, usize)> = BTreeMap::new();
    for (placed, kind) in placed.iter().zip(kinds) {
        let Some(kind) = kind else { continue };
        let is_alone = matches!(placed.origin, Origin::Executable { .. } | Origin::Extension);
        let key = (kind, placed.origin.clone(), is_alone.then_some(placed.file.path.as_str()));
        groups.entry(key).or_insert_with(|| (visible(&placed.file.path), 0)).1 += 1;
    }
    let finding = |((kind, origin, _), (file, count)): ((FindingKind, Origin, _), (String, usize))| {
        let needs_file = kind.effect() == Effect::NeedsFiles;
        let rebuild = needs_file.then(|| rebuild::line(&origin, &parents, name, function));
        Finding { package: name.clone(), file: Some(file), count, kind, origin: Some(origin.shown()), rebuild }
    };
    groups.into_iter().map(finding).collect()
}

/// Links in the place of native code whose targets are in none of the packages.
pub fn links(packages: &[(&PackageName, &Contents)]) -> Vec<Finding> {
    let of_package = |&(name, contents): &(&PackageName, &Contents)| {
        let natives: HashSet<&str> = contents.natives.iter().map(|file| file.path.as_str()).collect();
        let is_there = |target: String| {
            packages.iter().any(|(_, contents)| contents.paths.contains(&target)) || natives.contains(target.as_str())
        };
        let leads_out = |link: &str| !contents.follow(link).is_some_and(is_there);
        let links = contents
            .links
            .iter()
            .filter(|(link, _)| paths::is_library(link) || paths::is_extension(link) || *link == "bootstrap");
        let findings = links.filter(|(link, _)| leads_out(link)).map(|(link, target)| {
            let kind = FindingKind::LinkLeadsOut { target: visible(target) };
            Finding::of_file(name, visible(link), kind)
        });
        findings.collect::<Vec<_>>()
    };
    packages.iter().flat_map(of_package).collect()
}

/// Whether there is anything in the packages that the runtime could run.
pub fn has_code(family: RuntimeFamily, handler: Option<&str>, packages: &[&Contents]) -> bool {
    let endings: &[&str] = match family {
        RuntimeFamily::Python => &[".py", ".pyc"],
        RuntimeFamily::NodeJs => &[".js", ".mjs", ".cjs", ".ts"],
        RuntimeFamily::Java => &[".class", ".jar"],
        RuntimeFamily::DotNet => &[".dll", ".cs"],
        RuntimeFamily::Ruby => &[".rb"],
        RuntimeFamily::OsOnly => return true,
    };
    // A module may be native code: `app.cpython-313-x86_64-linux-gnu.so`.
    let module = handler.and_then(|handler| handler.split(['.', ':']).next()).filter(|module| !module.is_empty());
    let is_code = |path: &String| {
        endings.iter().any(|ending| path.ends_with(ending))
            || module.is_some_and(|module| path.strip_prefix(module).is_some_and(|rest| rest.starts_with('.')))
    };
    packages.iter().any(|contents| contents.paths.iter().any(is_code))
}

impl Origin {
    /// The origin with control characters escaped.
    fn shown(&self) -> Self {
        let mut shown = self.clone();
        let texts: Vec<&mut String> = match &mut shown {
            Self::Wheel { name, version, platforms } => [name, version].into_iter().chain(platforms).collect(),
            Self::NpmPackage { name, version } | Self::Gem { name, version } => vec![name, version],
            Self::Jar { file, coordinates } => file.iter_mut().chain(coordinates).collect(),
            Self::Directory { path } => vec![path],
            Self::DotNet | Self::Extension | Self::Executable { .. } => Vec::new(),
        };
        for text in texts {
            *text = visible(text);
        }
        shown
    }
}
