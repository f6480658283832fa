//! Heapsort with Floyd's construction of the heap.

use super::keys::SortKeys;
use crate::workload::{Implementation, Sizes, Vectorization, Workload, limits::Pace};

pub const WORKLOAD: Workload = Workload {
    name: "sorting/heapsort",
    implementation: Implementation::Textbook,
    vectorization: Vectorization::Scalar,
    summary: "sorts 64-bit keys with heapsort",
    stresses: "latency of the caches and of memory: each step down the heap waits for a load far away",
    difference: "the loads depend on each other, so the size and latency of each cache level and of the TLB \
                 count; bandwidth hardly does",
    source: "J. W. J. Williams, Algorithm 232, CACM 7 (1964); R. W. Floyd, Algorithm 245, CACM 7 (1964)",
    element: "one u64 key",
    time: "O(n log n)",
    memory: "16 n bytes",
    sizes: Sizes { small: 14_000, medium: 250_000, large: 4_000_000 },
    in_place: true,
    buffer_bytes: SortKeys::bytes_in_place,
    prepare: |params| Box::new(SortKeys::new(params, 0, |keys, _| heapsort(keys))),
};

fn heapsort(keys: &mut [u64]) {
    let mut pace = Pace::every(1024);
    for root in (0..keys.len() / 2).rev() {
        pace.step();
        sift_down(keys, root);
    }
    for end in (1..keys.len()).rev() {
        pace.step();
        keys.swap(0, end);
        sift_down(&mut keys[..end], 0);
    }
}

/// Moves the key at `root` down until no child is greater.
fn sift_down(heap: &mut [u64], mut root: usize) {
    let key = heap[root];
    loop {
        let mut child = 2 * root + 1;
        if child >= heap.len() {
            break;
        }
        if child + 1 < heap.len() && heap[child] < heap[child + 1] {
            child += 1;
        }
        if heap[child] <= key {
            break;
        }
        heap[root] = heap[child];
        root = child;
    }
    heap[root] = key;
}

#[cfg(test)]
mod tests {
    use super::{super::keys::assert_sorts_like_std, heapsort};

    #[test]
    fn sorts_like_std() {
        assert_sorts_like_std(|keys, _| heapsort(keys));
    }
}
