//! The run directory: `campaign.json` and `samples.jsonl`.

use super::{
    manifest::{Manifest, SCHEMA},
    row::Row,
};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

const MANIFEST: &str = "campaign.json";
const SAMPLES: &str = "samples.jsonl";

/// The file of samples, open for one campaign alone.
#[derive(Debug)]
pub struct Journal {
    samples: File,
    buffer: Vec<u8>,
}

/// Why a run directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refuses.
    #[error("{path}: {source}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// There is a campaign already.
    #[error("{path} holds a campaign already: continue it with --resume {path}, or choose another --out", path = .0.display())]
    Exists(PathBuf),
    /// There is no campaign.
    #[error("{path} holds no campaign: there is no {MANIFEST} in it", path = .0.display())]
    Missing(PathBuf),
    /// Another process is at it.
    #[error("{path} is in use: another duet is writing to it", path = .0.display())]
    Busy(PathBuf),
    /// A sample is none of the campaign's.
    #[error("{SAMPLES}, line {line}: {reason}")]
    Foreign {
        /// Where.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// A file holds something else than it should.
    #[error("{path}, line {line}: {reason}", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where.
        line: u64,
        /// What is wrong.
        reason: String,
    },
}

impl Journal {
    /// Begins the campaign of `manifest` in `directory`, which is made where there is none.
    ///
    /// # Errors
    /// When there is a campaign already, or the files cannot be written.
    pub fn create(directory: &Path, manifest: &Manifest) -> Result<Self, JournalError> {
        fs::create_dir_all(directory).map_err(at(directory))?;
        let journal = Self::lock(directory)?;
        let path = directory.join(MANIFEST);
        // Without its manifest, a directory was left behind before the first call.
        if path.exists() {
            return Err(JournalError::Exists(directory.to_owned()));
        }
        let mut text = serde_json::to_vec_pretty(manifest).expect("a manifest is JSON");
        text.push(b'\n');
        // It is there whole, or not at all.
        let unfinished = directory.join("campaign.json.part");
        let mut file = File::create(&unfinished).map_err(at(&unfinished))?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(at(&unfinished))?;
        fs::rename(&unfinished, &path).map_err(at(&path))?;
        Ok(journal)
    }

    /// Opens the samples of `directory` for more; an end that was cut off by a crash is dropped.
    ///
    /// # Errors
    /// When there is no campaign, or another process writes to it.
    pub fn open(directory: &Path) -> Result<Self, JournalError> {
        if !directory.join(MANIFEST).exists() {
            return Err(JournalError::Missing(directory.to_owned()));
        }
        let mut journal = Self::lock(directory)?;
        let path = directory.join(SAMPLES);
        drop_torn_line(&mut journal.samples).map_err(at(&path))?;
        Ok(journal)
    }

    /// The file of samples, for nobody else until this is dropped or the process ends.
    fn lock(directory: &Path) -> Result<Self, JournalError> {
        let path = directory.join(SAMPLES);
        let samples = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(at(&path))?;
        match samples.try_lock() {
            Ok(()) => Ok(Self { samples, buffer: Vec::new() }),
            Err(TryLockError::WouldBlock) => Err(JournalError::Busy(directory.to_owned())),
            Err(TryLockError::Error(error)) => Err(at(&path)(error)),
        }
    }

    /// Hands rows to the operating system, which keeps them also when this process dies.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn append(&mut self, rows: &[Row]) -> io::Result<()> {
        self.buffer.clear();
        for row in rows {
            serde_json::to_writer(&mut self.buffer, row)?;
            self.buffer.push(b'\n');
        }
        self.samples.write_all(&self.buffer)
    }
}

/// Cuts off what stands behind the last end of a line.
fn drop_torn_line(file: &mut File) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::new(&*file);
    let (mut whole, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if length == 0 || line.last() != Some(&b'\n') {
            break;
        }
        whole += length as u64;
    }
    file.set_len(whole)
}

/// Reads the manifest of `directory`.
///
/// # Errors
/// When there is none, or one of another version.
pub fn manifest(directory: &Path) -> Result<Manifest, JournalError> {
    let path = directory.join(MANIFEST);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(JournalError::Missing(directory.to_owned()));
        }
        text => text.map_err(at(&path))?,
    };
    let malformed = |line, reason| JournalError::Malformed { path: path.clone(), line, reason };
    let schema = serde_json::from_str::<serde_json::Value>(&text).ok().and_then(|it| it["schema"].as_u64());
    if schema.is_some_and(|schema| schema != u64::from(SCHEMA)) {
        let reason =
            format!("schema {} is not known to this version, which reads {SCHEMA}", schema.unwrap_or_default());
        return Err(malformed(1, reason));
    }
    serde_json::from_str(&text).map_err(|error| malformed(error.line() as u64, error.to_string()))
}

/// Reads the samples of `directory` one after the other, without those that a crash cut off.
///
/// # Errors
/// When there are none; items are errors where a line is no sample.
pub fn rows(directory: &Path) -> Result<impl Iterator<Item = Result<Row, JournalError>>, JournalError> {
    let path = directory.join(SAMPLES);
    let mut reader = BufReader::new(File::open(&path).map_err(at(&path))?);
    let (mut number, mut line) = (0, Vec::new());
    Ok(std::iter::from_fn(move || {
        line.clear();
        number += 1;
        match reader.read_until(b'\n', &mut line) {
            Err(error) => Some(Err(at(&path)(error))),
            Ok(_) if line.last() != Some(&b'\n') => None,
            Ok(_) => Some(serde_json::from_slice(&line).map_err(|error| JournalError::Malformed {
                path: path.clone(),
                line: number,
                reason: error.to_string(),
            })),
        }
    }))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io { path, source }
}
