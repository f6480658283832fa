//! Counting the words of a text in a hash map that owns its keys.
//!
//! Timed are splitting the text at white space, hashing every word with the standard library's hash
//! function, looking it up, copying it where it is new, and growing the table: every run starts from an
//! empty one. The hash keys are fixed, so that every process does the same work.

use super::documents;
use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, input};
use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, DefaultHasher},
};

pub const WORKLOAD: Workload = Workload {
    name: "string/word-count",
    implementation: Implementation::Library,
    vectorization: Vectorization::Scalar,
    summary: "counts the words of a text in a hash map",
    stresses: "hashing, look-ups in a table that outgrows the first-level cache, small allocations",
    difference: "SipHash is additions and rotations in short chains; the table is probed 16 entries at a time on \
                 x86_64 (SSE2) and 8 on arm64 (NEON); the rest is cache latency",
    source: "crate hashbrown and SipHash 1-3 (J.-P. Aumasson and D. J. Bernstein, 2012), in Rust's standard library",
    element: "one word of the text",
    time: "O(n)",
    memory: "13 n bytes + 2 MiB",
    sizes: Sizes { small: 25_000, medium: 1_000_000, large: 36_000_000 },
    in_place: true,
    buffer_bytes: |words| words.saturating_mul(input::MAX_WORD_BYTES as u64 + 1).saturating_add(OVERHEAD_BYTES),
    prepare: |params| Box::new(WordCount::new(params)),
};

/// The vocabulary while the text is made, or the table of counts while it grows.
const OVERHEAD_BYTES: u64 = 2 * 1024 * 1024;

struct WordCount {
    text: String,
    counts: HashMap<String, u32, BuildHasherDefault<DefaultHasher>>,
}

impl WordCount {
    fn new(params: &Params) -> Self {
        Self { text: input::text(params.seed, params.len()), counts: HashMap::default() }
    }
}

impl Routine for WordCount {
    /// Starts from an empty table, so that growing it is part of every iteration.
    fn restore(&mut self) {
        self.counts = HashMap::default();
    }

    fn run(&mut self) {
        let Self { text, counts } = self;
        for piece in documents::pieces(text.as_bytes()) {
            for word in text[piece].split_ascii_whitespace() {
                match counts.get_mut(word) {
                    Some(count) => *count += 1,
                    None => {
                        counts.insert(word.to_owned(), 1);
                    }
                }
            }
        }
    }

    fn checksum(&self) -> u64 {
        let mut entries: Vec<_> = self.counts.iter().collect();
        entries.sort_unstable();
        checksum_of(entries.iter().map(|(word, count)| format!("{word}={count};")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_every_word_once() {
        let mut routine = WordCount { text: "to be or not to be ".to_owned(), counts: HashMap::default() };
        routine.run();
        let mut counts: Vec<_> = routine.counts.iter().map(|(word, count)| (word.as_str(), *count)).collect();
        counts.sort_unstable();
        assert_eq!(counts, [("be", 2), ("not", 1), ("or", 1), ("to", 2)]);
    }
}
