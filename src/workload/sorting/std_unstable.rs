//! The sort that a Rust program gets by default for plain keys.
//!
//! `slice::sort_unstable` (ipnsort) partitions without branches, so its speed follows from
//! arithmetic throughput and memory bandwidth rather than from branch prediction. The vector
//! width and the load/store units of a core decide here, where `sorting/quicksort` asks the
//! branch predictor.
//!
//! Time O(n log n), memory 16 n bytes. Algorithm: L. Bergdoll, O. Peters, *ipnsort* (2024), as in
//! Rust's standard library.

use super::keys::SortKeys;
use crate::{
    protocol::Sizes,
    workload::{Category, Workload},
};

pub const WORKLOAD: Workload = Workload {
    name: "sorting/std-unstable",
    category: Category::Sorting,
    summary: "sorts random 64-bit keys with the standard library's sort_unstable",
    stresses: "arithmetic throughput and memory bandwidth; hardly a mispredicted branch",
    element: "one u64 key",
    sizes: Sizes { small: 60_000, medium: 2_000_000, large: 40_000_000 },
    buffer_bytes: SortKeys::buffer_bytes,
    prepare: |params| SortKeys::prepare(params, <[u64]>::sort_unstable),
};
