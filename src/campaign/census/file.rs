//! The files of a census: `census.json` and `census.jsonl`.

use super::{plan::CensusManifest, row::CensusRow};
use crate::campaign::{
    manifest::Manifest,
    run_directory::{self, JournalError, LineKind, Lines, at},
    shell_quoting,
};
use std::{
    fs::{self, File},
    io,
    path::Path,
};

const MANIFEST: &str = "census.json";
const ROWS: &str = "census.jsonl";

const ROW: LineKind = LineKind { name: "a call of a census", beginning: "{\"variant\":" };

/// The file of rows, locked by this process.
#[derive(Debug)]
pub struct CensusFile {
    rows: File,
    buffer: Vec<u8>,
}

/// Whether there is a census in `directory`.
pub(crate) fn is_in(directory: &Path) -> bool {
    directory.join(MANIFEST).exists()
}

/// Reads the description of the census in `directory`.
///
/// # Errors
/// When there is none, or it is of another version or invalid.
pub(crate) fn manifest(directory: &Path) -> Result<CensusManifest, JournalError> {
    let path = directory.join(MANIFEST);
    let text = run_directory::read_whole(&path).map_err(at(&path))?;
    let invalid = |reason| JournalError::Invalid { path: path.clone(), reason };
    let text = text.ok_or_else(|| invalid(format!("there is no census in {}", directory.display())))?;
    let manifest: CensusManifest = serde_json::from_slice(&text).map_err(|error| JournalError::Malformed {
        path: path.clone(),
        line: error.line() as u64,
        reason: error.to_string(),
    })?;
    manifest.check().map_err(invalid)?;
    Ok(manifest)
}

impl CensusFile {
    /// Begins a census in `directory`, which is created if it does not exist.
    ///
    /// # Errors
    /// When there is a campaign or a census already, or the files cannot be written.
    pub fn create(directory: &Path, manifest: &CensusManifest) -> Result<Self, JournalError> {
        fs::create_dir_all(directory).map_err(at(directory))?;
        run_directory::check_free(directory)?;
        let path = directory.join(MANIFEST);
        let invalid = |reason| JournalError::Invalid { path: path.clone(), reason };
        let file = Self::lock(directory)?;
        if is_in(directory) {
            let word = shell_quoting::word(directory);
            let again = format!("duet census --resume {word}");
            return Err(invalid(format!(
                "there is a census already: continue it with `{again}`, or choose another --out"
            )));
        }
        manifest.check().map_err(invalid)?;
        run_directory::write_json(&path, manifest).map_err(at(&path))?;
        Ok(file)
    }

    /// Opens the rows of the census `manifest` in `directory` to append more, and gives those that are there; a last one that
    /// was cut off by a crash is dropped.
    ///
    /// # Errors
    /// When another process writes to it, or a line is no row of this census.
    pub fn open(directory: &Path, manifest: &CensusManifest) -> Result<(Self, Vec<CensusRow>), JournalError> {
        let file = Self::lock(directory)?;
        let path = directory.join(ROWS);
        let (rows, whole) = read(&file.rows, &path, manifest.variants.count())?;
        file.rows.set_len(whole).map_err(at(&path))?;
        Ok((file, rows))
    }

    fn lock(directory: &Path) -> Result<Self, JournalError> {
        Ok(Self { rows: run_directory::locked(directory, ROWS)?, buffer: Vec::new() })
    }

    /// Hands rows to the operating system, which keeps them even if this process dies.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn append(&mut self, rows: &[CensusRow]) -> io::Result<()> {
        run_directory::append_lines(&self.rows, &mut self.buffer, rows)
    }
}

/// The rows of the census `manifest` in `directory`, also of one that is still taken.
///
/// # Errors
/// When they cannot be read, or a line is no row of this census.
pub(crate) fn rows(directory: &Path, manifest: &CensusManifest) -> Result<Vec<CensusRow>, JournalError> {
    let path = directory.join(ROWS);
    let file = File::open(&path).map_err(at(&path))?;
    Ok(read(&file, &path, manifest.variants.count())?.0)
}

/// The rows of the census that the campaign `manifest` in `directory` takes; none if it takes none, or has not begun to.
///
/// # Errors
/// When they cannot be read, or a line is no row of this census.
pub(crate) fn rows_of_campaign(directory: &Path, manifest: &Manifest) -> Result<Vec<CensusRow>, JournalError> {
    match manifest.census() {
        Some(census) if directory.join(ROWS).exists() => rows(directory, &census),
        _ => Ok(Vec::new()),
    }
}

/// The rows of a file, and the length of its complete lines in bytes.
fn read(file: &File, path: &Path, variants: usize) -> Result<(Vec<CensusRow>, u64), JournalError> {
    let mut lines = Lines::new(file, path, ROW);
    let mut rows = Vec::new();
    while let Some(line) = lines.next()? {
        let row = serde_json::from_slice::<CensusRow>(line).map_err(|error| error.to_string());
        match row.and_then(|row| row.check(variants).map(|()| row)) {
            Ok(row) => rows.push(row),
            Err(reason) => return Err(lines.malformed(reason)),
        }
    }
    Ok((rows, lines.whole))
}
