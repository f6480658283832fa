//! Strata: values that have an effect in common. They are the two sides; or where the fleet's mix of CPU models was counted,
//! the models of each side.

use crate::{
    analysis::sides::{Side, Sides},
    campaign::unmeasured_models::{MOST_UNMEASURED, UnmeasuredModel},
};
use statrs::distribution::{ChiSquared, ContinuousCDF};
use std::collections::{BTreeMap, BTreeSet};

/// How many times as long, or as short, as the mean of the others a model that was not measured may take.
pub const WORST_MODEL: f64 = 2.0;

/// The error probability of the test that tells a drift of the mix. It is small, because the calls that it takes for those of
/// another mix are the ones whose interval without the census would be most wrong.
const DRIFTED: f64 = 0.001;

/// The CPU models of one side's environments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CpuMix {
    /// The number of the CPU model of each environment that was called, by its own number. None if unknown.
    pub of_environments: Vec<Option<u16>>,
    /// How many environments of each model were counted, round by round; each environment counts once.
    pub rounds: Vec<Vec<u32>>,
    /// How many of each model were called and not counted.
    pub called: Vec<u32>,
    /// The proportions to take for certain instead of those that were found; empty if there are none.
    pub assumed: Vec<f64>,
}

fn sums<'a>(rounds: &(impl Iterator<Item = &'a Vec<u32>> + Clone)) -> Vec<u32> {
    let models = rounds.clone().map(Vec::len).max().unwrap_or_default();
    (0..models).map(|model| rounds.clone().filter_map(|round| round.get(model)).sum()).collect()
}

/// The models of a fleet of which enough environments were measured.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredModels {
    /// Each model's number, and its proportion of what was measured of the fleet.
    pub models: Vec<(u16, f64)>,
    /// The proportion of the fleet that has other models.
    pub unmeasured: f64,
}

impl MeasuredModels {
    /// Whether the mean of the fleet can be told by them.
    pub fn are_enough(&self) -> bool {
        self.unmeasured <= MOST_UNMEASURED && !self.models.is_empty()
    }

    /// By how much the logarithm of that mean may be wrong at worst, because of the other models.
    pub(super) fn bias(&self) -> f64 {
        self.unmeasured * WORST_MODEL.ln()
    }
}

impl CpuMix {
    /// How many environments of each model are known.
    pub fn counts(&self) -> Vec<u32> {
        sums(&self.rounds.iter().chain([&self.called]))
    }

    /// How many environments are known.
    pub fn total(&self) -> u32 {
        self.rounds.iter().chain([&self.called]).flatten().sum()
    }

    /// Whether the environments that were called are of another mix than those that were counted, by a χ² test at 0.1%.
    pub fn has_drifted(&self) -> bool {
        if !self.assumed.is_empty() {
            return false;
        }
        let counted = sums(&self.rounds.iter());
        let sum = |counts: &[u32]| f64::from(counts.iter().sum::<u32>());
        let (of_called, of_counted, total) = (sum(&self.called), sum(&counted), f64::from(self.total()));
        let (mut statistic, mut models) = (0.0, 0);
        for (model, both) in self.counts().into_iter().enumerate().filter(|(_, both)| *both > 0) {
            models += 1;
            for (counts, of_all) in [(&self.called, of_called), (&counted, of_counted)] {
                let (found, expected) =
                    (f64::from(counts.get(model).copied().unwrap_or_default()), f64::from(both) * of_all / total);
                statistic += if expected > 0.0 { (found - expected).powi(2) / expected } else { 0.0 };
            }
        }
        let test = ChiSquared::new(f64::from((models - 1).max(1))).expect("degrees of freedom are positive");
        models > 1 && test.sf(statistic) < DRIFTED
    }

    /// p̂: the proportion of each model.
    pub fn proportions(&self) -> Vec<f64> {
        let total = f64::from(self.total());
        if !self.assumed.is_empty() {
            return self.assumed.clone();
        }
        self.counts().into_iter().map(|count| f64::from(count) / total).collect()
    }

    /// The models of which too few of these environments are, by their numbers.
    pub fn unmeasured(&self, environments: &BTreeSet<u32>) -> Vec<UnmeasuredModel<u16>> {
        let model_of = |environment: &u32| self.of_environments.get(*environment as usize).copied().flatten();
        let measured = |model| environments.iter().filter(|environment| model_of(environment) == Some(model)).count();
        let models = (0..).zip(self.proportions());
        models
            .filter_map(|(model, proportion)| UnmeasuredModel::new(model, proportion, measured(model) as u32))
            .collect()
    }

    /// The models of which enough of these environments are.
    pub fn measured(&self, environments: &BTreeSet<u32>) -> MeasuredModels {
        let others = self.unmeasured(environments);
        let unmeasured = UnmeasuredModel::proportion_of(&others);
        let is_measured =
            |(model, proportion): &(u16, f64)| *proportion > 0.0 && others.iter().all(|other| other.model != *model);
        let measured = (0..).zip(self.proportions()).filter(is_measured);
        let models = measured.map(|(model, proportion)| (model, proportion / (1.0 - unmeasured))).collect();
        MeasuredModels { models, unmeasured }
    }

