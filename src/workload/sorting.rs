//! Ordering keys in memory.

pub mod heapsort;
mod keys;
pub mod mergesort;
pub mod quicksort;
pub mod radix;
pub mod std_stable_strings;
pub mod std_unstable;
