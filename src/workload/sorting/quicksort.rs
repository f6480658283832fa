//! Quicksort as C. A. R. Hoare published it, with the middle element as pivot.
//!
//! Keys equal to the pivot stop both scans and are swapped: more swaps than necessary, but the parts
//! stay even where keys are few, and sorted or reversed keys are a best case. The smaller part is
//! sorted first, so that the stack grows with log₂ n.

use super::keys::SortKeys;
use crate::workload::{
    Implementation, Sizes, Vectorization, Workload,
    limits::{BLOCK, checkpoint},
};

pub const WORKLOAD: Workload = Workload {
    name: "sorting/quicksort",
    implementation: Implementation::Textbook,
    vectorization: Vectorization::Scalar,
    summary: "sorts 64-bit keys with Hoare's quicksort",
    stresses: "branch prediction: the price of a mispredicted branch",
    difference: "on random keys every comparison is a coin toss, so what counts is how soon a core restarts \
                 after a misprediction, not its peak throughput",
    source: "C. A. R. Hoare, Quicksort, The Computer Journal 5 (1962)",
    element: "one u64 key",
    time: "O(n log n) expected, O(n²) at worst (in none of the shapes)",
    memory: "16 n bytes",
    sizes: Sizes { small: 15_000, medium: 300_000, large: 8_500_000 },
    in_place: true,
    buffer_bytes: SortKeys::bytes_in_place,
    prepare: |params| Box::new(SortKeys::new(params, 0, |keys, _| quicksort(keys))),
};

/// The swaps between two checkpoints; a partition of fewer (of sorted keys there are none) is over soon.
const SWAPS: u32 = 4096;

fn quicksort(mut keys: &mut [u64]) {
    while keys.len() > 1 {
        if keys.len() > BLOCK {
            checkpoint();
        }
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
    let mut swaps = 0u32;
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
        swaps += 1;
        if swaps.is_multiple_of(SWAPS) {
            checkpoint();
        }
        left += 1;
        right -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{super::keys::assert_sorts_like_std, *};

    #[test]
    fn sorts_like_std() {
        assert_sorts_like_std(|keys, _| quicksort(keys));
    }

    #[test]
    fn sorted_and_reversed_keys_are_no_worst_case() {
        let mut keys: Vec<u64> = (0..100_000).rev().collect();
        quicksort(&mut keys);
        quicksort(&mut keys);
        assert!(keys.is_sorted());
    }
}
