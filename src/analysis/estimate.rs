//! How the candidate's values differ from the baseline's, with the uncertainty that environments and disturbances leave.
//!
//! The model is a weighted least-squares fit of each value on its block and its side, in which each environment
//! weighs the same. Blocks take out what drifts; environments are the clusters of a variance that is robust to
//! whatever the calls of one environment have in common, by the jackknife-like estimator CR3 (Bell & McCaffrey 2002).
//! Each side has its own degrees of freedom by Satterthwaite's approximation (Pustejovsky & Tipton 2018), and both are
//! combined as Welch (1947) did, because one side may have a fleet of mixed CPUs and the other not.
//!
//! Environments are independent of each other only if nothing disturbs several of them at once. What does is measured by
//! blocks, the second way of clustering (Cameron, Gelbach & Miller 2011).

mod disturbances;
mod environments;

pub use environments::Variance;

use crate::campaign::sides::{Side, Sides};
use disturbances::Disturbances;
use environments::Adjusted;
use serde::Serialize;

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

/// What calls may have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clusters {
    /// Their environment. Where both sides are called one by one in random order, whatever disturbs several calls meets
    /// either side by chance, as if each call had been disturbed for itself.
    Environments,
    /// Their environment, and their block: a disturbance may last for as long as a side is called.
    EnvironmentsAndBlocks,
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// What has a mean of its own.
    pub groups: Groups,
    /// What adds to the variance.
    pub clusters: Clusters,
}

/// The candidate's values less the baseline's, as estimated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The difference of the means.
    pub estimate: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The degrees of freedom of that error.
    pub degrees_of_freedom: f64,
    /// The environments of each side that have a part in it.
    pub environments: Sides<u32>,
    /// The blocks in which both sides have values that have a part in it.
    pub blocks: u32,
    /// Where its variance comes from.
    pub sources: Sources,
    /// What its variance has that more environments would not narrow, only more blocks.
    pub fixed_variance: f64,
}

/// Where the variance of a difference comes from; the parts add up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Sources {
    /// What the calls of one environment have in common.
    pub environments: f64,
    /// What several environments have in common in one block; of calls one by one, what neighbours have in common.
    pub disturbances: f64,
    /// What single calls have of their own, and in a cold campaign their environments.
    pub calls: f64,
}

impl Sources {
    /// The parts as shares of the whole; none where there is nothing to share.
    pub fn shares(self) -> Option<Self> {
        let Self { environments, disturbances, calls } = self;
        let whole = environments + disturbances + calls;
        let share = |part: f64| part / whole;
        (whole > 0.0).then(|| Self {
            environments: share(environments),
            disturbances: share(disturbances),
            calls: share(calls),
        })
    }
}

/// What the values of one side weigh in one group.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    weight: f64,
    value: f64,
}

impl Sum {
    fn mean(self) -> f64 {
        self.value / self.weight
    }
}

/// What one environment weighs in one group, and the mean of its values there.
#[derive(Clone, Copy, Debug)]
struct Entry {
    group: u32,
    weight: f64,
    mean: f64,
}

/// The values of one environment, a mean for each group.
#[derive(Debug)]
struct Cluster {
    side: Side,
    entries: Vec<Entry>,
}

/// Values as the model sees them.
#[derive(Debug)]
struct Fit {
    clusters: Vec<Cluster>,
    grouping: Grouping,
    groups: Vec<Sides<Sum>>,
    /// The information about the difference, by the weights: Σ w₀w₁/(w₀ + w₁) over the groups.
    information: f64,
    estimate: f64,
}

/// The difference of the means of both sides' values.
///
/// None where no group has values of both sides, or nothing tells how uncertain the difference is: a side of which
/// fewer than two environments answered. Only groups with values of both sides have a part in it.
pub fn difference(values: &Sides<Vec<Observation>>, model: Model) -> Option<Difference> {
    let fit = Fit::new(values, model.groups)?;
    let (by_environment, disturbances) = (fit.difference(Variance::Cr3)?, fit.disturbances(values));
    Some(match model.clusters {
        Clusters::Environments => by_environment.interleaved(&disturbances, fit.shared_by_neighbours(values)),
        Clusters::EnvironmentsAndBlocks => by_environment.disturbed(&disturbances),
    })
}

