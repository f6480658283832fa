//! How files are made for the other architecture, with the usual tool of what they are part of.

use super::{FunctionDescription, Language, Origin, PackageName, contents::Contents, function::RuntimeFamily};
use crate::protocol::Architecture;
use std::collections::HashMap;

/// The npm packages that bring others for some platforms only, by the names of those.
pub struct Parents<'a>(HashMap<&'a str, (&'a str, &'a str)>);

impl<'a> Parents<'a> {
    pub fn of(contents: &'a Contents) -> Self {
        let mut parents = HashMap::new();
        for package in contents.npm_packages.values() {
            if is_npm_name(&package.name) && is_npm_version(&package.version) {
                let parent = (package.name.as_str(), package.version.as_str());
                for name in package.optional_dependencies.keys() {
                    parents.entry(name.as_str()).or_insert(parent);
                }
            }
        }
        Self(parents)
    }

    /// The name and the version of the package that brings another one.
    fn installing(&self, name: &str) -> Option<(&'a str, &'a str)> {
        self.0.get(name).copied()
    }
}

/// The command that makes files of this origin for the other architecture; a sentence where no command does.
pub fn line(origin: &Origin, parents: &Parents<'_>, package: &PackageName, function: &FunctionDescription) -> String {
    let target = function.other_architecture();
    let linux = linux_name(target);
    match origin {
        Origin::Wheel { name, version, platforms } if is_wheel_name(name) && is_version(version) => {
            pip(&format!("{name}=={version}"), platforms, package, function)
        }
        Origin::NpmPackage { name, version } if is_npm_name(name) && is_npm_version(version) => {
            let (name, version) = parents.installing(name).unwrap_or((name, version));
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

/// What to do about a runtime that Lambda does not have for the other architecture.
pub fn runtime(function: &FunctionDescription) -> Option<String> {
    let example = match function.family()? {
        RuntimeFamily::Python => "python3.13",
        RuntimeFamily::NodeJs => "nodejs22.x",
        RuntimeFamily::Java => "java21",
        RuntimeFamily::DotNet => "dotnet8",
        RuntimeFamily::Ruby => "ruby3.4",
        RuntimeFamily::OsOnly => "provided.al2023",
    };
    Some(format!("use a runtime that Lambda has for {}, such as {example}", function.other_architecture()))
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

/// Whether a version from a package may stand in a command: it has no character that would make it the address of a
/// repository, a path, or a word of the shell. What else packages call themselves is not repeated.
fn is_version(text: &str) -> bool {
    is_of_characters(text, ".+_-")
}

/// npm takes what ends like an archive for a file.
fn is_npm_version(text: &str) -> bool {
    is_version(text) && text.starts_with(|first: char| first.is_ascii_digit()) && !names_archive(text)
}

/// Whether it is a name, or `@scope/name`.
fn is_npm_name(text: &str) -> bool {
    let (scope, name) = match text.strip_prefix('@').and_then(|scoped| scoped.split_once('/')) {
        Some((scope, name)) => (Some(scope), name),
        None => (None, text),
    };
    scope.into_iter().chain([name]).all(|part| is_of_characters(part, "._-")) && !names_archive(text)
}

/// PEP 508.
fn is_wheel_name(text: &str) -> bool {
    is_of_characters(text, "._-") && text.ends_with(|last: char| last.is_ascii_alphanumeric())
}

/// Letters, digits and some other characters, one of the first two at the beginning.
fn is_of_characters(text: &str, others: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || others.contains(character))
}

fn names_archive(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    [".tgz", ".tar.gz", ".tar"].iter().any(|end| text.ends_with(end))
}

fn pip(what: &str, platforms: &[String], package: &PackageName, function: &FunctionDescription) -> String {
    const OLDEST: &str = "manylinux2014";
    let linux = linux_name(function.other_architecture());
    let is_old = |platform: &str| ["manylinux1", "manylinux2010", OLDEST].contains(&platform);
    // A wheel that needs a newer C library has a counterpart that needs it too.
    let present = linux_name(function.architecture);
    let manylinux = platforms.iter().filter_map(|platform| platform.strip_suffix(present)?.strip_suffix('_'));
    let manylinux: Vec<&str> = manylinux.filter(|name| name.starts_with("manylinux") && is_wheel_name(name)).collect();
    let newer = manylinux.first().filter(|_| !manylinux.iter().any(|name| is_old(name)));
    let platforms: String =
        newer.into_iter().chain([&OLDEST]).map(|name| format!(" --platform {name}_{linux}")).collect();
    let python = function.python_version().filter(|version| is_version(version));
    let python = python.map_or_else(String::new, |version| format!(" --python-version {version}"));
    let directory = match package {
        PackageName::Code => "package",
        PackageName::Layer(_) => "python",
    };
    format!("pip install{platforms} --implementation cp{python} --only-binary=:all: --target {directory} {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_are_no_addresses() {
        assert!(is_npm_name("a") && is_npm_name("@img/sharp-linux-x64") && is_npm_version("1.0.0-rc.1+b_2"));
        for name in ["", "attacker/repo", "@a/b/c", "@a", "a@b", "@/a", "@a/", "a;b", "-a", "../a", "a.tgz", "git+x"] {
            assert!(!is_npm_name(name), "{name}");
        }
        for version in ["", "attacker/repo", "npm:b@1", "1!2", "-1", "latest", "1.0.tgz", "1 2"] {
            assert!(!is_npm_version(version), "{version}");
        }
        assert!(is_wheel_name("ruamel.yaml") && is_version("2.0.post1"));
        assert!(!is_wheel_name("a/b") && !is_wheel_name("a@b") && !is_wheel_name("a-") && !is_version("1!2.0"));
    }
}
