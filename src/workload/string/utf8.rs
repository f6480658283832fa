//! Checking that bytes are UTF-8 and mapping the text to upper and to lower case.
//!
//! Half the words are of ASCII letters alone; the rest are Latin words with diacritics, Greek, Cyrillic,
//! Chinese, Japanese and emoji. Characters are mapped one by one through the standard library's Unicode
//! tables, which come with the compiler, into buffers that are kept; lower case is made from upper case.

use super::documents::{self, OVERHEAD_BYTES, pick};
use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, input, limits};
use rand::RngExt;

pub const WORKLOAD: Workload = Workload {
    name: "string/utf8",
    implementation: Implementation::Library,
    vectorization: Vectorization::Scalar,
    summary: "validates multilingual text as UTF-8 and maps it to upper and lower case",
    stresses: "branches on characters of one to four bytes, binary search in tables of characters",
    difference: "portable code full of branches that depend on the text: branch prediction and conditional selects \
                 (cmov, csel) in the binary search",
    source: "RFC 3629; The Unicode Standard, chapter 3.13; Rust's standard library",
    element: "one word of the text",
    time: "O(n)",
    memory: "48 n bytes + 768 KiB",
    sizes: Sizes { small: 10_000, medium: 290_000, large: 9_600_000 },
    in_place: false,
    buffer_bytes: |words| words.saturating_mul(3 * MAX_WORD_BYTES as u64).saturating_add(OVERHEAD_BYTES),
    prepare: |params| Box::new(Utf8::new(params)),
};

/// The longest word in bytes, with the space.
const MAX_WORD_BYTES: usize = 16;

/// Words whose upper case takes no more bytes than they do, and their lower case no more than that.
const WORDS: &str = "straße für Übung Größe élève forêt Noël garçon señor corazón łódź żółw příliš kůň şeftali \
                     ελλάδα λόγος Σίσυφος ψυχή привет мир Москва щука їжак чорний 字符串 日本語 東京 カタカナ \
                     ひらがな 👍🏽 🦀";

struct Utf8 {
    bytes: Vec<u8>,
    upper: String,
    lower: String,
}

impl Utf8 {
    fn new(params: &Params) -> Self {
        let text = text(params);
        let mapped = || limits::string_with_capacity(text.len());
        Self { upper: mapped(), lower: mapped(), bytes: text.into_bytes() }
    }
}

pub fn text(params: &Params) -> String {
    const SAMPLE: usize = 4096;
    let sample = input::text(params.seed, SAMPLE);
    let [ascii, other] = [&*sample, WORDS].map(|words| words.split_ascii_whitespace().collect::<Vec<_>>());
    let mut rng = input::rng(params.seed);
    let mut text = limits::string_with_capacity(params.len() * MAX_WORD_BYTES);
    for _ in 0..params.elements {
        let word = if rng.random() { pick(&mut rng, &ascii) } else { pick(&mut rng, &other) };
        text.push_str(word);
        text.push(' ');
    }
    text
}

impl Routine for Utf8 {
    fn run(&mut self) {
        let Self { bytes, upper, lower } = self;
        upper.clear();
        for piece in documents::pieces(bytes) {
            let text = std::str::from_utf8(&bytes[piece]).expect("the bytes are UTF-8");
            upper.extend(text.chars().flat_map(char::to_uppercase));
        }
        lower.clear();
        for piece in documents::pieces(upper.as_bytes()) {
            lower.extend(upper[piece].chars().flat_map(char::to_lowercase));
        }
    }

    fn checksum(&self) -> u64 {
        checksum_of([&self.upper, &self.lower])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_as_std_maps_strings_and_fits_the_buffers() {
        let mut utf8 = Utf8::new(&Params::random(5000, 3));
        let capacity = utf8.upper.capacity();
        utf8.run();
        let text = std::str::from_utf8(&utf8.bytes).unwrap();
        assert!(utf8.upper == text.to_uppercase());
        // Of a whole string, std knows which sigma ends a word.
        assert!(utf8.lower == utf8.upper.to_lowercase().replace('ς', "σ"));
        assert!(utf8.lower.contains("λόγοσ ") && utf8.upper.contains("STRASSE ") && text.contains("🦀"));
        assert_eq!([&utf8.upper, &utf8.lower].map(String::capacity), [capacity; 2]);
    }

    #[test]
    fn half_the_words_are_ascii() {
        let utf8 = Utf8::new(&Params::random(10_000, 9));
        let words = utf8.bytes.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
        assert!((4_500..5_500).contains(&words.filter(|word| word.is_ascii()).count()));
    }

    #[test]
    #[should_panic(expected = "the bytes are UTF-8")]
    fn bytes_that_are_not_utf8_are_refused() {
        Utf8 { bytes: b"\xc3(".to_vec(), upper: String::new(), lower: String::new() }.run();
    }

    #[test]
    fn words_are_as_short_as_declared_in_both_cases() {
        for word in WORDS.split_ascii_whitespace() {
            let (upper, lower) = (word.to_uppercase(), word.to_uppercase().to_lowercase());
            assert!(word.len() < MAX_WORD_BYTES && upper.len() <= word.len() && lower.len() <= word.len(), "{word}");
        }
    }
}
