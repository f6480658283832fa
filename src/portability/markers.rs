//! What texts within native code say about it. They are found while the file passes by.

use crate::protocol::display_as_serialized;
use memchr::memmem::Finder;
use serde::Serialize;

/// A language that leaves its name in the programs that it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    Go,
    Rust,
}

display_as_serialized!(Language);

/// The markers that were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Markers {
    go: bool,
    rust: bool,
}

impl Markers {
    pub fn language(self) -> Option<Language> {
        // A library in Go may be part of a program in Rust, which has then been linked by cargo.
        if self.rust { Some(Language::Rust) } else { self.go.then_some(Language::Go) }
    }
}

/// The beginning of `.go.buildinfo`.
const GO: &[u8] = b"\xff Go buildinf:";

/// Where the standard library of Rust was compiled, which is in the texts of its panics; the commit follows.
const RUST: &[u8] = b"/rustc/";
const COMMIT_DIGITS: usize = 40;

/// One byte less than the longest marker.
const OVERLAP: usize = RUST.len() + COMMIT_DIGITS - 1;

/// Looks for markers in a file that comes in pieces.
pub struct MarkerScanner {
    go: Finder<'static>,
    rust: Finder<'static>,
    /// The end of what has passed, and the piece after it.
    window: Vec<u8>,
    markers: Markers,
}

impl MarkerScanner {
    pub fn new() -> Self {
        Self { go: Finder::new(GO), rust: Finder::new(RUST), window: Vec::new(), markers: Markers::default() }
    }

    pub fn feed(&mut self, piece: &[u8]) {
        self.window.extend_from_slice(piece);
        let window = &self.window;
        self.markers.go |= self.go.find(window).is_some();
        self.markers.rust |= self.rust.find_iter(window).any(|start| names_commit(&window[start + RUST.len()..]));
        let passed = window.len().saturating_sub(OVERLAP);
        self.window.drain(..passed);
    }

    pub fn markers(&self) -> Markers {
        self.markers
    }
}

fn names_commit(text: &[u8]) -> bool {
    text.get(..COMMIT_DIGITS).is_some_and(|commit| commit.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(pieces: &[&[u8]]) -> Markers {
        let mut scanner = MarkerScanner::new();
        for piece in pieces {
            scanner.feed(piece);
        }
        scanner.markers()
    }

    #[test]
    fn markers_are_found_however_the_file_is_cut() {
        let commit = [b"..../rustc/".as_slice(), &[b'a'; 40], b"/library"].concat();
        let go = b"....\xff Go buildinf:\x08\x02".as_slice();
        for size in 1..60 {
            let pieces = |file| scan(&<[u8]>::chunks(file, size).collect::<Vec<_>>());
            assert_eq!(pieces(&commit).language(), Some(Language::Rust), "{size}");
            assert_eq!(pieces(go).language(), Some(Language::Go), "{size}");
        }
        assert_eq!(scan(&[b"/rustc/ is a path, \xff Go buildinf is none"]), Markers::default());
        assert_eq!(scan(&[&commit, go]).language(), Some(Language::Rust));
    }
}
