//! The fit of values on their groups and sides.

use super::{
    strata::{Strata, Stratum},
    symmetric_matrix::{SymmetricMatrix, dot},
};
use crate::analysis::sides::{Side, Sides};
use std::ops::Range;

/// One value of one environment in one cell and block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// The environment's number on its side.
    pub environment: u32,
    /// The cell's number.
    pub cell: u32,
    /// The block's number.
    pub block: u32,
    /// The place of its step in the block.
    pub step: u32,
    /// The value, on the scale on which sides are compared.
    pub value: f64,
}

/// Which values have a mean of their own, that both sides are compared within.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Groups {
    /// Those of one cell and block: takes out what drifts.
    CellsAndBlocks,
    /// Those of one cell: for values that are too few in a block.
    Cells,
    One,
}

/// What the values of one stratum weigh in one group, and the sum of them by weight.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    weight: f64,
    value: f64,
}

/// What one environment weighs in one group, and the mean of its values there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) group: u32,
    pub(super) weight: f64,
    pub(super) mean: f64,
}

/// One environment.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) side: Side,
    pub(super) stratum: usize,
    /// Where its values and entries are among those of the fit.
    calls: Range<usize>,
    entries: Range<usize>,
}

/// Values as the model sees them.
#[derive(Debug)]
pub(super) struct Fit {
    pub(super) clusters: Vec<Cluster>,
    /// The values that have a part in the fit, in the order of their environments, cells and blocks.
    calls: Vec<Observation>,
    /// The same, as means by group.
    entries: Vec<Entry>,
    pub(super) strata: Strata,
    groups: Vec<Group>,
    /// The values of each stratum in each group.
    sums: Vec<Sum>,
    /// M: what is known of the effects.
    pub(super) information: SymmetricMatrix,
    pub(super) estimate: f64,
    grouping: Grouping,
    /// β: the effect of each stratum, as compared with that of the first.
    effects: Vec<f64>,
    /// γ: the solution of Mγ = c, for the first stratum 0.
    slopes: Vec<f64>,
}

/// A cell and block, or a cell; without weight if it has values of one side alone.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    /// W: the weight of all values.
    weight: f64,
    /// The means of the values, and of β and γ over the values.
    mean: f64,
    effect: f64,
    slope: f64,
}

/// Which group a value is in.
#[derive(Clone, Copy, Debug)]
struct Grouping {
    groups: Groups,
    /// How many blocks a cell may have.
    blocks: u32,
}

impl Grouping {
    fn group(self, observation: &Observation) -> u32 {
        match self.groups {
            Groups::CellsAndBlocks => observation.cell * self.blocks + observation.block,
            Groups::Cells => observation.cell,
            Groups::One => 0,
        }
    }
}

impl Fit {
    /// None if no group has values of both sides, or if a stratum has none in such groups, or none that are connected with
    /// those of the others.
    pub(super) fn new(values: &Sides<Vec<Observation>>, groups: Groups, strata: Strata) -> Option<Self> {
        let grouping = Grouping { groups, blocks: last_block(values)? + 1 };
        let last = values.iter().flat_map(|(_, values)| values).map(|value| grouping.group(value)).max()?;
        let mut present = vec![Sides::<bool>::default(); last as usize + 1];
        for (side, values) in values.iter() {
            let known = values.iter().filter(|value| strata.of(side, value.environment).is_some());
            known.for_each(|value| present[grouping.group(value) as usize][side] = true);
        }
        let is_paired =
            |value: &Observation| present[grouping.group(value) as usize] == Sides { baseline: true, candidate: true };
        let mut fit = Self {
            clusters: Vec::new(),
            calls: Vec::new(),
            entries: Vec::new(),
            groups: vec![Group::default(); present.len()],
            sums: vec![Sum::default(); present.len() * strata.count()],
            information: SymmetricMatrix::zero(strata.count() - 1),
            effects: Vec::new(),
            slopes: Vec::new(),
            estimate: 0.0,
            strata,
            grouping,
        };
        for (side, values) in values.iter() {
            let has_part = |value: &Observation| is_paired(value) && fit.strata.of(side, value.environment).is_some();
            let values = by_environment(values.iter().copied().filter(has_part));
            fit.add(side, values);
        }
        fit.sum_up();
        fit.solved()
    }

