//! Decompressing gzip into text, as a function does with log deliveries.
//!
//! The file is of several members, one after the other, as appending compressed logs makes them; each
//! is a period of the text compressed at the default level. Timed are decompression and the comparison of
//! each member's CRC-32; the text goes into a buffer that is kept. The checksum is of the text.

use super::{
    documents::{self, MEAN_WORD_BYTES},
    gzip,
};
use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, input, limits};
use flate2::bufread::MultiGzDecoder;
use std::io::Read;

pub const WORKLOAD: Workload = Workload {
    name: "string/gunzip",
    implementation: Implementation::Library,
    vectorization: Vectorization::Scalar,
    summary: "decompresses gzip",
    stresses: "a chain of shifts and table look-ups, one for each symbol, and short copies",
    difference: "portable code: a symbol's place in the bit stream is known only when the one before it is decoded, \
                 so the latency of a first-level cache hit and of a shift decides, and the price of a misprediction",
    source: "RFC 1951 and 1952; crate flate2 with miniz_oxide",
    element: "one word of the text",
    time: "O(n)",
    memory: "up to 9 n bytes + 2 MiB",
    sizes: Sizes { small: 55_000, medium: 1_600_000, large: 52_000_000 },
    in_place: false,
    buffer_bytes: |words| {
        words.saturating_mul(MEAN_WORD_BYTES + COMPRESSED_WORD_BYTES).saturating_add(documents::piece_bytes(words))
    },
    prepare: |params| Box::new(Gunzip::new(params)),
};

/// What a word takes at most when it is compressed, on average; about 1.8 is usual.
const COMPRESSED_WORD_BYTES: u64 = 3;

/// The text between two checkpoints.
const BLOCK_BYTES: u64 = 512 * 1024;

struct Gunzip {
    compressed: Vec<u8>,
    text: Vec<u8>,
}

impl Gunzip {
    fn new(params: &Params) -> Self {
        let text = |words| input::text(params.seed, words).into_bytes();
        let compressed = documents::repeated(params.elements, |words| {
            let mut compressed = Vec::new();
            gzip::compress(&text(words), &mut compressed);
            compressed
        });
        Self { compressed, text: documents::repeated(params.elements, text) }
    }
}

impl Routine for Gunzip {
    fn run(&mut self) {
        self.text.clear();
        let mut decoder = MultiGzDecoder::new(&*self.compressed);
        loop {
            limits::checkpoint();
            let mut block = decoder.by_ref().take(BLOCK_BYTES);
            if block.read_to_end(&mut self.text).expect("the members are whole") == 0 {
                break;
            }
        }
    }

    fn checksum(&self) -> u64 {
        checksum_of([&self.text])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use documents::PERIOD;

    #[test]
    fn gives_back_what_was_compressed() {
        for words in [1, 1000, 2 * PERIOD, PERIOD + 1] {
            let mut gunzip = Gunzip::new(&Params::random(words, 2));
            let expected = std::mem::take(&mut gunzip.text);
            gunzip.text.reserve_exact(expected.len());
            let capacity = gunzip.text.capacity();
            gunzip.run();
            assert!(gunzip.text == expected, "{words} words");
            assert_eq!(gunzip.text.capacity(), capacity, "the buffer grew at {words} words");
            assert_eq!(expected.iter().filter(|&&byte| byte == b' ').count() as u64, words);
        }
    }

    #[test]
    #[should_panic(expected = "the members are whole")]
    fn a_damaged_file_is_refused() {
        let mut gunzip = Gunzip::new(&Params::random(1000, 2));
        let middle = gunzip.compressed.len() / 2;
        gunzip.compressed[middle] ^= 1;
        gunzip.run();
    }
}
