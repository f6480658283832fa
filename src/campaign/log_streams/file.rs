//! `environments.jsonl`: which log stream, and so which environment, each request belongs to.

use super::{
    super::{
        platform_report::PlatformReport,
        run_directory::{self, JournalError, LineKind, Lines, at, checks},
    },
    request_id::RequestId,
};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    collections::HashSet,
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

const FILE: &str = "environments.jsonl";

const LINE: LineKind = LineKind { name: "an environment", beginning: "{\"request_id\":" };

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CollectedRequest<'a> {
    #[serde(borrow)]
    pub(super) request_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) log_stream: Cow<'a, str>,
    /// Whether Lambda's report has an init; `None` if the log has no report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) has_init: Option<bool>,
    /// Lambda's report, if the sample lacks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) report: Option<PlatformReport>,
}

impl<'a> CollectedRequest<'a> {
    fn read(line: &'a [u8]) -> Result<Self, String> {
        let request: Self = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        checks::name("request_id", request.request_id.as_ref())?;
        checks::name("log_stream", request.log_stream.as_ref())?;
        request.report.as_ref().map_or(Ok(()), checks::report)?;
        Ok(request)
    }
}

/// Whether a log stream has a name that can be kept.
pub(super) fn is_storable(log_stream: &str) -> bool {
    checks::name("log_stream", log_stream).is_ok()
}

/// Reads the file of `directory`, one line after the other; `None` if it does not exist.
///
/// # Errors
/// When it cannot be read.
pub(super) fn read(directory: &Path, mut take: impl FnMut(CollectedRequest<'_>)) -> Result<Option<()>, JournalError> {
    let path = directory.join(FILE);
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(at(&path))?,
    };
    read_lines(&file, &path, &mut take).map(|_| Some(()))
}

