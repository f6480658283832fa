//! Ordering keys in memory.

pub mod heapsort;
mod keys;
pub mod mergesort;
pub mod quicksort;
pub mod radix;
pub mod std_stable_strings;
pub mod std_unstable;

use std::time::{Duration, Instant};

/// The most elements that are sorted to estimate how long all of them take.
const SAMPLE: usize = 1 << 16;

/// An estimate of the time that a library's sort of `len` elements takes, from the time to `sort_first` some of
/// them: such a sort passes no checkpoint.
fn expected(len: usize, sort_first: impl FnOnce(usize)) -> Duration {
    let sampled = len.min(SAMPLE);
    let start = Instant::now();
    sort_first(sampled);
    let comparisons = |len: usize| (len as f64 + 1.0) * (len as f64 + 1.0).log2();
    start.elapsed().mul_f64(comparisons(len) / comparisons(sampled))
}
