//! Encoding records in base64 and decoding them again, as a function does with binary bodies and stream
//! records.
//!
//! A record is encoded into one buffer and decoded over itself, so that a run leaves the data as they
//! were and nothing is allocated. The data are 512 KiB, gone through as often as the size asks for. The
//! checksum is of the data, of the last record's base64 and of the number of base64 characters.

use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, input, limits};
use base64::{Engine, engine::general_purpose::STANDARD};
use rand::Rng;

pub const WORKLOAD: Workload = Workload {
    name: "string/base64",
    implementation: Implementation::Library,
    vectorization: Vectorization::Scalar,
    summary: "encodes records of 1 KiB in base64 and decodes them",
    stresses: "shifts, masks and look-ups in small tables, many of them independent of each other",
    difference: "portable code: arm64 extracts a field of bits in one instruction (ubfx) where x86_64 takes a \
                 shift and a mask; for the rest, how many integer operations and loads a core does in a cycle",
    source: "RFC 4648; crate base64",
    element: "one byte of the records",
    time: "O(n)",
    memory: "constant",
    sizes: Sizes { small: 1_100_000, medium: 33_000_000, large: 1_150_000_000 },
    in_place: false,
    buffer_bytes: |_| (DATA_BYTES + TEXT_BYTES) as u64,
    prepare: |params| Box::new(Base64::new(params)),
};

const RECORD_BYTES: usize = 1024;
const TEXT_BYTES: usize = RECORD_BYTES.div_ceil(3) * 4;
const DATA_BYTES: usize = 512 * RECORD_BYTES;

struct Base64 {
    bytes: u64,
    data: Vec<u8>,
    /// The last record in base64.
    text: Vec<u8>,
    characters: u64,
}

impl Base64 {
    fn new(params: &Params) -> Self {
        let mut data = vec![0; DATA_BYTES];
        input::rng(params.seed).fill_bytes(&mut data);
        Self { bytes: params.elements, data, text: vec![0; TEXT_BYTES], characters: 0 }
    }
}

impl Routine for Base64 {
    fn run(&mut self) {
        self.characters = 0;
        let mut pace = limits::Pace::every(64);
        for start in (0..self.bytes).step_by(RECORD_BYTES) {
            pace.step();
            let len = (self.bytes - start).min(RECORD_BYTES as u64) as usize;
            let offset = (start % self.data.len() as u64) as usize;
            let record = &mut self.data[offset..][..len];
            let characters = STANDARD.encode_slice(&*record, &mut self.text).expect("a record's text fits");
            STANDARD.decode_slice(&self.text[..characters], record).expect("a record's text is base64");
            self.characters += characters as u64;
        }
    }

    fn checksum(&self) -> u64 {
        checksum_of([&*self.data, &*self.text, &self.characters.to_le_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648, section 10.
    #[test]
    fn knows_the_standards_test_vectors() {
        for (data, text) in [("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            let data = data.as_bytes().to_vec();
            let mut base64 = Base64 { bytes: data.len() as u64, data, text: vec![0; TEXT_BYTES], characters: 0 };
            base64.run();
            assert_eq!(&base64.text[..base64.characters as usize], text.as_bytes());
        }
    }

    #[test]
    fn decoding_gives_the_data_back() {
        for bytes in [1, 1023, 1025, DATA_BYTES as u64 + 2049] {
            let mut base64 = Base64::new(&Params::random(bytes, 5));
            let data = base64.data.clone();
            base64.run();
            assert!(base64.data == data, "{bytes} bytes");
            let characters = |bytes: u64| bytes.div_ceil(3) * 4;
            assert_eq!(base64.characters, bytes / 1024 * characters(1024) + characters(bytes % 1024));
        }
    }
}
