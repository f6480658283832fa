//! The program of processes on this machine: what tells whether it is still the same.

use super::{lowercase_hex, operating_system::is_executable, target};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// The file that is run. What it runs or loads itself is not looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Its SHA-256, in hexadecimal digits; `None` for a file that may be run and not read.
    pub sha256: Option<String>,
    /// Its size.
    pub bytes: u64,
}

/// Why a file cannot be run as a program.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    #[error("{path}: {error}{hint}", path = .path.display(), hint = target::missing_handler(.path))]
    Io { path: PathBuf, error: io::Error },
    #[error("{path} is not a program that can be run", path = .0.display())]
    NotExecutable(PathBuf),
}

impl ProgramError {
    /// Whether there is no program at the path any more, and not one that cannot be looked at.
    fn is_gone(&self) -> bool {
        match self {
            Self::Io { error, .. } => {
                matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
            }
            Self::NotExecutable(_) => true,
        }
    }
}

impl Program {
    /// Looks again at the program that was at `path`; `None` if there is none any more.
    ///
    /// # Errors
    /// When that cannot be told.
    pub fn read_again(path: &Path) -> Result<Option<Self>, ProgramError> {
        match Self::read(path) {
            Err(error) if error.is_gone() => Ok(None),
            read => read.map(Some),
        }
    }

    /// Looks at the program at `path`.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(path: &Path) -> Result<Self, ProgramError> {
        let failed = |error| ProgramError::Io { path: path.to_owned(), error };
        let metadata = path.metadata().map_err(failed)?;
        if !metadata.is_file() || !is_executable(&metadata) {
            return Err(ProgramError::NotExecutable(path.to_owned()));
        }
        let sha256 = match sha256(path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => None,
            digest => Some(digest.map_err(failed)?),
        };
        Ok(Self { sha256, bytes: metadata.len() })
    }

    /// The changes since the program was as in `before`, one sentence each.
    pub fn changes_since(&self, before: &Self) -> Vec<String> {
        let digests = self.sha256.as_ref().zip(before.sha256.as_ref()).filter(|(now, then)| now != then);
        let digest = digests.map(|(now, then)| format!("SHA-256 of the program: {now}, was {then}"));
        let (now, then) = (self.bytes, before.bytes);
        let size = (now != then).then(|| format!("size of the program: {now} bytes, was {then} bytes"));
        digest.into_iter().chain(size).collect()
    }
}

fn sha256(path: &Path) -> io::Result<String> {
    let (mut file, mut digest, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(lowercase_hex(&digest.finalize())),
            length => digest.update(&buffer[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, fs, os::unix::fs::PermissionsExt, process};

    #[test]
    fn a_program_is_told_by_its_content() {
        let path = env::temp_dir().join(format!("lambda-duet-program-{}", process::id()));
        fs::write(&path, "abc").unwrap();
        assert!(matches!(Program::read(&path), Err(ProgramError::NotExecutable(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let before = Program::read(&path).unwrap();
        assert_eq!(before, Program { sha256: Some(abc.to_owned()), bytes: 3 });
        fs::write(&path, "abcd").unwrap();
        let changes = Program::read(&path).unwrap().changes_since(&before);
        let abcd = "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589";
        let expected = [
            format!("SHA-256 of the program: {abcd}, was {abc}"),
            "size of the program: 4 bytes, was 3 bytes".to_owned(),
        ];
        assert_eq!(changes, expected);
        let unread = Program { sha256: None, bytes: 3 };
        assert!(unread.changes_since(&before).is_empty() && before.changes_since(&before).is_empty());
        assert_eq!(Program::read_again(&path).unwrap(), Some(Program::read(&path).unwrap()));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Program::read_again(&path).unwrap(), None);
        assert_eq!(Program::read_again(&path.join("below")).unwrap(), None);
        fs::remove_file(&path).unwrap();
        assert_eq!(Program::read_again(&path).unwrap(), None);
        // A name that no file can have: whether the program is gone is not known.
        assert!(Program::read_again(Path::new(&"x".repeat(5000))).is_err());
        assert!(Program::read(&path).unwrap_err().to_string().contains("No such file"));
    }
}
