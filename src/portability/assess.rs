//! From a function's packages to the answer.

use super::{
    Finding, FindingKind, FunctionDescription, Package, PackageName, Portability, bootstrap, contents::Contents,
    function::RuntimeFamily, judge, limits::Limits, rebuild, walk::Walker,
};
use crate::protocol::{Architecture, control_characters::visible};
use std::io::{self, Read, Seek};

/// A temporary file for an archive within an archive cannot be made or written.
#[derive(Debug, thiserror::Error)]
#[error("an archive within a package cannot be kept in a temporary file: {0}")]
pub struct SpoolError(#[source] pub(super) io::Error);

/// Whether a function can run on the other architecture: its code first, then its layers. Whatever is wrong with a
/// package is a finding.
pub fn assess<R: Read + Seek>(
    function: &FunctionDescription,
    packages: Vec<Package<R>>,
) -> Result<Portability, SpoolError> {
    assess_within(&Limits::DEFAULT, function, packages)
}

/// The same within other limits.
pub(super) fn assess_within<R: Read + Seek>(
    limits: &Limits,
    function: &FunctionDescription,
    packages: Vec<Package<R>>,
) -> Result<Portability, SpoolError> {
    let mut walker = Walker::new(limits);
    let mut findings = Vec::new();
    let mut read: Vec<(PackageName, Contents)> = Vec::new();
    let mut architectures = Vec::new();
    for package in packages {
        let archive = match package.archive {
            Ok(archive) => archive,
            Err(reason) => {
                findings.push(Finding::of_package(&package.name, FindingKind::NotFetched { reason: visible(&reason) }));
                continue;
            }
        };
        let contents = walker.read(archive)?;
        architectures.push(package.compatible_architectures);
        read.push((package.name, contents));
    }
    let named: Vec<(&PackageName, &Contents)> = read.iter().map(|(name, contents)| (name, contents)).collect();
    let started = bootstrap::started(function, &named);
    for ((name, contents), architectures) in named.iter().zip(&architectures) {
        findings.extend(judge::package(name, contents, architectures.as_deref(), function, &started));
    }
    findings.extend(judge::links(&named));
    let contents: Vec<&Contents> = read.iter().map(|(_, contents)| contents).collect();
    findings.extend(match &function.image {
        Some(image) => vec![of_image(image, function.other_architecture())],
        None => of_function(function, &contents)
            .map(|kind| {
                let is_runtime = matches!(kind, FindingKind::RuntimeOfX86Alone { .. });
                let rebuild = is_runtime.then(|| rebuild::runtime(function)).flatten();
                Finding { rebuild, ..Finding::of_package(&PackageName::Code, kind) }
            })
            .collect(),
    });
    Ok(Portability::new(function.other_architecture(), findings))
}

/// What an image means: Lambda takes images of one architecture, so that the other one takes another image.
fn of_image(image: &str, target: Architecture) -> Finding {
    let platform = match target {
        Architecture::Arm64 => "linux/arm64",
        Architecture::X86_64 => "linux/amd64",
    };
    let rebuild = Some(format!("docker buildx build --platform {platform} --provenance=false --tag IMAGE ."));
    Finding { rebuild, ..Finding::of_package(&PackageName::Code, FindingKind::Image { image: visible(image) }) }
}

/// What is found of the function as a whole.
fn of_function(function: &FunctionDescription, packages: &[&Contents]) -> impl Iterator<Item = FindingKind> {
    let runtime = || function.runtime.as_deref().map(visible);
    let is_missing = function.other_architecture() == Architecture::Arm64 && function.has_runtime_of_x86_64_alone();
    let of_runtime = is_missing.then(|| FindingKind::RuntimeOfX86Alone { runtime: runtime().unwrap_or_default() });
    let of_code = match function.family() {
        None => Some(FindingKind::UnknownRuntime { runtime: runtime() }),
        // Its program has the name of the handler.
        Some(RuntimeFamily::OsOnly) if function.runtime.as_deref() == Some("go1.x") => None,
        Some(RuntimeFamily::OsOnly) => bootstrap::check(packages),
        Some(family) => {
            let has_code = judge::has_code(family, function.handler.as_deref(), packages);
            (!has_code).then_some(FindingKind::NothingRecognized)
        }
    };
    of_runtime.into_iter().chain(of_code)
}
