//! Base64, gzip, SHA-256 and UTF-8.

use crate::Rival;
use base64_simd::{AsOut, STANDARD};
use lambda_duet::workload::{
    Params, Routine, checksum_of, input,
    string::{documents, gzip, utf8},
};
use rand::Rng;
use ring::digest::{Context, Digest, SHA256 as ALGORITHM};
use std::str::from_utf8;
use zlib_rs::{DeflateConfig, Inflate, InflateFlush, Status, compress_bound, compress_slice};

pub static BASE64: [Rival; 1] = [Rival::new("base64-simd", |params| Box::new(Base64::new(params)))];
pub static GUNZIP: [Rival; 1] = [Rival::new("zlib-rs", |params| Box::new(Gunzip::new(params)))];
pub static GZIP: [Rival; 1] = [Rival::new("zlib-rs", |params| Box::new(Gzip::new(params)))];
pub static SHA256: [Rival; 1] = [Rival::new("ring", |params| Box::new(Sha256::new(params)))];
pub static UTF8: [Rival; 1] = [Rival::of_part(
    "simdutf8",
    |params| Validation::boxed(params, |bytes| simdutf8::basic::from_utf8(bytes).is_ok()),
    "validation",
    |params| Validation::boxed(params, |bytes| from_utf8(bytes).is_ok()),
)];

const RECORD_BYTES: usize = 1024;
const TEXT_BYTES: usize = RECORD_BYTES.div_ceil(3) * 4;
const DATA_BYTES: usize = 512 * RECORD_BYTES;
/// What stands for gzip, with the largest window, in the interface of zlib.
const GZIP_WINDOW: u8 = 16 + 15;

/// The data of `string/base64` and of `string/sha256`.
fn data(params: &Params) -> Vec<u8> {
    let mut data = vec![0; DATA_BYTES];
    input::rng(params.seed).fill_bytes(&mut data);
    data
}

struct Base64 {
    bytes: u64,
    data: Vec<u8>,
    text: Vec<u8>,
    characters: u64,
}

impl Base64 {
    fn new(params: &Params) -> Self {
        Self { bytes: params.elements, data: data(params), text: vec![0; TEXT_BYTES], characters: 0 }
    }
}

impl Routine for Base64 {
    fn run(&mut self) {
        self.characters = 0;
        for start in (0..self.bytes).step_by(RECORD_BYTES) {
            let len = (self.bytes - start).min(RECORD_BYTES as u64) as usize;
            let offset = (start % self.data.len() as u64) as usize;
            let record = &mut self.data[offset..][..len];
            let text = STANDARD.encode(record, self.text.as_out());
            self.characters += text.len() as u64;
            STANDARD.decode(text, record.as_out()).expect("a record's text is base64");
        }
    }

    fn checksum(&self) -> u64 {
        checksum_of([&*self.data, &*self.text, &self.characters.to_le_bytes()])
    }
}

struct Gzip {
    text: String,
    buffer: Vec<u8>,
    compressed_bytes: usize,
}

impl Gzip {
    fn new(params: &Params) -> Self {
        let text = input::text(params.seed, params.elements as usize);
        Self { buffer: vec![0; compress_bound(text.len())], compressed_bytes: 0, text }
    }
}

impl Routine for Gzip {
    fn run(&mut self) {
        let config = DeflateConfig { window_bits: GZIP_WINDOW.into(), ..DeflateConfig::new(6) };
        let (compressed, _) = compress_slice(&mut self.buffer, self.text.as_bytes(), config);
        self.compressed_bytes = compressed.len();
    }

    /// The library compresses in another way, so this is what ours makes of the text that comes back.
    fn checksum(&self) -> u64 {
        let mut text = vec![0; self.text.len()];
        assert_eq!(inflate(&self.buffer[..self.compressed_bytes], &mut text).1, text.len());
        let mut compressed = Vec::new();
        gzip::compress(&text, &mut compressed);
        checksum_of([&compressed])
    }
}

/// Decompresses one member; returns how many bytes it read and wrote.
fn inflate(compressed: &[u8], text: &mut [u8]) -> (usize, usize) {
    let mut member = Inflate::new(true, GZIP_WINDOW);
    let status = member.decompress(compressed, text, InflateFlush::Finish);
    assert_eq!(status, Ok(Status::StreamEnd), "the member is whole");
    (member.total_in() as usize, member.total_out() as usize)
}

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
        let text_bytes = documents::repeated(params.elements, text).len();
        Self { compressed, text: vec![0; text_bytes] }
    }
}

impl Routine for Gunzip {
    fn run(&mut self) {
        let (mut read, mut written) = (0, 0);
        while read < self.compressed.len() {
            let (more_read, more_written) = inflate(&self.compressed[read..], &mut self.text[written..]);
            read += more_read;
            written += more_written;
        }
    }

    fn checksum(&self) -> u64 {
        checksum_of([&self.text])
    }
}

struct Sha256 {
    bytes: u64,
    data: Vec<u8>,
    digest: Option<Digest>,
}

impl Sha256 {
    fn new(params: &Params) -> Self {
        Self { bytes: params.elements, data: data(params), digest: None }
    }
}

impl Routine for Sha256 {
    fn run(&mut self) {
        let mut context = Context::new(&ALGORITHM);
        let mut left = self.bytes;
        while left > 0 {
            let len = left.min(self.data.len() as u64);
            context.update(&self.data[..len as usize]);
            left -= len;
        }
        self.digest = Some(context.finish());
    }

    fn checksum(&self) -> u64 {
        checksum_of(self.digest)
    }
}

struct Validation {
    bytes: Vec<u8>,
    is_valid: fn(&[u8]) -> bool,
    valid: bool,
}

impl Validation {
    fn boxed(params: &Params, is_valid: fn(&[u8]) -> bool) -> Box<dyn Routine> {
        Box::new(Self { bytes: utf8::text(params).into_bytes(), is_valid, valid: false })
    }
}

impl Routine for Validation {
    fn run(&mut self) {
        self.valid = (self.is_valid)(&self.bytes);
    }

    fn checksum(&self) -> u64 {
        checksum_of([[u8::from(self.valid)]])
    }
}
