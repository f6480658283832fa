//! How the headline depends on the mixes of CPU models: fleets drift, and users decide for a year.

use super::{
    call_sample::observations,
    compare_sets::{Analyzer, Set},
    estimate::{CpuMix, Difference, Groups, Model},
    measures::Measure,
    result::{MixPoint, MixScenario, Ratio},
    sides::{Side, Sides},
    verdict::verdicts,
};
use std::collections::BTreeSet;

/// The steps from a proportion of 0 to one of 1.
const STEPS: u32 = 50;

/// The steps at which the difference is estimated. Between them its variance, which is a quadratic function of the proportion
/// where disturbances play no part, is interpolated as one.
const ESTIMATED_STEPS: usize = 4;

/// The differences at these steps.
type Estimated = [Difference; ESTIMATED_STEPS + 1];

/// The proportions of each side's CPU models.
type Proportions = Sides<Vec<f64>>;

impl Analyzer<'_> {
    /// The ratio of all cells by the proportion of each CPU model of a side that has several. Empty if no side has.
    pub(super) fn mix_scenarios(&self) -> Vec<MixScenario> {
        let set = self.set_of_all(|calls| calls.deciding(self.pair.is_cold()));
        let mut mixes = Sides::<CpuMix>::default();
        for side in Side::BOTH {
            let mix = self.pair.facts(side).known_mix();
            // What was counted at another time says nothing about now.
            let mix = if mix.has_drifted() { CpuMix { rounds: Vec::new(), ..mix } } else { mix };
            mixes[side] = measured_part(mix, &self.pair.measured(side));
        }
        if self.pair.is_emulated() || mixes.iter().any(|(_, mix)| mix.assumed.is_empty()) {
            return Vec::new();
        }
        let mut fleets: Vec<(Side, usize)> = Vec::new();
        for (side, mix) in mixes.iter() {
            let models = mix.assumed.iter().copied().enumerate().filter(|(_, proportion)| *proportion > 0.0);
            let mut models: Vec<(usize, f64)> = models.collect();
            models.sort_by(|one, other| one.1.total_cmp(&other.1));
            // Of two models, what one has the other has not.
            let told = models.len().saturating_sub(usize::from(models.len() <= 2));
            fleets.extend(models[..told].iter().map(|(model, _)| (side, *model)));
        }
        let now = mixes.map(|_, mix| mix.assumed.clone());
        let proportions: Vec<_> = fleets.iter().map(|(side, model)| with_more_of(&now, *side, *model)).collect();
        let point = |step| f64::from(step) / f64::from(STEPS);
        let estimated = self.differences_of_fleets(&set, &mixes, &proportions);
        let scenarios = fleets.into_iter().zip(estimated).filter_map(|((side, model), estimated)| {
            let estimated = estimated?;
            Some(MixScenario {
                side,
                model: self.pair.facts(side).cpu_models[model].clone(),
                now: now[side][model],
                points: (0..=STEPS).map(|step| self.mix_point(point(step), &estimated)).collect(),
            })
        });
        scenarios.collect()
    }

    /// The differences for fleets of such proportions; None where they cannot be told.
    fn differences_of_fleets(
        &self,
        set: &Set<'_>,
        mixes: &Sides<CpuMix>,
        proportions: &[[Proportions; ESTIMATED_STEPS + 1]],
    ) -> Vec<Option<Estimated>> {
        let model = self.model_without_mix(Groups::CellsAndBlocks);
        if self.primary != Measure::Billed {
            let model = Model { mixes: Some(mixes), ..model };
            let fit = model.fit_by_mix(&set.map(|_, cells| observations(cells, self.primary)));
            return fit.map_or_else(|| vec![None; proportions.len()], |fit| fit.differences_of_fleets(proportions));
        }
        // The unit of arithmetic means changes with the mix.
        let difference = |proportions: &Proportions| {
            let mixes = mixes.map(|side, mix| CpuMix { assumed: proportions[side].clone(), ..mix.clone() });
            let model = Model { mixes: Some(&mixes), ..model };
            self.difference(set, self.primary, model).filter(|found| found.is_of_mix)
        };
        let all = |proportions: &[Proportions; ESTIMATED_STEPS + 1]| {
            let found: Option<Vec<Difference>> = proportions.iter().map(difference).collect();
            found?.try_into().ok()
        };
        proportions.iter().map(all).collect()
    }

    fn mix_point(&self, proportion: f64, estimated: &Estimated) -> MixPoint {
        let difference = interpolated(proportion, estimated);
        MixPoint {
            proportion,
            ratio: Ratio::new(&difference, self.looks),
            verdict: verdicts(&[Some(difference)], self.margin, self.looks)[0],
        }
    }
}

