//! Reading a package: every entry once, from its first byte to its last, in pieces.

use super::{
    Refusal,
    archive::{self, Opened, unreadable},
    assess::SpoolError,
    contents::{Contents, NativeFile, NpmPackage},
    limits::Limits,
    linkage,
    markers::MarkerScanner,
    native::{HEAD_BYTES, Native, System},
    paths::{self, IN_ARCHIVE},
};
use std::{
    fs::File,
    io::{BufReader, Read, Seek, Write},
};
use zip::read::ZipFile;

/// Reads the packages of one function.
pub struct Walker<'a> {
    limits: &'a Limits,
    entries: u64,
    bytes: u64,
    /// Bytes of metadata and paths.
    kept: u64,
}

/// Why reading ends early.
enum Halt {
    /// The entry, or the archive if it says so itself, is refused; the next one may be read.
    Entry(Refusal),
    /// Nothing more of this archive is read.
    Archive(Refusal),
    /// Nothing more is read at all.
    All(Refusal),
    Spool(SpoolError),
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Entry(refusal)
    }
}

/// An archive that is being read.
struct Place {
    /// How many archives it is in.
    depth: usize,
    /// How many bytes it may unpack to.
    allowed: u64,
    unpacked: u64,
}

/// Where the bytes of an entry go.
enum Sink<'a> {
    Nowhere,
    /// Looked through, and kept in a file for what is read out of order.
    Native(&'a mut MarkerScanner, &'a mut File),
    /// Kept as long as it is not longer than the limit of metadata.
    Text(&'a mut Vec<u8>),
    Spool(&'a mut File),
}

impl<'a> Walker<'a> {
    pub fn new(limits: &'a Limits) -> Self {
        Self { limits, entries: 0, bytes: 0, kept: 0 }
    }

    /// Reads a package. What is refused is noted in its contents.
    pub fn read<R: Read + Seek>(&mut self, package: R) -> Result<Contents, SpoolError> {
        let mut contents = Contents::default();
        match self.read_archive(package, "", 0, &mut contents) {
            Ok(()) => {}
            Err(Halt::Entry(refusal) | Halt::Archive(refusal) | Halt::All(refusal)) => {
                contents.refusals.push((None, refusal));
            }
            Err(Halt::Spool(error)) => return Err(error),
        }
        Ok(contents)
    }

    fn read_archive<R: Read + Seek>(
        &mut self,
        reader: R,
        prefix: &str,
        depth: usize,
        contents: &mut Contents,
    ) -> Result<(), Halt> {
        if depth > self.limits.depth {
            return Err(Refusal::TooDeep(self.limits.depth).into());
        }
        let Opened { mut archive, size } = archive::open(BufReader::new(reader), self.limits)?;
        let allowed = self.limits.unsuspicious_bytes.max(size.saturating_mul(self.limits.ratio));
        let mut place = Place { depth, allowed, unpacked: 0 };
        for index in 0..archive.len() {
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(Halt::All(Refusal::TooManyEntries(self.limits.entries)));
            }
            let data = archive.by_index_data(index).map_err(unreadable)?;
            let name = String::from_utf8_lossy(data.name_raw()).into_owned();
            let is_encrypted = data.encrypted();
            if name.ends_with('/') {
                continue;
            }
            self.keep(prefix.len() + name.len())?;
            let path = |name: &str| format!("{prefix}{name}");
            let read = match paths::safe(&name) {
                None => Err(Refusal::UnsafePath.into()),
                Some(_) if is_encrypted => Err(Refusal::Encrypted.into()),
                Some(name) => match archive.by_index(index) {
                    Ok(entry) => self.read_entry(entry, path(&name), &mut place, contents),
                    Err(error) => Err(unreadable(error).into()),
                },
            };
            match read {
                Ok(()) => {}
                Err(Halt::Entry(refusal)) => contents.refusals.push((Some(path(&name)), refusal)),
                Err(halt) => return Err(halt),
            }
        }
        Ok(())
    }

    fn read_entry<R: Read>(
        &mut self,
        mut entry: ZipFile<'_, R>,
        path: String,
        place: &mut Place,
        contents: &mut Contents,
    ) -> Result<(), Halt> {
        const FILE_TYPE: u32 = 0o170_000;
        const LINK: u32 = 0o120_000;
        if entry.unix_mode().is_some_and(|mode| mode & FILE_TYPE == LINK) {
            let mut target = Vec::new();
            self.pass(&mut entry, &[], Sink::Text(&mut target), place)?;
            contents.links.insert(path, String::from_utf8_lossy(&target).into());
            return Ok(());
        }
        if place.depth == 0 && !contents.paths.insert(path.clone()) {
            return Err(Refusal::DuplicateName.into());
        }
        contents.has_dot_net_configuration |= !path.contains('/') && path.ends_with(".runtimeconfig.json");
        let mut head = Vec::new();
        entry.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(unreadable)?;
        if let Some(mut native) = Native::recognize(&head) {
            let mut scanner = MarkerScanner::new();
            let mut spool = spool()?;
            self.pass(&mut entry, &head, Sink::Native(&mut scanner, &mut spool), place)?;
            if native.system == System::Linux && linkage::is_of_musl(&mut spool) {
                native.system = System::LinuxMusl;
            }
            contents.natives.push(NativeFile { path, native, markers: scanner.markers() });
        } else if is_metadata(&path) {
            let mut text = Vec::new();
            self.pass(&mut entry, &head, Sink::Text(&mut text), place)?;
            note(contents, &path, &String::from_utf8_lossy(&text));
        } else if paths::is_archive(&path) && (head.starts_with(b"PK") || head.starts_with(b"#!")) {
            let mut spool = spool()?;
            self.pass(&mut entry, &head, Sink::Spool(&mut spool), place)?;
            match self.read_archive(spool, &format!("{path}{IN_ARCHIVE}"), place.depth + 1, contents) {
                Err(Halt::Archive(refusal)) => return Err(refusal.into()),
                read => read?,
            }
        } else {
            self.pass(&mut entry, &head, Sink::Nowhere, place)?;
        }
        Ok(())
    }

    /// Reads the rest of an entry, after its head. At the end its checksum and its size have been found right.
    fn pass(
        &mut self,
        entry: &mut ZipFile<'_, impl Read>,
        head: &[u8],
        mut sink: Sink<'_>,
        place: &mut Place,
    ) -> Result<(), Halt> {
        self.take(head, &mut sink, place)?;
        let mut buffer = vec![0; 1 << 16];
        let mut size = head.len() as u64;
        loop {
            let length = entry.read(&mut buffer).map_err(unreadable)?;
            if length == 0 {
                let is_right = size == entry.size();
                return is_right.then_some(()).ok_or(Halt::Entry(Refusal::WrongSize));
            }
            size += length as u64;
            self.take(&buffer[..length], &mut sink, place)?;
        }
    }

    /// Counts bytes that are kept in memory.
    fn keep(&mut self, bytes: usize) -> Result<(), Halt> {
        self.kept += bytes as u64;
        if self.kept > self.limits.kept_bytes {
            return Err(Halt::All(Refusal::TooMuchMetadata(self.limits.kept_bytes)));
        }
        Ok(())
    }

    fn take(&mut self, piece: &[u8], sink: &mut Sink<'_>, place: &mut Place) -> Result<(), Halt> {
        self.bytes += piece.len() as u64;
        place.unpacked += piece.len() as u64;
        if self.bytes > self.limits.bytes {
            return Err(Halt::All(Refusal::TooLarge(self.limits.bytes)));
        }
        if place.unpacked > place.allowed {
            return Err(Halt::Archive(Refusal::Ratio(self.limits.ratio)));
        }
        match sink {
            Sink::Nowhere => {}
            Sink::Native(scanner, file) => {
                scanner.feed(piece);
                file.write_all(piece).map_err(|error| Halt::Spool(SpoolError(error)))?;
            }
            Sink::Text(text) => {
                if text.len() + piece.len() > self.limits.metadata_bytes {
                    return Err(Refusal::Unreadable("its text is too long".to_owned()).into());
                }
                self.keep(piece.len())?;
                text.extend_from_slice(piece);
            }
            Sink::Spool(file) => file.write_all(piece).map_err(|error| Halt::Spool(SpoolError(error)))?,
        }
        Ok(())
    }
}

