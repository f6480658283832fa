//! Reads samples: what can be done line by line is done by all cores, what depends on the lines before by the caller's.

use super::{
    super::{manifest::Manifest, row::Row},
    JournalError, SAMPLE, SAMPLES, at,
    checks::RowBounds,
    lines::Chunks,
    sequence::Sequence,
};
use std::{
    collections::VecDeque,
    fs::File,
    path::Path,
    str,
    sync::mpsc::{self, Receiver},
    vec,
};

/// The most chunks that are parsed ahead: lines may be long.
const MOST_AHEAD: usize = 16;

/// What the lines of a chunk are.
#[derive(Default)]
struct Parsed {
    rows: vec::IntoIter<Row>,
    /// Why the line after them is no row.
    failure: Option<String>,
}

/// The samples of a file, in their order.
struct Rows<'a> {
    chunks: Chunks<File>,
    /// Whether there are no more chunks.
    is_read: bool,
    /// The next chunks, which are being parsed. An error is the last of them.
    ahead: VecDeque<Result<Receiver<Parsed>, JournalError>>,
    /// What is left of the present chunk.
    chunk: Parsed,
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
        chunks: Chunks::new(File::open(&path).map_err(at(&path))?, &path, SAMPLE),
        is_read: false,
        ahead: VecDeque::new(),
        chunk: Parsed::default(),
        line: 0,
        bounds: RowBounds::of(manifest),
        sequence: Sequence::new(manifest),
    })
}

impl Rows<'_> {
    /// Has chunks parsed ahead, and gives the next.
    fn next_chunk(&mut self) -> Option<Result<Parsed, JournalError>> {
        // Each core has one, and another to go on with.
        while !self.is_read && self.ahead.len() < (2 * rayon::current_num_threads()).min(MOST_AHEAD) {
            let chunk = self.chunks.next().transpose();
            self.is_read = !matches!(chunk, Some(Ok(_)));
            self.ahead.extend(chunk.map(|text| text.map(|text| parse_aside(text, self.bounds))));
        }
        let parsed = self.ahead.pop_front()?;
        Some(parsed.map(|parsed| parsed.recv().expect("every chunk is parsed")))
    }

    /// Gives an error, the last item.
    fn fail(&mut self, error: JournalError) -> Option<Result<Row, JournalError>> {
        self.is_read = true;
        self.ahead.clear();
        self.chunk = Parsed::default();
        Some(Err(error))
    }

    fn malformed(&self, reason: String) -> JournalError {
        self.chunks.malformed(self.line, reason)
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.chunk.rows.next() {
                self.line += 1;
                return match self.sequence.follow(&row) {
                    Ok(()) => Some(Ok(row)),
                    Err(reason) => self.fail(self.malformed(reason)),
                };
            }
            if let Some(reason) = self.chunk.failure.take() {
                self.line += 1;
                return self.fail(self.malformed(reason));
            }
            match self.next_chunk()? {
                Ok(chunk) => self.chunk = chunk,
                Err(error) => return self.fail(error),
            }
        }
    }
}

/// Has the lines of a chunk parsed by another thread.
fn parse_aside(text: Vec<u8>, bounds: RowBounds) -> Receiver<Parsed> {
    let (sender, parsed) = mpsc::sync_channel(1);
    // After an error nobody waits for it.
    rayon::spawn(move || drop(sender.send(parse(&text, bounds))));
    parsed
}

fn parse(text: &[u8], bounds: RowBounds) -> Parsed {
    let mut rows = Vec::with_capacity(memchr::memchr_iter(b'\n', text).count());
    let take = |row: serde_json::Result<Row>| {
        let row = row.map_err(|error| error.to_string().replace(" at line 1 column ", " at column "))?;
        bounds.check(&row)?;
        rows.push(row);
        Ok(())
    };
    // That a whole chunk is UTF-8 is sooner seen than that every string is.
    let taken: Result<(), String> = match str::from_utf8(text) {
        Ok(text) => text.split_terminator('\n').map(serde_json::from_str).try_for_each(take),
        Err(_) => text[..text.len() - 1].split(|byte| *byte == b'\n').map(serde_json::from_slice).try_for_each(take),
    };
    Parsed { rows: rows.into_iter(), failure: taken.err() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{
        run_directory::Journal,
        schedule::{self, Call},
    };
    use std::{fs, io::Write};

    /// A campaign whose samples fill several chunks.
    fn campaign(directory: &Path) -> (Manifest, Vec<Row>) {
        let manifest = Manifest::example();
        let variants: Vec<_> = manifest.variants.indices().collect();
        let of_block = |block: u64| {
            let steps = schedule::block(&manifest.plan, &variants, block, manifest.plan.order);
            (0..).zip(steps).flat_map(move |(step, calls)| calls.into_iter().map(move |call| (block, step, call)))
        };
        let row = |(block, step, Call { variant, cell, slot }): (u64, u32, Call)| {
            let cell = manifest.plan.cells[cell].name.clone();
            Row { block, step, slot, variant, cell, request_id: Some(format!("{block:0250}")), ..Row::example() }
        };
        let rows: Vec<Row> = (0..2000).flat_map(of_block).map(row).collect();
        Journal::create(directory, &manifest).unwrap().append(&rows).unwrap();
        (manifest, rows)
    }

    #[test]
    fn rows_come_in_their_order_until_the_first_that_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let (manifest, expected) = campaign(directory.path());
        let samples = directory.path().join(SAMPLES);
        assert!(fs::metadata(&samples).unwrap().len() > 1_000_000);
        let read = || rows(directory.path(), &manifest).unwrap();
        assert!(read().map(Result::unwrap).eq(expected.iter().cloned()));
        // A reader that has seen enough can stop.
        assert_eq!(read().next().unwrap().unwrap(), expected[0]);
        let lines: Vec<String> = fs::read_to_string(&samples).unwrap().lines().map(str::to_owned).collect();
        let broken = lines.len() - 10;
        for (line, reason) in [
            ("{\"block\":".as_bytes(), "EOF while parsing a value at column 9"),
            (b"{\"block\":0,\"cell\":\"\xff\"}", "invalid unicode code point at column 20"),
            (b"{\"block\":\n\xff", "EOF while parsing a value at column 9"),
            (lines[0].as_bytes(), "block is 0 and step is 0, behind block"),
        ] {
            let mut file = fs::File::create(&samples).unwrap();
            file.write_all((lines[..broken].join("\n") + "\n").as_bytes()).unwrap();
            file.write_all(&[line, b"\n", lines[broken..].join("\n").as_bytes(), b"\n"].concat()).unwrap();
            let mut given: Vec<_> = read().collect();
            let error = given.pop().unwrap().unwrap_err().to_string();
            assert!(error.contains(&format!("line {}: {reason}", broken + 1)), "{error}");
            assert!(given.into_iter().map(Result::unwrap).eq(expected[..broken].iter().cloned()));
        }
    }
}
