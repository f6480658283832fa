//! Building blocks of the inputs of several text workloads.

use crate::workload::limits::{self, checkpoint};
use rand::{Rng, RngExt};
use std::ops::Range;

/// First names; some have letters that are not ASCII.
pub const FIRST_NAMES: [&str; 16] = [
    "Anna", "Björn", "Chloé", "Dmitri", "Elif", "Fatima", "Goran", "Hana", "Ingrid", "João", "Kenji", "Lucía", "Mei",
    "Noah", "Olga", "Piotr",
];

/// Last names; some have letters that are not ASCII.
pub const LAST_NAMES: [&str; 16] = [
    "Almeida", "Brown", "Costa", "Dubois", "Evans", "Fischer", "García", "Horvat", "Ito", "Jansen", "Kaminski", "Li",
    "Müller", "Novák", "Okafor", "Petrov",
];

/// Codes of countries.
pub const COUNTRIES: [&str; 16] =
    ["AT", "BR", "CA", "CH", "DE", "DK", "ES", "FR", "GB", "IE", "IT", "JP", "NL", "PL", "SE", "US"];

/// One of `choices`.
pub fn pick<T: Copy>(rng: &mut impl Rng, choices: &[T]) -> T {
    choices[rng.random_range(0..choices.len() as u32) as usize]
}

/// A day of 2025, as 2025-03-07.
pub fn day(rng: &mut impl Rng) -> String {
    format!("2025-{:02}-{:02}", rng.random_range(1..=12u32), rng.random_range(1..=28u32))
}

/// A time of day, as 09:05:59.
pub fn time(rng: &mut impl Rng) -> String {
    let [hour, minute, second] = [24, 60, 60].map(|end: u32| rng.random_range(0..end));
    format!("{hour:02}:{minute:02}:{second:02}")
}

/// The words after which a long text begins again. They are more than a first-level
/// cache holds and a branch predictor remembers, and they bound the time that making the text takes.
pub const PERIOD: u64 = 1 << 16;

/// What `make` gives for a text of `words` words: its output for a period as often as one goes in, and
/// that for the rest.
pub fn repeated(words: u64, make: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let make = |words: u64| {
        let mut made = make(words as usize);
        made.shrink_to_fit();
        made
    };
    let times = usize::try_from(words / PERIOD).expect("the memory check bounds the number of words");
    let period = if times > 0 { make(PERIOD) } else { Vec::new() };
    let rest = make(words % PERIOD);
    let mut all = limits::vec_with_capacity(period.len() * times + rest.len());
    for _ in 0..times {
        checkpoint();
        all.extend_from_slice(&period);
    }
    all.extend_from_slice(&rest);
    all
}

/// The heap that [`repeated`] needs for pieces of text, in bytes, besides what it gives back: a period and
/// a rest. While the one or the other is made, there is nothing to give back yet.
pub fn piece_bytes(words: u64) -> u64 {
    words.min(PERIOD) * 2 * MEAN_WORD_BYTES + OVERHEAD_BYTES
}

/// What a word of a Zipf text takes at most, in bytes with the space, on the average of a text whose
/// words are not too few: about 5 is usual, and 5.5 rare.
pub const MEAN_WORD_BYTES: u64 = 6;

/// The pieces of a text of words, each of some 64 KiB and ending with a space, with a checkpoint before
/// each.
pub fn pieces(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    const PIECE: usize = 64 * 1024;
    let mut start = 0;
    std::iter::from_fn(move || {
        limits::checkpoint();
        let space = text.iter().skip(start + PIECE).position(|&byte| byte == b' ');
        let piece = start..space.map_or(text.len(), |space| start + PIECE + space + 1);
        start = piece.end;
        (!piece.is_empty()).then_some(piece)
    })
}

/// More than the vocabulary takes while a text is made, and than a compressor's tables do.
pub const OVERHEAD_BYTES: u64 = 768 * 1024;

/// The number of matches, and a hash of their positions in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    pub count: u64,
    hash: u64,
}

impl Matches {
    /// Counts one more, which is at `position`.
    pub fn add(&mut self, position: usize) {
        const PRIME: u64 = 0x0000_0100_0000_01b3; // of the hash function FNV-1a
        self.count += 1;
        self.hash = (self.hash ^ position as u64).wrapping_mul(PRIME);
    }

    /// The tally for a checksum.
    pub fn to_le_bytes(self) -> [u8; 16] {
        (u128::from(self.hash) << 64 | u128::from(self.count)).to_le_bytes()
    }
}

impl FromIterator<usize> for Matches {
    fn from_iter<I: IntoIterator<Item = usize>>(positions: I) -> Self {
        let mut tally = Self::default();
        positions.into_iter().for_each(|position| tally.add(position));
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::input;

    #[test]
    fn a_long_text_repeats_a_short_one() {
        let make = |words| input::text(3, words).into_bytes();
        let (period, rest) = (make(PERIOD as usize), make(100));
        assert_eq!(repeated(100, make), rest);
        assert_eq!(repeated(2 * PERIOD + 100, make), [&*period, &*period, &*rest].concat());
    }

    #[test]
    fn words_are_no_longer_on_average_than_declared() {
        for seed in 0..20 {
            assert!(input::text(seed, 10_000).len() as u64 <= 10_000 * MEAN_WORD_BYTES);
        }
    }

    #[test]
    fn a_tally_tells_orders_and_counts_apart() {
        let tally = |positions: &[usize]| positions.iter().copied().collect::<Matches>();
        assert_eq!(tally(&[3, 5]).count, 2);
        assert_ne!(tally(&[3, 5]), tally(&[5, 3]));
        assert_ne!(tally(&[0]), tally(&[0, 0]));
        assert_ne!(tally(&[3]).to_le_bytes(), tally(&[5]).to_le_bytes());
    }
}