/// Reads the lines of a file, and gives their length in bytes.
fn read_lines(file: &File, path: &Path, take: &mut dyn FnMut(CollectedRequest<'_>)) -> Result<u64, JournalError> {
    let mut lines = Lines::new(file, path, LINE);
    while let Some(line) = lines.next()? {
        match CollectedRequest::read(line) {
            Ok(request) => take(request),
            Err(reason) => return Err(lines.malformed(reason)),
        }
    }
    Ok(lines.whole)
}

/// The file, open for more lines. Neither a campaign nor another collection can write to the run directory meanwhile.
#[derive(Debug)]
pub(super) struct EnvironmentsFile {
    path: PathBuf,
    /// `None` until there is something to write.
    file: Option<File>,
    buffer: Vec<u8>,
    _lock: File,
}

impl EnvironmentsFile {
    /// Opens the file of `directory`, without a last line that was cut off, and gives the requests that are in it.
    ///
    /// # Errors
    /// When another process writes to the run directory, or the file cannot be read and written.
    pub(super) fn open(directory: &Path) -> Result<(Self, HashSet<RequestId>), JournalError> {
        let lock = run_directory::hold(directory)?;
        let path = directory.join(FILE);
        let file = match OpenOptions::new().read(true).append(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            file => Some(file.map_err(at(&path))?),
        };
        let mut known = HashSet::new();
        if let Some(file) = &file {
            let whole = read_lines(file, &path, &mut |request| {
                known.insert(RequestId::from(request.request_id.as_ref()));
            })?;
            file.set_len(whole).map_err(at(&path))?;
        }
        Ok((Self { path, file, buffer: Vec::new(), _lock: lock }, known))
    }

    /// Creates the file, if it does not exist: a log was read, even if nothing was found.
    pub(super) fn create(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            self.file = Some(OpenOptions::new().append(true).create(true).open(&self.path)?);
        }
        Ok(self.file.as_mut().expect("it was just created"))
    }

    /// Adds a line to those that are written next.
    pub(super) fn push(&mut self, request: &CollectedRequest<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut self.buffer, request)?;
        self.buffer.push(b'\n');
        Ok(())
    }

    /// Hands the lines to the operating system, all at once.
    pub(super) fn write(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            let lines = std::mem::take(&mut self.buffer);
            self.create()?.write_all(&lines)?;
            // Its memory is used again.
            self.buffer = lines;
            self.buffer.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::campaign::{
        census::{CensusRow, PlannedCensus},
        manifest::Manifest,
        run_directory::Journal,
        trial::Trial,
    };
    use std::{env, fs, process};

    /// A run directory without samples, which is gone with this.
    pub struct Directory(pub PathBuf);

    impl Directory {
        pub fn new(name: &str, manifest: &Manifest) -> Self {
            let path = env::temp_dir().join(format!("duet-log-streams-{name}-{}", process::id()));
            let _ = fs::remove_dir_all(&path);
            Journal::create(&path, manifest).unwrap();
            Self(path)
        }

        /// The same of a trial of these variants, whose census has these rows.
        pub fn of_trial(name: &str, manifest: &mut Manifest, rows: &[CensusRow]) -> Self {
            manifest.trial = Some(Trial::example());
            manifest.plan.census = Some(PlannedCensus { environments: 10, rounds: 5, hold_ms: 0, is_allocated: false });
            let directory = Self::new(name, manifest);
            let lines = rows.iter().map(|row| serde_json::to_string(row).unwrap() + "\n");
            fs::write(directory.0.join("census.jsonl"), lines.collect::<String>()).unwrap();
            directory
        }

        pub fn file(&self) -> PathBuf {
            self.0.join(FILE)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn request(id: &str) -> CollectedRequest<'_> {
        CollectedRequest { request_id: id.into(), log_stream: "a[1]b".into(), has_init: None, report: None }
    }

    fn ids(directory: &Path) -> Option<Vec<String>> {
        let mut ids = Vec::new();
        read(directory, |request| ids.push(request.request_id.into_owned())).unwrap().map(|()| ids)
    }

    #[test]
    fn lines_are_appended_and_a_cut_off_one_is_dropped() {
        let directory = Directory::new("lines", &Manifest::example());
        assert_eq!(ids(&directory.0), None);
        let (mut file, known) = EnvironmentsFile::open(&directory.0).unwrap();
        assert!(known.is_empty());
        file.push(&request("one")).unwrap();
        file.push(&request("two")).unwrap();
        file.write().unwrap();
        drop(file);
        let whole = fs::read_to_string(directory.file()).unwrap();
        fs::write(directory.file(), format!("{whole}{{\"request_id\":\"thr")).unwrap();
        assert_eq!(ids(&directory.0).unwrap(), ["one", "two"]);
        let (mut file, known) = EnvironmentsFile::open(&directory.0).unwrap();
        assert_eq!(known, HashSet::from(["one".into(), "two".into()]));
        file.push(&request("three")).unwrap();
        file.write().unwrap();
        assert_eq!(ids(&directory.0).unwrap(), ["one", "two", "three"]);
    }

    #[test]
    fn two_collections_at_once_are_refused_and_so_is_one_during_a_campaign() {
        let directory = Directory::new("lock", &Manifest::example());
        let journal = Journal::open(&directory.0).unwrap();
        assert!(matches!(EnvironmentsFile::open(&directory.0), Err(JournalError::Busy(_))));
        drop(journal);
        let collection = EnvironmentsFile::open(&directory.0).unwrap();
        assert!(matches!(EnvironmentsFile::open(&directory.0), Err(JournalError::Busy(_))));
        assert!(matches!(Journal::open(&directory.0), Err(JournalError::Busy(_))));
        drop(collection);
        assert!(Journal::open(&directory.0).is_ok());
    }

    #[test]
    fn damage_is_named_by_file_and_line() {
        let directory = Directory::new("damage", &Manifest::example());
        let good = "{\"request_id\":\"one\",\"log_stream\":\"s\"}\n";
        for (line, part) in [
            ("{\"request_id\":\"\",\"log_stream\":\"s\"}\n", "request_id is empty"),
            ("{\"request_id\":\"a\",\"log_stream\":\"\\n\"}\n", "log_stream is"),
            ("{\"request_id\":\"a\",\"log_stream\":\"s\",\"report\":{\"duration_ms\":-1.0}}\n", "duration_ms"),
            ("{\"request_id\":\"a\",\"log_stream\":\"s\",\"color\":1}\n", "unknown field"),
            ("PK", "neither an environment nor the beginning of one"),
        ] {
            fs::write(directory.file(), format!("{good}{line}")).unwrap();
            let error = read(&directory.0, |_| {}).unwrap_err().to_string();
            assert!(error.contains("environments.jsonl, line 2: ") && error.contains(part), "{error}");
        }
    }
}
