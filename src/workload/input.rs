//! Inputs from a seed: one portable generator, integer arithmetic only.

use rand::{
    Rng, RngExt, SeedableRng,
    distr::{Distribution, weighted::WeightedIndex},
    rngs::ChaCha8Rng,
};

/// The generator of every input. ChaCha8 gives the same stream on every architecture and in
/// every release of `rand`, which a generator named "standard" or "small" does not promise.
pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Random 64-bit keys.
pub fn keys(seed: u64, len: usize) -> Vec<u64> {
    let mut rng = rng(seed);
    (0..len).map(|_| rng.next_u64()).collect()
}

/// Random numbers in [−1, 1), exact multiples of 2⁻⁵².
pub fn reals(rng: &mut impl Rng, len: usize) -> Vec<f64> {
    const SCALE: f64 = 1.0 / (1u64 << 52) as f64;
    (0..len).map(|_| ((rng.next_u64() >> 11) as i64 - (1 << 52)) as f64 * SCALE).collect()
}

/// Random lower-case letters.
pub fn letters(rng: &mut impl Rng, len: usize) -> Vec<u8> {
    (0..len).map(|_| letter(rng)).collect()
}

/// One random lower-case letter.
pub fn letter(rng: &mut impl Rng) -> u8 {
    rng.random_range(b'a'..=b'z')
}

/// Text of `words` words whose frequencies follow Zipf's law (the r-th most common word is 1/r as
/// common as the first), as in natural language.
pub fn text(seed: u64, words: usize) -> String {
    const MOST_COMMON: u64 = 1 << 32;
    let mut rng = rng(seed);
    let vocabulary = vocabulary(&mut rng);
    let weights = (1..=vocabulary.len() as u64).map(|rank| MOST_COMMON / rank);
    let rank = WeightedIndex::new(weights).expect("the weights are positive and finite");
    let mut text = String::with_capacity(words * (MAX_WORD_BYTES + 1));
    for _ in 0..words {
        text.push_str(&vocabulary[rank.sample(&mut rng)]);
        text.push(' ');
    }
    text
}

/// The longest word of [`text`] in bytes.
pub const MAX_WORD_BYTES: usize = 12;

/// The number of words that [`text`] draws from.
const VOCABULARY: usize = 10_000;

/// Pronounceable words, the common ones shorter; a repetition is as good as a new word.
fn vocabulary(rng: &mut impl Rng) -> Vec<String> {
    const ONSETS: [&str; 16] = ["b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "st", "th"];
    const VOWELS: [&str; 6] = ["a", "e", "i", "o", "u", "ea"];
    const COMMON: usize = 100;
    let word = |rank| {
        let most_syllables = if rank < COMMON { 2u32 } else { 3 };
        let mut word = String::with_capacity(MAX_WORD_BYTES);
        for _ in 0..rng.random_range(1..=most_syllables) {
            word.push_str(ONSETS[rng.random_range(0..ONSETS.len() as u32) as usize]);
            word.push_str(VOWELS[rng.random_range(0..VOWELS.len() as u32) as usize]);
        }
        word
    };
    (0..VOCABULARY).map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn the_stream_is_fixed() {
        let mut rng = rng(42);
        let stream: Vec<u64> = (0..4).map(|_| rng.next_u64()).collect();
        assert_eq!(stream, [12578764544318200737, 17529487244874322312, 7886285670807131020, 11572758976476374866]);
        assert_eq!(text(42, 8), "fe leapea gode leapea tiho tiho tufo de ");
    }

    #[test]
    fn reals_stay_in_range_and_reach_both_ends() {
        let reals = reals(&mut rng(1), 10_000);
        assert!(reals.iter().all(|real| (-1.0..1.0).contains(real)));
        assert!(reals.iter().any(|real| *real < -0.99) && reals.iter().any(|real| *real > 0.99));
    }

    #[test]
    fn text_follows_zipfs_law() {
        const WORDS: usize = 200_000;
        let text = text(7, WORDS);
        let mut counts = HashMap::new();
        for word in text.split_ascii_whitespace() {
            assert!(word.len() <= MAX_WORD_BYTES);
            *counts.entry(word).or_insert(0usize) += 1;
        }
        assert_eq!(counts.values().sum::<usize>(), WORDS);
        let most_common = *counts.values().max().unwrap();
        assert!((WORDS / 25..WORDS / 4).contains(&most_common), "the most common word stands {most_common} times");
        assert!(counts.len() > 1000);
    }
}
