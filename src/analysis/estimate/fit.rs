//! The fit of values on their groups and sides.

use super::{
    Model,
    strata::{Strata, Stratum},
    symmetric_matrix::{SymmetricMatrix, dot},
};
use crate::analysis::sides::{Side, Sides};
use std::{borrow::Cow, ops::Range};

/// One value of one environment in one cell and block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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

/// The mean of what one environment has in one cell and block, or in one group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mean {
    /// The number of the cell and block, or of the first ones of the group.
    pub(super) place: u32,
    /// How many values it is of.
    pub(super) count: u32,
    pub(super) value: f64,
}

/// One value, without its environment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) place: u32,
    pub(super) step: u32,
    pub(super) value: f64,
}

/// One environment.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) side: Side,
    pub(super) stratum: usize,
    /// How many values it has.
    count: u32,
    /// Where its calls, visits and means by group are among those of the fit.
    calls: Range<usize>,
    visits: Range<usize>,
    means: Range<usize>,
}

/// Values as the model sees them. What is not needed of them is not kept: there may be ten million.
#[derive(Debug)]
pub struct Fit<'a> {
    pub(super) model: Model<'a>,
    pub(super) clusters: Vec<Cluster>,
    /// The values that have a part in the fit, in the order of their environments, cells and blocks, as means by cell and
    /// block.
    visits: Vec<Mean>,
    /// The same by group; empty where these are cells and blocks.
    means: Vec<Mean>,
    /// The same one by one; empty where nothing depends on single calls.
    calls: Vec<Call>,
    pub(super) strata: Strata,
    groups: Vec<Group>,
    /// The values of each stratum in each group.
    sums: Vec<Sum>,
    /// M: what is known of the effects.
    pub(super) information: SymmetricMatrix,
    grouping: Grouping,
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

/// Which group a value is in.
#[derive(Clone, Copy, Debug)]
struct Grouping {
    groups: Groups,
    /// How many blocks a cell may have.
    blocks: u32,
}

impl Grouping {
    /// The number of a value's cell and block.
    fn place(self, observation: &Observation) -> u32 {
        observation.cell * self.blocks + observation.block
    }

    fn group(self, place: u32) -> u32 {
        match self.groups {
            Groups::CellsAndBlocks => place,
            Groups::Cells => place / self.blocks,
            Groups::One => 0,
        }
    }
}

impl<'a> Fit<'a> {
    /// The fit of values in the order of their environments, cells and blocks.
    ///
    /// None if no group has values of both sides, or if a stratum has none in such groups, or none that are connected with
    /// those of the others.
    pub(super) fn new(values: &Sides<Cow<'_, [Observation]>>, model: Model<'a>, strata: Strata) -> Option<Self> {
        let grouping = Grouping { groups: model.groups, blocks: last_block(values)? + 1 };
        let group = |value: &Observation| grouping.group(grouping.place(value));
        let last = values.iter().flat_map(|(_, values)| values.iter()).map(group).max()?;
        let mut present = vec![Sides::<bool>::default(); last as usize + 1];
        for (side, values) in values.iter() {
            for values in by_environment(values).filter(|values| strata.of(side, values[0].environment).is_some()) {
                values.iter().for_each(|value| present[group(value) as usize][side] = true);
            }
        }
        let is_paired =
            |value: &Observation| present[group(value) as usize] == Sides { baseline: true, candidate: true };
        let mut fit = Self {
            model,
            clusters: Vec::new(),
            visits: Vec::new(),
            means: Vec::new(),
            calls: Vec::new(),
            groups: vec![Group::default(); present.len()],
            sums: vec![Sum::default(); present.len() * strata.count()],
            information: SymmetricMatrix::zero(strata.count() - 1),
            effects: Vec::new(),
            strata,
            grouping,
        };
        for (side, values) in values.iter() {
            by_environment(values).for_each(|values| fit.add_environment(side, values, is_paired));
        }
        fit.sum_up();
        fit.solved()
    }

    /// Adds the values of an environment that are in groups of both sides.
    fn add_environment(&mut self, side: Side, values: &[Observation], is_paired: impl Fn(&Observation) -> bool) {
        let Some(stratum) = self.strata.of(side, values[0].environment) else { return };
        let (grouping, first) = (self.grouping, [self.calls.len(), self.visits.len(), self.means.len()]);
        let mut count = 0;
        for of_place in values.chunk_by(|one, other| grouping.place(one) == grouping.place(other)) {
            if !is_paired(&of_place[0]) {
                continue;
            }
            let place = grouping.place(&of_place[0]);
            self.visits.push(Mean { place, count: of_place.len() as u32, value: mean(of_place) });
            count += of_place.len() as u32;
            if self.model.depends_on_single_calls() {
                self.calls.extend(of_place.iter().map(|call| Call { place, step: call.step, value: call.value }));
            }
        }
        if count == 0 {
            return;
        }
        if self.grouping.groups != Groups::CellsAndBlocks {
            let visits =
                self.visits[first[1]..].chunk_by(|one, other| grouping.group(one.place) == grouping.group(other.place));
            self.means.extend(visits.map(merged));
        }
        self.clusters.push(Cluster {
            side,
            stratum,
            count,
            calls: first[0]..self.calls.len(),
            visits: first[1]..self.visits.len(),
            means: first[2]..self.means.len(),
        });
    }

