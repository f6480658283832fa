//! Reads samples: what can be done line by line is done by all cores, what depends on the lines before by the caller's.

use super::{
    super::{manifest::Manifest, row::Row},
    JournalError, SAMPLE, SAMPLES, at,
    checks::RowBounds,
    lines::Blocks,
    sequence::Sequence,
};
use std::{
    collections::VecDeque,
    fs::File,
    panic,
    path::Path,
    str,
    thread::{self, JoinHandle},
    vec,
};

/// A row, or the reason why a line is none.
type Parsed = Result<Row, String>;

/// The samples of a file, in their order.
struct Rows<'a> {
    blocks: Blocks<File>,
    /// Whether there are no more blocks.
    is_read: bool,
    /// The next blocks, each in a thread of its own. An error is the last of them.
    ahead: VecDeque<Result<JoinHandle<Vec<Parsed>>, JournalError>>,
    /// How many blocks are parsed at once.
    cores: usize,
    /// What is left of the present block.
    rows: vec::IntoIter<Parsed>,
    /// The number of the last line that was given.
    line: u64,
    bounds: RowBounds,
    sequence: Sequence<'a>,
}

/// Reads the samples of `directory` one after the other, without one that was cut off by a crash, and checks that each
/// can be a sample of `manifest`'s campaign at its place: steps follow each other as in the schedule, and no call is
/// there twice. What was imported follows no schedule.
///
/// # Errors
/// When there is no file; items are errors for lines that are not samples of this campaign. After one there is nothing
/// more.
pub fn rows(
    directory: &Path,
    manifest: &Manifest,
) -> Result<impl Iterator<Item = Result<Row, JournalError>>, JournalError> {
    let path = directory.join(SAMPLES);
    Ok(Rows {
        blocks: Blocks::new(File::open(&path).map_err(at(&path))?, &path, SAMPLE),
        is_read: false,
        ahead: VecDeque::new(),
        cores: thread::available_parallelism().map_or(1, usize::from),
        rows: Vec::new().into_iter(),
        line: 0,
        bounds: RowBounds::of(manifest),
        sequence: Sequence::new(manifest),
    })
}

impl Rows<'_> {
    /// Has blocks parsed ahead, and gives the next.
    fn next_block(&mut self) -> Option<Result<Vec<Parsed>, JournalError>> {
        while !self.is_read && self.ahead.len() < self.cores {
            let block = self.blocks.next().transpose();
            self.is_read = !matches!(block, Some(Ok(_)));
            let bounds = self.bounds;
            self.ahead.extend(block.map(|text| text.map(|text| thread::spawn(move || parse(&text, bounds)))));
        }
        let parsed = self.ahead.pop_front()?;
        Some(parsed.map(|thread| thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))))
    }

    /// Gives an error, the last item.
    fn fail(&mut self, error: JournalError) -> Option<Result<Row, JournalError>> {
        self.is_read = true;
        self.ahead.clear();
        self.rows = Vec::new().into_iter();
        Some(Err(error))
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(parsed) = self.rows.next() {
                self.line += 1;
                return match parsed.and_then(|row| self.sequence.follow(&row).map(|()| row)) {
                    Ok(row) => Some(Ok(row)),
                    Err(reason) => self.fail(self.blocks.malformed(self.line, reason)),
                };
            }
            match self.next_block()? {
                Ok(rows) => self.rows = rows.into_iter(),
                Err(error) => return self.fail(error),
            }
        }
    }
}

/// Parses the lines of a block.
fn parse(text: &[u8], bounds: RowBounds) -> Vec<Parsed> {
    let row = |row: serde_json::Result<Row>| {
        let row = row.map_err(|error| error.to_string().replace(" at line 1 column ", " at column "))?;
        bounds.check(&row).map(|()| row)
    };
    // That a whole block is UTF-8 is sooner seen than that every string is.
    match str::from_utf8(text) {
        Ok(text) => text.split_terminator('\n').map(|line| row(serde_json::from_str(line))).collect(),
        Err(_) => text.split_inclusive(|byte| *byte == b'\n').map(|line| row(serde_json::from_slice(line))).collect(),
    }
}
