//! Finding words in a text with the SIMD substring search of `memchr`.
//!
//! The needles are words of the text from the most common to rare ones, a word that is not in it, the
//! space and the line break; the places of each are counted from left to right and do not overlap.
//! Making the searchers is not timed. `string/search-naive` does the same work and has the same checksum.

use super::documents::{self, MEAN_WORD_BYTES, Matches};
use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, input, limits};
use memchr::memmem::Finder;
use std::{cmp::Reverse, collections::BTreeMap};

pub const WORKLOAD: Workload = Workload {
    name: "string/search",
    implementation: Implementation::Tuned,
    vectorization: Vectorization::RunTimeDispatch,
    summary: "finds frequent, rare and absent words in a text with the memchr library",
    stresses: "vector compares, and getting from a vector to the place of its first match",
    difference: "32 bytes at a time where an x86_64 CPU has AVX2, and one instruction (pmovmskb) that makes a bit \
                 mask of a vector; 16 bytes (NEON) on arm64, which has no such instruction and narrows the vector \
                 instead (shrn)",
    source: "W. Muła, SIMD-friendly algorithms for substring searching (2016); crate memchr",
    element: "one word of the text",
    time: "O(n)",
    memory: "up to 6 n bytes + 2 MiB",
    sizes: Sizes { small: 58_000, medium: 2_300_000, large: 70_000_000 },
    in_place: false,
    buffer_bytes: Haystack::buffer_bytes,
    prepare: |params| Box::new(Search::new(params)),
};

/// A text and what to find in it.
pub struct Haystack {
    pub text: Vec<u8>,
    pub needles: Vec<Vec<u8>>,
}

impl Haystack {
    /// Lines of words in Zipf's frequencies, and words of the ranks 1, 2, 4, 8 and so on.
    pub fn new(params: &Params) -> Self {
        const WORDS_OF_A_LINE: usize = 16;
        let mut text = documents::repeated(params.elements, |words| input::text(params.seed, words).into_bytes());
        let mut pace = limits::Pace::every(limits::BLOCK as u32);
        let spaces = text.iter_mut().inspect(|_| pace.step()).filter(|byte| **byte == b' ');
        spaces.skip(WORDS_OF_A_LINE - 1).step_by(WORDS_OF_A_LINE).for_each(|byte| *byte = b'\n');

        const SAMPLE: usize = 100_000;
        let mut counts = BTreeMap::new();
        for word in text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).take(SAMPLE) {
            *counts.entry(word).or_insert(0u32) += 1;
        }
        let mut words: Vec<_> = counts.into_iter().collect();
        words.sort_by_key(|&(word, count)| (Reverse(count), word));
        let ranks = (0..).map(|power| (1 << power) - 1).take_while(|&index| index < words.len());
        let found = ranks.map(|index| words[index].0);
        let needles = found.chain([&b"error"[..], b" ", b"\n"]).map(<[u8]>::to_vec).collect();
        Self { text, needles }
    }

    /// What `find` finds, window by window, with a checkpoint before each. `find` gives the places of a needle of
    /// `len` bytes in a window, from left to right and without overlaps.
    pub fn tally<'a, F: Iterator<Item = usize>>(&'a self, len: usize, find: impl Fn(&'a [u8]) -> F) -> Matches {
        const WINDOW: usize = 1024 * 1024;
        let mut tally = Matches::default();
        let mut next = 0;
        for start in (0..self.text.len()).step_by(WINDOW) {
            limits::checkpoint();
            // Only what begins in the window is found in it.
            let end = self.text.len().min(start + WINDOW + len - 1);
            let begin = next.max(start).min(end);
            for place in find(&self.text[begin..end]) {
                tally.add(begin + place);
                next = begin + place + len;
            }
        }
        tally
    }

    /// The text, and what making it takes.
    pub fn buffer_bytes(words: u64) -> u64 {
        words.saturating_mul(MEAN_WORD_BYTES).saturating_add(documents::piece_bytes(words))
    }
}

struct Search {
    haystack: Haystack,
    finders: Vec<Finder<'static>>,
    found: Vec<Matches>,
}

impl Search {
    fn new(params: &Params) -> Self {
        let haystack = Haystack::new(params);
        let finders: Vec<_> = haystack.needles.iter().map(|needle| Finder::new(needle).into_owned()).collect();
        Self { haystack, found: Vec::with_capacity(finders.len()), finders }
    }
}

impl Routine for Search {
    fn run(&mut self) {
        self.found.clear();
        let Self { haystack, finders, found } = self;
        found.extend(finders.iter().map(|finder| haystack.tally(finder.needle().len(), |text| finder.find_iter(text))));
    }

    fn checksum(&self) -> u64 {
        checksum_of(self.found.iter().map(|tally| tally.to_le_bytes()))
    }

    fn code_path(&self) -> Option<&'static str> {
        Some(code_path())
    }
}

/// As the library decides it.
#[cfg(target_arch = "x86_64")]
fn code_path() -> &'static str {
    if is_x86_feature_detected!("avx2") { "avx2" } else { "sse2" }
}

/// As the library decides it.
#[cfg(target_arch = "aarch64")]
fn code_path() -> &'static str {
    "neon"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needles_are_from_frequent_to_absent() {
        let mut search = Search::new(&Params::random(160_000, 1));
        search.run();
        let counts: Vec<_> = search.found.iter().map(|tally| tally.count).collect();
        let [words @ .., error, spaces, lines] = &*counts else { panic!("{counts:?}") };
        assert_eq!((*error, *spaces, *lines), (0, 150_000, 10_000));
        assert!(words.len() > 10 && words[0] > 10_000 && (1..1000).contains(words.last().unwrap()), "{counts:?}");
    }
}
