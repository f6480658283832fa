//! V_environment, the variance by environments: cluster-robust, of the kinds CR2 and CR3, with Satterthwaite's degrees of
//! freedom.

use super::{
    combined::welch,
    difference::Difference,
    fit::{Cluster, Fit},
};
use crate::analysis::sides::{Side, Sides};

/// How residuals are adjusted for how far their own environment has moved the fit, with H the part of the hat matrix that
/// belongs to the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variance {
    /// By (I − H)^(−1/2): unbiased if all values have the same variance.
    Cr2,
    /// By (I − H)⁻¹: as large or larger, like that of leaving out one environment after the other. With few environments
    /// it covers where a fleet of two CPUs is far from a normal distribution.
    Cr3,
}

/// One side's part of V_environment.
#[derive(Debug)]
struct SideVariance {
    environments: u32,
    variance: f64,
    degrees_of_freedom: f64,
}

/// One environment's part of V_environment.
#[derive(Debug)]
pub(super) struct Adjusted {
    /// The derivative of u by each of the environment's means.
    loadings: Vec<f64>,
    /// The sum of the environment's scores.
    u: f64,
    /// The sum of the loadings, each times its centred side.
    pull: f64,
    /// The variance of u if all values had the variance 1 over their weight.
    own: f64,
}

impl Fit {
    /// The difference with V_environment for its variance. None if a side has fewer than two environments.
    pub(super) fn difference(&self, variance: Variance) -> Option<Difference> {
        let parts =
            Sides { baseline: self.part(Side::Baseline, variance)?, candidate: self.part(Side::Candidate, variance)? };
        let (standard_error, degrees_of_freedom) =
            welch(&[&parts.baseline, &parts.candidate].map(|part| (part.variance, part.degrees_of_freedom)));
        Some(Difference {
            estimate: self.estimate,
            standard_error,
            degrees_of_freedom,
            environments: parts.map(|_, part| part.environments),
            ..Difference::default()
        })
    }

    /// What the environments of one side add to V_environment. None if there are fewer than two.
    fn part(&self, side: Side, variance: Variance) -> Option<SideVariance> {
        let clusters: Vec<&Cluster> = self.clusters.iter().filter(|cluster| cluster.side == side).collect();
        if clusters.len() < 2 {
            return None;
        }
        let adjusted: Vec<Adjusted> = clusters.iter().map(|cluster| self.adjust(cluster, variance)).collect();
        Some(SideVariance {
            environments: clusters.len() as u32,
            variance: adjusted.iter().map(|cluster| cluster.u.powi(2)).sum(),
            degrees_of_freedom: self.degrees_of_freedom(&clusters, &adjusted),
        })
    }

    /// u of one environment, its residuals adjusted for how far the environment itself has moved the fit.
    pub(super) fn adjust(&self, Cluster { side, entries }: &Cluster, variance: Variance) -> Adjusted {
        let design: Vec<f64> =
            entries.iter().map(|entry| entry.weight.sqrt() * self.centred_side(*side, entry.group)).collect();
        // I − H is a diagonal matrix less the design's outer product over the information. It is almost singular
        // only where one environment is all that a side has in its groups; the bound keeps its inverse finite.
        let diagonal: Vec<f64> =
            entries.iter().map(|entry| (1.0 - entry.weight / self.weight_of(entry.group)).max(1e-6)).collect();
        let rows = match variance {
            Variance::Cr2 => inverse_square_root(&diagonal, &design, self.information),
            Variance::Cr3 => inverse(&diagonal, &design, self.information),
        };
        let own = match variance {
            Variance::Cr2 => dot(&design, &design),
            Variance::Cr3 => dot(&rows, &design),
        };
        let rows = rows.iter().zip(entries);
        let loadings: Vec<f64> = rows.map(|(row, entry)| row / self.information * entry.weight.sqrt()).collect();
        let loaded = || loadings.iter().zip(entries);
        let u = loaded().map(|(loading, entry)| loading * self.residual(*side, entry.group, entry.mean)).sum();
        let pull = loaded().map(|(loading, entry)| loading * self.centred_side(*side, entry.group)).sum();
        Adjusted { loadings, u, pull, own: own / self.information.powi(2) }
    }

    /// Satterthwaite's degrees of freedom of one side's part of the variance, if all values had the same variance:
    /// the square of its expectation over half its variance.
    pub(super) fn degrees_of_freedom(&self, clusters: &[&Cluster], adjusted: &[Adjusted]) -> f64 {
        // Two scores covary through the groups that both environments are in, and through the estimate.
        let mut members: Vec<Vec<(u32, f64)>> = vec![Vec::new(); self.groups.len()];
        for (index, (cluster, scores)) in clusters.iter().zip(adjusted).enumerate() {
            for (entry, loading) in cluster.entries.iter().zip(&scores.loadings) {
                members[entry.group as usize].push((index as u32, *loading));
            }
        }
        let mut squares = 0.0;
        let mut shared = vec![0.0; clusters.len()];
        // All pairs as if they had no group in common, which the loop below corrects for those that have.
        let pulls: f64 = adjusted.iter().map(|cluster| cluster.pull.powi(2)).sum();
        let quartic: f64 = adjusted.iter().map(|cluster| cluster.pull.powi(4)).sum();
        squares += (pulls.powi(2) - quartic) / self.information.powi(2);
        let mut touched = Vec::new();
        for (index, (cluster, scores)) in clusters.iter().zip(adjusted).enumerate() {
            for (entry, loading) in cluster.entries.iter().zip(&scores.loadings) {
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
                    let through_estimate = scores.pull * adjusted[other].pull / self.information;
                    squares += (through_groups + through_estimate).powi(2) - through_estimate.powi(2);
                }
            }
        }
        let trace: f64 = adjusted.iter().map(|it| it.own).sum();
        squares += adjusted.iter().map(|cluster| cluster.own.powi(2)).sum::<f64>();
        trace.powi(2) / squares
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// (D − vvᵀ/κ)⁻¹ v, for a diagonal matrix D, by the formula of Sherman and Morrison.
fn inverse(diagonal: &[f64], v: &[f64], kappa: f64) -> Vec<f64> {
    let column: Vec<f64> = v.iter().zip(diagonal).map(|(v, d)| v / d).collect();
    // Rounding may make it 0 where the matrix is singular.
    let scale = 1.0 / (1.0 - dot(&column, v) / kappa).max(1e-9);
    column.into_iter().map(|row| row * scale).collect()
}

/// (D − vvᵀ/κ)^(−1/2) v, for a diagonal matrix D and a vector v such that the eigenvalues lie between 0 and 1.
///
/// By M^(−1/2) = 2/π ∫ (M cos²φ + I sin²φ)⁻¹ dφ from 0 to π/2 with the midpoint rule, which converges exponentially
/// for this periodic integrand, and [`inverse`]'s formula for each inverse.
fn inverse_square_root(diagonal: &[f64], v: &[f64], kappa: f64) -> Vec<f64> {
    let smallest = diagonal.iter().copied().fold(1.0, f64::min) - dot(v, v) / kappa;
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
