//! Opening an archive: what is refused before anything of it is read.

use super::limits::Limits;
use serde::Serialize;
use std::{
    cell::Cell,
    collections::HashSet,
    io::{self, Read, Seek, SeekFrom},
    rc::Rc,
};
use zip::ZipArchive;

/// Why an archive, or an entry of one, is not looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[serde(tag = "reason", content = "detail", rename_all = "kebab-case")]
pub enum Refusal {
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    #[error("it has another size than the directory of its archive says")]
    WrongSize,
    #[error("it is encrypted")]
    Encrypted,
    #[error("its path leads out of the package, or to no file")]
    UnsafePath,
    #[error("several entries have its name")]
    DuplicateName,
    #[error("two of its entries have one name")]
    DuplicateNames,
    #[error("some of its entries lie over each other")]
    OverlappingEntries,
    #[error("the packages have more than {0} files")]
    TooManyEntries(u64),
    #[error("the packages unpack to more than {0} bytes")]
    TooLarge(u64),
    #[error("the metadata and the paths of the packages have more than {0} bytes")]
    TooMuchMetadata(u64),
    #[error("it unpacks to more than {0} times its size")]
    Ratio(u64),
    #[error("it is in more than {0} archives, one in the other")]
    TooDeep(usize),
}

/// A reader that fails once it has read too much.
pub struct Budgeted<R> {
    reader: R,
    budget: Rc<Cell<u64>>,
}

impl<R: Read> Read for Budgeted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        let left = self.budget.get().checked_sub(read as u64);
        self.budget.set(left.ok_or_else(|| io::Error::other("its directory is too large"))?);
        Ok(read)
    }
}

impl<R: Seek> Seek for Budgeted<R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.reader.seek(position)
    }
}

/// An archive whose directory is within bounds and whose entries do not share any bytes.
pub struct Opened<R> {
    pub archive: ZipArchive<Budgeted<R>>,
    /// Its size in bytes.
    pub size: u64,
}

/// Opens an archive.
pub fn open<R: Read + Seek>(mut reader: R, limits: &Limits) -> Result<Opened<R>, Refusal> {
    let size = reader.seek(SeekFrom::End(0)).map_err(unreadable)?;
    if claimed_entries(&mut reader, size).map_err(unreadable)? > limits.entries {
        return Err(Refusal::TooManyEntries(limits.entries));
    }
    let budget = Rc::new(Cell::new(limits.directory_bytes));
    let mut archive = ZipArchive::new(Budgeted { reader, budget: Rc::clone(&budget) }).map_err(unreadable)?;
    if archive.has_duplicate_names() {
        let start = archive.central_directory_start();
        let mut reader = archive.into_inner();
        budget.set(limits.directory_bytes);
        if repeats_file(&mut reader, start).map_err(unreadable)? {
            return Err(Refusal::DuplicateNames);
        }
        budget.set(limits.directory_bytes);
        archive = ZipArchive::new(reader).map_err(unreadable)?;
    }
    budget.set(u64::MAX);
    if archive.has_overlapping_entries().map_err(unreadable)? {
        return Err(Refusal::OverlappingEntries);
    }
    Ok(Opened { archive, size })
}

pub fn unreadable(error: impl Into<zip::result::ZipError>) -> Refusal {
    Refusal::Unreadable(error.into().to_string())
}

/// Whether two files have one name in the directory of an archive. Of directories it does not matter.
fn repeats_file(reader: &mut (impl Read + Seek), start: u64) -> io::Result<bool> {
    const SIGNATURE: &[u8] = b"PK\x01\x02";
    const HEADER_BYTES: usize = 46;

    reader.seek(SeekFrom::Start(start))?;
    let mut names = HashSet::new();
    loop {
        let mut header = [0; HEADER_BYTES];
        reader.read_exact(&mut header[..SIGNATURE.len()])?;
        if !header.starts_with(SIGNATURE) {
            return Ok(false);
        }
        reader.read_exact(&mut header[SIGNATURE.len()..])?;
        let [name, extra, comment] = [28, 30, 32].map(|at| u16::from_le_bytes([header[at], header[at + 1]]));
        let mut bytes = vec![0; usize::from(name)];
        reader.read_exact(&mut bytes)?;
        reader.seek_relative(i64::from(extra) + i64::from(comment))?;
        if !bytes.ends_with(b"/") && !names.insert(bytes) {
            return Ok(true);
        }
    }
}

/// The largest number of entries that anything at the end of an archive claims, for which memory would be taken.
fn claimed_entries(reader: &mut (impl Read + Seek), size: u64) -> io::Result<u64> {
    const END: &[u8] = b"PK\x05\x06";
    const LONG_END: &[u8] = b"PK\x06\x06";
    const LONG_END_BYTES: u64 = 56;
    const LOCATOR_BYTES: u64 = 20;
    const END_BYTES: u64 = 22;
    const LONGEST_COMMENT: u64 = 1 << 16;

    let tail = size.min(LONG_END_BYTES + LOCATOR_BYTES + END_BYTES + LONGEST_COMMENT);
    reader.seek(SeekFrom::Start(size - tail))?;
    let mut bytes = Vec::new();
    reader.take(tail).read_to_end(&mut bytes)?;
    let short = memchr::memmem::find_iter(&bytes, END)
        .filter_map(|start| Some(u64::from(u16::from_le_bytes(*bytes.get(start + 10..)?.first_chunk()?))));
    let long = memchr::memmem::find_iter(&bytes, LONG_END)
        .filter_map(|start| Some(u64::from_le_bytes(*bytes.get(start + 32..)?.first_chunk()?)));
    Ok(short.chain(long).max().unwrap_or(0))
}
