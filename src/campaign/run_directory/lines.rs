//! The lines of a file to which samples, or the like, are appended.

use super::{JournalError, at};
use std::{
    io::Read,
    mem,
    path::{Path, PathBuf},
};

/// The longest line that is read, in bytes. Lambda's answers have 6 MB at most; other files may have endless lines.
const MAX_LINE: usize = 64 << 20;

/// How much is read at once, in bytes.
const READ: usize = 1 << 18;

/// What the lines of a file are.
#[derive(Clone, Copy, Debug)]
pub(in crate::campaign) struct LineKind {
    /// In words.
    pub(in crate::campaign) name: &'static str,
    /// How every one begins.
    pub(in crate::campaign) beginning: &'static str,
}

/// The lines of a file, chunk by chunk: some lines after the other, each with its end.
pub(super) struct Chunks<R> {
    reader: R,
    path: PathBuf,
    kind: LineKind,
    /// The beginning of the next line, as far as it was read.
    rest: Vec<u8>,
    /// The number of lines in the chunks so far.
    lines: u64,
}

impl<R: Read> Chunks<R> {
    pub(super) fn new(reader: R, path: &Path, kind: LineKind) -> Self {
        Self { reader, path: path.to_owned(), kind, rest: Vec::new(), lines: 0 }
    }

    /// The next chunk; `None` after the last. A line that was cut off by a crash is none.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, JournalError> {
        let mut text = mem::take(&mut self.rest);
        loop {
            let known = text.len();
            text.reserve_exact(READ);
            let count = self.reader.by_ref().take(READ as u64).read_to_end(&mut text).map_err(at(&self.path))?;
            if let Some(last) = memchr::memrchr(b'\n', &text[known..]) {
                self.rest = text.split_off(known + last + 1);
                self.lines += memchr::memchr_iter(b'\n', &text).count() as u64;
                return Ok(Some(text));
            }
            if text.len() > MAX_LINE {
                let reason = format!("it is longer than {} MiB, which no line is", MAX_LINE >> 20);
                return Err(self.malformed(self.lines + 1, reason));
            }
            if count == 0 {
                return if self.is_cut_off(&text) {
                    Ok(None)
                } else {
                    let reason = format!("this is neither {} nor the beginning of one", self.kind.name);
                    Err(self.malformed(self.lines + 1, reason))
                };
            }
        }
    }

    /// Whether what follows the last complete line is the beginning of another.
    fn is_cut_off(&self, rest: &[u8]) -> bool {
        let beginning = self.kind.beginning.as_bytes();
        // After a power cut there may be zeros in place of the end of the file.
        rest.starts_with(beginning)
            || beginning.starts_with(rest)
            || (self.lines > 0 && rest.iter().all(|byte| *byte == 0))
    }

    pub(super) fn malformed(&self, line: u64, reason: String) -> JournalError {
        JournalError::Malformed { path: self.path.clone(), line, reason }
    }
}

/// The lines of a file one after the other.
pub(in crate::campaign) struct Lines<R> {
    chunks: Chunks<R>,
    chunk: Vec<u8>,
    /// How much of the chunk was given, in bytes.
    given: usize,
    /// The number of the last line that was given.
    number: u64,
    /// The length of the lines so far, in bytes.
    pub(in crate::campaign) whole: u64,
}

impl<R: Read> Lines<R> {
    pub(in crate::campaign) fn new(file: R, path: &Path, kind: LineKind) -> Self {
        Self { chunks: Chunks::new(file, path, kind), chunk: Vec::new(), given: 0, number: 0, whole: 0 }
    }

    /// The next line, without its end; `None` after the last. One that was cut off by a crash is not a line.
    pub(in crate::campaign) fn next(&mut self) -> Result<Option<&[u8]>, JournalError> {
        if self.given == self.chunk.len() {
            let Some(chunk) = self.chunks.next()? else { return Ok(None) };
            (self.chunk, self.given) = (chunk, 0);
        }
        let rest = &self.chunk[self.given..];
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        self.given += length + 1;
        self.whole += length as u64 + 1;
        self.number += 1;
        Ok(Some(&rest[..length]))
    }

    pub(in crate::campaign) fn malformed(&self, reason: String) -> JournalError {
        self.chunks.malformed(self.number, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    const KIND: LineKind = LineKind { name: "a row", beginning: "{\"a\":" };

    /// A reader that gives a few bytes at a time, and is interrupted before each of them.
    struct Trickle<'a> {
        text: &'a [u8],
        is_interrupted: bool,
    }

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.is_interrupted = !self.is_interrupted;
            if self.is_interrupted {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let (given, rest) = self.text.split_at(self.text.len().min(buffer.len()).min(7));
            buffer[..given.len()].copy_from_slice(given);
            self.text = rest;
            Ok(given.len())
        }
    }

    /// The lines, how long they are together, and what comes instead of the end.
    fn lines(text: &[u8]) -> (Vec<String>, u64, Option<String>) {
        let mut lines = Lines::new(Trickle { text, is_interrupted: false }, Path::new("rows"), KIND);
        let mut given = Vec::new();
        loop {
            match lines.next() {
                Ok(Some(line)) => given.push(String::from_utf8(line.to_vec()).unwrap()),
                Ok(None) => return (given, lines.whole, None),
                Err(error) => return (given, lines.whole, Some(error.to_string())),
            }
        }
    }

    #[test]
    fn lines_are_the_same_however_they_are_read() {
        let whole: Vec<String> = (0..50).map(|number| format!("{{\"a\":{}}}", "9".repeat(number))).collect();
        let text = whole.join("\n") + "\n";
        assert_eq!(lines(text.as_bytes()), (whole.clone(), text.len() as u64, None));
        // What a crash has left of another is no line.
        for rest in ["{\"a\":12", "{\"", "\0\0\0"] {
            assert_eq!(lines((text.clone() + rest).as_bytes()), (whole.clone(), text.len() as u64, None));
        }
        let (given, _, error) = lines((text + "other").as_bytes());
        assert_eq!(given, whole);
        assert_eq!(error.as_deref(), Some("rows, line 51: this is neither a row nor the beginning of one"));
        assert_eq!(lines(b"\n\n"), (vec![String::new(), String::new()], 2, None));
        assert_eq!(lines(b""), (Vec::new(), 0, None));
    }
}
