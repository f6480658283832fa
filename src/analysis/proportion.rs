//! Proportions with their intervals.

use super::interval::{CONFIDENCE, normal_quantile};
use serde::Serialize;

/// A proportion, with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Proportion {
    /// The proportion of those that were seen.
    pub estimate: f64,
    /// The lower end of the 95% interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Proportion {
    /// That of which nothing was seen.
    pub const UNKNOWN: Self = Self { estimate: 0.0, low: 0.0, high: 1.0 };

    /// The proportion that `count` of `total` make, with the score interval of Wilson (1927); `total` must not be 0.
    pub fn new(count: impl Into<u64>, total: impl Into<u64>) -> Self {
        let (count, n) = (count.into() as f64, total.into() as f64);
        Self::as_of(count / n, n)
    }

    /// A proportion that is known as well as if n independent ones had been seen.
    pub(super) fn as_of(estimate: f64, n: f64) -> Self {
        let z = normal_quantile();
        let centre = estimate + z.powi(2) / (2.0 * n);
        let radius = z * (estimate * (1.0 - estimate) / n + (z / (2.0 * n)).powi(2)).sqrt();
        let scale = 1.0 + z.powi(2) / n;
        // Without a rounding error where all or none were seen.
        let low = if estimate > 0.0 { ((centre - radius) / scale).max(0.0) } else { 0.0 };
        let high = if estimate < 1.0 { ((centre + radius) / scale).min(1.0) } else { 1.0 };
        Self { estimate, low, high }
    }
}

/// The largest share of a fleet of which none was seen among so many, with 95% confidence: 1 − 0.05^(1/n), the upper
/// end of the interval of Clopper & Pearson (1934).
pub fn unseen(total: u32) -> f64 {
    1.0 - (1.0 - CONFIDENCE).powf(1.0 / f64::from(total.max(1)))
}