    /// The same, if the mean of the fleet can be told by them: not if too much of it was not measured, or its mix has drifted.
    pub(super) fn enough_measured(&self, environments: &BTreeSet<u32>) -> Option<MeasuredModels> {
        Some(self.measured(environments)).filter(|measured| measured.are_enough() && !self.has_drifted())
    }
}

/// The values of one side, or of one CPU model of a side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stratum {
    pub(super) number: usize,
    /// The number of the CPU model; 0 where the side is the stratum.
    pub(super) model: u16,
    /// p̂, as a proportion of what was measured of the fleet.
    pub(super) proportion: f64,
}

/// What has an effect of its own in a fit.
#[derive(Clone, Debug)]
pub(super) struct Strata {
    /// The stratum of each environment. None if the sides are the strata.
    of_environments: Option<Sides<Vec<Option<usize>>>>,
    of_sides: Sides<Vec<Stratum>>,
    /// By how much the difference may be wrong at worst, because of models that were not measured.
    pub(super) bias: f64,
}

impl Strata {
    /// The two sides.
    pub(super) fn sides() -> Self {
        Self {
            of_environments: None,
            of_sides: Sides {
                baseline: vec![Stratum { number: 0, model: 0, proportion: 1.0 }],
                candidate: vec![Stratum { number: 1, model: 0, proportion: 1.0 }],
            },
            bias: 0.0,
        }
    }

    /// The CPU models of both sides, of which these environments were measured.
    ///
    /// None if too much of a fleet was not, or if a mix has drifted.
    pub(super) fn models(mixes: &Sides<CpuMix>, measured: &Sides<BTreeSet<u32>>) -> Option<Self> {
        let mut strata = Self { of_environments: None, of_sides: Sides::default(), bias: 0.0 };
        let mut of_environments = Sides::<Vec<Option<usize>>>::default();
        for (side, mix) in mixes.iter() {
            let measured = mix.enough_measured(&measured[side])?;
            strata.bias += measured.bias();
            let mut numbers = BTreeMap::new();
            for (model, proportion) in measured.models {
                let number = strata.count();
                numbers.insert(model, number);
                strata.of_sides[side].push(Stratum { number, model, proportion });
            }
            let stratum = |model: &Option<u16>| numbers.get(&(*model)?).copied();
            of_environments[side] = mix.of_environments.iter().map(stratum).collect();
        }
        Some(Self { of_environments: Some(of_environments), ..strata })
    }

    /// c: what the effect of each stratum has in the difference of the fleets' means.
    pub(super) fn contrast(&self) -> Vec<f64> {
        self.contrast_by(|_, stratum| stratum.proportion)
    }

    /// The same of fleets with such proportions of each side's models.
    pub(super) fn contrast_of(&self, proportions: &Sides<Vec<f64>>) -> Vec<f64> {
        self.contrast_by(|side, stratum| proportions[side][usize::from(stratum.model)])
    }

    /// Whether these proportions of fleets are of models that are strata.
    pub(super) fn has_all_of(&self, proportions: &Sides<Vec<f64>>) -> bool {
        let of_strata = |side: Side| self.of_sides[side].iter().map(move |stratum| usize::from(stratum.model));
        Side::BOTH.into_iter().all(|side| {
            let is_stratum = |model: usize| of_strata(side).any(|stratum| stratum == model);
            (0..).zip(&proportions[side]).all(|(model, proportion)| *proportion == 0.0 || is_stratum(model))
        })
    }

    fn contrast_by(&self, proportion: impl Fn(Side, &Stratum) -> f64) -> Vec<f64> {
        // Strata are numbered side by side.
        let strata = self.of_sides.iter().flat_map(|(side, strata)| strata.iter().map(move |stratum| (side, stratum)));
        let signed = strata.map(|(side, stratum)| match side {
            Side::Baseline => -proportion(side, stratum),
            Side::Candidate => proportion(side, stratum),
        });
        signed.collect()
    }

    pub(super) fn count(&self) -> usize {
        self.of_sides.baseline.len() + self.of_sides.candidate.len()
    }

    /// The stratum of an environment. None if it has no part in the fit.
    pub(super) fn of(&self, side: Side, environment: u32) -> Option<usize> {
        match &self.of_environments {
            None => Some(usize::from(side == Side::Candidate)),
            Some(of_environments) => of_environments[side].get(environment as usize).copied().flatten(),
        }
    }

    pub(super) fn of_side(&self, side: Side) -> &[Stratum] {
        &self.of_sides[side]
    }

    /// Whether the strata are CPU models.
    pub(super) fn are_models(&self) -> bool {
        self.of_environments.is_some()
    }
}
