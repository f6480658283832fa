//! How files are made for the other architecture, with the usual tool of what they are part of.

use super::{FunctionDescription, Language, Origin, PackageName, contents::Contents, function::RuntimeFamily};
use crate::protocol::Architecture;

/// The command that makes files of this origin for the other architecture; a sentence where no command does.
pub fn line(origin: &Origin, contents: &Contents, package: &PackageName, function: &FunctionDescription) -> String {
    let target = function.other_architecture();
    let linux = linux_name(target);
    match origin {
        Origin::Wheel { name, version, platforms } if is_plain(name) && is_plain(version) => {
            pip(&format!("{name}=={version}"), platforms, package, function)
        }
        Origin::NpmPackage { name, version } if is_plain(name) && is_plain(version) => {
            let (name, version) = installed_by(name, version, contents);
            let cpu = node_name(target);
            format!("npm install --os=linux --cpu={cpu} --libc=glibc {name}@{version}")
        }
        Origin::Gem { .. } => format!("bundle lock --add-platform {linux}-linux"),
        Origin::Jar { .. } => format!("use a version that has natives for linux-{linux}"),
        Origin::DotNet => format!("dotnet publish --configuration Release --runtime linux-{}", node_name(target)),
        Origin::Executable { language: Some(Language::Go) } => {
            let goarch = match target {
                Architecture::Arm64 => "arm64",
                Architecture::X86_64 => "amd64",
            };
            format!("GOOS=linux GOARCH={goarch} go build")
        }
        Origin::Executable { language: Some(Language::Rust) } => {
            let option = match target {
                Architecture::Arm64 => "--arm64",
                Architecture::X86_64 => "--x86-64",
            };
            format!("cargo lambda build --release {option}")
        }
        Origin::Extension => format!("use the layer that its publisher has for {target}"),
        Origin::Directory { .. } if function.family() == Some(RuntimeFamily::Python) => {
            pip("--requirement requirements.txt", &[], package, function)
        }
        _ => format!("rebuild for {target}"),
    }
}

/// The name that Linux and Python have for an architecture.
fn linux_name(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Arm64 => "aarch64",
        Architecture::X86_64 => "x86_64",
    }
}

/// The name that Node.js and .NET have for it.
fn node_name(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Arm64 => "arm64",
        Architecture::X86_64 => "x64",
    }
}

/// Whether a name or a version from a package may stand in a command. What else packages call themselves is not repeated.
fn is_plain(word: &str) -> bool {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || "._-+@/!".contains(character);
    !word.is_empty() && !word.starts_with('-') && word.chars().all(is_allowed)
}

fn pip(what: &str, platforms: &[String], package: &PackageName, function: &FunctionDescription) -> String {
    const OLDEST: &str = "manylinux2014";
    let linux = linux_name(function.other_architecture());
    let is_old = |platform: &str| ["manylinux1", "manylinux2010", OLDEST].contains(&platform);
    // A wheel that needs a newer C library has a counterpart that needs it too.
    let present = linux_name(function.architecture);
    let manylinux = platforms.iter().filter_map(|platform| platform.strip_suffix(present)?.strip_suffix('_'));
    let manylinux: Vec<&str> = manylinux.filter(|name| name.starts_with("manylinux") && is_plain(name)).collect();
    let newer = manylinux.first().filter(|_| !manylinux.iter().any(|name| is_old(name)));
    let platforms: String =
        newer.into_iter().chain([&OLDEST]).map(|name| format!(" --platform {name}_{linux}")).collect();
    let python = function.python_version().map_or_else(String::new, |version| format!(" --python-version {version}"));
    let directory = match package {
        PackageName::Code => "package",
        PackageName::Layer(_) => "python",
    };
    format!("pip install{platforms} --implementation cp{python} --only-binary=:all: --target {directory} {what}")
}

/// The package that brings another one for some platforms only; else the package itself.
fn installed_by<'a>(name: &'a str, version: &'a str, contents: &'a Contents) -> (&'a str, &'a str) {
    let mut parents = contents.npm_packages.values().filter(|package| package.optional_dependencies.contains_key(name));
    match parents.find(|parent| is_plain(&parent.name) && is_plain(&parent.version)) {
        Some(parent) => (&parent.name, &parent.version),
        None => (name, version),
    }
}
