//! Inputs from a seed: one portable generator, integer arithmetic only.

use super::{
    Params,
    limits::{self, BLOCK, Pace},
};
use crate::protocol::Shape;
use rand::{
    Rng, RngExt, SeedableRng, TryRng,
    distr::{Distribution, weighted::WeightedIndex},
    rngs::ChaCha8Rng,
};
use std::{cmp::Ordering, convert::Infallible};

/// The generator of every input. ChaCha8 gives the same stream on every architecture and in
/// every release of `rand`, which a generator named "standard" or "small" does not promise.
///
/// It passes checkpoints, so that making a large input ends in time.
pub fn rng(seed: u64) -> impl Rng {
    Generator { stream: ChaCha8Rng::seed_from_u64(seed), pace: Pace::every(4096) }
}

struct Generator {
    stream: ChaCha8Rng,
    pace: Pace,
}

impl TryRng for Generator {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.pace.step();
        self.stream.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.pace.step();
        self.stream.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.stream.try_fill_bytes(bytes)
    }
}

/// Random 64-bit keys in the order of the shape.
pub fn keys(params: &Params) -> Vec<u64> {
    let mut rng = rng(params.seed);
    let mut keys = match params.shape {
        Shape::FewUnique => {
            let few: [u64; FEW as usize] = std::array::from_fn(|_| rng.next_u64());
            limits::made(params.len(), || few[rng.random_range(0..FEW) as usize])
        }
        Shape::Random | Shape::Sorted | Shape::Reversed => limits::made(params.len(), || rng.next_u64()),
    };
    arrange(&mut keys, params.shape, Ord::cmp);
    keys
}

/// The number of different keys of [`Shape::FewUnique`].
pub const FEW: u32 = 16;

/// Brings keys in random order into the order of `shape`, without allocating.
pub fn arrange<T>(keys: &mut [T], shape: Shape, compare: impl Fn(&T, &T) -> Ordering) {
    let mut pace = Pace::every(BLOCK as u32);
    let mut compare = |a: &T, b: &T| {
        pace.step();
        compare(a, b)
    };
    match shape {
        Shape::Random | Shape::FewUnique => {}
        Shape::Sorted => keys.sort_unstable_by(compare),
        Shape::Reversed => keys.sort_unstable_by(|a, b| compare(b, a)),
    }
}

/// A source of random numbers in [−1, 1), exact multiples of 2⁻⁵².
pub fn reals(rng: &mut impl Rng) -> impl FnMut() -> f64 {
    const SCALE: f64 = 1.0 / (1u64 << 52) as f64;
    move || ((rng.next_u64() >> 11) as i64 - (1 << 52)) as f64 * SCALE
}

/// Random lower-case letters.
pub fn letters(rng: &mut impl Rng, len: usize) -> Vec<u8> {
    limits::made(len, || letter(rng))
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
    let mut text = limits::string_with_capacity(words * (MAX_WORD_BYTES + 1));
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

/// Pronounceable words, the common ones shorter; words may repeat.
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
    fn keys_come_in_the_shape_that_is_asked_for() {
        let keys = |shape| keys(&Params { elements: 1000, seed: 5, shape });
        let (random, sorted, reversed) = (keys(Shape::Random), keys(Shape::Sorted), keys(Shape::Reversed));
        assert!(!random.is_sorted() && sorted.is_sorted() && reversed.is_sorted_by(|a, b| a >= b));
        let distinct = |mut keys: Vec<u64>| {
            keys.sort_unstable();
            keys.dedup();
            keys
        };
        assert_eq!(distinct(random), distinct(sorted));
        assert_eq!(distinct(keys(Shape::FewUnique)).len(), FEW as usize);
    }

    #[test]
    fn reals_stay_in_range_and_reach_both_ends() {
        let mut rng = rng(1);
        let reals: Vec<f64> = std::iter::repeat_with(reals(&mut rng)).take(10_000).collect();
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
