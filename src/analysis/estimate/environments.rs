//! V_environment, the variance by environments: cluster-robust, of the kinds CR2 and CR3, with Satterthwaite's degrees of
//! freedom.

use super::{
    combined::welch,
    difference::Difference,
    fit::{Cluster, Entry, Fit},
    symmetric_matrix::{SymmetricMatrix, dot},
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
    /// q: the sum of the loadings, each times its row of the design.
    pull: Vec<f64>,
    /// The variance of u if all values had the variance 1 over their weight.
    own: f64,
}

/// I − H of one environment, as D − ZM⁻¹Zᵀ.
struct Unexplained<'a> {
    /// D.
    diagonal: Vec<f64>,
    /// Z: a row for each of the environment's means, the square root of its weight times its row of the design.
    rows: Vec<f64>,
    information: &'a SymmetricMatrix,
    contrast: &'a [f64],
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
    pub(super) fn adjust(&self, Cluster { stratum, entries, .. }: &Cluster, variance: Variance) -> Adjusted {
        let slopes: Vec<f64> =
            entries.iter().map(|entry| entry.weight.sqrt() * self.slope(*stratum, entry.group)).collect();
        let row = |entry: &Entry| {
            let root = entry.weight.sqrt();
            self.design(*stratum, entry.group).map(move |x| root * x)
        };
        // I − H is almost singular only where one environment is all that a stratum has in its groups; the bound keeps its
        // inverse finite.
        let diagonal = entries.iter().map(|entry| (1.0 - entry.weight / self.weight_of(entry.group)).max(1e-6));
        let unexplained = Unexplained {
            diagonal: diagonal.collect(),
            rows: entries.iter().flat_map(row).collect(),
            information: &self.information,
            contrast: self.strata.free_contrast(),
        };
        let adjusted = match variance {
            Variance::Cr2 => unexplained.inverse_square_root(),
            Variance::Cr3 => unexplained.inverse(),
        };
        let own = match variance {
            Variance::Cr2 => dot(&slopes, &slopes),
            Variance::Cr3 => dot(&adjusted, &slopes),
        };
        let loadings: Vec<f64> = adjusted.iter().zip(entries).map(|(row, entry)| row * entry.weight.sqrt()).collect();
        let (mut u, mut pull) = (0.0, vec![0.0; self.strata.count() - 1]);
        for (loading, entry) in loadings.iter().zip(entries) {
            u += loading * self.residual(*stratum, entry.group, entry.mean);
            pull.iter_mut().zip(self.design(*stratum, entry.group)).for_each(|(sum, x)| *sum += loading * x);
        }
        Adjusted { loadings, u, pull, own }
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
        let factors = self.information.clone().factor(&self.information);
        let solved: Vec<Vec<f64>> = adjusted.iter().map(|cluster| factors.solve(&cluster.pull)).collect();
        squares += self.all_pairs(adjusted, &solved);
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
                    let through_estimate = dot(&scores.pull, &solved[other]);
                    squares += (through_groups + through_estimate).powi(2) - through_estimate.powi(2);
                }
            }
        }
        let trace: f64 = adjusted.iter().map(|it| it.own).sum();
        squares += adjusted.iter().map(|cluster| cluster.own.powi(2)).sum::<f64>();
        trace.powi(2) / squares
    }

    /// Σ (qᵢᵀM⁻¹qⱼ)² over all pairs of different environments: with Q = Σ qqᵀ it is tr((M⁻¹Q)²), less what each has with
    /// itself.
    fn all_pairs(&self, adjusted: &[Adjusted], solved: &[Vec<f64>]) -> f64 {
        let size = self.strata.count() - 1;
        // M⁻¹Q, row by row.
        let mut product = vec![0.0; size * size];
        for (Adjusted { pull, .. }, solved) in adjusted.iter().zip(solved) {
            for (row, factor) in product.chunks_exact_mut(size).zip(solved) {
                row.iter_mut().zip(pull).for_each(|(cell, pull)| *cell += factor * pull);
            }
        }
        let cells = (0..size).flat_map(|row| (0..size).map(move |column| (row, column)));
        let all: f64 = cells.map(|(row, column)| product[row * size + column] * product[column * size + row]).sum();
        let own = adjusted.iter().zip(solved).map(|(cluster, solved)| dot(&cluster.pull, solved).powi(2));
        all - own.sum::<f64>()
    }
}

impl Unexplained<'_> {
    /// (I − H)⁻¹v with v = ZM⁻¹c, by the formula of Sherman, Morrison and Woodbury: D⁻¹Z(M − ZᵀD⁻¹Z)⁻¹c.
    fn inverse(&self) -> Vec<f64> {
        self.weighted(&self.diagonal, 1.0)
    }

    /// (I − H)^(−1/2)v; the eigenvalues lie between 0 and 1.
    ///
    /// By A^(−1/2) = 2/π ∫ (A cos²φ + I sin²φ)⁻¹ dφ from 0 to π/2 with the midpoint rule, which converges exponentially
    /// for this periodic integrand, and the formula of [`Self::inverse`] for each inverse.
    fn inverse_square_root(&self) -> Vec<f64> {
        let size = self.contrast.len();
        let factors = self.information.clone().factor(self.information);
        let explained: f64 = self.rows.chunks_exact(size).map(|row| factors.product(row, row)).sum();
        let nodes = nodes(self.diagonal.iter().copied().fold(1.0, f64::min) - explained);
        let mut result = vec![0.0; self.diagonal.len()];
        for node in 0..nodes {
            let angle = (f64::from(node) + 0.5) / f64::from(nodes) * std::f64::consts::FRAC_PI_2;
            let (sine, cosine) = (angle.sin().powi(2), angle.cos().powi(2));
            let diagonal: Vec<f64> = self.diagonal.iter().map(|d| d * cosine + sine).collect();
            let column = self.weighted(&diagonal, cosine);
            result.iter_mut().zip(&column).for_each(|(result, column)| *result += column / f64::from(nodes));
        }
        result
    }

    /// D⁻¹Z(M − f·ZᵀD⁻¹Z)⁻¹c for a diagonal D and a factor f.
    fn weighted(&self, diagonal: &[f64], factor: f64) -> Vec<f64> {
        let size = self.contrast.len();
        let rows = || self.rows.chunks_exact(size).zip(diagonal);
        let mut rest = self.information.clone();
        rows().for_each(|(row, d)| rest.add_outer_product(row, -factor / d));
        let solution = rest.factor(self.information).solve(self.contrast);
        rows().map(|(row, d)| dot(row, &solution) / d).collect()
    }
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
