//! Compressing text to a gzip file in memory, at the default level, 6.
//!
//! Timed are the compressor's set-up, the compression and the CRC-32 of the text; the output goes into a
//! buffer that is kept. The checksum is of the compressed bytes.

use super::documents::{MEAN_WORD_BYTES, OVERHEAD_BYTES};
use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, input, limits};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

pub const WORKLOAD: Workload = Workload {
    name: "string/gzip",
    implementation: Implementation::Library,
    vectorization: Vectorization::Scalar,
    summary: "compresses text with gzip",
    stresses: "following hash chains through a window of 32 KiB and comparing what they lead to",
    difference: "portable code: every step of a chain is a load that the next one waits for, and ends in a branch \
                 that is hard to predict; first-level cache latency and the price of a misprediction decide",
    source: "RFC 1951 and 1952; crate flate2 with miniz_oxide",
    element: "one word of the text",
    time: "O(n)",
    memory: "up to 19 n bytes + 768 KiB",
    sizes: Sizes { small: 4_200, medium: 60_000, large: 2_000_000 },
    in_place: false,
    buffer_bytes: |words| {
        words.saturating_mul(input::MAX_WORD_BYTES as u64 + 1 + MEAN_WORD_BYTES).saturating_add(OVERHEAD_BYTES)
    },
    prepare: |params| Box::new(Gzip::new(params)),
};

struct Gzip {
    text: String,
    compressed: Vec<u8>,
}

impl Gzip {
    fn new(params: &Params) -> Self {
        let text = input::text(params.seed, params.len());
        let compressed = limits::vec_with_capacity(text.len() + HEADER_AND_TRAILER_BYTES);
        Self { text, compressed }
    }
}

const HEADER_AND_TRAILER_BYTES: usize = 18;

impl Routine for Gzip {
    fn run(&mut self) {
        self.compressed.clear();
        compress(self.text.as_bytes(), &mut self.compressed);
    }

    fn checksum(&self) -> u64 {
        checksum_of([&self.compressed])
    }
}

/// Appends `text`, compressed, to `compressed`.
pub fn compress(text: &[u8], compressed: &mut Vec<u8>) {
    let mut encoder = GzEncoder::new(compressed, Compression::default());
    for block in text.chunks(limits::BLOCK) {
        limits::checkpoint();
        encoder.write_all(block).expect("memory takes every byte");
    }
    encoder.finish().expect("memory takes every byte");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_shrinks_to_less_than_half_and_fits_the_buffer() {
        let mut gzip = Gzip::new(&Params::random(10_000, 6));
        let capacity = gzip.compressed.capacity();
        gzip.run();
        assert!((gzip.text.len() / 5..gzip.text.len() / 2).contains(&gzip.compressed.len()));
        assert_eq!(gzip.compressed.capacity(), capacity);
    }

    /// The ninth byte tells of levels: 4 is the fastest, 2 the best, 0 any other.
    #[test]
    fn the_format_is_gzip_at_the_default_level() {
        let mut compressed = Vec::new();
        compress(b"", &mut compressed);
        assert_eq!(compressed, [31, 139, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}
