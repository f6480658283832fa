//! The run directory: `campaign.json` and `samples.jsonl`.

use super::{
    check,
    manifest::{Manifest, Plan, SCHEMA},
    row::Row,
    schedule::{self, Call, Step},
    shell,
    sides::Side,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

const MANIFEST: &str = "campaign.json";
const SAMPLES: &str = "samples.jsonl";

/// The longest line that is read, in bytes. Lambda's answers have 6 MB at most; a file of another kind may have no line
/// that ends.
const MAX_LINE: u64 = 64 << 20;

/// The longest manifest that is read, in bytes: payloads are in it.
const MAX_MANIFEST: u64 = 1 << 30;

/// How every sample begins.
const BEGINNING: &[u8] = b"{\"block\":";

/// The file of samples, open for one campaign alone.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
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
    #[error(
        "{path} holds a campaign already: continue it with `duet run --resume {word}`, or choose another --out",
        path = .0.display(),
        word = shell::word(.0)
    )]
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
    /// The manifest is one of no campaign.
    #[error("{path}: {reason}", path = .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The field, its value, and what it has to be.
        reason: String,
    },
}

impl Journal {
    /// Begins the campaign of `manifest` in `directory`, which is made where there is none.
    ///
    /// # Errors
    /// When there is a campaign already, or the files cannot be written, or not be read again.
    pub fn create(directory: &Path, manifest: &Manifest) -> Result<Self, JournalError> {
        fs::create_dir_all(directory).map_err(at(directory))?;
        let journal = Self::lock(directory)?;
        let path = directory.join(MANIFEST);
        // Without its manifest, a directory was left behind before the first call.
        if path.exists() {
            return Err(JournalError::Exists(directory.to_owned()));
        }
        check::manifest(manifest).map_err(|reason| JournalError::Invalid { path: path.clone(), reason })?;
        write_json(&path, manifest).map_err(at(&path))?;
        Ok(journal)
    }

    /// Opens the samples of `directory` for more; an end that was cut off by a crash is dropped.
    ///
    /// # Errors
    /// When there is no campaign, another process writes to it, or the file ends with something else than a part of a
    /// sample.
    pub fn open(directory: &Path) -> Result<Self, JournalError> {
        if !directory.join(MANIFEST).exists() {
            return Err(JournalError::Missing(directory.to_owned()));
        }
        let mut journal = Self::lock(directory)?;
        let path = directory.join(SAMPLES);
        let whole = whole_lines(&mut journal.samples, &path)?;
        journal.samples.set_len(whole).map_err(at(&path))?;
        Ok(journal)
    }

