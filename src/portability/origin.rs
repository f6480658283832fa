//! What a file of native code is part of.

use super::{
    FunctionDescription, Origin, PackageName,
    contents::{Contents, NativeFile},
    function::RuntimeFamily,
    paths,
};

/// What a file is part of, by what lies around it.
pub fn of(file: &NativeFile, contents: &Contents, package: &PackageName, function: &FunctionDescription) -> Origin {
    let path = &file.path;
    let (archive, inner) = paths::split_archive(path);
    let family = function.family();
    jar(archive, contents)
        .or_else(|| wheel(path, contents))
        .or_else(|| npm_package(path, contents))
        .or_else(|| gem(inner))
        .or_else(|| {
            let is_extension = matches!(package, PackageName::Layer(_)) && paths::is_extension(path);
            is_extension.then_some(Origin::Extension)
        })
        .or_else(|| (file.native.is_assembly || is_dot_net(contents, family)).then_some(Origin::DotNet))
        .or_else(|| {
            let is_jar = *package == PackageName::Code && family == Some(RuntimeFamily::Java) && path == inner;
            is_jar.then_some(Origin::Jar { file: None, coordinates: None })
        })
        .unwrap_or_else(|| {
            if paths::is_library(path) {
                Origin::Directory { path: paths::split(path).0.split('/').next().unwrap_or_default().to_owned() }
            } else {
                Origin::Executable { language: file.markers.language() }
            }
        })
}

fn jar(archive: Option<&str>, contents: &Contents) -> Option<Origin> {
    let archive = archive?.to_owned();
    [".jar", ".war", ".ear"].iter().any(|end| archive.to_ascii_lowercase().ends_with(end)).then(|| {
        // A JAR that holds others has the coordinates of all of them.
        let coordinates = match contents.coordinates.get(&Some(archive.clone())).map(Vec::as_slice) {
            Some([coordinates]) => Some(coordinates.clone()),
            _ => None,
        };
        Origin::Jar { file: Some(archive), coordinates }
    })
}

fn wheel(path: &str, contents: &Contents) -> Option<Origin> {
    contents.wheels.of_file(path).map(|wheel| Origin::Wheel {
        name: wheel.name.clone(),
        version: wheel.version.clone(),
        platforms: wheel.platforms.clone(),
    })
}

/// The nearest `package.json` that names a package, within `node_modules`.
fn npm_package(path: &str, contents: &Contents) -> Option<Origin> {
    let mut directory = paths::split(path).0;
    while directory.contains("node_modules/") {
        if let Some(package) = contents.npm_packages.get(directory) {
            return Some(Origin::NpmPackage { name: package.name.clone(), version: package.version.clone() });
        }
        directory = paths::split(directory).0;
    }
    None
}

/// Below `gems/NAME-VERSION/` or `extensions/PLATFORM/API/NAME-VERSION/` of a directory of gems.
fn gem(path: &str) -> Option<Origin> {
    let components: Vec<&str> = path.split('/').collect();
    let after = |name: &str, distance: usize| {
        let position = components.iter().rposition(|component| *component == name)?;
        components.get(position + distance).copied()
    };
    let name_and_version = after("gems", 1).and_then(split_gem).or_else(|| {
        let is_in_gems = components.contains(&"gems") || components.contains(&"ruby");
        after("extensions", 3).filter(|_| is_in_gems).and_then(split_gem)
    });
    let (name, version) = name_and_version?;
    Some(Origin::Gem { name: name.to_owned(), version: version.to_owned() })
}

/// `nokogiri` and `1.18.9` of `nokogiri-1.18.9-x86_64-linux-gnu`.
fn split_gem(directory: &str) -> Option<(&str, &str)> {
    let hyphens = directory.match_indices('-').map(|(position, _)| position);
    let hyphen =
        hyphens.into_iter().find(|hyphen| directory[hyphen + 1..].starts_with(|c: char| c.is_ascii_digit()))?;
    let version = &directory[hyphen + 1..];
    Some((&directory[..hyphen], version.split('-').next().unwrap_or(version)))
}

fn is_dot_net(contents: &Contents, family: Option<RuntimeFamily>) -> bool {
    family == Some(RuntimeFamily::DotNet) || contents.has_dot_net_configuration
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gems_are_told_by_their_directories() {
        let is = |path: &str, gem: Option<(&str, &str)>| {
            let found = gem.map(|(name, version)| Origin::Gem { name: name.to_owned(), version: version.to_owned() });
            assert_eq!(super::gem(path), found, "{path}");
        };
        let nokogiri = Some(("nokogiri", "1.18.9"));
        is("vendor/bundle/ruby/3.4.0/gems/nokogiri-1.18.9-x86_64-linux-gnu/lib/nokogiri/3.4/nokogiri.so", nokogiri);
        is("ruby/gems/3.4.0/extensions/x86_64-linux/3.4.0/bcrypt-3.1.20/bcrypt_ext.so", Some(("bcrypt", "3.1.20")));
        is("extensions/a/b/c-1/d.so", None);
        is("lib/a.so", None);
    }
}