/// The same with a variance by environments alone, and the degrees of freedom that this has by itself: those of both sides
/// together, if all values had the same variance. It is what the R package clubSandwich computes.
pub fn difference_by(values: &Sides<Vec<Observation>>, variance: Variance) -> Option<Difference> {
    let fit = Fit::new(values, Groups::CellsAndBlocks)?;
    let clusters: Vec<&Cluster> = fit.clusters.iter().collect();
    let adjusted: Vec<Adjusted> = clusters.iter().map(|it| fit.adjust(it, variance)).collect();
    let degrees_of_freedom = fit.degrees_of_freedom(&clusters, &adjusted);
    Some(Difference { degrees_of_freedom, ..fit.difference(variance)? })
}

/// The difference of the logarithms of the arithmetic means of both sides' values, which must not be negative.
///
/// None where [`difference`] is none, and where a mean is 0.
pub fn log_ratio_of_means(mut values: Sides<Vec<Observation>>, model: Model) -> Option<Difference> {
    let means = means(&values, model.groups)?;
    if means.baseline <= 0.0 || means.candidate <= 0.0 {
        return None;
    }
    // To first order the logarithm of a mean moves as the mean does in units of itself (the delta method).
    for side in Side::BOTH {
        values[side].iter_mut().for_each(|it| it.value /= means[side]);
    }
    let difference = difference(&values, model)?;
    Some(Difference { estimate: (means.candidate / means.baseline).ln(), ..difference })
}

/// The means of both sides' values over the groups that have values of both, each environment weighing the same.
///
/// None where there is no such group.
pub fn means(values: &Sides<Vec<Observation>>, groups: Groups) -> Option<Sides<f64>> {
    let fit = Fit::new(values, groups)?;
    let mut sums = Sides::<f64>::default();
    for Sides { baseline, candidate } in fit.groups.iter().filter(|it| it.baseline.weight > 0.0) {
        let weight = baseline.weight * candidate.weight / (baseline.weight + candidate.weight);
        sums.baseline += weight * baseline.mean();
        sums.candidate += weight * candidate.mean();
    }
    Some(sums.map(|_, it| it / fit.information))
}

impl Difference {
    /// The same where disturbances meet both sides by chance, and have a share in what single calls vary by.
    fn interleaved(self, disturbances: &Disturbances, share: f64) -> Self {
        let variance = self.standard_error.powi(2);
        let of_calls = disturbances.of_calls.min(variance);
        let sources = Sources {
            environments: variance - of_calls,
            disturbances: of_calls * share,
            calls: of_calls * (1.0 - share),
        };
        Self { blocks: disturbances.blocks, sources, ..self }
    }

    /// The same where disturbances have a part in its variance. What they add is an estimate too, with the degrees of
    /// freedom of the blocks that tell it (Satterthwaite 1946).
    fn disturbed(self, disturbances: &Disturbances) -> Self {
        let by_environments = self.standard_error.powi(2);
        // What single calls have of their own is part of both.
        let of_calls = disturbances.of_calls.min(by_environments);
        let excess = (disturbances.of_blocks - of_calls).max(0.0);
        let variance = by_environments + excess;
        let sources = Sources { environments: by_environments - of_calls, disturbances: excess, calls: of_calls };
        let mut disturbed = Self { blocks: disturbances.blocks, sources, fixed_variance: excess, ..self };
        if excess > 0.0 {
            let parts =
                [(by_environments, self.degrees_of_freedom), (disturbances.of_blocks, disturbances.degrees_of_freedom)];
            disturbed.standard_error = variance.sqrt();
            disturbed.degrees_of_freedom = satterthwaite(variance, &parts);
        }
        disturbed
    }
}

/// Which group a value is in.
#[derive(Clone, Copy, Debug)]
struct Grouping {
    groups: Groups,
    /// How many blocks a cell may have.
    blocks: u32,
}

impl Grouping {
    fn group(self, it: &Observation) -> u32 {
        match self.groups {
            Groups::CellsAndBlocks => it.cell * self.blocks + it.block,
            Groups::Cells => it.cell,
            Groups::One => 0,
        }
    }
}