    /// The file of samples, for nobody else until this is dropped or the process ends.
    fn lock(directory: &Path) -> Result<Self, JournalError> {
        let path = directory.join(SAMPLES);
        let samples = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(at(&path))?;
        match samples.try_lock() {
            Ok(()) => Ok(Self { directory: directory.to_owned(), samples, buffer: Vec::new() }),
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

    /// Keeps the campaign as it is from now on.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_manifest(&self, manifest: &Manifest) -> io::Result<()> {
        write_json(&self.directory.join(MANIFEST), manifest)
    }
}

/// Whether `directory` holds a campaign and its samples.
pub fn is_there(directory: &Path) -> bool {
    [MANIFEST, SAMPLES].iter().all(|name| directory.join(name).is_file())
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

/// Writes a file of the run directory: all of it is there, also after a power cut, or nothing is.
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

/// A file of the run directory; none where it is not there.
///
/// # Errors
/// When it is there and cannot be read.
pub fn read_whole(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// The length of the lines that are whole, in bytes. What stands behind them can be dropped.
fn whole_lines(file: &mut File, path: &Path) -> Result<u64, JournalError> {
    file.seek(SeekFrom::Start(0)).map_err(at(path))?;
    let mut lines = Lines::new(&*file, path);
    while lines.next()?.is_some() {}
    Ok(lines.whole)
}

/// The lines of a file one after the other, in one buffer.
struct Lines<R> {
    reader: BufReader<R>,
    path: PathBuf,
    line: Vec<u8>,
    /// The number of the line that was read last.
    number: u64,
    /// The length of the lines so far, in bytes.
    whole: u64,
}

impl<R: Read> Lines<R> {
    fn new(file: R, path: &Path) -> Self {
        Self { reader: BufReader::new(file), path: path.to_owned(), line: Vec::new(), number: 0, whole: 0 }
    }

    /// The next line, without its end; none behind the last. A sample that a crash cut off is no line.
    fn next(&mut self) -> Result<Option<&[u8]>, JournalError> {
        self.line.clear();
        self.number += 1;
        // One byte more, to tell a line that is too long from one that is not.
        let length = self.reader.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut self.line);
        let length = length.map_err(at(&self.path))? as u64;
        if length > MAX_LINE {
            return Err(self.malformed(format!("it is longer than {} MiB, which no sample is", MAX_LINE >> 20)));
        }
        if let Some(line) = self.line.strip_suffix(b"\n") {
            self.whole += length;
            return Ok(Some(line));
        }
        // After a power cut there may be zeros where the end of the file was on its way to the disk.
        let is_cut_off = self.line.starts_with(BEGINNING)
            || BEGINNING.starts_with(&self.line)
            || (self.number > 1 && self.line.iter().all(|byte| *byte == 0));
        if is_cut_off {
            Ok(None)
        } else {
            Err(self.malformed("this is neither a sample nor the beginning of one".to_owned()))
        }
    }

    fn malformed(&self, reason: String) -> JournalError {
        JournalError::Malformed { path: self.path.clone(), line: self.number, reason }
    }
}

/// Reads the manifest of `directory`.
///
/// # Errors
/// When there is none, one of another version, or one of no campaign.
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
    if let Ok(Version { schema }) = serde_json::from_slice(&text)
        && schema != u64::from(SCHEMA)
    {
        return Err(malformed(1, format!("schema {schema} is not known to this version, which reads {SCHEMA}")));
    }
    let manifest = serde_json::from_slice(&text).map_err(|error| malformed(error.line() as u64, error.to_string()))?;
    check::manifest(&manifest).map_err(|reason| JournalError::Invalid { path: path.clone(), reason })?;
    Ok(manifest)
}

/// What every version's manifest has.
#[derive(Deserialize)]
struct Version {
    schema: u64,
}

/// Reads the samples of `directory` one after the other, without those that a crash cut off. What they say is taken as
/// it is; [`checked_rows`] does not.
///
/// # Errors
/// When there are none; items are errors where a line is no sample.
pub fn rows(directory: &Path) -> Result<impl Iterator<Item = Result<Row, JournalError>>, JournalError> {
    read(directory, |_| Ok(()))
}

/// Reads the samples of `directory` one after the other as [`rows`] does, and holds each to what a sample of `manifest`'s
/// campaign can be, at its place: steps come one after the other, as the schedule has them, and no call stands there twice.
///
/// # Errors
/// When there are none; items are errors where a line is no sample, or none of this campaign.
pub fn checked_rows(
    directory: &Path,
    manifest: &Manifest,
) -> Result<impl Iterator<Item = Result<Row, JournalError>>, JournalError> {
    let mut sequence = Sequence::new(&manifest.plan);
    read(directory, move |row| {
        check::row(manifest, row)?;
        sequence.check(row)
    })
}

/// How far a journal has been read.
struct Sequence<'a> {
    plan: &'a Plan,
    /// The steps of the block.
    steps: Vec<Step>,
    /// The block and the step.
    place: (u64, u32),
    /// The calls of that step: side, slot, attempt.
    calls: HashSet<(Side, u32, u32)>,
}

impl<'a> Sequence<'a> {
    fn new(plan: &'a Plan) -> Self {
        let steps = schedule::block(plan, 0, plan.order_of(0, plan.separate_from));
        Self { plan, steps, place: (0, 0), calls: HashSet::new() }
    }

    fn check(&mut self, row: &Row) -> Result<(), String> {
        let place = (row.block, row.step);
        if place < self.place {
            let ((block, step), (last_block, last_step)) = (place, self.place);
            return Err(format!(
                "block is {block} and step is {step}, behind block {last_block}, step {last_step}: samples stand in the order \
                 in which they were taken"
            ));
        }
        if row.block > self.place.0 {
            self.steps = schedule::block(self.plan, row.block, self.plan.order_of(row.block, self.plan.separate_from));
        }
        if place > self.place {
            self.place = place;
            self.calls.clear();
        }
        let is_row =
            |call: &Call| (call.side, call.slot) == (row.side, row.slot) && self.plan.cells[call.cell].name == row.cell;
        if !self.steps[row.step as usize].iter().any(is_row) {
            return Err(format!(
                "side is {}, slot is {} and cell is {:?}, which the schedule does not have in block {}, step {}",
                row.side, row.slot, row.cell, row.block, row.step
            ));
        }
        if self.calls.insert((row.side, row.slot, row.attempt)) {
            return Ok(());
        }
        Err(format!(
            "slot is {} and attempt is {}, as in a line before: every call has one line",
            row.slot, row.attempt
        ))
    }
}

fn read(
    directory: &Path,
    mut check: impl FnMut(&Row) -> Result<(), String>,
) -> Result<impl Iterator<Item = Result<Row, JournalError>>, JournalError> {
    let path = directory.join(SAMPLES);
    let mut lines = Lines::new(File::open(&path).map_err(at(&path))?, &path);
    let mut is_over = false;
    Ok(std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        // Behind a line that cannot be read, there is none.
        is_over = true;
        let row = match lines.next() {
            Ok(line) => line?,
            Err(error) => return Some(Err(error)),
        };
        is_over = false;
        let row =
            serde_json::from_slice(row).map_err(|error| error.to_string().replace(" at line 1 column ", " at column "));
        Some(row.and_then(|row| check(&row).map(|()| row)).map_err(|reason| lines.malformed(reason)))
    }))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io { path, source }
}
