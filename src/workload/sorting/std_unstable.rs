//! `slice::sort_unstable`, the sort that a Rust program gets by default for plain keys.
//!
//! No checkpoint interrupts it: it starts only where there is time enough, as far as sorting some of the
//! keys beforehand tells.

use super::{expected, keys::SortKeys};
use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, limits};
use std::time::Duration;

pub const WORKLOAD: Workload = Workload {
    name: "sorting/std-unstable",
    implementation: Implementation::Library,
    vectorization: Vectorization::Scalar,
    summary: "sorts 64-bit keys with the standard library's sort_unstable",
    stresses: "integer throughput: comparisons turned into arithmetic, hardly a mispredicted branch",
    difference: "partitioning without branches keeps all integer units busy: their number and the load and \
                 store ports count, where sorting/quicksort asks the branch predictor",
    source: "L. Bergdoll and O. Peters, ipnsort (2024), in Rust's standard library",
    element: "one u64 key",
    time: "O(n log n); O(n) for sorted and reversed keys",
    memory: "16 n bytes",
    sizes: Sizes { small: 80_000, medium: 2_000_000, large: 50_000_000 },
    in_place: true,
    buffer_bytes: SortKeys::bytes_in_place,
    prepare: |params| Box::new(StdUnstable::new(params)),
};

/// Not inlined, so that the sample and the run are the same code.
#[inline(never)]
fn sort(keys: &mut [u64]) {
    keys.sort_unstable();
}

struct StdUnstable {
    keys: SortKeys,
    /// What sorting all of the keys may take.
    expected: Duration,
}

impl StdUnstable {
    fn new(params: &Params) -> Self {
        let mut keys = SortKeys::new(params, 0, |keys, _| sort(keys));
        let expected = expected(params.len(), |len| keys.sort_first(len));
        Self { keys, expected }
    }
}

impl Routine for StdUnstable {
    fn restore(&mut self) {
        self.keys.restore();
    }

    fn run(&mut self) {
        limits::reserve(self.expected);
        self.keys.run();
    }

    fn checksum(&self) -> u64 {
        self.keys.checksum()
    }
}
