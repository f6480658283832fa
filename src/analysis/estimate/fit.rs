//! The fit of values on their groups and sides.

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

/// What the values of one side weigh in one group.
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
    pub(super) entries: Vec<Entry>,
}

/// Values as the model sees them.
#[derive(Debug)]
pub(super) struct Fit {
    pub(super) clusters: Vec<Cluster>,
    pub(super) grouping: Grouping,
    pub(super) groups: Vec<Sides<Sum>>,
    /// The information about the difference: Σ w₀w₁/(w₀ + w₁) over the groups.
    pub(super) information: f64,
    pub(super) estimate: f64,
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
    pub(super) fn new(values: &Sides<Vec<Observation>>, groups: Groups) -> Option<Self> {
        let grouping = Grouping { groups, blocks: last_block(values)? + 1 };
        let last = values.iter().flat_map(|(_, values)| values).map(|value| grouping.group(value)).max()?;
        let mut present = vec![Sides::<bool>::default(); last as usize + 1];
        for (side, values) in values.iter() {
            values.iter().for_each(|value| present[grouping.group(value) as usize][side] = true);
        }
        let is_paired =
            |value: &Observation| present[grouping.group(value) as usize] == Sides { baseline: true, candidate: true };
        let mut clusters = Vec::new();
        for (side, values) in values.iter() {
            let of_environments = by_environment(values.iter().copied().filter(is_paired));
            clusters.extend(of_environments.map(|values| Cluster { side, entries: entries(values, grouping) }));
        }
        let mut groups = vec![Sides::<Sum>::default(); last as usize + 1];
        for Cluster { side, entries } in &clusters {
            for entry in entries {
                let sum = &mut groups[entry.group as usize][*side];
                sum.weight += entry.weight;
                sum.value += entry.weight * entry.mean;
            }
        }
        let (mut information, mut sum) = (0.0, 0.0);
        for (weight, group) in weighted(&groups) {
            information += weight;
            sum += weight * (group.candidate.mean() - group.baseline.mean());
        }
        (information > 0.0).then(|| Self { clusters, grouping, groups, information, estimate: sum / information })
    }

    pub(super) fn group(&self, value: &Observation) -> u32 {
        self.grouping.group(value)
    }

    /// Whether a value has a part in the fit: its group has values of both sides.
    pub(super) fn has(&self, value: &Observation) -> bool {
        self.groups[self.group(value) as usize].iter().all(|(_, sum)| sum.weight > 0.0)
    }

    /// w₀ + w₁.
    pub(super) fn weight_of(&self, group: u32) -> f64 {
        let Sides { baseline, candidate } = &self.groups[group as usize];
        baseline.weight + candidate.weight
    }

    /// How far the side of a value (0 for the baseline, 1 for the candidate) is from the mean side of its group, which is
    /// w₁/(w₀ + w₁).
    pub(super) fn centred_side(&self, side: Side, group: u32) -> f64 {
        let share = self.groups[group as usize].candidate.weight / self.weight_of(group);
        f64::from(u8::from(side == Side::Candidate)) - share
    }

    /// How far a value is from what the fit expects of its side and group.
    pub(super) fn residual(&self, side: Side, group: u32, value: f64) -> f64 {
        let Sides { baseline, candidate } = &self.groups[group as usize];
        let mean = (baseline.value + candidate.value) / self.weight_of(group);
        value - mean - self.estimate * self.centred_side(side, group)
    }
}

/// Each group that has values of both sides, with what it tells about the difference: w₀w₁/(w₀ + w₁).
pub(super) fn weighted(groups: &[Sides<Sum>]) -> impl Iterator<Item = (f64, &Sides<Sum>)> {
    let paired = groups.iter().filter(|group| group.baseline.weight > 0.0);
    paired.map(|group| {
        let Sides { baseline: Sum { weight: w0, .. }, candidate: Sum { weight: w1, .. } } = group;
        (w0 * w1 / (w0 + w1), group)
    })
}

/// The number of the last block. None if there are no values.
pub fn last_block(values: &Sides<Vec<Observation>>) -> Option<u32> {
    values.iter().flat_map(|(_, values)| values).map(|value| value.block).max()
}

/// The mean of values, each of which weighs the same.
pub fn mean(values: &[Observation]) -> f64 {
    values.iter().map(|it| it.value).sum::<f64>() / values.len() as f64
}

pub(super) fn by_environment(values: impl Iterator<Item = Observation>) -> impl Iterator<Item = Vec<Observation>> {
    let mut of_environments: Vec<Vec<Observation>> = Vec::new();
    for value in values {
        let environment = value.environment as usize;
        if environment >= of_environments.len() {
            of_environments.resize_with(environment + 1, Vec::new);
        }
        of_environments[environment].push(value);
    }
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
