//! The fit of values on their groups and sides.

use super::{
    strata::{Strata, Stratum},
    symmetric_matrix::{SymmetricMatrix, dot},
};
use crate::analysis::sides::{Side, Sides};

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

/// What the values of one stratum weigh in one group.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) weight: f64,
    pub(super) value: f64,
}

impl Sum {
    pub(super) fn mean(self) -> f64 {
        self.value / self.weight
    }
}

/// What one environment weighs in one group, and the mean of its values there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) group: u32,
    pub(super) weight: f64,
    pub(super) mean: f64,
}

/// The values of one environment, a mean for each group.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) side: Side,
    pub(super) stratum: usize,
    pub(super) entries: Vec<Entry>,
}

/// Values as the model sees them.
#[derive(Debug)]
pub(super) struct Fit {
    pub(super) clusters: Vec<Cluster>,
    pub(super) strata: Strata,
    pub(super) groups: Vec<Group>,
    /// M: what is known of the effects.
    pub(super) information: SymmetricMatrix,
    pub(super) estimate: f64,
    grouping: Grouping,
    /// β: the effect of each stratum, as compared with that of the first.
    effects: Vec<f64>,
    /// γ: the solution of Mγ = c, for the first stratum 0.
    slopes: Vec<f64>,
}

/// The values of one cell and block; none if it has values of one side alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// By stratum.
    pub(super) sums: Vec<Sum>,
    /// W: the weight of all.
    pub(super) weight: f64,
    /// The means of the values, and of β and γ over the values.
    mean: f64,
    effect: f64,
    slope: f64,
}

impl Group {
    fn set_means(&mut self) {
        self.weight = self.sums.iter().map(|sum| sum.weight).sum();
        self.mean = self.sums.iter().map(|sum| sum.value).sum::<f64>() / self.weight;
    }

    /// The mean of what the strata have, as much of each as the group has.
    fn mean_of(&self, of_strata: &[f64]) -> f64 {
        self.sums.iter().zip(of_strata).map(|(sum, of_stratum)| sum.weight * of_stratum).sum::<f64>() / self.weight
    }

    /// The values of these strata.
    pub(super) fn sum(&self, strata: &[Stratum]) -> Sum {
        strata.iter().map(|stratum| self.sums[stratum.number]).fold(Sum::default(), |sum, other| Sum {
            weight: sum.weight + other.weight,
            value: sum.value + other.value,
        })
    }
}

/// Which group a value is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grouping {
    pub(super) groups: Groups,
    /// How many blocks a cell may have.
    pub(super) blocks: u32,
}

impl Grouping {
    pub(super) fn group(self, observation: &Observation) -> u32 {
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
        let mut clusters = Vec::new();
        for (side, values) in values.iter() {
            for values in by_environment(values.iter().copied().filter(is_paired)) {
                let Some(stratum) = strata.of(side, values[0].environment) else { continue };
                clusters.push(Cluster { side, stratum, entries: entries(values, grouping) });
            }
        }
        let empty = Group { sums: vec![Sum::default(); strata.count()], ..Group::default() };
        let mut groups = vec![empty; present.len()];
        for Cluster { stratum, entries, .. } in &clusters {
            for entry in entries {
                let sum = &mut groups[entry.group as usize].sums[*stratum];
                sum.weight += entry.weight;
                sum.value += entry.weight * entry.mean;
            }
        }
        groups.iter_mut().for_each(Group::set_means);
        let information = information(&groups, strata.count() - 1);
        let fit = Self {
            clusters,
            information,
            effects: Vec::new(),
            slopes: Vec::new(),
            estimate: 0.0,
            groups,
            strata,
            grouping,
        };
        fit.solved()
    }