/// A file without a name.
fn spool() -> Result<File, Halt> {
    tempfile::tempfile().map_err(|error| Halt::Spool(SpoolError(error)))
}

/// Whether a file says what others belong to, or is what an OS-only runtime starts.
fn is_metadata(path: &str) -> bool {
    let (directory, name) = paths::split(path);
    match name {
        "package.json" => true,
        "WHEEL" | "RECORD" => directory.ends_with(".dist-info"),
        "pom.properties" => directory.contains("META-INF/maven/"),
        _ => path == "bootstrap",
    }
}

fn note(contents: &mut Contents, path: &str, text: &str) {
    let (directory, name) = paths::split(path);
    match name {
        "package.json" => {
            // Some only say how the files beside them are to be read.
            if let Ok(package) = serde_json::from_str::<NpmPackage>(text) {
                contents.npm_packages.insert(directory.to_owned(), package);
            }
        }
        "WHEEL" | "RECORD" => contents.wheels.note(directory, name, text),
        "pom.properties" => {
            let value =
                |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::trim);
            if let (Some(group), Some(artifact), Some(version)) =
                (value("groupId"), value("artifactId"), value("version"))
            {
                let archive = paths::split_archive(path).0.map(str::to_owned);
                contents.coordinates.entry(archive).or_default().push(format!("{group}:{artifact}:{version}"));
            }
        }
        _ => contents.bootstrap = Some(text.to_owned()),
    }
}
