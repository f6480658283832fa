//! Ordering keys in memory.

mod keys;
pub mod quicksort;
pub mod std_unstable;
