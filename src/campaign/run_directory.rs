//! The run directory: `campaign.json` and `samples.jsonl`.

pub(super) mod checks;
mod lines;
mod rows;
mod sequence;

pub use checks::MAX_CELLS;
pub(super) use lines::{LineKind, Lines};
pub use rows::rows;

use super::{
    manifest::{Manifest, SCHEMA},
    row::Row,
    shell_quoting,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirEntry, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

const MANIFEST: &str = "campaign.json";
const SAMPLES: &str = "samples.jsonl";

/// The longest manifest that is read, in bytes: it contains the payloads.
const MAX_MANIFEST: u64 = 1 << 30;

const SAMPLE: LineKind = LineKind { name: "a sample", beginning: "{\"block\":" };

/// The file of samples, locked by this process.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    samples: File,
    buffer: Vec<u8>,
}

/// The reason why a run directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// An input or output error.
    #[error("{path}: {source}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// There is a campaign already.
    #[error(
        "{path} holds a campaign already: continue it with `duet run --resume {word}`, or choose another --out",
        path = .0.display(),
        word = shell_quoting::word(.0)
    )]
    Exists(PathBuf),
    /// There is no campaign.
    #[error("{path} holds no campaign: there is no {MANIFEST} in it", path = .0.display())]
    Missing(PathBuf),
    /// Another process has locked it.
    #[error("{path} is in use: another duet is writing to it", path = .0.display())]
    Busy(PathBuf),
    /// A sample does not belong to the campaign.
    #[error("{SAMPLES}, line {line}: {reason}")]
    Foreign {
        /// Where.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// A file has unexpected content.
    #[error("{path}, line {line}: {reason}", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// The manifest has values that no campaign has.
    #[error("{path}: {reason}", path = .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The field, its value, and what is allowed.
        reason: String,
    },
}

impl Journal {
    /// Begins the campaign of `manifest` in `directory`, which is created if it does not exist.
    ///
    /// # Errors
    /// When there is a campaign already, or the files cannot be written, or could not be read again.
    pub fn create(directory: &Path, manifest: &Manifest) -> Result<Self, JournalError> {
        let journal = Self::reserve(directory)?;
        journal.begin(manifest)?;
        Ok(journal)
    }

    /// Reserves `directory` for a campaign, which [`Self::begin`] begins; it is created if it does not exist.
    ///
    /// # Errors
    /// When there is a campaign already, or another process has reserved it, or nothing can be written there.
    pub fn reserve(directory: &Path) -> Result<Self, JournalError> {
        fs::create_dir_all(directory).map_err(at(directory))?;
        let journal = Self::lock(directory)?;
        check_free(directory)?;
        Ok(journal)
    }

    /// Begins the campaign of `manifest`.
    ///
    /// # Errors
    /// When its file cannot be written, or could not be read again.
    pub fn begin(&self, manifest: &Manifest) -> Result<(), JournalError> {
        let path = self.directory.join(MANIFEST);
        checks::manifest(manifest).map_err(|reason| JournalError::Invalid { path: path.clone(), reason })?;
        write_json(&path, manifest).map_err(at(&path))
    }

    /// Opens the samples of `directory` to append more; a last sample that was cut off by a crash is dropped.
    ///
    /// # Errors
    /// When there is no campaign, another process writes to it, or the file ends with something other than a part of a
    /// sample.
    pub fn open(directory: &Path) -> Result<Self, JournalError> {
        if !directory.join(MANIFEST).exists() {
            return Err(JournalError::Missing(directory.to_owned()));
        }
        let journal = Self::lock(directory)?;
        let path = directory.join(SAMPLES);
        let mut lines = Lines::new(&journal.samples, &path, SAMPLE);
        while lines.next()?.is_some() {}
        journal.samples.set_len(lines.whole).map_err(at(&path))?;
        Ok(journal)
    }

    /// Locks the file of samples until this is dropped or the process ends.
    fn lock(directory: &Path) -> Result<Self, JournalError> {
        let samples = locked(directory, SAMPLES)?;
        Ok(Self { directory: directory.to_owned(), samples, buffer: Vec::new() })
    }

    /// Hands rows to the operating system, which keeps them even if this process dies.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn append(&mut self, rows: &[Row]) -> io::Result<()> {
        append_lines(&self.samples, &mut self.buffer, rows)
    }

    /// Replaces the manifest, in the present schema.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_manifest(&self, manifest: &Manifest) -> io::Result<()> {
        let manifest = Manifest { schema: SCHEMA, ..manifest.clone() };
        write_json(&self.directory.join(MANIFEST), &manifest)
    }

    /// Replaces a manifest of an earlier schema, before samples of this one are appended; those in the file stay.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn upgrade(&self, manifest: &Manifest) -> io::Result<()> {
        match manifest.schema {
            SCHEMA => Ok(()),
            _ => self.keep_manifest(manifest),
        }
    }
}

/// A file of lines in `directory`, which is created if it does not exist, and locked until it is dropped or the process ends.
///
/// # Errors
/// When it cannot be opened, or another process has locked it.
pub(super) fn locked(directory: &Path, name: &str) -> Result<File, JournalError> {
    let path = directory.join(name);
    let file = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Busy(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(at(&path)(error)),
    }
}

