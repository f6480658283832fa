//! V_mix: what is not known of the fleets' mixes of CPU models.
//!
//! Two-phase sampling (Neyman 1938): many environments are counted, and fewer of them measured. What the mean of a fleet has
//! from not knowing its mix shrinks with those that are counted, the rest with those that are measured.

use super::{
    combined::satterthwaite,
    difference::{Difference, Sources},
    fit::{Fit, Groups, Observation},
    strata::{CpuMix, LEAST_OF_MODEL, Strata},
};
use crate::analysis::sides::Sides;
use std::collections::BTreeSet;

/// Fewer rounds do not tell whether they agree.
const LEAST_ROUNDS: usize = 5;

/// The fit in which each CPU model of a side has an effect of its own. None if the fleets' means cannot be told.
pub(super) fn fit(values: &Sides<Vec<Observation>>, groups: Groups, mixes: &Sides<CpuMix>) -> Option<Fit> {
    let measured = values.map(|_, values| values.iter().map(|value| value.environment).collect::<BTreeSet<u32>>());
    let fit = Fit::new(values, groups, Strata::models(mixes, &measured)?)?;
    let measured = |stratum| fit.clusters.iter().filter(|cluster| cluster.stratum == stratum).count() as u32;
    let are_measured = (0..fit.strata.count()).all(|stratum| measured(stratum) >= LEAST_OF_MODEL);
    are_measured.then_some(fit)
}

impl Fit {
    /// Adds V_mix of both sides to a difference's variance.
    pub(super) fn with_mix(&self, found: Difference, mixes: &Sides<CpuMix>) -> Difference {
        let mut parts = vec![found.variance()];
        for (side, mix) in mixes.iter() {
            let mean = self.mean_effect(side);
            let strata = self.strata.of_side(side).iter();
            let deviations: Vec<(usize, f64, f64)> = strata
                .map(|stratum| (stratum.model.into(), stratum.proportion, self.effect(*stratum) - mean))
                .collect();
            parts.extend(variances(&deviations, mix));
        }
        let variance: f64 = parts.iter().map(|(variance, _)| variance).sum();
        if variance <= 0.0 {
            return Difference { bias: self.strata.bias, ..found };
        }
        let of_mix = variance - parts[0].0;
        Difference {
            standard_error: variance.sqrt(),
            degrees_of_freedom: satterthwaite(variance, &parts),
            sources: Sources { mix: of_mix, ..found.sources },
            bias: self.strata.bias,
            ..found
        }
    }
}

/// What is not known of one fleet's mix: as counted environments tell if they are independent; and by how much more rounds of
/// counting disagree. Each has its degrees of freedom.
fn variances(deviations: &[(usize, f64, f64)], mix: &CpuMix) -> Vec<(f64, f64)> {
    let total = f64::from(mix.total());
    let spread: f64 = deviations.iter().map(|(_, proportion, deviation)| proportion * deviation.powi(2)).sum();
    if spread <= 0.0 || total < 2.0 {
        return Vec::new();
    }
    let independent = spread / (total - 1.0);
    let mut variances = vec![(independent, total - 1.0)];
    let rounds: Vec<&Vec<u32>> =
        mix.rounds.iter().chain([&mix.called]).filter(|round| round.iter().any(|count| *count > 0)).collect();
    if rounds.len() < LEAST_ROUNDS {
        return variances;
    }
    let score = |round: &&Vec<u32>| -> f64 {
        let count = |model: usize| round.get(model).copied().unwrap_or_default();
        deviations.iter().map(|(model, _, deviation)| f64::from(count(*model)) * deviation / total).sum()
    };
    let size = |round: &&Vec<u32>| f64::from(round.iter().sum::<u32>());
    let count = rounds.len() as f64;
    let of_rounds = count / (count - 1.0) * rounds.iter().map(score).map(|score| score.powi(2)).sum::<f64>();
    let (sum, squares) =
        rounds.iter().map(size).fold((0.0, 0.0), |(sum, squares), size| (sum + size, squares + size * size));
    if of_rounds > independent {
        variances.push((of_rounds - independent, (sum.powi(2) / squares - 1.0).max(1.0)));
    }
    variances
}
