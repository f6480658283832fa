//! How long calls of each variant take and what they cost, side by side.

use super::{
    compare_sets::Analyzer,
    interval::Interval,
    result::{MeanTime, VariantFacts},
    samples::values,
    sides::Side,
    summary_statistics::ValuesByEnvironment,
    verdict::MINIMUM_ENVIRONMENTS,
};

impl Analyzer<'_> {
    /// The mean of a side by the measure that decides: of several cells the geometric mean of theirs. None if a cell has
    /// no value, or if an instruction set was emulated.
    pub(super) fn mean_time(&self, side: Side) -> Option<MeanTime> {
        let is_cold = self.pair.is_cold();
        let cells: Vec<_> = self.pair.cells().map(|(_, calls)| calls.deciding(is_cold)[side]).collect();
        if cells.len() < self.pair.manifest.plan.cells.len() || self.pair.facts(side).emulated {
            return None;
        }
        let (mut sum, mut deviations) = (0.0, Vec::new());
        for calls in &cells {
            let logarithms = || values(calls.iter(), self.primary).map(|(environment, ms)| (environment, ms.ln()));
            let mean = ValuesByEnvironment::new(logarithms(), false).statistics()?.mean;
            sum += mean;
            deviations.extend(logarithms().map(|(environment, logarithm)| (environment, logarithm - mean)));
        }
        let mean = sum / cells.len() as f64;
        let deviations = ValuesByEnvironment::new(deviations.into_iter(), false);
        let interval = deviations.interval().filter(|_| deviations.environments() >= MINIMUM_ENVIRONMENTS);
        let interval = interval.map(|Interval { low, high }| {
            let half = (high - low) / 2.0;
            Interval { low: (mean - half).exp(), high: (mean + half).exp() }
        });
        Some(MeanTime { measure: self.primary, mean_ms: mean.exp(), interval })
    }
}

/// Tells which variants are on the Pareto front of time and cost.
pub(super) fn find_pareto_front(variants: &mut [VariantFacts]) {
    let point = |facts: &VariantFacts| Some((facts.time?.measure, facts.time?.mean_ms, facts.per_million?.total_usd));
    let points: Vec<_> = variants.iter().filter_map(point).collect();
    for facts in variants {
        let Some((measure, ms, usd)) = point(facts) else { continue };
        let is_better = |(other, other_ms, other_usd): &(_, f64, f64)| {
            let is_as_good = *other_ms <= ms && *other_usd <= usd;
            *other == measure && is_as_good && (*other_ms < ms || *other_usd < usd)
        };
        facts.is_on_pareto_front = Some(!points.iter().any(is_better));
    }
}