/// Appends a line of JSON for each of `rows`, all at once.
///
/// # Errors
/// When they cannot be written.
pub(super) fn append_lines(mut file: &File, buffer: &mut Vec<u8>, rows: &[impl Serialize]) -> io::Result<()> {
    buffer.clear();
    for row in rows {
        serde_json::to_writer(&mut *buffer, row)?;
        buffer.push(b'\n');
    }
    file.write_all(buffer)
}

/// Keeps other programs from writing to the campaign in `directory`, until the file is dropped; nothing is changed.
///
/// # Errors
/// When there is no campaign, or another process writes to it.
pub(super) fn hold(directory: &Path) -> Result<File, JournalError> {
    let path = directory.join(SAMPLES);
    let samples = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(JournalError::Missing(directory.to_owned()));
        }
        file => file.map_err(at(&path))?,
    };
    match samples.try_lock() {
        Ok(()) => Ok(samples),
        Err(TryLockError::WouldBlock) => Err(JournalError::Busy(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(at(&path)(error)),
    }
}

/// Whether `directory` holds a campaign and its samples.
pub fn is_there(directory: &Path) -> bool {
    [MANIFEST, SAMPLES].iter().all(|name| directory.join(name).is_file())
}

/// The files of a run directory besides those whose names end in `.jsonl` and `.log`.
const DOCUMENTS: [&str; 5] = [MANIFEST, "census.json", "changed.json", "clones.json", "configurations.json"];

/// Whether the file at `path` belongs to a campaign or a census: nothing else may be written over it.
pub fn is_part(path: &Path) -> bool {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return false;
    };
    let is_run = [MANIFEST, "census.json"].iter().any(|name| directory.join(name).is_file());
    let is_named = DOCUMENTS.contains(&name) || name.ends_with(".jsonl") || name.ends_with(".log");
    is_run && is_named && path.is_file()
}

/// Removes a directory that was reserved for a campaign which was not begun, unless there is anything else in it.
pub fn discard(directory: &Path) {
    let is_reserved = |entry: io::Result<DirEntry>| entry.is_ok_and(|entry| entry.file_name() == SAMPLES);
    if fs::read_dir(directory).is_ok_and(|mut entries| entries.all(is_reserved)) {
        // An empty directory that cannot be removed is in nobody's way.
        let _ = fs::remove_file(directory.join(SAMPLES));
        let _ = fs::remove_dir(directory);
    }
}

/// Checks that there is no campaign in `directory`.
///
/// # Errors
/// When there is one.
pub fn check_free(directory: &Path) -> Result<(), JournalError> {
    // A directory without a manifest was left behind before the first call.
    if directory.join(MANIFEST).exists() { Err(JournalError::Exists(directory.to_owned())) } else { Ok(()) }
}

/// Moves a complete campaign from one directory to another of the same file system, the manifest last: without it there is no
/// campaign.
///
/// # Errors
/// When that is not possible; then there is nothing of it in `to`.
pub(super) fn move_campaign(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from.join(SAMPLES), to.join(SAMPLES))?;
    fs::rename(from.join(MANIFEST), to.join(MANIFEST)).inspect_err(|_| {
        // The error says why.
        let _ = fs::remove_file(to.join(SAMPLES));
    })
}

/// Writes `content` to a file of the run directory, as JSON.
///
/// # Errors
/// When it cannot be written.
pub fn write_json(path: &Path, content: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(content)?;
    text.push(b'\n');
    write_whole(path, &text)
}

/// Writes a file of the run directory atomically, even with regard to a power cut.
///
/// # Errors
/// When it cannot be written.
pub fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("part");
    let mut file = File::create(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

/// Reads a file of the run directory; `None` if it does not exist.
///
/// # Errors
/// When it exists and cannot be read.
pub fn read_whole(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// Reads the manifest of `directory`.
///
/// # Errors
/// When it does not exist, is of another version, or is invalid.
pub fn manifest(directory: &Path) -> Result<Manifest, JournalError> {
    let path = directory.join(MANIFEST);
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(JournalError::Missing(directory.to_owned()));
        }
        file => file.map_err(at(&path))?,
    };
    let mut text = Vec::new();
    file.take(MAX_MANIFEST + 1).read_to_end(&mut text).map_err(at(&path))?;
    let malformed = |line, reason| JournalError::Malformed { path: path.clone(), line, reason };
    if text.len() as u64 > MAX_MANIFEST {
        return Err(malformed(1, format!("the file is longer than {} MiB, which none is", MAX_MANIFEST >> 20)));
    }
    let schema = serde_json::from_slice(&text).map_or(SCHEMA.into(), |Version { schema }| schema);
    if !(1..=u64::from(SCHEMA)).contains(&schema) {
        return Err(malformed(1, format!("schema {schema} is not known to this version, which reads 1 to {SCHEMA}")));
    }
    let manifest = Manifest::read(&text, schema).map_err(|error| malformed(error.line() as u64, error.to_string()))?;
    checks::manifest(&manifest).map_err(|reason| JournalError::Invalid { path: path.clone(), reason })?;
    Ok(manifest)
}

/// The part that manifests of all versions have.
#[derive(Deserialize)]
struct Version {
    schema: u64,
}

pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io { path, source }
}
