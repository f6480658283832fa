//! V_environment, the variance by environments: cluster-robust, of the kinds CR2 and CR3, with Satterthwaite's degrees of
//! freedom.

use super::{
    combined::welch,
    difference::Difference,
    fit::{Cluster, Fit},
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

/// One environment's part of V_environment.
#[derive(Debug)]
struct Adjusted {
    /// The derivative of u by each of the environment's means.
    loadings: Vec<f64>,
    /// The sum of the environment's scores.
    u: f64,
}

/// I − H of one environment after the other, as D − ZM⁻¹Zᵀ.
struct Unexplained<'a> {
    fit: &'a Fit,
    /// D.
    diagonal: Vec<f64>,
    /// Z: a row for each of the environment's means, the square root of its weight times its row of the design.
    rows: Vec<f64>,
    /// Space for a matrix, and for the solution of a system.
    matrix: SymmetricMatrix,
    solution: Vec<f64>,
}

/// The environments of one side, each with its score.
#[derive(Debug)]
pub(super) struct Scores<'a> {
    clusters: Vec<&'a Cluster>,
    adjusted: Vec<Adjusted>,
    variance: Variance,
}

impl Fit {
    /// The scores of both sides' environments. None if a side has fewer than two.
    pub(super) fn scores(&self, variance: Variance) -> Option<Sides<Scores<'_>>> {
        let of_side = |side: Side| {
            let clusters: Vec<&Cluster> = self.clusters.iter().filter(|cluster| cluster.side == side).collect();
            let mut unexplained = Unexplained::new(self);
            let adjusted = clusters.iter().map(|cluster| self.adjust(cluster, &mut unexplained, variance)).collect();
            (clusters.len() > 1).then_some(Scores { clusters, adjusted, variance })
        };
        Some(Sides { baseline: of_side(Side::Baseline)?, candidate: of_side(Side::Candidate)? })
    }

    /// The difference with V_environment for its variance, if this is known with such degrees of freedom on each side.
    pub(super) fn difference(&self, scores: &Sides<Scores<'_>>, degrees_of_freedom: Sides<f64>) -> Difference {
        let part = |side: Side| (scores[side].variance(), degrees_of_freedom[side]);
        let (standard_error, degrees_of_freedom) = welch(&Side::BOTH.map(part));
        Difference {
            estimate: self.estimate,
            standard_error,
            degrees_of_freedom,
            environments: scores.map(|_, scores| scores.clusters.len() as u32),
            ..Difference::default()
        }
    }

    /// u of one environment, its residuals adjusted for how far the environment itself has moved the fit.
    fn adjust(&self, cluster: &Cluster, unexplained: &mut Unexplained<'_>, variance: Variance) -> Adjusted {
        unexplained.read(cluster);
        let mut loadings = match variance {
            Variance::Cr2 => unexplained.inverse_square_root(),
            Variance::Cr3 => unexplained.inverse(),
        };
        let mut u = 0.0;
        for (loading, entry) in loadings.iter_mut().zip(self.entries(cluster)) {
            *loading *= entry.weight.sqrt();
            u += *loading * self.residual(cluster.stratum, entry.group, entry.mean);
        }
        Adjusted { loadings, u }
    }

    /// The variance of an environment's u if all values had the variance 1 over their weight.
    fn own_variance(&self, cluster: &Cluster, loadings: &[f64], variance: Variance) -> f64 {
        let entries = self.entries(cluster);
        let slopes = entries.iter().map(|entry| self.slope(cluster.stratum, entry.group));
        match variance {
            Variance::Cr2 => slopes.zip(entries).map(|(slope, entry)| entry.weight * slope.powi(2)).sum(),
            Variance::Cr3 => slopes.zip(loadings).map(|(slope, loading)| slope * loading).sum(),
        }
    }

    /// q: the sum of an environment's loadings, each times its row of the design.
    fn pull(&self, cluster: &Cluster, loadings: &[f64]) -> Vec<f64> {
        let mut pull = vec![0.0; self.strata.count() - 1];
        for (loading, entry) in loadings.iter().zip(self.entries(cluster)) {
            pull.iter_mut().zip(self.design(cluster.stratum, entry.group)).for_each(|(sum, x)| *sum += loading * x);
        }
        pull
    }

    /// Satterthwaite's degrees of freedom of V_environment of these environments, if all values had the same variance:
    /// the square of its expectation over half its variance.
    pub(super) fn degrees_of_freedom(&self, Scores { clusters, adjusted, variance }: &Scores<'_>) -> f64 {
        let scores = || clusters.iter().zip(adjusted);
        // Two scores covary through the groups that both environments are in, and through the estimate.
        let mut members: Vec<Vec<(u32, f64)>> = vec![Vec::new(); self.groups()];
        for (index, (cluster, scores)) in (0..).zip(scores()) {
            for (entry, loading) in self.entries(cluster).iter().zip(&scores.loadings) {
                members[entry.group as usize].push((index, *loading));
            }
        }
        let factors = self.information.clone().factor(&self.information);
        let pulls: Vec<Vec<f64>> = scores().map(|(cluster, scores)| self.pull(cluster, &scores.loadings)).collect();
        let solved: Vec<Vec<f64>> = pulls.iter().map(|pull| factors.solve(pull)).collect();
        // All pairs as if they had no group in common, which the loop below corrects for those that have.
        let mut squares = self.all_pairs(&pulls, &solved);
        let mut shared = vec![0.0; clusters.len()];
        let mut touched = Vec::new();
        for (index, (cluster, scores)) in scores().enumerate() {
            for (entry, loading) in self.entries(cluster).iter().zip(&scores.loadings) {
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
                    let through_estimate = dot(&pulls[index], &solved[other]);
                    squares += (through_groups + through_estimate).powi(2) - through_estimate.powi(2);
                }
            }
        }
        let own = scores().map(|(cluster, scores)| self.own_variance(cluster, &scores.loadings, *variance));
        let (trace, own_squares) = own.fold((0.0, 0.0), |(sum, squares), own| (sum + own, squares + own.powi(2)));
        trace.powi(2) / (squares + own_squares)
    }

    /// Σ (qᵢᵀM⁻¹qⱼ)² over all pairs of different environments: with Q = Σ qqᵀ it is tr((M⁻¹Q)²), less what each has with
    /// itself.
    fn all_pairs(&self, pulls: &[Vec<f64>], solved: &[Vec<f64>]) -> f64 {
        let size = self.strata.count() - 1;
        // M⁻¹Q, row by row.
        let mut product = vec![0.0; size * size];
        for (pull, solved) in pulls.iter().zip(solved) {
            for (row, factor) in product.chunks_exact_mut(size).zip(solved) {
                row.iter_mut().zip(pull).for_each(|(cell, pull)| *cell += factor * pull);
            }
        }
        let cells = (0..size).flat_map(|row| (0..size).map(move |column| (row, column)));
        let all: f64 = cells.map(|(row, column)| product[row * size + column] * product[column * size + row]).sum();
        let own = pulls.iter().zip(solved).map(|(pull, solved)| dot(pull, solved).powi(2));
        all - own.sum::<f64>()
    }
}

