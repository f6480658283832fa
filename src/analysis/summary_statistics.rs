//! Summary statistics of values, and of the means of their environments.

use super::{
    interval::{CONFIDENCE, Interval, mean_interval},
    result::SummaryStatistics,
    verdict::MINIMUM_ENVIRONMENTS,
};
use crate::protocol::quantile;

/// Values, and the means of the environments that they are of.
pub(super) struct ValuesByEnvironment {
    is_geometric: bool,
    values: Vec<f64>,
    means: Vec<f64>,
}

impl ValuesByEnvironment {
    /// These values, each with the number of its environment; their means are geometric or arithmetic.
    pub(super) fn new(values: impl Iterator<Item = (u32, f64)>, is_geometric: bool) -> Self {
        let (mut sums, mut kept) = (Vec::<(f64, u32)>::new(), Vec::new());
        for (environment, value) in values {
            let environment = environment as usize;
            if environment >= sums.len() {
                sums.resize(environment + 1, (0.0, 0));
            }
            let (sum, count) = &mut sums[environment];
            *sum += if is_geometric { value.ln() } else { value };
            *count += 1;
            kept.push(value);
        }
        let means = sums.into_iter().filter(|(_, count)| *count > 0).map(|(sum, count)| sum / f64::from(count));
        Self { is_geometric, values: kept, means: means.collect() }
    }

    pub(super) fn count(&self) -> u64 {
        self.values.len() as u64
    }

    /// The number of their environments.
    pub(super) fn environments(&self) -> u32 {
        self.means.len() as u32
    }

    /// The interval of their mean, on the scale on which it is taken. None if there are fewer than two environments.
    pub(super) fn interval(&self) -> Option<Interval> {
        mean_interval(&self.means, CONFIDENCE)
    }

    /// Their percentiles 0, 1, …, 100. None if there are no values.
    pub(super) fn percentiles(mut self) -> Option<Vec<f64>> {
        self.values.sort_unstable_by(f64::total_cmp);
        let at = |percent: u8| quantile(&self.values, f64::from(percent) / 100.0);
        (!self.values.is_empty()).then(|| (0..=100).map(at).collect())
    }

    /// Their summary statistics. None if there are no values.
    pub(super) fn statistics(mut self) -> Option<SummaryStatistics> {
        let off_scale = |value: f64| if self.is_geometric { value.exp().min(f64::MAX) } else { value };
        let interval = self.interval().filter(|_| self.environments() >= MINIMUM_ENVIRONMENTS);
        let mean = self.means.iter().sum::<f64>() / self.means.len() as f64;
        self.values.sort_unstable_by(f64::total_cmp);
        if self.values.is_empty() {
            return None;
        }
        let at = |share| quantile(&self.values, share);
        Some(SummaryStatistics {
            mean: off_scale(mean),
            interval: interval.map(|interval| interval.map(off_scale)),
            min: at(0.0),
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            max: at(1.0),
        })
    }
}
