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
        let [min, p50, p90, p95, p99, max] = quantiles(&mut self.values, [0.0, 0.5, 0.9, 0.95, 0.99, 1.0]);
        Some(SummaryStatistics {
            mean: off_scale(mean),
            interval: interval.map(|interval| interval.map(off_scale)),
            min,
            p50,
            p90,
            p95,
            p99,
            max,
        })
    }
}

/// The quantiles at shares that grow. There must be a value; the values change their places.
fn quantiles<const N: usize>(values: &mut [f64], shares: [f64; N]) -> [f64; N] {
    let last = values.len() - 1;
    // Values before it are in their places already, or none are looked at again.
    let mut begin = 0;
    for share in shares {
        let position = last as f64 * share;
        for place in [position.floor() as usize, position.ceil() as usize] {
            if place >= begin {
                values[begin..].select_nth_unstable_by(place - begin, f64::total_cmp);
                begin = place + 1;
            }
        }
    }
    // What quantiles look at is where it would be if all were sorted.
    shares.map(|share| quantile(values, share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quantiles_are_those_of_sorted_values(mut values in prop::collection::vec(-1e3..1e3, 1..200)) {
            const SHARES: [f64; 6] = [0.0, 0.5, 0.9, 0.95, 0.99, 1.0];
            let found = quantiles(&mut values, SHARES);
            values.sort_unstable_by(f64::total_cmp);
            prop_assert_eq!(found, SHARES.map(|share| quantile(&values, share)));
        }
    }
}
