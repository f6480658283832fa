//! What was found in packages, and what it means.

use super::{Language, Machine, PackageName, Refusal, System};
use crate::protocol::{Architecture, display_as_serialized};
use serde::Serialize;

/// Whether a function's packages can run on the other architecture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Portability {
    /// The architecture that is asked about.
    pub target: Architecture,
    pub verdict: Verdict,
    /// The most important ones first.
    pub findings: Vec<Finding>,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it is.
    Portable,
    /// Once files have been replaced.
    NeedsFiles,
    /// Something could not be looked at, or leads out of the packages.
    CannotTell,
}

/// What a finding means for the verdict; the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    NeedsFiles,
    CannotTell,
    /// Worth saying, though it changes nothing.
    Remark,
}

/// Something that was found in one file, or in several of one origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    pub package: PackageName,
    /// The first of the files, with control characters escaped; a file in an archive is `outer.jar!/inner.so`. `None`
    /// for what is found of the package as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// How many files it is about.
    pub count: usize,
    #[serde(flatten)]
    pub kind: FindingKind,
    /// What the files are part of; `None` where they are not native code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The command that makes the files for the other architecture, or what to do where there is no command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<String>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
pub enum FindingKind {
    /// Native code for the function's present architecture, without a counterpart.
    PresentArchitecture { machine: Machine },
    /// The function is made of a container image, which is for one architecture.
    Image { image: String },
    /// The runtime is not there on the other architecture.
    RuntimeOfX86Alone { runtime: String },
    /// A layer says that it is not made for the other architecture.
    IncompatibleLayer { architectures: Vec<Architecture> },
    /// The runtime is not known, or there is none, as for an image.
    UnknownRuntime { runtime: Option<String> },
    /// An OS-only runtime has nothing to start.
    NoBootstrap,
    /// The bootstrap is neither native code nor a script.
    UnknownBootstrap,
    /// The bootstrap is a script that calls a program which is in no package.
    MissingProgram { program: String },
    /// There is no code in the language of the runtime.
    NothingRecognized,
    /// A symbolic link in the place of native code leads to a file that is in no package.
    LinkLeadsOut { target: String },
    /// A package could not be fetched.
    NotFetched { reason: String },
    /// An archive, or an entry of one, that is not looked at.
    Refused { reason: Refusal },
    /// Native code for the other architecture alone: broken today, or unused.
    OtherArchitecture { machine: Machine },
    /// Native code for an architecture that Lambda does not have; whether Lambda starts it nevertheless.
    ForeignMachine { machine: Machine, is_started: bool },
    /// Native code for another system, where it never runs; whether Lambda starts it nevertheless.
    ForeignSystem { system: System, machine: Machine, is_started: bool },
}

/// What files are part of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Origin {
    Wheel {
        name: String,
        version: String,
        /// The platforms of its tags, such as `manylinux_2_28_x86_64`.
        platforms: Vec<String>,
    },
    NpmPackage {
        name: String,
        version: String,
    },
    Gem {
        name: String,
        version: String,
    },
    Jar {
        /// The path of the innermost JAR; `None` if the package is itself one.
        file: Option<String>,
        /// `group:artifact:version`, where it is of Maven and says so.
        coordinates: Option<String>,
    },
    /// An application of .NET that is published for one platform.
    DotNet,
    /// An extension of Lambda.
    Extension,
    Executable {
        /// `None` if it is not recognized.
        language: Option<Language>,
    },
    /// Shared libraries of a directory, of which more is not known.
    Directory {
        path: String,
    },
}

impl FindingKind {
    pub(super) fn effect(&self) -> Effect {
        match self {
            Self::PresentArchitecture { .. }
            | Self::Image { .. }
            | Self::RuntimeOfX86Alone { .. }
            | Self::ForeignMachine { is_started: true, .. }
            | Self::ForeignSystem { is_started: true, .. } => Effect::NeedsFiles,
            Self::IncompatibleLayer { .. }
            | Self::UnknownRuntime { .. }
            | Self::NoBootstrap
            | Self::UnknownBootstrap
            | Self::MissingProgram { .. }
            | Self::NothingRecognized
            | Self::LinkLeadsOut { .. }
            | Self::NotFetched { .. }
            | Self::Refused { .. } => Effect::CannotTell,
            Self::OtherArchitecture { .. } | Self::ForeignMachine { .. } | Self::ForeignSystem { .. } => Effect::Remark,
        }
    }
}

impl Finding {
    /// A finding about no file in particular.
    pub(super) fn of_package(package: &PackageName, kind: FindingKind) -> Self {
        Self { package: package.clone(), file: None, count: 0, kind, origin: None, rebuild: None }
    }

    /// A finding about one file, which is not native code.
    pub(super) fn of_file(package: &PackageName, file: String, kind: FindingKind) -> Self {
        Self { file: Some(file), count: 1, ..Self::of_package(package, kind) }
    }
}

impl Portability {
    pub(super) fn new(target: Architecture, mut findings: Vec<Finding>) -> Self {
        findings.sort_by(|a, b| {
            let key = |finding: &Finding| (finding.kind.effect(), finding.package.clone());
            key(a).cmp(&key(b)).then_with(|| a.file.cmp(&b.file))
        });
        let verdict = match findings.first().map(|finding| finding.kind.effect()) {
            Some(Effect::NeedsFiles) => Verdict::NeedsFiles,
            Some(Effect::CannotTell) => Verdict::CannotTell,
            Some(Effect::Remark) | None => Verdict::Portable,
        };
        Self { target, verdict, findings }
    }
}

display_as_serialized!(Verdict);
