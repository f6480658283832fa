//! Packages of functions, put together from real ones as users do it.

use crate::{handler::root, layers::sources};
use std::{
    fs::{self, File},
    io::{Cursor, Read, Write},
    path::PathBuf,
    process::Command,
};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

/// Files of a package, with their paths.
pub type Files = Vec<(String, Vec<u8>)>;

/// A package from a registry, as `scripts/portability-packages.sh` has fetched it.
fn fetched(name: &str) -> PathBuf {
    let path = root().join(".tools/portability").join(name);
    assert!(path.exists(), "{} is missing: run `scripts/setup.sh check`", path.display());
    path
}

/// The one wheel of a package for an architecture, under Python's name for it, or `any`.
pub fn wheel_name(package: &str, architecture: &str) -> String {
    let sums = fs::read_to_string(root().join("scripts/tools/portability.sha256")).unwrap();
    let is_it = |name: &&str| {
        name.to_lowercase().starts_with(&format!("{package}-")) && name.ends_with(&format!("{architecture}.whl"))
    };
    sums.lines().filter_map(|line| line.split_whitespace().nth(1)).find(is_it).unwrap().to_owned()
}

/// A wheel as it is installed: its files, in a directory.
pub fn wheel(package: &str, architecture: &str, directory: &str) -> Files {
    let mut archive = ZipArchive::new(File::open(fetched(&wheel_name(package, architecture))).unwrap()).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    let file = |name: String| {
        let mut content = Vec::new();
        archive.by_name(&name).unwrap().read_to_end(&mut content).unwrap();
        (format!("{directory}{name}"), content)
    };
    names.into_iter().filter(|name| !name.ends_with('/')).map(file).collect()
}

/// The wheel itself, a file.
pub fn wheel_file(package: &str, architecture: &str) -> Vec<u8> {
    fs::read(fetched(&wheel_name(package, architecture))).unwrap()
}

/// The only shared library of a wheel.
pub fn library(package: &str, architecture: &str) -> Vec<u8> {
    let mut libraries: Vec<Vec<u8>> = wheel(package, architecture, "")
        .into_iter()
        .filter(|(name, _)| name.ends_with(".so"))
        .map(|(_, content)| content)
        .collect();
    assert_eq!(libraries.len(), 1);
    libraries.remove(0)
}

/// npm packages as they are installed, by their names and versions.
pub fn npm(packages: &[&str]) -> Files {
    let mut files = vec![("index.mjs".to_owned(), b"export const handler = async () => 1;\n".to_vec())];
    for package in packages {
        let (name, version) = package.rsplit_once('@').unwrap();
        let directory = tempfile::tempdir().unwrap();
        let archive = fetched(&format!("{}-{version}.tgz", name.replace('@', "").replace('/', "-")));
        let unpacked = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(directory.path()).status().unwrap();
        assert!(unpacked.success());
        for path in sources(directory.path()) {
            let inner = path.strip_prefix(directory.path().join("package")).unwrap().display().to_string();
            files.push((format!("node_modules/{name}/{inner}"), fs::read(&path).unwrap()));
        }
    }
    files
}

/// Files of these paths and contents.
pub fn files(files: &[(&str, &[u8])]) -> Files {
    files.iter().map(|(path, content)| ((*path).to_owned(), content.to_vec())).collect()
}

pub fn zipped(files: &Files) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in files {
        archive.start_file(path, SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
