//! The file that keeps what hooks print.

use crate::protocol::control_characters::visible;
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::Stdio,
    time::SystemTime,
};

/// The name of the file in the run directory.
const NAME: &str = "hooks.log";

/// How much of the end of an output messages show.
const LINES_SHOWN: usize = 5;
const BYTES_SHOWN: u64 = 1000;

/// The log of all hooks of a campaign. Programs write to the file itself, so that what they leave running can go on
/// writing when they have ended.
#[derive(Debug)]
pub(super) struct HookLog {
    path: PathBuf,
}

/// What one hook prints.
#[derive(Debug)]
pub(super) struct HookOutput {
    path: PathBuf,
    file: File,
    /// Where it begins in the file.
    start: u64,
}

impl HookLog {
    pub(super) fn new(directory: &Path) -> Self {
        Self { path: directory.join(NAME) }
    }

    /// Begins the output of a hook, under a title.
    pub(super) fn begin(&self, title: &str) -> io::Result<HookOutput> {
        let mut file = File::options().create(true).append(true).read(true).open(&self.path)?;
        writeln!(file, "{} {title}", humantime::format_rfc3339_millis(SystemTime::now()))?;
        let start = file.metadata()?.len();
        Ok(HookOutput { path: self.path.clone(), file, start })
    }
}

impl HookOutput {
    /// The file as a standard output.
    pub(super) fn stdio(&self) -> io::Result<Stdio> {
        Ok(self.file.try_clone()?.into())
    }

    pub(super) fn add(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.file, "{}", visible(line))
    }

    /// The last lines, as the end of a message; empty if nothing was printed.
    pub(super) fn shown(&mut self) -> String {
        match self.last_lines() {
            Ok(lines) if lines.is_empty() => String::new(),
            Ok(lines) => {
                let lines: Vec<String> = lines.iter().map(|line| format!("\n  {line}")).collect();
                format!("; the end of its output, all of which is in {}:{}", self.path.display(), lines.concat())
            }
            Err(error) => format!("; its output in {} cannot be read: {error}", self.path.display()),
        }
    }

    fn last_lines(&mut self) -> io::Result<Vec<String>> {
        let end = self.file.metadata()?.len();
        self.file.seek(SeekFrom::Start(self.start.max(end.saturating_sub(BYTES_SHOWN))))?;
        let mut bytes = Vec::new();
        (&mut self.file).take(BYTES_SHOWN).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        Ok(lines[lines.len().saturating_sub(LINES_SHOWN)..].iter().map(|line| visible(line)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, fs, process};

    #[test]
    fn a_message_shows_the_last_lines_of_one_hook() {
        let directory = env::temp_dir().join(format!("lambda-duet-hooks-{}", process::id()));
        fs::create_dir_all(&directory).unwrap();
        let log = HookLog::new(&directory);
        log.begin("the first").unwrap().add("of the first").unwrap();
        let mut output = log.begin("the second").unwrap();
        assert_eq!(output.shown(), "");
        let path = directory.join(NAME);
        let named = |lines: &str| format!("; the end of its output, all of which is in {}:{lines}", path.display());
        output.add("\u{1b}[2J").unwrap();
        assert_eq!(output.shown(), named("\n  \\u{1b}[2J"));
        for number in 1..=9 {
            output.add(&number.to_string()).unwrap();
        }
        assert_eq!(output.shown(), named("\n  5\n  6\n  7\n  8\n  9"));
        output.add(&"x".repeat(2000)).unwrap();
        assert_eq!(output.shown(), named(&format!("\n  {}", "x".repeat(999))));
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 14);
        fs::remove_dir_all(&directory).unwrap();
    }
}
