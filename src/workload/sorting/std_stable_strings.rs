//! `slice::sort_by` on strings, as an everyday program calls it: a comparator that follows two
//! pointers, and a buffer that the sort takes from the heap.
//!
//! The keys are names of two Zipf words each, one after the other in one text, so that restoring
//! their order restores the layout of memory too: sorted `String`s of their own would lie in other
//! places after every iteration.
//!
//! No checkpoint interrupts it, because one in the comparator would keep that from being inlined: it starts only
//! where there is time enough, as far as sorting some of the names beforehand tells.

use super::{SAMPLE, expected};
use crate::{
    protocol::Shape,
    workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, input, limits},
};
use rand::RngExt;
use std::time::Duration;

pub const WORKLOAD: Workload = Workload {
    name: "sorting/std-stable-strings",
    implementation: Implementation::Library,
    vectorization: Vectorization::Scalar,
    summary: "sorts names with the standard library's stable sort_by",
    stresses: "comparators: dependent loads, short memcmp calls, unpredictable results; one large allocation",
    difference: "two cache misses and a call stand behind each comparison: latency, misprediction and the C \
                 library's memcmp, which has code of its own for each architecture, count",
    source: "O. Peters and L. Bergdoll, driftsort (2024), in Rust's standard library",
    element: "one name of two words",
    time: "O(n log n) comparisons; O(n) for sorted and reversed names",
    memory: "up to 74 n bytes + 2 MiB",
    sizes: Sizes { small: 15_000, medium: 250_000, large: 2_200_000 },
    in_place: true,
    buffer_bytes: |names| names.saturating_mul(NAME_BYTES).saturating_add(OVERHEAD_BYTES),
    prepare: |params| Box::new(SortNames::new(params)),
};

/// Two words with a blank after each, its place in two lists, and its share of the sort's buffer,
/// which has room for all of a short list and for half of a long one.
const NAME_BYTES: u64 = (2 * (input::MAX_WORD_BYTES + 1) + 3 * size_of::<FullName>()) as u64;

/// The vocabulary while the text is made.
const OVERHEAD_BYTES: u64 = 2 * 1024 * 1024;

/// Where a name stands in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct FullName {
    start: usize,
    len: usize,
}

impl FullName {
    fn slice(self, text: &str) -> &[u8] {
        &text.as_bytes()[self.start..][..self.len]
    }
}

struct SortNames {
    text: String,
    input: Vec<FullName>,
    names: Vec<FullName>,
    /// What sorting all of the names may take.
    expected: Duration,
}

impl SortNames {
    fn new(params: &Params) -> Self {
        let text = input::text(params.seed, 2 * params.len());
        let mut input = places(&text, params.len());
        if params.shape == Shape::FewUnique {
            let few: Vec<FullName> = input.iter().copied().take(input::FEW as usize).collect();
            let mut rng = input::rng(params.seed);
            input.fill_with(|| few[rng.random_range(0..few.len() as u32) as usize]);
        }
        input::arrange(&mut input, params.shape, |a, b| a.slice(&text).cmp(b.slice(&text)));
        let mut names = limits::filled(FullName::default(), input.len());
        let expected = expected(input.len(), |len| {
            limits::copy(&input[..len], &mut names[..len]);
            sort(&mut names[..len], &text);
        });
        Self { names, input, text, expected: expected.mul_f64(slowdown(params.len())) }
    }
}

/// The factor by which a comparison may take longer among so many names than in the sample, because the names are
/// further apart in memory. (A factor of 2 for each factor of 16 is above what was measured, from 2^16 to
/// 10^7 names.)
fn slowdown(names: usize) -> f64 {
    (names as f64 / SAMPLE as f64).powf(0.25).max(1.0)
}

fn sort(names: &mut [FullName], text: &str) {
    names.sort_by(|a, b| a.slice(text).cmp(b.slice(text)));
}

/// The places of all names: every second blank ends one.
fn places(text: &str, names: usize) -> Vec<FullName> {
    let mut places = limits::vec_with_capacity(names);
    let mut pace = limits::Pace::every(4096);
    let mut start = 0;
    for (end, _) in text.match_indices(' ').skip(1).step_by(2) {
        pace.step();
        places.push(FullName { start, len: end - start });
        start = end + 1;
    }
    places
}

impl Routine for SortNames {
    fn restore(&mut self) {
        limits::copy(&self.input, &mut self.names);
    }

    fn run(&mut self) {
        limits::reserve(self.expected);
        sort(&mut self.names, &self.text);
    }

    /// Of the names, not of their places, which tell equal names apart.
    fn checksum(&self) -> u64 {
        checksum_of(self.names.iter().flat_map(|name| [name.slice(&self.text), b"\n"]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted(elements: u64, seed: u64, shape: Shape) -> SortNames {
        let mut routine = SortNames::new(&Params { elements, seed, shape });
        routine.restore();
        routine.run();
        routine
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn sorts_stably_like_an_ordered_map(elements in 1u64..500, seed: u64, shape in prop::sample::select(&Shape::ALL)) {
            let routine = sorted(elements, seed, shape);
            let mut expected = std::collections::BTreeMap::<&[u8], Vec<FullName>>::new();
            for &name in &routine.input {
                expected.entry(name.slice(&routine.text)).or_default().push(name);
            }
            prop_assert_eq!(&routine.names, &expected.into_values().flatten().collect::<Vec<_>>());
            prop_assert_eq!(routine.names.len() as u64, elements);
        }
    }

    #[test]
    fn the_order_of_the_input_does_not_change_the_output() {
        let checksum = |shape| sorted(1000, 3, shape).checksum();
        assert_eq!(checksum(Shape::Random), checksum(Shape::Sorted));
        assert_eq!(checksum(Shape::Random), checksum(Shape::Reversed));
        assert_ne!(checksum(Shape::Random), checksum(Shape::FewUnique));
    }

    #[test]
    fn names_are_two_words() {
        let routine = SortNames::new(&Params::random(50, 1));
        for name in &routine.input {
            assert_eq!(name.slice(&routine.text).split(|byte| *byte == b' ').count(), 2);
        }
    }
}
