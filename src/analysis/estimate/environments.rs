//! V_environment, the variance by environments: cluster-robust, of the kinds CR2 and CR3.

use super::{
    combined::welch,
    difference::Difference,
    fit::{Contrast, Fit},
    symmetric_matrix::{SymmetricMatrix, dot},
    values::Cluster,
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

/// I − H of one environment after the other, as D − ZM⁻¹Zᵀ.
struct Unexplained<'a> {
    fit: &'a Fit<'a>,
    /// D.
    diagonal: Vec<f64>,
    /// Z: a row for each of the environment's means, the square root of its weight times its row of the design.
    rows: Vec<f64>,
    /// Space for a matrix, and for its inverse.
    matrix: SymmetricMatrix,
    inverse: Vec<f64>,
}

/// The scores of all environments, as far as they are the same for every contrast c: what follows is a linear function of
/// it. Vectors and matrices stand one after the other.
#[derive(Debug)]
pub(super) struct Scores<'a> {
    pub(super) fit: &'a Fit<'a>,
    pub(super) variance: Variance,
    /// The length of c: how many strata there are besides the first.
    pub(super) size: usize,
    /// A vector for each mean: the derivative of u by it. They take most of the memory, and matter for the degrees of freedom
    /// alone.
    pub(super) loadings: Vec<f32>,
    /// A vector for each environment: u, the sum of its scores.
    scores: Vec<f64>,
    /// A matrix for each environment: q, the sum of its loadings, each times its row of the design.
    pub(super) pulls: Vec<f64>,
    /// A matrix for each environment: Σ wxxᵀ.
    pub(super) explained: Vec<SymmetricMatrix>,
}

impl Fit<'_> {
    /// The kind of variance that suits its strata: within one CPU model environments are nearly normal, and CR2 has no bias.
    pub(super) fn variance(&self) -> Variance {
        if self.strata.are_models() { Variance::Cr2 } else { Variance::Cr3 }
    }

    /// The scores of all environments. None if a side has fewer than two.
    pub(super) fn scores(&self, variance: Variance) -> Option<Scores<'_>> {
        let size = self.strata.count() - 1;
        let clusters = self.values.environments.len();
        let mut scores = Scores {
            fit: self,
            variance,
            size,
            loadings: Vec::with_capacity(self.values.entry_count() * size),
            scores: vec![0.0; clusters * size],
            pulls: vec![0.0; clusters * size * size],
            explained: Vec::new(),
        };
        let mut unexplained = Unexplained::new(self);
        let mut space = Vec::new();
        (0..clusters).for_each(|index| scores.add(index, &mut unexplained, &mut space));
        self.environments().iter().all(|(_, count)| *count > 1).then_some(scores)
    }
}

impl Scores<'_> {
    /// Finds those of one environment, its residuals adjusted for how far the environment itself has moved the fit; in this
    /// space for its loadings.
    fn add(&mut self, index: usize, unexplained: &mut Unexplained<'_>, loadings: &mut Vec<f64>) {
        let (fit, size, cluster) = (self.fit, self.size, &self.fit.values.environments[index]);
        unexplained.read(cluster);
        loadings.clear();
        loadings.resize(unexplained.rows.len(), 0.0);
        match self.variance {
            Variance::Cr2 => self.explained.push(unexplained.inverse_square_root(loadings)),
            Variance::Cr3 => unexplained.inverse(loadings),
        }
        let scores = &mut self.scores[index * size..][..size];
        let pulls = &mut self.pulls[index * size * size..][..size * size];
        let vectors = loadings.chunks_exact_mut(size).zip(unexplained.rows.chunks_exact(size));
        for ((loading, row), entry) in vectors.zip(fit.values.entries(cluster)) {
            for (pull, x) in pulls.chunks_exact_mut(size).zip(row) {
                pull.iter_mut().zip(&*loading).for_each(|(pull, loading)| *pull += x * loading);
            }
            let (root, residual) = (entry.weight.sqrt(), fit.residual(cluster.stratum, entry.group, entry.mean));
            for (score, loading) in scores.iter_mut().zip(loading) {
                *loading *= root;
                *score += *loading * residual;
            }
        }
        self.loadings.extend(loadings.iter().map(|loading| *loading as f32));
    }

    /// The difference with V_environment for its variance, if this is known with such degrees of freedom on each side.
    pub(super) fn difference(&self, contrast: &Contrast, degrees_of_freedom: Sides<f64>) -> Difference {
        let part = |side: Side| (self.variance(side, contrast), degrees_of_freedom[side]);
        let (standard_error, degrees_of_freedom) = welch(&Side::BOTH.map(part));
        Difference {
            estimate: contrast.estimate,
            standard_error,
            degrees_of_freedom,
            environments: self.fit.environments(),
            ..Difference::default()
        }
    }

    /// V_environment of one side.
    fn variance(&self, side: Side, contrast: &Contrast) -> f64 {
        let scores = self.fit.values.environments.iter().zip(self.scores.chunks_exact(self.size));
        let of_side = scores.filter(|(cluster, _)| cluster.side == side);
        of_side.map(|(_, score)| dot(score, &contrast.free).powi(2)).sum()
    }
}

