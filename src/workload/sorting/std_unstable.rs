//! `slice::sort_unstable`, the sort that a Rust program gets by default for plain keys.

use super::keys::SortKeys;
use crate::{
    protocol::Sizes,
    workload::{Category, Implementation, Vectorization, Workload},
};

pub const WORKLOAD: Workload = Workload {
    name: "sorting/std-unstable",
    category: Category::Sorting,
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
    shapes: true,
    in_place: true,
    buffer_bytes: SortKeys::bytes_in_place,
    prepare: |params| SortKeys::in_place(params, |keys, _| keys.sort_unstable()),
};
