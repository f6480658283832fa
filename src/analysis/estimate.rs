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

use crate::campaign::sides::{Side, Sides};
use disturbances::Disturbances;
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
    /// All.
    One,
}

/// What calls may have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clusters {
    /// Their environment. Where both sides are called one by one in random order, whatever disturbs several calls meets
    /// either side by chance, as if each call had been disturbed for itself.
    Environments,
    /// Their environment, and their side and block: a disturbance may last for as long as a side is called.
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
}

/// Where the variance of a difference comes from; the parts add up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Sources {
    /// What the calls of one environment have in common.
    pub environments: f64,
    /// What several environments have in common in one block.
    pub disturbances: f64,
    /// What single calls have of their own.
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

/// How residuals are adjusted for what their own environment has moved the fit, with H the part of the hat matrix that
/// belongs to the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variance {
    /// By (I − H)^(−1/2): unbiased if all values have the same variance.
    Cr2,
    /// By (I − H)⁻¹: as large or larger, like that of leaving out one environment after the other. With few environments
    /// it covers where a fleet of two CPUs is far from a normal distribution.
    Cr3,
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
    /// The sums of each group.
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
        let mut disturbed = Self { blocks: disturbances.blocks, sources, ..self };
        if excess > 0.0 {
            let share = |part: f64, freedom: f64| (part / variance).powi(2) / freedom;
            let shares = share(by_environments, self.degrees_of_freedom)
                + share(disturbances.of_blocks, disturbances.degrees_of_freedom);
            disturbed.standard_error = variance.sqrt();
            disturbed.degrees_of_freedom = 1.0 / shares;
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

    fn difference(&self, variance: Variance) -> Option<Difference> {
        let parts =
            Sides { baseline: self.part(Side::Baseline, variance)?, candidate: self.part(Side::Candidate, variance)? };
        let (standard_error, degrees_of_freedom) =
            welch(&[&parts.baseline, &parts.candidate].map(|it| (it.variance, it.degrees_of_freedom)));
        Some(Difference {
            estimate: self.estimate,
            standard_error,
            degrees_of_freedom,
            environments: parts.map(|_, it| it.environments),
            blocks: 0,
            sources: Sources::default(),
        })
    }

    /// What the environments of one side add to the variance; none where there are less than two.
    fn part(&self, side: Side, variance: Variance) -> Option<Part> {
        let clusters: Vec<&Cluster> = self.clusters.iter().filter(|it| it.side == side).collect();
        if clusters.len() < 2 {
            return None;
        }
        let adjusted: Vec<Adjusted> = clusters.iter().map(|it| self.adjust(it, variance)).collect();
        Some(Part {
            environments: clusters.len() as u32,
            variance: adjusted.iter().map(|it| it.score.powi(2)).sum(),
            degrees_of_freedom: self.degrees_of_freedom(&clusters, &adjusted),
        })
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

    /// The score of one environment, its residuals adjusted for what the environment itself has moved the fit.
    fn adjust(&self, Cluster { side, entries }: &Cluster, variance: Variance) -> Adjusted {
        let design: Vec<f64> = entries.iter().map(|it| it.weight.sqrt() * self.centred_side(*side, it.group)).collect();
        // I − H is a diagonal matrix less the design's outer product over the information. It is almost singular
        // only where one environment is all that a side has in its groups; the bound keeps its inverse finite.
        let diagonal: Vec<f64> =
            entries.iter().map(|it| (1.0 - it.weight / self.weight_of(it.group)).max(1e-6)).collect();
        let (rows, own): (Vec<f64>, f64) = match variance {
            Variance::Cr2 => {
                let rows = inverse_square_root(&diagonal, &design, self.information);
                (rows, design.iter().map(|it| it * it).sum())
            }
            Variance::Cr3 => {
                let rows = inverse(&diagonal, &design, self.information);
                let own = rows.iter().zip(&design).map(|(row, it)| row * it).sum();
                (rows, own)
            }
        };
        let row_of = |(row, it): (&f64, &Entry)| row / self.information * it.weight.sqrt();
        let loadings: Vec<f64> = rows.iter().zip(entries).map(row_of).collect();
        let score =
            loadings.iter().zip(entries).map(|(it, entry)| it * self.residual(*side, entry.group, entry.mean)).sum();
        let pull = loadings.iter().zip(entries).map(|(it, entry)| it * self.centred_side(*side, entry.group)).sum();
        Adjusted { loadings, score, pull, own: own / self.information.powi(2) }
    }

    /// Satterthwaite's degrees of freedom of one side's part of the variance, if all values had the same variance:
    /// the square of its expectation over half its variance.
    fn degrees_of_freedom(&self, clusters: &[&Cluster], adjusted: &[Adjusted]) -> f64 {
        // Two scores covary through the groups that both environments are in, and through the estimate.
        let mut members: Vec<Vec<(u32, f64)>> = vec![Vec::new(); self.groups.len()];
        for (index, (cluster, it)) in clusters.iter().zip(adjusted).enumerate() {
            for (entry, loading) in cluster.entries.iter().zip(&it.loadings) {
                members[entry.group as usize].push((index as u32, *loading));
            }
        }
        let mut squares = 0.0;
        let mut shared = vec![0.0; clusters.len()];
        // All pairs as if they had no group in common, which the loop below corrects for those that have.
        let pulls: f64 = adjusted.iter().map(|it| it.pull.powi(2)).sum();
        let quartic: f64 = adjusted.iter().map(|it| it.pull.powi(4)).sum();
        squares += (pulls.powi(2) - quartic) / self.information.powi(2);
        let mut touched = Vec::new();
        for (index, (cluster, it)) in clusters.iter().zip(adjusted).enumerate() {
            for (entry, loading) in cluster.entries.iter().zip(&it.loadings) {
                let share = loading / self.weight_of(entry.group);
                for (other, loading) in &members[entry.group as usize] {
                    if shared[*other as usize] == 0.0 {
                        touched.push(*other as usize);
                    }
                    shared[*other as usize] += share * loading;
                }
            }
            for other in touched.drain(..) {
                let through_groups = std::mem::take(&mut shared[other]);
                if other != index {
                    let through_estimate = it.pull * adjusted[other].pull / self.information;
                    squares += (through_groups + through_estimate).powi(2) - through_estimate.powi(2);
                }
            }
        }
        let trace: f64 = adjusted.iter().map(|it| it.own).sum();
        squares += adjusted.iter().map(|it| it.own.powi(2)).sum::<f64>();
        trace.powi(2) / squares
    }
}

/// The standard error of the sum or difference of independent estimates, each with its variance and the degrees of
/// freedom of that, and its own degrees of freedom (Welch 1947, Satterthwaite 1946).
pub(super) fn welch(parts: &[(f64, f64)]) -> (f64, f64) {
    let variance: f64 = parts.iter().map(|(variance, _)| variance).sum();
    let degrees_of_freedom = match variance > 0.0 {
        // As shares, whose squares are never beyond all numbers.
        true => 1.0 / parts.iter().map(|(part, freedom)| (part / variance).powi(2) / freedom).sum::<f64>(),
        false => parts.iter().map(|(_, freedom)| freedom).sum(),
    };
    (variance.sqrt(), degrees_of_freedom)
}

/// One side's part of the variance.
#[derive(Debug)]
struct Part {
    environments: u32,
    variance: f64,
    degrees_of_freedom: f64,
}

/// One environment's part of the variance.
#[derive(Debug)]
struct Adjusted {
    /// The derivative of the score by each of the environment's means.
    loadings: Vec<f64>,
    /// The score.
    score: f64,
    /// The sum of the loadings, each times its centred side.
    pull: f64,
    /// The variance of the score if all values had the variance 1 over their weight.
    own: f64,
}

/// The values of each environment.
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

/// (D − vvᵀ/κ)⁻¹ v, for a diagonal matrix D, by the formula of Sherman and Morrison.
fn inverse(diagonal: &[f64], v: &[f64], kappa: f64) -> Vec<f64> {
    let column: Vec<f64> = v.iter().zip(diagonal).map(|(v, d)| v / d).collect();
    let product: f64 = column.iter().zip(v).map(|(column, v)| column * v).sum();
    // Rounding may make it 0 where the matrix is singular.
    let scale = 1.0 / (1.0 - product / kappa).max(1e-9);
    column.into_iter().map(|it| it * scale).collect()
}

/// (D − vvᵀ/κ)^(−1/2) v, for a diagonal matrix D and a vector v such that the eigenvalues lie between 0 and 1.
///
/// By M^(−1/2) = 2/π ∫ (M cos²φ + I sin²φ)⁻¹ dφ from 0 to π/2 with the midpoint rule, which converges exponentially
/// for this periodic integrand, and [`inverse`]'s formula for each inverse.
fn inverse_square_root(diagonal: &[f64], v: &[f64], kappa: f64) -> Vec<f64> {
    let smallest = diagonal.iter().copied().fold(1.0, f64::min) - v.iter().map(|it| it * it).sum::<f64>() / kappa;
    let nodes = nodes(smallest);
    let mut result = vec![0.0; v.len()];
    let mut column = vec![0.0; v.len()];
    for node in 0..nodes {
        let angle = (f64::from(node) + 0.5) / f64::from(nodes) * std::f64::consts::FRAC_PI_2;
        let (sine, cosine) = (angle.sin().powi(2), angle.cos().powi(2));
        let mut product = 0.0;
        for ((column, d), v) in column.iter_mut().zip(diagonal).zip(v) {
            *column = v / (d * cosine + sine);
            product += *column * v;
        }
        // Rounding may make it 0 where the matrix is singular.
        let scale = 1.0 / (1.0 - cosine / kappa * product).max(1e-9) / f64::from(nodes);
        result.iter_mut().zip(&column).for_each(|(result, column)| *result += column * scale);
    }
    result
}

/// How many nodes leave an error of 10⁻¹⁰, where no eigenvalue is below `smallest`: the integrand's poles lie
/// artanh √λ away from the real axis.
fn nodes(smallest: f64) -> u32 {
    const MOST: u32 = 128;
    let distance = smallest.clamp(0.0, 0.99).sqrt().atanh();
    let needed = (1e10_f64.ln() / (4.0 * distance)).ceil();
    // Singular matrices would need infinitely many.
    if needed < f64::from(MOST) { (needed as u32).max(4) } else { MOST }
}

#[cfg(test)]
mod tests;
