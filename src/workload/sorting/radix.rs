//! Radix sort from the least significant byte: one counting pass for all eight bytes, then one pass
//! for each that scatters the keys into 256 sequential streams. A byte that is the same in all keys
//! needs no pass.

use super::keys::SortKeys;
use crate::workload::{
    Implementation, Sizes, Vectorization, Workload,
    limits::{BLOCK, checkpoint, copy},
};

pub const WORKLOAD: Workload = Workload {
    name: "sorting/radix",
    implementation: Implementation::Textbook,
    vectorization: Vectorization::Scalar,
    summary: "sorts 64-bit keys with least-significant-digit radix sort",
    stresses: "memory bandwidth: eight passes of sequential reads and 256 streams of writes",
    difference: "no comparison and no misprediction: store buffers, write combining, TLB reach and memory \
                 bandwidth count",
    source: "H. H. Seward (1954); D. E. Knuth, The Art of Computer Programming, vol. 3, section 5.2.5",
    element: "one u64 key",
    time: "O(n)",
    memory: "24 n bytes",
    sizes: Sizes { small: 95_000, medium: 2_200_000, large: 36_000_000 },
    in_place: true,
    buffer_bytes: SortKeys::bytes_buffered,
    prepare: |params| Box::new(SortKeys::new(params, params.len(), radix_sort)),
};

const DIGITS: usize = size_of::<u64>();

/// Sorts `keys`; `buffer` has the same length and any content.
fn radix_sort(keys: &mut [u64], buffer: &mut [u64]) {
    let mut counts = [[0usize; 256]; DIGITS];
    for block in keys.chunks(BLOCK) {
        checkpoint();
        for key in block {
            for (count, digit) in counts.iter_mut().zip(key.to_le_bytes()) {
                count[usize::from(digit)] += 1;
            }
        }
    }
    let (mut from, mut to) = (&mut *keys, &mut *buffer);
    let mut passes = 0u32;
    for (place, counts) in counts.iter_mut().enumerate() {
        if counts.contains(&from.len()) {
            continue;
        }
        let mut start = 0;
        for count in &mut *counts {
            start += std::mem::replace(count, start);
        }
        for block in from.chunks(BLOCK) {
            checkpoint();
            for &key in block {
                let next = &mut counts[usize::from(key.to_le_bytes()[place])];
                to[*next] = key;
                *next += 1;
            }
        }
        (from, to) = (to, from);
        passes += 1;
    }
    if passes % 2 == 1 {
        copy(buffer, keys);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::keys::assert_sorts_like_std, radix_sort};

    #[test]
    fn sorts_like_std() {
        assert_sorts_like_std(radix_sort);
    }
}
