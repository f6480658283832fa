//! The values of a fit, environment by environment.

use super::{Model, strata::Strata};
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

/// The values that have a part in a fit. What is not needed of them is not kept: there may be ten million.
#[derive(Debug)]
pub(super) struct Values {
    pub(super) environments: Vec<Cluster>,
    grouping: Grouping,
    /// In the order of their environments, cells and blocks, as means by cell and block.
    visits: Vec<Mean>,
    /// The same by group; empty where these are cells and blocks.
    means: Vec<Mean>,
    /// The same one by one; empty where nothing depends on single calls.
    calls: Vec<Call>,
    keeps_calls: bool,
    /// How many groups there may be.
    pub(super) groups: usize,
}

impl Values {
    /// The values of groups that have some of both sides, of the environments of strata; they are given in the order of their
    /// environments, cells and blocks. None if there are none at all.
    pub(super) fn new(values: &Sides<Cow<'_, [Observation]>>, model: Model<'_>, strata: &Strata) -> Option<Self> {
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
        let mut kept = Self {
            environments: Vec::new(),
            grouping,
            visits: Vec::new(),
            means: Vec::new(),
            calls: Vec::new(),
            keeps_calls: model.depends_on_single_calls(),
            groups: present.len(),
        };
        for (side, values) in values.iter() {
            for values in by_environment(values) {
                if let Some(stratum) = strata.of(side, values[0].environment) {
                    kept.add_environment((side, stratum), values, is_paired);
                }
            }
        }
        Some(kept)
    }

    fn add_environment(
        &mut self,
        (side, stratum): (Side, usize),
        values: &[Observation],
        has_part: impl Fn(&Observation) -> bool,
    ) {
        let (grouping, first) = (self.grouping, [self.calls.len(), self.visits.len(), self.means.len()]);
        let mut count = 0;
        for of_place in values.chunk_by(|one, other| grouping.place(one) == grouping.place(other)) {
            if !has_part(&of_place[0]) {
                continue;
            }
            let place = grouping.place(&of_place[0]);
            self.visits.push(Mean { place, count: of_place.len() as u32, value: mean(of_place) });
            count += of_place.len() as u32;
            if self.keeps_calls {
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
        self.environments.push(Cluster {
            side,
            stratum,
            count,
            calls: first[0]..self.calls.len(),
            visits: first[1]..self.visits.len(),
            means: first[2]..self.means.len(),
        });
    }

    /// Divides the values of each side by what is given for it.
    pub(super) fn divide_by(&mut self, units: Sides<f64>) {
        for Cluster { side, calls, visits, means, .. } in &self.environments {
            self.calls[calls.clone()].iter_mut().for_each(|call| call.value /= units[*side]);
            self.visits[visits.clone()].iter_mut().for_each(|visit| visit.value /= units[*side]);
            self.means[means.clone()].iter_mut().for_each(|mean| mean.value /= units[*side]);
        }
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
