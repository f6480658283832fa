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

/// The cells and blocks that values are in, by number.
#[derive(Debug)]
enum Places {
    /// Each of them has a number, which tells it.
    All { blocks: u32 },
    /// Those that have values: of measurements from elsewhere, each may have a block of its own.
    Listed(Vec<(u32, u32)>),
}

impl Places {
    fn new(values: &Sides<Cow<'_, [Observation]>>, blocks: u32) -> Option<Self> {
        /// How many numbers there may be for a value, and for all of them in any case.
        const SPARSE: u64 = 4;
        const FEW: u64 = 1 << 18;
        let all = || values.iter().flat_map(|(_, values)| values.iter());
        let cells = all().map(|value| value.cell).max()? + 1;
        let count = values.iter().map(|(_, values)| values.len() as u64).sum::<u64>();
        if u64::from(cells) * u64::from(blocks) <= (SPARSE * count).max(FEW) {
            return Some(Self::All { blocks });
        }
        let mut places: Vec<(u32, u32)> = all().map(|value| (value.cell, value.block)).collect();
        places.sort_unstable();
        places.dedup();
        Some(Self::Listed(places))
    }

    fn number(&self, value: &Observation) -> u32 {
        match self {
            Self::All { blocks } => value.cell * blocks + value.block,
            Self::Listed(places) => places.partition_point(|place| *place < (value.cell, value.block)) as u32,
        }
    }

    fn cell(&self, number: u32) -> u32 {
        match self {
            Self::All { blocks } => number / blocks,
            Self::Listed(places) => places[number as usize].0,
        }
    }

    fn block(&self, number: u32) -> u32 {
        match self {
            Self::All { blocks } => number % blocks,
            Self::Listed(places) => places[number as usize].1,
        }
    }
}

/// The values that have a part in a fit. What is not needed of them is not kept: there may be ten million.
#[derive(Debug)]
pub(super) struct Values {
    pub(super) environments: Vec<Cluster>,
    grouped_by: Groups,
    places: Places,
    /// In the order of their environments, cells and blocks, as means by cell and block.
    visits: Vec<Mean>,
    /// The same by group; empty where these are cells and blocks.
    means: Vec<Mean>,
    /// The same one by one; empty where nothing depends on single calls.
    calls: Vec<Call>,
    keeps_calls: bool,
    /// How many groups there may be, and blocks.
    pub(super) groups: usize,
    pub(super) blocks: usize,
}

impl Values {
    /// The values of groups that have some of both sides, of the environments of strata; they are given in the order of their
    /// environments, cells and blocks. None if there are none at all.
    pub(super) fn new(values: &Sides<Cow<'_, [Observation]>>, model: Model<'_>, strata: &Strata) -> Option<Self> {
        let blocks = last_block(values)? + 1;
        let mut kept = Self {
            environments: Vec::new(),
            grouped_by: model.groups,
            places: Places::new(values, blocks)?,
            visits: Vec::new(),
            means: Vec::new(),
            calls: Vec::new(),
            keeps_calls: model.depends_on_single_calls(),
            groups: 0,
            blocks: blocks as usize,
        };
        let mut present = Vec::<Sides<bool>>::new();
        for (side, values) in values.iter() {
            for values in by_environment(values).filter(|values| strata.of(side, values[0].environment).is_some()) {
                for value in values {
                    let group = kept.group(kept.places.number(value)) as usize;
                    if group >= present.len() {
                        present.resize(group + 1, Sides::default());
                    }
                    present[group][side] = true;
                }
            }
        }
        kept.groups = present.len();
        let is_paired = |group: u32| present[group as usize] == Sides { baseline: true, candidate: true };
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
        has_part: impl Fn(u32) -> bool,
    ) {
        let first = [self.calls.len(), self.visits.len(), self.means.len()];
        let mut count = 0;
        for of_place in values.chunk_by(|one, other| (one.cell, one.block) == (other.cell, other.block)) {
            let place = self.places.number(&of_place[0]);
            if !has_part(self.group(place)) {
                continue;
            }
            self.visits.push(Mean { place, count: of_place.len() as u32, value: mean(of_place) });
            count += of_place.len() as u32;
            if self.keeps_calls {
                self.calls.extend(of_place.iter().map(|call| Call { place, step: call.step, value: call.value }));
            }
        }
        if count == 0 {
            return;
        }
        if self.grouped_by != Groups::CellsAndBlocks {
            let visits = &self.visits[first[1]..];
            let groups = visits.chunk_by(|one, other| self.group(one.place) == self.group(other.place));
            let means: Vec<Mean> = groups.map(merged).collect();
            self.means.extend(means);
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

    /// The cell of a visit or a call.
    pub(super) fn cell(&self, place: u32) -> u32 {
        self.places.cell(place)
    }

    /// Its block.
    pub(super) fn block(&self, place: u32) -> u32 {
        self.places.block(place)
    }

    pub(super) fn group(&self, place: u32) -> u32 {
        match self.grouped_by {
            Groups::CellsAndBlocks => place,
            Groups::Cells => self.places.cell(place),
            Groups::One => 0,
        }
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
        let total = f64::from(cluster.count);
        // Environments weigh 1 each, their values alike.
        let entry = move |mean: &Mean| Entry {
            group: self.group(mean.place),
            weight: f64::from(mean.count) / total,
            mean: mean.value,
        };
        self.means_by_group()[self.entries_of(cluster)].iter().map(entry)
    }

    /// Where those are among the means of all environments.
    pub(super) fn entries_of(&self, cluster: &Cluster) -> Range<usize> {
        match self.grouped_by {
            Groups::CellsAndBlocks => cluster.visits.clone(),
            Groups::Cells | Groups::One => cluster.means.clone(),
        }
    }

    /// Whether it is in one group alone.
    pub(super) fn is_single(&self, cluster: &Cluster) -> bool {
        self.entries_of(cluster).len() == 1
    }

    /// How many means there are.
    pub(super) fn entry_count(&self) -> usize {
        self.means_by_group().len()
    }

    fn means_by_group(&self) -> &[Mean] {
        match self.grouped_by {
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
