//! How long calls of each variant take and what they cost, side by side.

use super::{
    call_sample::{CallSample, values},
    estimate::CpuMix,
    interval::Interval,
    measures::Measure,
    result::{Analysis, MeanTime, Money, VariantFacts},
    samples::{Samples, VariantSamples},
    sides::Side,
    summary_statistics::ValuesByEnvironment,
    verdict::MINIMUM_ENVIRONMENTS,
};
use crate::campaign::{manifest::Manifest, variants::VariantIndex};

/// Sets the mean times of all variants, by one measure: what was imported; else the first that each variant with samples
/// has, of what the handler measured, what Lambda reports and the client's time.
pub(super) fn set_times(manifest: &Manifest, samples: &Samples, variants: &mut [VariantFacts]) {
    let cells = |variant: VariantIndex| -> Vec<&[CallSample]> {
        let known = manifest.plan.cells.iter().filter_map(|cell| samples.cells.get(&cell.name));
        known.map(|cell| cell.deciding(manifest.plan.cold)[variant].as_slice()).collect()
    };
    let is_known = |measure: &Measure| {
        let mut with_samples =
            manifest.variants.indices().map(cells).filter(|cells| cells.iter().any(|it| !it.is_empty()));
        with_samples.all(|cells| cells.iter().copied().flatten().any(|call| call.value(*measure).is_some()))
    };
    let measure = manifest.imported.as_ref().map(|import| import.measure.into());
    let measure = measure.or_else(|| [Measure::Wall, Measure::Duration].into_iter().find(is_known));
    let measure = measure.unwrap_or(Measure::Latency);
    for (variant, facts) in manifest.variants.indices().zip(variants) {
        let cells = cells(variant);
        let mix =
            Some(&samples.variants[variant]).filter(|facts| !facts.census.is_empty()).map(VariantSamples::known_mix);
        let is_complete = cells.len() == manifest.plan.cells.len() && facts.emulated != Some(true);
        facts.time = Some(cells).filter(|_| is_complete).and_then(|cells| mean_time(&cells, measure, mix.as_ref()));
    }
}

/// The geometric mean of the means of these cells. None if one has no value.
fn mean_time(cells: &[&[CallSample]], measure: Measure, mix: Option<&CpuMix>) -> Option<MeanTime> {
    let (mut sum, mut deviations) = (0.0, Vec::new());
    for calls in cells {
        let logarithms = || values(calls.iter(), measure).map(|(environment, ms)| (environment, ms.ln()));
        let mean = ValuesByEnvironment::new(logarithms(), false).statistics(mix)?.mean;
        sum += mean;
        deviations.extend(logarithms().map(|(environment, logarithm)| (environment, logarithm - mean)));
    }
    let mean = sum / cells.len() as f64;
    let deviations = ValuesByEnvironment::new(deviations.into_iter(), false);
    let interval = deviations.mean(mix).1.filter(|_| deviations.environments() >= MINIMUM_ENVIRONMENTS);
    let interval = interval.map(|Interval { low, high }| {
        let half = (high - low) / 2.0;
        Interval { low: (mean - half).exp(), high: (mean + half).exp() }
    });
    Some(MeanTime { measure, mean_ms: mean.exp(), interval })
}

impl VariantFacts {
    /// Whether it is known how many environments answered: none did where no call succeeded.
    pub fn has_known_environments(&self) -> bool {
        let failed = self.failures.as_ref().map(|failures| failures.values().sum::<u64>());
        self.environments > 0 || failed == Some(self.calls)
    }
}

/// Sets what a million invocations cost: of a candidate as in its own pair, of the baseline as in the pair of most blocks.
pub(super) fn set_costs<'a>(
    variants: &mut [VariantFacts],
    bills: impl Iterator<Item = (usize, usize, u32, &'a Money)>,
) {
    let mut most = 0;
    for (baseline, candidate, blocks, money) in bills {
        variants[candidate].per_million = Some(money.per_million[Side::Candidate]);
        if blocks > most || variants[baseline].per_million.is_none() {
            most = blocks;
            variants[baseline].per_million = Some(money.per_million[Side::Baseline]);
        }
    }
}

/// Tells which of the variants that may be ranked are on the Pareto front of time and cost.
pub(super) fn find_pareto_front(analysis: &mut Analysis) {
    let ranked = analysis.ranked();
    let point = |facts: &VariantFacts| {
        let is_ranked = ranked.contains(facts.name.as_str());
        Some((facts.time?.mean_ms, facts.per_million?.total_usd)).filter(|_| is_ranked)
    };
    let points: Vec<_> = analysis.variants.iter().map(point).collect();
    let is_on_front = |(ms, usd): (f64, f64)| {
        let is_better = |(other_ms, other_usd): &(f64, f64)| {
            *other_ms <= ms && *other_usd <= usd && (*other_ms < ms || *other_usd < usd)
        };
        !points.iter().flatten().any(is_better)
    };
    let front: Vec<Option<bool>> = points.iter().map(|point| point.map(is_on_front)).collect();
    for (facts, is_on_front) in analysis.variants.iter_mut().zip(front) {
        facts.is_on_pareto_front = is_on_front;
    }
}
