//! V_mix: what is not known of the fleets' mixes of CPU models.
//!
//! Two-phase sampling (Neyman 1938): many environments are counted, and fewer of them measured. What the mean of a fleet has
//! from not knowing its mix shrinks with those that are counted, the rest with those that are measured.

use super::{
    Model,
    combined::{satterthwaite, welch},
    difference::{Difference, Sources},
    fit::Fit,
    strata::{CpuMix, Strata},
    values::{Observation, by_environment},
};
use crate::{
    analysis::{proportion::Proportion, sides::Sides},
    campaign::unmeasured_models::LEAST_OF_MODEL,
};
use std::{borrow::Cow, collections::BTreeSet};

/// Fewer rounds do not tell whether they agree.
const LEAST_ROUNDS: i32 = 5;

/// The fit in which each CPU model of a side has an effect of its own. None if the fleets' means cannot be told.
pub(super) fn fit<'a>(
    values: &Sides<Cow<'_, [Observation]>>,
    model: Model<'a>,
    mixes: &Sides<CpuMix>,
) -> Option<Fit<'a>> {
    let measured = values.map(|_, values| by_environment(values).map(|values| values[0].environment).collect());
    let fit = Fit::new(values, model, Strata::models(mixes, &measured)?)?;
    let measured = |stratum| fit.values.environments.iter().filter(|cluster| cluster.stratum == stratum).count() as u32;
    let are_measured = (0..fit.strata.count()).all(|stratum| measured(stratum) >= LEAST_OF_MODEL);
    are_measured.then_some(fit)
}

/// The mean of one fleet from those of its measured environments, each with its number: Σ p̂ₖȳₖ.
///
/// None if it cannot be told.
pub fn mean_of_fleet(means: &[(u32, f64)], mix: &CpuMix) -> Option<Difference> {
    let measured: BTreeSet<u32> = means.iter().map(|(environment, _)| *environment).collect();
    let measured = mix.enough_measured(&measured)?;
    let bias = measured.bias();
    let (mut models, mut parts) = (Vec::new(), Vec::new());
    for (model, proportion) in measured.models {
        let is_of_model = |(environment, _): &&(u32, f64)| mix.of_environments[*environment as usize] == Some(model);
        let values: Vec<f64> = means.iter().filter(is_of_model).map(|(_, mean)| *mean).collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        parts.push((proportion.powi(2) * squares / (count - 1.0) / count, count - 1.0));
        models.push((usize::from(model), proportion, mean));
    }
    let estimate = models.iter().map(|(_, proportion, mean)| proportion * mean).sum::<f64>();
    let deviations: Vec<(usize, f64, f64)> =
        models.into_iter().map(|(model, proportion, mean)| (model, proportion, mean - estimate)).collect();
    parts.extend(variances(&deviations, mix));
    let (standard_error, degrees_of_freedom) = welch(&parts);
    Some(Difference { estimate, standard_error, degrees_of_freedom, bias, is_of_mix: true, ..Difference::default() })
}

impl Fit<'_> {
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
            return Difference { bias: self.strata.bias, is_of_mix: true, ..found };
        }
        let of_mix = variance - parts[0].0;
        Difference {
            standard_error: variance.sqrt(),
            degrees_of_freedom: satterthwaite(variance, &parts),
            sources: Sources { mix: of_mix, ..found.sources },
            bias: self.strata.bias,
            is_of_mix: true,
            ..found
        }
    }
}

/// What is not known of one fleet's mix: as counted environments tell if they are independent; and by how much more rounds of
/// counting disagree. Each has its degrees of freedom.
fn variances(deviations: &[(usize, f64, f64)], mix: &CpuMix) -> Vec<(f64, f64)> {
    let total = f64::from(mix.total());
    let spread: f64 = deviations.iter().map(|(_, proportion, deviation)| proportion * deviation.powi(2)).sum();
    if spread <= 0.0 || total < 2.0 || !mix.assumed.is_empty() {
        return Vec::new();
    }
    let independent = spread / (total - 1.0);
    let mut variances = vec![(independent, total - 1.0)];
    let of_rounds = mix.variance_of_rounds(|model| {
        let deviation = deviations.iter().find(|(other, ..)| *other == model);
        deviation.map_or(0.0, |(.., deviation)| *deviation)
    });
    variances.extend(
        of_rounds
            .filter(|(variance, _)| *variance > independent)
            .map(|(variance, freedom)| (variance - independent, freedom)),
    );
    variances
}

impl CpuMix {
    /// The variance of the mean of what environments of each model have, as rounds of counting tell it, with its degrees of
    /// freedom; the mean is 0. None if there are too few rounds.
    fn variance_of_rounds(&self, of_model: impl Fn(usize) -> f64) -> Option<(f64, f64)> {
        let total = f64::from(self.total());
        let rounds = self.rounds.iter().chain([&self.called]);
        let (mut count, mut scores, mut sizes, mut squares) = (0, 0.0, 0.0, 0.0);
        for round in rounds.filter(|round| round.iter().any(|count| *count > 0)) {
            let score = |(model, count): (usize, &u32)| f64::from(*count) * of_model(model);
            scores += (round.iter().enumerate().map(score).sum::<f64>() / total).powi(2);
            let size = f64::from(round.iter().sum::<u32>());
            (count, sizes, squares) = (count + 1, sizes + size, squares + size.powi(2));
        }
        let freedom = (sizes.powi(2) / squares - 1.0).max(1.0);
        let scale = f64::from(count) / f64::from(count - 1);
        (count >= LEAST_ROUNDS).then_some((scale * scores, freedom))
    }

    /// The proportion of a model, with an interval that is wider by how much rounds of counting disagree.
    pub fn proportion(&self, model: usize) -> Proportion {
        let (estimate, total) = (self.proportions().get(model).copied().unwrap_or_default(), f64::from(self.total()));
        let independent = estimate * (1.0 - estimate) / (total - 1.0);
        let of_model = |other| f64::from(u8::from(other == model)) - estimate;
        let design_effect = self.variance_of_rounds(of_model).map_or(1.0, |(variance, _)| variance / independent);
        Proportion::as_of(estimate, total / if design_effect > 1.0 { design_effect } else { 1.0 })
    }
}