impl Scores<'_> {
    /// V_environment of these environments.
    fn variance(&self) -> f64 {
        self.adjusted.iter().map(|cluster| cluster.u.powi(2)).sum()
    }

    /// These and others.
    pub(super) fn and(self, others: Self) -> Self {
        let Self { mut clusters, mut adjusted, variance } = self;
        clusters.extend(others.clusters);
        adjusted.extend(others.adjusted);
        Self { clusters, adjusted, variance }
    }
}

impl<'a> Unexplained<'a> {
    fn new(fit: &'a Fit) -> Self {
        let (diagonal, rows, solution) = (Vec::new(), Vec::new(), Vec::new());
        Self { fit, diagonal, rows, matrix: SymmetricMatrix::default(), solution }
    }

    fn read(&mut self, cluster: &Cluster) {
        let Self { fit, diagonal, rows, .. } = self;
        let entries = fit.entries(cluster);
        // I − H is almost singular only where one environment is all that a stratum has in its groups; the bound keeps its
        // inverse finite.
        diagonal.clear();
        diagonal.extend(entries.iter().map(|entry| (1.0 - entry.weight / fit.weight_of(entry.group)).max(1e-6)));
        rows.clear();
        for entry in entries {
            let root = entry.weight.sqrt();
            rows.extend(fit.design(cluster.stratum, entry.group).map(|x| root * x));
        }
    }

    fn size(&self) -> usize {
        self.fit.strata.free_contrast().len()
    }

    /// (I − H)⁻¹v with v = ZM⁻¹c, by the formula of Sherman, Morrison and Woodbury: D⁻¹Z(M − ZᵀD⁻¹Z)⁻¹c.
    fn inverse(&mut self) -> Vec<f64> {
        let mut result = vec![0.0; self.diagonal.len()];
        self.add_weighted(&mut result, |d| d, 1.0, 1.0);
        result
    }

    /// (I − H)^(−1/2)v; the eigenvalues lie between 0 and 1.
    ///
    /// By A^(−1/2) = 2/π ∫ (A cos²φ + I sin²φ)⁻¹ dφ from 0 to π/2 with the midpoint rule, which converges exponentially
    /// for this periodic integrand, and the formula of [`Self::inverse`] for each inverse.
    fn inverse_square_root(&mut self) -> Vec<f64> {
        let information = &self.fit.information;
        let mut product = SymmetricMatrix::zero(self.size());
        self.rows.chunks_exact(self.size()).for_each(|row| product.add_outer_product(row, 1.0));
        let explained = information.clone().factor(information).trace_of_solution(&product);
        let nodes = nodes(self.diagonal.iter().copied().fold(1.0, f64::min) - explained);
        let mut result = vec![0.0; self.diagonal.len()];
        for node in 0..nodes {
            let angle = (f64::from(node) + 0.5) / f64::from(nodes) * std::f64::consts::FRAC_PI_2;
            let (sine, cosine) = (angle.sin().powi(2), angle.cos().powi(2));
            self.add_weighted(&mut result, |d| d * cosine + sine, cosine, 1.0 / f64::from(nodes));
        }
        result
    }

    /// Adds s·E⁻¹Z(M − f·ZᵀE⁻¹Z)⁻¹c, where the diagonal E is a function of D.
    fn add_weighted(&mut self, result: &mut [f64], diagonal: impl Fn(f64) -> f64, factor: f64, scale: f64) {
        let (size, information) = (self.size(), &self.fit.information);
        let rows = || self.rows.chunks_exact(size).zip(&self.diagonal);
        let mut rest = std::mem::take(&mut self.matrix);
        rest.copy_from(information);
        rows().for_each(|(row, d)| rest.add_outer_product(row, -factor / diagonal(*d)));
        let factors = rest.factor(information);
        self.solution.clear();
        self.solution.extend_from_slice(self.fit.strata.free_contrast());
        factors.solve_in_place(&mut self.solution);
        for (result, (row, d)) in result.iter_mut().zip(rows()) {
            *result += scale * dot(row, &self.solution) / diagonal(*d);
        }
        self.matrix = factors.into_space();
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
