//! Merge sort from the bottom up: passes over the whole array, each merging runs into runs of twice
//! the length, to and fro between two buffers.

use super::keys::SortKeys;
use crate::workload::{
    Implementation, Sizes, Vectorization, Workload,
    limits::{BLOCK, checkpoint, copy},
};

pub const WORKLOAD: Workload = Workload {
    name: "sorting/mergesort",
    implementation: Implementation::Textbook,
    vectorization: Vectorization::Scalar,
    summary: "sorts 64-bit keys with merge sort from the bottom up",
    stresses: "streaming copies: two sequential reads and a sequential write for each key and pass",
    difference: "prefetchers and store bandwidth serve log₂ n passes over all of the memory; on random keys \
                 the choice at each merge step is a conditional select or a misprediction, as the compiler \
                 decides for each architecture",
    source: "J. von Neumann (1945); D. E. Knuth, The Art of Computer Programming, vol. 3, section 5.2.4",
    element: "one u64 key",
    time: "O(n log n)",
    memory: "24 n bytes",
    sizes: Sizes { small: 15_000, medium: 280_000, large: 7_500_000 },
    in_place: true,
    buffer_bytes: SortKeys::bytes_buffered,
    prepare: |params| Box::new(SortKeys::new(params, params.len(), mergesort)),
};

/// Sorts `keys`; `buffer` has the same length and any content.
fn mergesort(keys: &mut [u64], buffer: &mut [u64]) {
    let (mut from, mut to) = (&mut *keys, &mut *buffer);
    let mut run = 1;
    let mut passes = 0u32;
    while run < from.len() {
        let pairs = (2 * run).max(BLOCK);
        for (from, to) in from.chunks(pairs).zip(to.chunks_mut(pairs)) {
            checkpoint();
            merge_pairs(run, from, to);
        }
        (from, to) = (to, from);
        run *= 2;
        passes += 1;
    }
    if passes % 2 == 1 {
        copy(buffer, keys);
    }
}

/// Merges the runs of each pair; the last pair may lack keys.
fn merge_pairs(run: usize, from: &[u64], to: &mut [u64]) {
    for (pair, target) in from.chunks(2 * run).zip(to.chunks_mut(2 * run)) {
        let (left, right) = pair.split_at(run.min(pair.len()));
        let mut taken = (0, 0);
        if target.len() <= BLOCK {
            merge(left, right, &mut taken, target);
            continue;
        }
        for part in target.chunks_mut(BLOCK) {
            checkpoint();
            merge(left, right, &mut taken, part);
        }
    }
}

/// Fills `target` from two sorted runs, of which so many keys are `taken`; of equal keys those of the
/// left come first.
fn merge(left: &[u64], right: &[u64], taken: &mut (usize, usize), target: &mut [u64]) {
    let (mut l, mut r) = *taken;
    for slot in target {
        let from_left = r == right.len() || (l < left.len() && left[l] <= right[r]);
        if from_left {
            *slot = left[l];
            l += 1;
        } else {
            *slot = right[r];
            r += 1;
        }
    }
    *taken = (l, r);
}

#[cfg(test)]
mod tests {
    use super::{super::keys::assert_sorts_like_std, mergesort};

    #[test]
    fn sorts_like_std() {
        assert_sorts_like_std(mergesort);
    }
}
