//! Summary statistics of values, and of the means of their environments.

use super::{
    estimate::{CpuMix, mean_of_fleet},
    interval::{CONFIDENCE, Interval, Looks, mean_interval},
    result::SummaryStatistics,
    verdict::MINIMUM_ENVIRONMENTS,
};
use crate::protocol::quantile;

/// Values, and the means of the environments that they are of.
pub(super) struct ValuesByEnvironment {
    is_geometric: bool,
    values: Vec<f64>,
    /// The mean of each environment, with its number.
    means: Vec<(u32, f64)>,
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
        let means = (0..).zip(sums).filter(|(_, (_, count))| *count > 0);
        let means = means.map(|(environment, (sum, count))| (environment, sum / f64::from(count)));
        Self { is_geometric, values: kept, means: means.collect() }
    }

    pub(super) fn count(&self) -> u64 {
        self.values.len() as u64
    }

    /// The number of their environments.
    pub(super) fn environments(&self) -> u32 {
        self.means.len() as u32
    }

    /// Their mean and its interval, on the scale on which it is taken: of the fleet, if its mix of CPU models is known. The
    /// interval is None if there are fewer than two environments.
    pub(super) fn mean(&self, mix: Option<&CpuMix>) -> (f64, Option<Interval>) {
        if let Some(mut of_fleet) = mix.and_then(|mix| mean_of_fleet(&self.means, mix)) {
            // What models that were not measured may do is told as a ratio.
            of_fleet.bias *= if self.is_geometric { 1.0 } else { of_fleet.estimate.abs() };
            return (of_fleet.estimate, Some(of_fleet.interval(CONFIDENCE, Looks::Once)));
        }
        let means: Vec<f64> = self.means.iter().map(|(_, mean)| *mean).collect();
        (means.iter().sum::<f64>() / means.len() as f64, mean_interval(&means, CONFIDENCE))
    }

    /// Their percentiles 0, 1, …, 100. None if there are no values.
    pub(super) fn percentiles(mut self) -> Option<Vec<f64>> {
        self.values.sort_unstable_by(f64::total_cmp);
        let at = |percent: u8| quantile(&self.values, f64::from(percent) / 100.0);
        (!self.values.is_empty()).then(|| (0..=100).map(at).collect())
    }

    /// Their summary statistics, with the mean of the fleet if its mix of CPU models is known. None if there are no values.
    pub(super) fn statistics(mut self, mix: Option<&CpuMix>) -> Option<SummaryStatistics> {
        let off_scale = |value: f64| if self.is_geometric { value.exp().min(f64::MAX) } else { value };
        if self.values.is_empty() {
            return None;
        }
        let (mean, interval) = self.mean(mix);
        let interval = interval.filter(|_| self.environments() >= MINIMUM_ENVIRONMENTS);
        self.values.sort_unstable_by(f64::total_cmp);
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
