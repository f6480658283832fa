//! Textbook quicksort: Hoare's partition, the middle element as pivot.
//!
//! On random keys every comparison is a coin toss for the branch predictor, so about half the
//! comparisons near the pivot flush the pipeline: the workload shows the price of a misprediction
//! and how soon a core recovers, which differs between designs more than peak throughput does.
//!
//! Time O(n log n) expected, O(n²) at worst (not met on random keys); memory 16 n bytes; the stack
//! grows with log₂ n because the smaller part is sorted first. Algorithm: C. A. R. Hoare,
//! *Quicksort*, The Computer Journal 5 (1962).

use super::keys::SortKeys;
use crate::{
    protocol::Sizes,
    workload::{Category, Workload},
};

pub const WORKLOAD: Workload = Workload {
    name: "sorting/quicksort",
    category: Category::Sorting,
    summary: "sorts random 64-bit keys with textbook quicksort (Hoare's partition)",
    stresses: "branch prediction: the price of a mispredicted branch",
    element: "one u64 key",
    sizes: Sizes { small: 15_000, medium: 600_000, large: 12_000_000 },
    buffer_bytes: SortKeys::buffer_bytes,
    prepare: |params| SortKeys::prepare(params, quicksort),
};

fn quicksort(mut keys: &mut [u64]) {
    while keys.len() > 1 {
        let boundary = partition(keys);
        let (left, right) = keys.split_at_mut(boundary);
        let (smaller, larger) = if left.len() < right.len() { (left, right) } else { (right, left) };
        quicksort(smaller);
        keys = larger;
    }
}

/// Splits `keys` so that nothing left of the returned boundary is greater than anything right of
/// it; both parts are non-empty.
fn partition(keys: &mut [u64]) -> usize {
    let pivot = keys[(keys.len() - 1) / 2];
    let (mut left, mut right) = (0, keys.len() - 1);
    loop {
        while keys[left] < pivot {
            left += 1;
        }
        while keys[right] > pivot {
            right -= 1;
        }
        if left >= right {
            return right + 1;
        }
        keys.swap(left, right);
        left += 1;
        right -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::quicksort;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sorts_like_std(mut keys in prop::collection::vec(prop_oneof![any::<u64>(), 0u64..4], 0..300)) {
            let mut expected = keys.clone();
            expected.sort_unstable();
            quicksort(&mut keys);
            prop_assert_eq!(keys, expected);
        }
    }

    #[test]
    fn sorted_and_reversed_keys_are_no_worst_case() {
        let mut keys: Vec<u64> = (0..100_000).rev().collect();
        quicksort(&mut keys);
        quicksort(&mut keys);
        assert!(keys.is_sorted());
    }
}
