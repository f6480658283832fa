//! The deployment packages of both architectures: where they are, and whether they are what they should be.

use crate::{
    campaign::lowercase_hex,
    portability::{Native, System},
    protocol::Architecture,
};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{self, Cursor, Read, Write},
    path::{Path, PathBuf},
};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

/// The file that the runtime of the functions starts.
const BOOTSTRAP: &str = "bootstrap";

/// The most bytes to which Lambda unpacks a package.
const MAX_UNPACKED: u64 = 250 << 20;

/// Where packages are beside the directory of an installed program.
const INSTALLED: &str = "share/lambda-duet";

/// What is looked for in a directory, for messages.
pub const LOOKED_FOR: &str = "handler-arm64.zip and handler-x86_64.zip (or what `sam build` makes: \
                              Arm64Function/bootstrap and X86Function/bootstrap)";

/// The beginning of the keys of packages, as buckets may hold other things.
pub const PREFIX: &str = "lambda-duet/";

/// Why there is no code to deploy.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    #[error("reading {}: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{}: {reason}", path.display())]
    Wrong { path: PathBuf, reason: String },
}

/// The package of each architecture.
#[derive(Clone, Debug)]
pub struct Code {
    arm64: Vec<u8>,
    x86_64: Vec<u8>,
}

/// The directory of the packages that came with this program, if it was installed with them.
pub fn installed(program: &Path) -> PathBuf {
    program.parent().and_then(Path::parent).unwrap_or(program).join(INSTALLED)
}

impl Code {
    /// Reads and checks the packages in a directory; none if there are none.
    ///
    /// # Errors
    /// When one is missing, or is not a package of this program's version for its architecture.
    pub fn read(directory: &Path) -> Result<Option<Self>, CodeError> {
        let arm64 = package(directory, Architecture::Arm64)?;
        let x86_64 = package(directory, Architecture::X86_64)?;
        match (arm64, x86_64) {
            (Some(arm64), Some(x86_64)) => Ok(Some(Self { arm64, x86_64 })),
            (None, None) => Ok(None),
            (arm64, _) => {
                let missing = if arm64.is_none() { Architecture::Arm64 } else { Architecture::X86_64 };
                let reason = format!("the package for {missing} is missing; expected {LOOKED_FOR}");
                Err(CodeError::Wrong { path: directory.to_owned(), reason })
            }
        }
    }

    /// The package of an architecture.
    pub fn package(&self, architecture: Architecture) -> &[u8] {
        match architecture {
            Architecture::Arm64 => &self.arm64,
            Architecture::X86_64 => &self.x86_64,
        }
    }

    /// The key of a package, which tells its content: the same package has the same key for ever.
    pub fn key(&self, architecture: Architecture) -> String {
        let digest = lowercase_hex(&Sha256::digest(self.package(architecture)));
        format!("{PREFIX}handler-{architecture}-{digest}.zip")
    }
}

/// The package for an architecture in a directory, if it is there: as a ZIP file, or as SAM CLI builds it.
fn package(directory: &Path, architecture: Architecture) -> Result<Option<Vec<u8>>, CodeError> {
    let function = match architecture {
        Architecture::Arm64 => "Arm64Function",
        Architecture::X86_64 => "X86Function",
    };
    let path = directory.join(format!("handler-{architecture}.zip"));
    if let Some(bytes) = content(&path)? {
        check(&bytes, architecture).map_err(|reason| CodeError::Wrong { path, reason })?;
        return Ok(Some(bytes));
    }
    let path = directory.join(function).join(BOOTSTRAP);
    let Some(program) = content(&path)? else { return Ok(None) };
    let zipped = zipped(&program).map_err(|error| error.to_string());
    let checked = zipped.and_then(|bytes| check(&bytes, architecture).map(|()| bytes));
    checked.map(Some).map_err(|reason| CodeError::Wrong { path, reason })
}

/// The content of a file; none if it is not there.
fn content(path: &Path) -> Result<Option<Vec<u8>>, CodeError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CodeError::Unreadable { path: path.to_owned(), error }),
    }
}

/// A package with this program, the same for the same program.
fn zipped(program: &[u8]) -> zip::result::ZipResult<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().unix_permissions(0o755).last_modified_time(zip::DateTime::default());
    archive.start_file(BOOTSTRAP, options)?;
    archive.write_all(program)?;
    Ok(archive.finish()?.into_inner())
}