impl<'a> Unexplained<'a> {
    fn new(fit: &'a Fit<'a>) -> Self {
        let (diagonal, rows, inverse) = (Vec::new(), Vec::new(), Vec::new());
        Self { fit, diagonal, rows, matrix: SymmetricMatrix::default(), inverse }
    }

    fn read(&mut self, cluster: &Cluster) {
        let Self { fit, diagonal, rows, .. } = self;
        let entries = || fit.values.entries(cluster);
        // I − H is almost singular only where one environment is all that a stratum has in its groups; the bound keeps its
        // inverse finite.
        diagonal.clear();
        diagonal.extend(entries().map(|entry| (1.0 - entry.weight / fit.weight_of(entry.group)).max(1e-6)));
        rows.clear();
        for entry in entries() {
            let root = entry.weight.sqrt();
            rows.extend(fit.design(cluster.stratum, entry.group).map(|x| root * x));
        }
    }

    fn size(&self) -> usize {
        self.fit.strata.count() - 1
    }

    /// Adds (I − H)⁻¹ZM⁻¹, by the formula of Sherman, Morrison and Woodbury: D⁻¹Z(M − ZᵀD⁻¹Z)⁻¹.
    fn inverse(&mut self, result: &mut [f64]) {
        self.add_weighted(result, |d| d, 1.0, 1.0);
    }

    /// Adds (I − H)^(−1/2)ZM⁻¹, and gives ZᵀZ; the eigenvalues lie between 0 and 1.
    ///
    /// By A^(−1/2) = 2/π ∫ (A cos²φ + I sin²φ)⁻¹ dφ from 0 to π/2 with the midpoint rule, which converges exponentially
    /// for this periodic integrand, and the formula of [`Self::inverse`] for each inverse.
    fn inverse_square_root(&mut self, result: &mut [f64]) -> SymmetricMatrix {
        let information = &self.fit.information;
        let mut product = SymmetricMatrix::zero(self.size());
        self.rows.chunks_exact(self.size()).for_each(|row| product.add_outer_product(row, 1.0));
        let explained = information.clone().factor(information).trace_of_solution(&product);
        let nodes = nodes(self.diagonal.iter().copied().fold(1.0, f64::min) - explained);
        for node in 0..nodes {
            let angle = (f64::from(node) + 0.5) / f64::from(nodes) * std::f64::consts::FRAC_PI_2;
            let (sine, cosine) = (angle.sin().powi(2), angle.cos().powi(2));
            self.add_weighted(result, |d| d * cosine + sine, cosine, 1.0 / f64::from(nodes));
        }
        product
    }

    /// Adds s·E⁻¹Z(M − f·ZᵀE⁻¹Z)⁻¹, where the diagonal E is a function of D.
    fn add_weighted(&mut self, result: &mut [f64], diagonal: impl Fn(f64) -> f64, factor: f64, scale: f64) {
        let (size, information) = (self.size(), &self.fit.information);
        let rows = || self.rows.chunks_exact(size).zip(&self.diagonal);
        let mut rest = std::mem::take(&mut self.matrix);
        rest.copy_from(information);
        rows().for_each(|(row, d)| rest.add_outer_product(row, -factor / diagonal(*d)));
        let factors = rest.factor(information);
        factors.invert_into(&mut self.inverse);
        for (result, (row, d)) in result.chunks_exact_mut(size).zip(rows()) {
            let scale = scale / diagonal(*d);
            let inverse = self.inverse.chunks_exact(size);
            result.iter_mut().zip(inverse).for_each(|(result, inverse)| *result += scale * dot(row, inverse));
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