impl Fit {
    fn new(values: &Sides<Vec<Observation>>, groups: Groups) -> Option<Self> {
        let all = || values.iter().flat_map(|(_, it)| it);
        let grouping = Grouping { groups, blocks: all().map(|it| it.block).max()? + 1 };
        let last = all().map(|it| grouping.group(it)).max()?;
        let mut present = vec![Sides::<bool>::default(); last as usize + 1];
        for (side, values) in values.iter() {
            values.iter().for_each(|it| present[grouping.group(it) as usize][side] = true);
        }
        let is_paired =
            |it: &Observation| present[grouping.group(it) as usize] == Sides { baseline: true, candidate: true };
        let clusters: Vec<Cluster> = values
            .iter()
            .flat_map(|(side, values)| clusters(side, values.iter().copied().filter(is_paired), grouping))
            .collect();
        let mut groups = vec![Sides::<Sum>::default(); last as usize + 1];
        for Cluster { side, entries } in &clusters {
            for entry in entries {
                let sum = &mut groups[entry.group as usize][*side];
                sum.weight += entry.weight;
                sum.value += entry.weight * entry.mean;
            }
        }
        let (mut information, mut sum) = (0.0, 0.0);
        for Sides { baseline, candidate } in groups.iter().filter(|it| it.baseline.weight > 0.0) {
            let weight = baseline.weight * candidate.weight / (baseline.weight + candidate.weight);
            information += weight;
            sum += weight * (candidate.mean() - baseline.mean());
        }
        (information > 0.0).then(|| Self { clusters, grouping, groups, information, estimate: sum / information })
    }

    fn group(&self, it: &Observation) -> u32 {
        self.grouping.group(it)
    }

    /// Whether a value has a part in the fit: its group has values of both sides.
    fn has(&self, it: &Observation) -> bool {
        let Sides { baseline, candidate } = &self.groups[self.group(it) as usize];
        baseline.weight > 0.0 && candidate.weight > 0.0
    }

    fn weight_of(&self, group: u32) -> f64 {
        let Sides { baseline, candidate } = &self.groups[group as usize];
        baseline.weight + candidate.weight
    }

    /// How far the side of a value is from the mean side of its group, by weight.
    fn centred_side(&self, side: Side, group: u32) -> f64 {
        let Sides { baseline, candidate } = &self.groups[group as usize];
        let share = candidate.weight / (baseline.weight + candidate.weight);
        f64::from(u8::from(side == Side::Candidate)) - share
    }

    /// How far a value is from what the fit expects of its side and group.
    fn residual(&self, side: Side, group: u32, value: f64) -> f64 {
        let Sides { baseline, candidate } = &self.groups[group as usize];
        let mean = (baseline.value + candidate.value) / (baseline.weight + candidate.weight);
        value - mean - self.estimate * self.centred_side(side, group)
    }
}

/// The standard error of the sum or difference of independent estimates, each with its variance and the degrees of
/// freedom of that, and its own degrees of freedom (Welch 1947, Satterthwaite 1946).
pub(super) fn welch(parts: &[(f64, f64)]) -> (f64, f64) {
    let variance: f64 = parts.iter().map(|(variance, _)| variance).sum();
    let degrees_of_freedom =
        if variance > 0.0 { satterthwaite(variance, parts) } else { parts.iter().map(|(_, freedom)| freedom).sum() };
    (variance.sqrt(), degrees_of_freedom)
}

/// The degrees of freedom of a variance that is computed from these ones, each with its own (Satterthwaite 1946).
fn satterthwaite(variance: f64, parts: &[(f64, f64)]) -> f64 {
    // As shares, whose squares are never beyond all numbers.
    1.0 / parts.iter().map(|(part, freedom)| (part / variance).powi(2) / freedom).sum::<f64>()
}

fn by_environment(values: impl Iterator<Item = Observation>) -> impl Iterator<Item = Vec<Observation>> {
    let mut of_environments: Vec<Vec<Observation>> = Vec::new();
    for value in values {
        let environment = value.environment as usize;
        if environment >= of_environments.len() {
            of_environments.resize_with(environment + 1, Vec::new);
        }
        of_environments[environment].push(value);
    }
    of_environments.into_iter().filter(|it| !it.is_empty())
}

/// The values of each environment, as means by group. Environments weigh 1 each, their values alike.
fn clusters(side: Side, values: impl Iterator<Item = Observation>, grouping: Grouping) -> Vec<Cluster> {
    let cluster = |mut values: Vec<Observation>| {
        // Campaigns give them in this order already.
        values.sort_by_key(|it| grouping.group(it));
        let total = values.len() as f64;
        let of_group = values.chunk_by(|one, other| grouping.group(one) == grouping.group(other));
        let entry = |values: &[Observation]| {
            let count = values.len() as f64;
            let mean = values.iter().map(|it| it.value).sum::<f64>() / count;
            Entry { group: grouping.group(&values[0]), weight: count / total, mean }
        };
        Cluster { side, entries: of_group.map(entry).collect() }
    };
    by_environment(values).map(cluster).collect()
}

#[cfg(test)]
mod tests;
