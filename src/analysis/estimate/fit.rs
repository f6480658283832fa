//! The fit of values on their groups and sides.

use super::{
    Model,
    strata::{Strata, Stratum},
    symmetric_matrix::{SymmetricMatrix, dot},
    values::{Observation, Values},
};
use crate::analysis::sides::{Side, Sides};
use std::borrow::Cow;

/// What the values of one stratum weigh in one group, and the sum of them by weight.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    weight: f64,
    value: f64,
}

/// Values as the model sees them.
#[derive(Debug)]
pub struct Fit<'a> {
    pub(super) model: Model<'a>,
    pub(super) values: Values,
    pub(super) strata: Strata,
    groups: Vec<Group>,
    /// The values of each stratum in each group.
    sums: Vec<Sum>,
    /// M: what is known of the effects.
    pub(super) information: SymmetricMatrix,
    /// β: the effect of each stratum, as compared with that of the first.
    effects: Vec<f64>,
}

/// A linear combination of the effects, which is estimated.
#[derive(Debug)]
pub(super) struct Contrast {
    /// cᵀβ.
    pub(super) estimate: f64,
    /// c, without the first stratum.
    pub(super) free: Vec<f64>,
    /// γ: the solution of Mγ = c, for the first stratum 0.
    slopes: Vec<f64>,
    /// The mean of γ over the values of each group.
    of_groups: Vec<f64>,
}

impl Contrast {
    /// How fast the estimate grows with a value of a stratum: γ less its mean in the group.
    pub(super) fn slope(&self, stratum: usize, group: u32) -> f64 {
        self.slopes[stratum] - self.of_groups[group as usize]
    }

    /// γ without the first stratum.
    pub(super) fn free_slopes(&self) -> &[f64] {
        &self.slopes[1..]
    }
}

/// A cell and block, or a cell; without weight if it has values of one side alone.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    /// W: the weight of all values.
    weight: f64,
    /// The means of the values, and of β over the values.
    mean: f64,
    effect: f64,
}

impl<'a> Fit<'a> {
    /// The fit of values in the order of their environments, cells and blocks.
    ///
    /// None if no group has values of both sides, or if a stratum has none in such groups, or none that are connected with
    /// those of the others.
    pub(super) fn new(values: &Sides<Cow<'_, [Observation]>>, model: Model<'a>, strata: Strata) -> Option<Self> {
        let values = Values::new(values, model, &strata)?;
        let mut fit = Self {
            model,
            groups: vec![Group::default(); values.groups],
            sums: vec![Sum::default(); values.groups * strata.count()],
            information: SymmetricMatrix::zero(strata.count() - 1),
            effects: Vec::new(),
            strata,
            values,
        };
        fit.sum_up();
        fit.solved()
    }

    /// The fit of the values over what is given for each side.
    pub fn in_units_of(mut self, units: Sides<f64>) -> Option<Self> {
        self.values.divide_by(units);
        self.sums.fill(Sum::default());
        self.information = SymmetricMatrix::zero(self.strata.count() - 1);
        self.sum_up();
        self.solved()
    }

    /// Sums up what the strata have in each group, and M: Σ over groups of diag(w) − wwᵀ/W, without the first stratum.
    fn sum_up(&mut self) {
        let strata = self.strata.count();
        for cluster in &self.values.environments {
            for entry in self.values.entries(cluster) {
                let sum = &mut self.sums[entry.group as usize * strata + cluster.stratum];
                sum.weight += entry.weight;
                sum.value += entry.weight * entry.mean;
            }
        }
        let mut weights = Vec::new();
        for (group, sums) in self.groups.iter_mut().zip(self.sums.chunks_exact(strata)) {
            group.weight = sums.iter().map(|sum| sum.weight).sum();
            if group.weight <= 0.0 {
                continue;
            }
            group.mean = sums.iter().map(|sum| sum.value).sum::<f64>() / group.weight;
            weights.clear();
            weights.extend(sums[1..].iter().map(|sum| sum.weight));
            (0..).zip(&weights).for_each(|(row, own)| self.information.add_to_diagonal(row, *own));
            self.information.add_outer_product(&weights, -1.0 / group.weight);
        }
    }