    /// The fit of the values over what is given for each side.
    pub fn in_units_of(mut self, units: Sides<f64>) -> Option<Self> {
        for Cluster { side, calls, visits, means, .. } in &self.clusters {
            self.calls[calls.clone()].iter_mut().for_each(|call| call.value /= units[*side]);
            self.visits[visits.clone()].iter_mut().for_each(|visit| visit.value /= units[*side]);
            self.means[means.clone()].iter_mut().for_each(|mean| mean.value /= units[*side]);
        }
        self.sums.fill(Sum::default());
        self.information = SymmetricMatrix::zero(self.strata.count() - 1);
        self.sum_up();
        self.solved()
    }

    /// Sums up what the strata have in each group, and M: Σ over groups of diag(w) − wwᵀ/W, without the first stratum.
    fn sum_up(&mut self) {
        let strata = self.strata.count();
        let mut all_sums = std::mem::take(&mut self.sums);
        for cluster in &self.clusters {
            for entry in self.entries(cluster) {
                let sum = &mut all_sums[entry.group as usize * strata + cluster.stratum];
                sum.weight += entry.weight;
                sum.value += entry.weight * entry.mean;
            }
        }
        self.sums = all_sums;
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

    pub(super) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// How many blocks there may be.
    pub(super) fn blocks(&self) -> u32 {
        self.grouping.blocks
    }

    /// The cell of a visit or a call.
    pub(super) fn cell(&self, place: u32) -> u32 {
        place / self.grouping.blocks
    }

    /// Its block.
    pub(super) fn block(&self, place: u32) -> u32 {
        place % self.grouping.blocks
    }

    pub(super) fn group(&self, place: u32) -> u32 {
        self.grouping.group(place)
    }

    /// The values of an environment, in the order of their cells and blocks, if anything depends on single ones.
    pub(super) fn calls(&self, cluster: &Cluster) -> &[Call] {
        &self.calls[cluster.calls.clone()]
    }

    /// The same as means by cell and block.
    pub(super) fn visits(&self, cluster: &Cluster) -> &[Mean] {
        &self.visits[cluster.visits.clone()]
    }

    /// The same as means by group.
    pub(super) fn entries(&self, cluster: &Cluster) -> impl ExactSizeIterator<Item = Entry> {
        let (grouping, total) = (self.grouping, f64::from(cluster.count));
        // Environments weigh 1 each, their values alike.
        let entry = move |mean: &Mean| Entry {
            group: grouping.group(mean.place),
            weight: f64::from(mean.count) / total,
            mean: mean.value,
        };
        self.means_by_group()[self.entries_of(cluster)].iter().map(entry)
    }

    /// Where those are among the means of all environments.
    pub(super) fn entries_of(&self, cluster: &Cluster) -> Range<usize> {
        match self.grouping.groups {
            Groups::CellsAndBlocks => cluster.visits.clone(),
            Groups::Cells | Groups::One => cluster.means.clone(),
        }
    }

    /// How many means there are.
    pub(super) fn entry_count(&self) -> usize {
        self.means_by_group().len()
    }

    fn means_by_group(&self) -> &[Mean] {
        match self.grouping.groups {
            Groups::CellsAndBlocks => &self.visits,
            Groups::Cells | Groups::One => &self.means,
        }
    }

    /// How many environments of each side have a part in it.
    pub(super) fn environments(&self) -> Sides<u32> {
        let count = |side| self.clusters.iter().filter(|cluster| cluster.side == side).count() as u32;
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

/// The number of the last block. None if there are no values.
pub fn last_block(values: &Sides<impl AsRef<[Observation]>>) -> Option<u32> {
    values.iter().flat_map(|(_, values)| values.as_ref()).map(|value| value.block).max()
}

/// The mean of values, each of which weighs the same.
pub fn mean(values: &[Observation]) -> f64 {
    values.iter().map(|it| it.value).sum::<f64>() / values.len() as f64
}

/// Values in the order of their environments, cells and blocks.
pub(super) fn in_order(values: &[Observation]) -> Cow<'_, [Observation]> {
    let place = |value: &Observation| (value.environment, value.cell, value.block);
    if values.is_sorted_by_key(place) {
        return values.into();
    }
    let mut ordered = values.to_vec();
    ordered.sort_by_key(place);
    ordered.into()
}

/// The values of one environment after the other, in such an order.
pub(super) fn by_environment(values: &[Observation]) -> impl Iterator<Item = &[Observation]> {
    values.chunk_by(|one, other| one.environment == other.environment)
}

/// One mean instead of several.
fn merged(means: &[Mean]) -> Mean {
    let count = means.iter().map(|mean| mean.count).sum();
    let sum: f64 = means.iter().map(|mean| f64::from(mean.count) * mean.value).sum();
    Mean { place: means[0].place, count, value: sum / f64::from(count) }
}
