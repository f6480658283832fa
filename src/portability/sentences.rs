//! Findings as sentences.

use super::{
    Finding, FindingKind, Language, Machine, Origin, PackageName, Portability, System, Verdict, finding::Effect,
};
use crate::protocol::{Architecture, control_characters::visible};

impl Portability {
    /// The answer in one sentence.
    pub fn sentence(&self) -> String {
        let target = self.target;
        match self.verdict {
            Verdict::Portable => format!("The package can run on {target} as it is."),
            Verdict::NeedsFiles if self.needs_runtime_alone() => {
                format!("The function needs another runtime to run on {target}.")
            }
            Verdict::NeedsFiles => format!("The package needs other files to run on {target}."),
            Verdict::CannotTell => format!("It cannot be told whether the package can run on {target}."),
        }
    }

    /// Whether nothing is in the way but the runtime.
    fn needs_runtime_alone(&self) -> bool {
        let mut needs = self.findings.iter().filter(|finding| finding.kind.effect() == Effect::NeedsFiles);
        needs.all(|finding| matches!(finding.kind, FindingKind::RuntimeOfX86Alone { .. }))
    }
}

impl Finding {
    /// What was found, in one sentence, without the rebuild line.
    pub fn sentence(&self) -> String {
        let package = match &self.package {
            PackageName::Code => "the code".to_owned(),
            PackageName::Layer(name) => format!("layer {}", visible(name)),
        };
        let file = self.file.as_deref().unwrap_or_default();
        let what = || self.origin.as_ref().map_or_else(|| file.to_owned(), |origin| self.described(origin, file));
        let are_libraries = self.count > 1 && matches!(self.origin, Some(Origin::Directory { .. }));
        let is = if are_libraries { "are" } else { "is" };
        let meant = |meaning: String| format!("In {package}: {} {is} {meaning}.", what());
        match &self.kind {
            FindingKind::PresentArchitecture { machine } => meant(format!("for {} alone", machine_name(*machine))),
            FindingKind::OtherArchitecture { machine } => {
                meant(format!("for {} alone: broken or unused today", machine_name(*machine)))
            }
            FindingKind::ForeignMachine { machine, is_started } => {
                let started = started(*is_started);
                meant(format!("for {}, which Lambda does not have{started}", machine_name(*machine)))
            }
            FindingKind::ForeignSystem { system, is_started, .. } => {
                let started = started(*is_started);
                meant(format!("for {}, which never runs on Lambda{started}", system_name(*system)))
            }
            FindingKind::Image { image } => {
                format!("The image {image} is for one architecture, as Lambda takes images: build another.")
            }
            FindingKind::NotFetched { reason } => format!("{} could not be fetched: {reason}.", capitalized(&package)),
            FindingKind::RuntimeOfX86Alone { runtime } => format!("Lambda has the runtime {runtime} for x86_64 alone."),
            FindingKind::IncompatibleLayer { architectures } => match architectures.as_slice() {
                [] => format!("{} says that it is for no architecture.", capitalized(&package)),
                names => format!("{} says that it is for {} alone.", capitalized(&package), joined(names)),
            },
            FindingKind::UnknownRuntime { runtime: Some(runtime) } => format!("The runtime {runtime} is not known."),
            FindingKind::UnknownRuntime { runtime: None } => "The function has no runtime.".to_owned(),
            FindingKind::NoBootstrap => "No package has a file bootstrap, which the runtime starts.".to_owned(),
            FindingKind::UnknownBootstrap => "The file bootstrap is neither native code nor a script.".to_owned(),
            FindingKind::MissingProgram { program } => {
                format!("The script bootstrap calls {}, which is in no package.", visible(program))
            }
            FindingKind::NothingRecognized => "No package has code in the language of the runtime.".to_owned(),
            FindingKind::LinkLeadsOut { target } => {
                format!("In {package}: the link {file} leads to {target}, which is in no package.")
            }
            FindingKind::Refused { reason } if self.file.is_some() => {
                format!("In {package}: {file} was not looked at: {reason}.")
            }
            FindingKind::Refused { reason } => format!("{} was not looked at: {reason}.", capitalized(&package)),
        }
    }

    /// What files are part of, with the first of them.
    fn described(&self, origin: &Origin, file: &str) -> String {
        let others = match self.count {
            0 | 1 => file.to_owned(),
            2 => format!("{file} and one other file"),
            count => format!("{file} and {} other files", count - 1),
        };
        match origin {
            Origin::Wheel { name, version, .. } => format!("the wheel {name} {version} ({others})"),
            Origin::NpmPackage { name, version } => format!("the npm package {name} {version} ({others})"),
            Origin::Gem { name, version } => format!("the gem {name} {version} ({others})"),
            Origin::Jar { coordinates: Some(coordinates), .. } => format!("the JAR of {coordinates} ({others})"),
            Origin::Jar { .. } => format!("native code in a JAR ({others})"),
            Origin::DotNet => format!("the .NET application ({others})"),
            Origin::Extension => format!("the extension {others}"),
            Origin::Executable { language: Some(Language::Go) } => format!("the program {others}, written in Go,"),
            Origin::Executable { language: Some(Language::Rust) } => format!("the program {others}, written in Rust,"),
            Origin::Executable { language: None } => format!("the program {others}"),
            Origin::Directory { .. } if self.count > 1 => format!("the libraries {others}"),
            Origin::Directory { .. } => format!("the library {others}"),
        }
    }
}

fn started(is_started: bool) -> &'static str {
    if is_started { ", but is what Lambda starts" } else { "" }
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn joined(architectures: &[Architecture]) -> String {
    architectures.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

fn machine_name(machine: Machine) -> &'static str {
    match machine {
        Machine::Arm64 => "arm64",
        Machine::X86_64 => "x86_64",
        Machine::Arm => "32-bit Arm",
        Machine::X86 => "32-bit x86",
        Machine::Ppc64 => "POWER",
        Machine::Riscv => "RISC-V",
        Machine::S390 => "IBM Z",
        Machine::Universal => "several architectures",
        Machine::Other => "another architecture",
    }
}

fn system_name(system: System) -> &'static str {
    match system {
        System::Linux => "Linux",
        System::LinuxMusl => "Linux with musl",
        System::MacOs => "macOS",
        System::Windows => "Windows",
        System::OtherUnix => "another Unix",
    }
}