    /// Solves the normal equations. None if they have no solution.
    fn solved(mut self) -> Option<Self> {
        let factors = self.information.clone().factor(&self.information);
        if !factors.is_regular() {
            return None;
        }
        let deviations = |stratum: usize| -> f64 {
            self.paired().map(|group| group.sums[stratum].value - group.sums[stratum].weight * group.mean).sum()
        };
        let deviations: Vec<f64> = (1..self.strata.count()).map(deviations).collect();
        let solve = |right: &[f64]| std::iter::once(0.0).chain(factors.solve(right)).collect::<Vec<f64>>();
        (self.effects, self.slopes) = (solve(&deviations), solve(self.strata.free_contrast()));
        self.estimate = dot(&self.effects, &self.strata.contrast);
        for group in &mut self.groups {
            (group.effect, group.slope) = (group.mean_of(&self.effects), group.mean_of(&self.slopes));
        }
        Some(self)
    }

    /// The groups that have values of both sides.
    pub(super) fn paired(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| group.weight > 0.0)
    }

    pub(super) fn group(&self, value: &Observation) -> u32 {
        self.grouping.group(value)
    }

    fn group_at(&self, number: u32) -> &Group {
        &self.groups[number as usize]
    }

    /// The values that have a part in the fit, of one environment after the other, with the stratum of each.
    pub(super) fn environments(
        &self,
        side: Side,
        values: &[Observation],
    ) -> impl Iterator<Item = (usize, Vec<Observation>)> {
        let is_paired = |value: &Observation| self.weight_of(self.group(value)) > 0.0;
        let stratum = move |value: &Observation| self.strata.of(side, value.environment);
        let values = values.iter().copied().filter(move |value| stratum(value).is_some() && is_paired(value));
        by_environment(values).filter_map(move |values| Some((stratum(&values[0])?, values)))
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
        let group = self.group_at(group);
        let others = group.sums.iter().enumerate().skip(1);
        others.map(move |(number, sum)| f64::from(u8::from(number == stratum)) - sum.weight / group.weight)
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
}

/// M: Σ over groups of diag(w) − wwᵀ/W, without the first stratum.
fn information(groups: &[Group], size: usize) -> SymmetricMatrix {
    let mut information = SymmetricMatrix::zero(size);
    for Group { sums, weight, .. } in groups.iter().filter(|group| group.weight > 0.0) {
        let weights: Vec<f64> = sums[1..].iter().map(|sum| sum.weight).collect();
        for (row, own) in weights.iter().enumerate() {
            information.add_to_diagonal(row, *own);
        }
        information.add_outer_product(&weights, -1.0 / weight);
    }
    information
}

/// The number of the last block. None if there are no values.
pub fn last_block(values: &Sides<Vec<Observation>>) -> Option<u32> {
    values.iter().flat_map(|(_, values)| values).map(|value| value.block).max()
}

/// The mean of values, each of which weighs the same.
pub fn mean(values: &[Observation]) -> f64 {
    values.iter().map(|it| it.value).sum::<f64>() / values.len() as f64
}

/// The values of one environment after the other.
pub(super) fn by_environment(
    values: impl Iterator<Item = Observation> + Clone,
) -> impl Iterator<Item = Vec<Observation>> {
    let mut counts = Vec::new();
    for value in values.clone() {
        let environment = value.environment as usize;
        if environment >= counts.len() {
            counts.resize(environment + 1, 0);
        }
        counts[environment] += 1;
    }
    let mut of_environments: Vec<Vec<Observation>> = counts.into_iter().map(Vec::with_capacity).collect();
    values.for_each(|value| of_environments[value.environment as usize].push(value));
    of_environments.into_iter().filter(|values| !values.is_empty())
}

/// The values of one environment, as means by group. Environments weigh 1 each, their values alike.
fn entries(mut values: Vec<Observation>, grouping: Grouping) -> Vec<Entry> {
    // Campaigns give them in this order already.
    values.sort_by_key(|value| grouping.group(value));
    let total = values.len() as f64;
    let groups = values.chunk_by(|one, other| grouping.group(one) == grouping.group(other));
    let entries = groups.map(|values| Entry {
        group: grouping.group(&values[0]),
        weight: values.len() as f64 / total,
        mean: mean(values),
    });
    entries.collect()
}