/// Refuses what is not a package of the service for an architecture.
fn check(package: &[u8], architecture: Architecture) -> Result<(), String> {
    let mut archive =
        ZipArchive::new(Cursor::new(package)).map_err(|error| format!("it is not a ZIP file: {error}"))?;
    check_version(archive.comment())?;
    let mut file =
        archive.by_name(BOOTSTRAP).map_err(|error| format!("it has no file {BOOTSTRAP} at its root: {error}"))?;
    if file.unix_mode().is_some_and(|mode| mode & 0o111 == 0) {
        return Err(format!("its {BOOTSTRAP} is not executable: set its permissions to 0755 before it is zipped"));
    }
    let mut program = Vec::new();
    // All of it, so that its checksum is looked at.
    let read = file.by_ref().take(MAX_UNPACKED + 1).read_to_end(&mut program);
    if read.map_err(|error| format!("its {BOOTSTRAP} cannot be read: {error}"))? as u64 > MAX_UNPACKED {
        return Err(format!("its {BOOTSTRAP} has more than the {MAX_UNPACKED} bytes that Lambda unpacks"));
    }
    match Native::recognize(&program) {
        Some(Native { system: System::Linux, machine, .. }) if machine.architecture() == Some(architecture) => Ok(()),
        Some(Native { system, machine, .. }) => {
            Err(format!("its {BOOTSTRAP} is a program for {machine} on {system}, not for {architecture} on linux"))
        }
        None => Err(format!("its {BOOTSTRAP} is not a program for Linux (ELF)")),
    }
}

/// Refuses a package of another version, which releases name in a comment: `lambda-duet 1.2.3`. Others do not tell theirs.
fn check_version(comment: &[u8]) -> Result<(), String> {
    const OWN: &str = env!("CARGO_PKG_VERSION");
    match str::from_utf8(comment).ok().and_then(|comment| comment.trim().strip_prefix("lambda-duet ")) {
        Some(version) if version != OWN => Err(format!(
            "it is of version {version}, and this program is of version {OWN}: take the packages of the same release"
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// The beginning of an ELF file for a machine.
    fn elf(machine: u16) -> Vec<u8> {
        let mut header = vec![0; 64];
        header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        header[16] = 2;
        header[18..20].copy_from_slice(&machine.to_le_bytes());
        header[20] = 1;
        header
    }

    const AARCH64: u16 = 183;
    const X86_64: u16 = 62;

    fn archive(name: &str, program: &[u8], mode: u32, comment: &str) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file(name, SimpleFileOptions::default().unix_permissions(mode)).unwrap();
        archive.write_all(program).unwrap();
        archive.set_comment(comment).unwrap();
        archive.finish().unwrap().into_inner()
    }

    fn directory(files: &[(&str, Vec<u8>)]) -> TempDir {
        let directory = TempDir::new().unwrap();
        for (name, content) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        directory
    }

    #[test]
    fn packages_are_read_as_they_are_and_builds_are_zipped_always_alike() {
        let own = format!("lambda-duet {}", env!("CARGO_PKG_VERSION"));
        let arm64 = archive(BOOTSTRAP, &elf(AARCH64), 0o755, &own);
        let zips = directory(&[
            ("handler-arm64.zip", arm64.clone()),
            ("handler-x86_64.zip", archive(BOOTSTRAP, &elf(X86_64), 0o755, "")),
        ]);
        let code = Code::read(zips.path()).unwrap().unwrap();
        assert_eq!(code.package(Architecture::Arm64), arm64);
        let build = directory(&[("Arm64Function/bootstrap", elf(AARCH64)), ("X86Function/bootstrap", elf(X86_64))]);
        let [one, other] = [0, 1].map(|_| Code::read(build.path()).unwrap().unwrap());
        let key = one.key(Architecture::X86_64);
        assert_eq!(key, other.key(Architecture::X86_64));
        let digest = lowercase_hex(&Sha256::digest(one.package(Architecture::X86_64)));
        assert_eq!(key, format!("lambda-duet/handler-x86_64-{digest}.zip"));
        assert_ne!(key, one.key(Architecture::Arm64));
        assert!(Code::read(directory(&[]).path()).unwrap().is_none());
    }

    #[test]
    fn what_is_not_a_package_of_the_service_is_refused() {
        let fine = || archive(BOOTSTRAP, &elf(AARCH64), 0o755, "");
        for (x86_64, part) in [
            (b"PK".to_vec(), "it is not a ZIP file"),
            (archive("handler", &elf(X86_64), 0o755, ""), "it has no file bootstrap at its root"),
            (archive(BOOTSTRAP, &elf(X86_64), 0o644, ""), "is not executable: set its permissions to 0755"),
            (archive(BOOTSTRAP, b"#!/bin/sh\n", 0o755, ""), "is not a program for Linux (ELF)"),
            (fine(), "is a program for arm64 on linux, not for x86_64 on linux"),
            (
                archive(BOOTSTRAP, &elf(X86_64), 0o755, "lambda-duet 99.0.0"),
                "it is of version 99.0.0, and this program",
            ),
        ] {
            let directory = directory(&[("handler-arm64.zip", fine()), ("handler-x86_64.zip", x86_64)]);
            let error = Code::read(directory.path()).unwrap_err().to_string();
            assert!(error.contains("handler-x86_64.zip: ") && error.contains(part), "{error}");
        }
        let one = directory(&[("handler-arm64.zip", fine())]);
        let error = Code::read(one.path()).unwrap_err().to_string();
        assert!(error.contains("the package for x86_64 is missing; expected handler-arm64.zip and"), "{error}");
    }

    #[test]
    fn packages_are_installed_beside_the_program() {
        let path = installed(Path::new("/usr/local/bin/duet"));
        assert_eq!(path, Path::new("/usr/local/share/lambda-duet"));
    }
}