    /// Adds the values of one side, which are in the order of their environments.
    fn add(&mut self, side: Side, mut values: Vec<Observation>) {
        for values in values.chunk_by_mut(|one, other| one.environment == other.environment) {
            let Some(stratum) = self.strata.of(side, values[0].environment) else { continue };
            // Campaigns give them in this order already.
            values.sort_by_key(|value| (value.cell, value.block));
            let (calls, entries) = (self.calls.len(), self.entries.len());
            self.calls.extend_from_slice(values);
            let grouping = self.grouping;
            let total = values.len() as f64;
            let groups = values.chunk_by(|one, other| grouping.group(one) == grouping.group(other));
            self.entries.extend(groups.map(|values| Entry {
                group: grouping.group(&values[0]),
                // Environments weigh 1 each, their values alike.
                weight: values.len() as f64 / total,
                mean: mean(values),
            }));
            let (calls, entries) = (calls..self.calls.len(), entries..self.entries.len());
            self.clusters.push(Cluster { side, stratum, calls, entries });
        }
    }

    /// Sums up what the strata have in each group, and M: Σ over groups of diag(w) − wwᵀ/W, without the first stratum.
    fn sum_up(&mut self) {
        let strata = self.strata.count();
        for Cluster { stratum, entries, .. } in &self.clusters {
            for entry in &self.entries[entries.clone()] {
                let sum = &mut self.sums[entry.group as usize * strata + stratum];
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
        let solve = |right: &[f64]| std::iter::once(0.0).chain(factors.solve(right)).collect::<Vec<f64>>();
        (self.effects, self.slopes) = (solve(&deviations), solve(self.strata.free_contrast()));
        self.estimate = dot(&self.effects, &self.strata.contrast);
        for (group, sums) in self.groups.iter_mut().zip(self.sums.chunks_exact(self.strata.count())) {
            let mean = |of: &[f64]| sums.iter().zip(of).map(|(sum, of)| sum.weight * of).sum::<f64>() / group.weight;
            (group.effect, group.slope) = (mean(&self.effects), mean(&self.slopes));
        }
        Some(self)
    }

    /// The groups that have values of both sides, each with what its strata have.
    fn paired(&self) -> impl Iterator<Item = (&Group, &[Sum])> {
        let groups = self.groups.iter().zip(self.sums.chunks_exact(self.strata.count()));
        groups.filter(|(group, _)| group.weight > 0.0)
    }

    pub(super) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// How many blocks there may be.
    pub(super) fn blocks(&self) -> u32 {
        self.grouping.blocks
    }

    /// The values of an environment, in the order of their cells and blocks.
    pub(super) fn calls(&self, cluster: &Cluster) -> &[Observation] {
        &self.calls[cluster.calls.clone()]
    }

    /// The same, as means by group.
    pub(super) fn entries(&self, cluster: &Cluster) -> &[Entry] {
        &self.entries[cluster.entries.clone()]
    }

    pub(super) fn group(&self, value: &Observation) -> u32 {
        self.grouping.group(value)
    }

    fn group_at(&self, number: u32) -> &Group {
        &self.groups[number as usize]
    }

    /// W.
    pub(super) fn weight_of(&self, group: u32) -> f64 {
        self.group_at(group).weight
    }

    /// How fast the estimate grows with a value of a stratum: γ less its mean in the group.
    pub(super) fn slope(&self, stratum: usize, group: u32) -> f64 {
        self.slopes[stratum] - self.group_at(group).slope
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

    /// The mean of a side's fleet, over the groups that have values of both.
    pub(super) fn mean_of_fleet(&self, side: Side) -> f64 {
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

/// The number of the last block. None if there are no values.
pub fn last_block(values: &Sides<Vec<Observation>>) -> Option<u32> {
    values.iter().flat_map(|(_, values)| values).map(|value| value.block).max()
}

/// The mean of values, each of which weighs the same.
pub fn mean(values: &[Observation]) -> f64 {
    values.iter().map(|it| it.value).sum::<f64>() / values.len() as f64
}

/// The values in the order of their environments.
pub(super) fn by_environment(values: impl Iterator<Item = Observation>) -> Vec<Observation> {
    let values: Vec<Observation> = values.collect();
    let environments = values.iter().map(|value| value.environment + 1).max().unwrap_or_default();
    // How many values each environment has, and then where its next one goes.
    let mut places = vec![0; environments as usize];
    values.iter().for_each(|value| places[value.environment as usize] += 1);
    let mut first = 0;
    for place in &mut places {
        first += std::mem::replace(place, first);
    }
    let mut ordered = values.clone();
    for value in values {
        let place = &mut places[value.environment as usize];
        ordered[*place] = value;
        *place += 1;
    }
    ordered
}
