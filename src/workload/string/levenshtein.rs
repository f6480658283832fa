//! The edit distance of two strings by dynamic programming over two rows, of which one is kept.
//!
//! The second string is the first with one letter in eight changed, dropped or doubled. The checksum is of
//! the whole last row.

use crate::workload::{
    Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, input,
    limits::{self, BLOCK},
};
use rand::RngExt;

pub const WORKLOAD: Workload = Workload {
    name: "string/levenshtein",
    implementation: Implementation::Textbook,
    vectorization: Vectorization::Scalar,
    summary: "computes the edit distance of two similar strings",
    stresses: "latency of dependent integer operations and conditional selects",
    difference: "each cell is the least of three neighbours, one of them computed the step before: a chain of \
                 additions and minima that no vector unit shortens; a minimum is a compare and a select (cmov, csel)",
    source: "R. A. Wagner and M. J. Fischer, The String-to-String Correction Problem, J. ACM 21 (1974)",
    element: "one letter of the first string",
    time: "O(n²)",
    memory: "up to 11 n bytes",
    sizes: Sizes { small: 750, medium: 4_000, large: 24_000 },
    in_place: false,
    buffer_bytes: |letters| letters.saturating_mul(11).saturating_add(64),
    prepare: |params| Box::new(Levenshtein::new(params)),
};

struct Levenshtein {
    first: Vec<u8>,
    second: Vec<u8>,
    row: Vec<u32>,
}

impl Levenshtein {
    fn new(params: &Params) -> Self {
        let mut rng = input::rng(params.seed);
        let first = input::letters(&mut rng, params.len());
        let mut second = limits::vec_with_capacity(first.len() * 2);
        for &letter in &first {
            match rng.random_range(0..24u32) {
                0 => second.push(input::letter(&mut rng)),
                1 => {}
                2 => second.extend([letter, letter]),
                _ => second.push(letter),
            }
        }
        Self { row: limits::filled(0, second.len() + 1), first, second }
    }
}

impl Routine for Levenshtein {
    fn run(&mut self) {
        last_row(&self.first, &self.second, &mut self.row);
    }

    /// The whole last row: the distances of the first string to every prefix of the second.
    fn checksum(&self) -> u64 {
        checksum_of(self.row.iter().map(|distance| distance.to_le_bytes()))
    }
}

/// Fills `row` so that `row[j]` is the distance of `first` to the first `j` letters of `second`.
fn last_row(first: &[u8], second: &[u8], row: &mut [u32]) {
    let mut pace = limits::Pace::every((BLOCK / row.len()).max(1) as u32);
    let mut distances = 0..;
    for cells in row.chunks_mut(BLOCK) {
        pace.step();
        cells.iter_mut().zip(&mut distances).for_each(|(cell, distance)| *cell = distance);
    }
    for &letter in first {
        let mut diagonal = row[0];
        row[0] += 1;
        let mut left = row[0];
        for (cells, others) in row[1..].chunks_mut(BLOCK).zip(second.chunks(BLOCK)) {
            pace.step();
            for (cell, &other) in cells.iter_mut().zip(others) {
                let substitution = diagonal + u32::from(letter != other);
                diagonal = *cell;
                left = substitution.min(diagonal.min(left) + 1);
                *cell = left;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn distance(first: &str, second: &str) -> u32 {
        let mut row = vec![0; second.len() + 1];
        last_row(first.as_bytes(), second.as_bytes(), &mut row);
        row[second.len()]
    }

    #[test]
    fn knows_the_textbook_cases() {
        for (first, second, expected) in [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("", "", 0)] {
            assert_eq!(distance(first, second), expected);
        }
    }

    proptest! {
        #[test]
        fn equals_an_independent_implementation(first in "[a-d]{0,30}", second in "[a-d]{0,30}") {
            prop_assert_eq!(distance(&first, &second) as usize, strsim::levenshtein(&first, &second));
        }
    }

    #[test]
    fn the_strings_are_similar_but_not_equal() {
        let mut routine = Levenshtein::new(&Params::random(1_000, 3));
        routine.run();
        assert!((50..250).contains(routine.row.last().unwrap()));
    }
}
