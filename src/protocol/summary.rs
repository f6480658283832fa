//! Summaries of times.

use serde::{Deserialize, Serialize};

/// Five numbers that describe times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub min: f64,
    /// The middle one.
    pub median: f64,
    /// The arithmetic mean.
    pub mean: f64,
    /// The 95th percentile, interpolated linearly between the order statistics.
    pub p95: f64,
    /// The standard deviation of the sample (n − 1); 0 for a single time.
    pub stddev: f64,
}

impl Summary {
    /// The summary of `times`, in their unit; `None` if there are none.
    pub fn from_times(times: &[f64]) -> Option<Self> {
        let mut sorted = times.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let min = *sorted.first()?;
        let n = sorted.len() as f64;
        let mean = sorted.iter().sum::<f64>() / n;
        let squares = sorted.iter().map(|time| (time - mean).powi(2)).sum::<f64>();
        let stddev = if sorted.len() > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 };
        Some(Self { min, median: quantile(&sorted, 0.5), mean, p95: quantile(&sorted, 0.95), stddev })
    }
}

/// The quantile of sorted values, interpolated linearly between order statistics (type 7 of
/// Hyndman & Fan, the default of R and NumPy). There must be a value.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let position = (sorted.len() - 1) as f64 * q;
    let below = sorted[position.floor() as usize];
    let above = sorted[position.ceil() as usize];
    below + (above - below) * position.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_numpy() {
        // numpy: a = [3, 1, 4, 1, 5, 9, 2, 6]; median(a), mean(a), percentile(a, 95), std(a, ddof=1)
        let summary = Summary::from_times(&[3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0]).unwrap();
        assert_eq!(summary.min, 1.0);
        assert_eq!(summary.median, 3.5);
        assert_eq!(summary.mean, 3.875);
        assert!((summary.p95 - 7.949_999_999_999_999).abs() < 1e-9);
        assert!((summary.stddev - 2.748_376_143_938_713).abs() < 1e-9);
    }

    #[test]
    fn one_time_is_its_own_summary_and_no_time_has_none() {
        assert_eq!(
            Summary::from_times(&[7.0]),
            Some(Summary { min: 7.0, median: 7.0, mean: 7.0, p95: 7.0, stddev: 0.0 })
        );
        assert_eq!(Summary::from_times(&[]), None);
    }
}