    /// Solves the normal equations. None if they have no solution.
    fn solved(mut self) -> Option<Self> {
        let factors = self.information.clone().factor(&self.information);
        if !factors.is_regular() {
            return None;
        }
        let deviations = |stratum: usize| -> f64 {
            self.paired().map(|(group, sums)| sums[stratum].value - sums[stratum].weight * group.mean).sum()
        };
        let deviations: Vec<f64> = (1..self.strata.count()).map(deviations).collect();
        self.effects = with_first(&factors.solve(&deviations));
        let means = self.means_of_groups(&self.effects);
        self.groups.iter_mut().zip(means).for_each(|(group, mean)| group.effect = mean);
        Some(self)
    }

    /// A contrast with c.
    pub(super) fn contrast(&self, c: &[f64]) -> Contrast {
        let free = c[1..].to_vec();
        let slopes = with_first(&self.information.clone().factor(&self.information).solve(&free));
        Contrast { estimate: dot(&self.effects, c), of_groups: self.means_of_groups(&slopes), free, slopes }
    }

    /// The means over the values of each group of what each stratum has.
    fn means_of_groups(&self, of_strata: &[f64]) -> Vec<f64> {
        let groups = self.groups.iter().zip(self.sums.chunks_exact(self.strata.count()));
        let sum = |sums: &[Sum]| sums.iter().zip(of_strata).map(|(sum, of)| sum.weight * of).sum::<f64>();
        groups.map(|(group, sums)| sum(sums) / group.weight).collect()
    }

    /// The groups that have values of both sides, each with what its strata have.
    fn paired(&self) -> impl Iterator<Item = (&Group, &[Sum])> {
        let groups = self.groups.iter().zip(self.sums.chunks_exact(self.strata.count()));
        groups.filter(|(group, _)| group.weight > 0.0)
    }

    /// How many environments of each side have a part in it.
    pub(super) fn environments(&self) -> Sides<u32> {
        let count = |side| self.values.environments.iter().filter(|cluster| cluster.side == side).count() as u32;
        Sides { baseline: count(Side::Baseline), candidate: count(Side::Candidate) }
    }

    fn group_at(&self, number: u32) -> &Group {
        &self.groups[number as usize]
    }

    /// W.
    pub(super) fn weight_of(&self, group: u32) -> f64 {
        self.group_at(group).weight
    }

    /// x: 1 for the stratum of a value and 0 for the others, less the means in its group; without the first stratum.
    pub(super) fn design(&self, stratum: usize, group: u32) -> impl Iterator<Item = f64> {
        let (weight, strata) = (self.weight_of(group), self.strata.count());
        let others = self.sums[group as usize * strata..][..strata].iter().enumerate().skip(1);
        others.map(move |(number, sum)| f64::from(u8::from(number == stratum)) - sum.weight / weight)
    }

    /// How far a value is from what the fit expects of its stratum and group.
    pub(super) fn residual(&self, stratum: usize, group: u32, value: f64) -> f64 {
        let group = self.group_at(group);
        value - group.mean - (self.effects[stratum] - group.effect)
    }

    /// The mean of a side's effects over its fleet.
    pub(super) fn mean_effect(&self, side: Side) -> f64 {
        self.strata.of_side(side).iter().map(|stratum| stratum.proportion * self.effects[stratum.number]).sum()
    }

    pub(super) fn effect(&self, stratum: Stratum) -> f64 {
        self.effects[stratum.number]
    }

    /// The means of both sides' fleets, over the groups that have values of both.
    pub fn means_of_fleets(&self) -> Sides<f64> {
        Sides { baseline: self.mean_of_fleet(Side::Baseline), candidate: self.mean_of_fleet(Side::Candidate) }
    }

    fn mean_of_fleet(&self, side: Side) -> f64 {
        let strata = self.strata.of_side(side);
        let (mut information, mut mean, mut effect) = (0.0, 0.0, 0.0);
        for (group, sums) in self.paired() {
            let of = |sum: fn(&Sum) -> f64| strata.iter().map(|stratum| sum(&sums[stratum.number])).sum::<f64>();
            let (own, value) = (of(|sum| sum.weight), of(|sum| sum.value));
            let weight = own * (group.weight - own) / group.weight;
            let effects = strata.iter().map(|stratum| sums[stratum.number].weight * self.effect(*stratum));
            information += weight;
            mean += weight * value / own;
            effect += weight * effects.sum::<f64>() / own;
        }
        // As if the groups had as much of each CPU model as the fleet.
        mean / information + self.mean_effect(side) - effect / information
    }
}

/// What strata have, as compared with the first.
fn with_first(others: &[f64]) -> Vec<f64> {
    std::iter::once(0.0).chain(others.iter().copied()).collect()
}