/// The proportions of both fleets with a model's from 0 to 1 in equal steps, and the others of its side in proportion.
fn with_more_of(now: &Proportions, side: Side, model: usize) -> [Proportions; ESTIMATED_STEPS + 1] {
    std::array::from_fn(|step| {
        let proportion = step as f64 / ESTIMATED_STEPS as f64;
        let rest = (1.0 - proportion) / (1.0 - now[side][model]);
        let mut proportions = now.clone();
        proportions[side].iter_mut().for_each(|other| *other *= rest);
        proportions[side][model] = proportion;
        proportions
    })
}

/// The difference between those that were estimated in equal steps from 0 to 1.
fn interpolated(proportion: f64, estimated: &Estimated) -> Difference {
    let at = proportion * (estimated.len() - 1) as f64;
    let first = (at as usize).min(estimated.len() - 3);
    let (x, nodes) = (at - first as f64, &estimated[first..first + 3]);
    let weights = [(x - 1.0) * (x - 2.0) / 2.0, x * (2.0 - x), x * (x - 1.0) / 2.0];
    let of = |value: fn(&Difference) -> f64| {
        weights.iter().zip(nodes).map(|(weight, node)| weight * value(node)).sum::<f64>()
    };
    let least = nodes.iter().map(|node| node.degrees_of_freedom).fold(f64::INFINITY, f64::min);
    Difference {
        estimate: of(|node| node.estimate),
        standard_error: of(|node| node.standard_error.powi(2)).max(0.0).sqrt(),
        degrees_of_freedom: of(|node| node.degrees_of_freedom).max(least),
        ..nodes[1]
    }
}

/// The mix of those models of which enough environments were measured, as proportions that are taken for certain; none if there
/// is no such model.
fn measured_part(mix: CpuMix, measured: &BTreeSet<u32>) -> CpuMix {
    let measured = mix.measured(measured).models;
    let mut assumed = if measured.is_empty() { Vec::new() } else { vec![0.0; mix.proportions().len()] };
    measured.into_iter().for_each(|(model, proportion)| assumed[usize::from(model)] = proportion);
    CpuMix { assumed, ..mix }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quadratic_variance_is_interpolated_without_error() {
        let at = |p: f64| Difference {
            estimate: 0.3 * p - 0.1,
            standard_error: (0.01 - 0.012 * p + 0.011 * p * p).sqrt(),
            degrees_of_freedom: 20.0,
            ..Difference::default()
        };
        let estimated: Estimated = std::array::from_fn(|step| at(step as f64 / 4.0));
        for proportion in [0.0, 0.1, 0.3, 0.5, 0.77, 0.99, 1.0] {
            let (found, expected) = (interpolated(proportion, &estimated), at(proportion));
            assert!((found.estimate - expected.estimate).abs() < 1e-12, "{found:?} {expected:?}");
            assert!((found.standard_error - expected.standard_error).abs() < 1e-12, "{found:?} {expected:?}");
            assert!((found.degrees_of_freedom - 20.0).abs() < 1e-9);
        }
    }
}
