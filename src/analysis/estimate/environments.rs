//! V_environment, the variance by environments: cluster-robust, of the kinds CR2 and CR3, with Satterthwaite's degrees of
//! freedom.

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
    fit: &'a Fit<'a>,
    variance: Variance,
    /// The length of c: how many strata there are besides the first.
    size: usize,
    /// A vector for each mean: the derivative of u by it. They take most of the memory, and matter for the degrees of freedom
    /// alone.
    loadings: Vec<f32>,
    /// A vector for each environment: u, the sum of its scores.
    scores: Vec<f64>,
    /// A matrix for each environment: q, the sum of its loadings, each times its row of the design.
    pulls: Vec<f64>,
    /// A matrix for each environment: Σ wxxᵀ.
    explained: Vec<SymmetricMatrix>,
}

/// The means of some environments by the group that they are in, each with its environment's place and its loading by each
/// contrast.
struct Members<const K: usize> {
    /// Where those of each group begin.
    begins: Vec<usize>,
    members: Vec<(u32, [f32; K])>,
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
        (0..clusters).for_each(|index| scores.add(index, &mut unexplained));
        self.environments().iter().all(|(_, count)| *count > 1).then_some(scores)
    }
}

impl Scores<'_> {
    /// Finds those of one environment, its residuals adjusted for how far the environment itself has moved the fit.
    fn add(&mut self, index: usize, unexplained: &mut Unexplained<'_>) {
        let (fit, size, cluster) = (self.fit, self.size, &self.fit.values.environments[index]);
        unexplained.read(cluster);
        let mut loadings = vec![0.0; unexplained.rows.len()];
        match self.variance {
            Variance::Cr2 => self.explained.push(unexplained.inverse_square_root(&mut loadings)),
            Variance::Cr3 => unexplained.inverse(&mut loadings),
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

    /// The degrees of freedom of V_environment of each side, by each contrast.
    pub(super) fn degrees_of_freedom_of_sides<const K: usize>(&self, contrasts: &[Contrast; K]) -> Sides<[f64; K]> {
        Sides {
            baseline: self.degrees_of_freedom(contrasts, &[Side::Baseline]),
            candidate: self.degrees_of_freedom(contrasts, &[Side::Candidate]),
        }
    }

    /// Satterthwaite's degrees of freedom of V_environment of the environments of these sides, by each contrast, if all values
    /// had the same variance: the square of its expectation over half its variance.
    pub(super) fn degrees_of_freedom<const K: usize>(&self, contrasts: &[Contrast; K], sides: &[Side]) -> [f64; K] {
        let (fit, size) = (self.fit, self.size);
        let clusters =
            || fit.values.environments.iter().enumerate().filter(|(_, cluster)| sides.contains(&cluster.side));
        let members = Members::new(self, contrasts, clusters().map(|(_, cluster)| cluster));
        let factors = fit.information.clone().factor(&fit.information);
        // q and M⁻¹q of one environment after the other.
        let pulls = contrasts.each_ref().map(|contrast| -> Vec<f64> {
            let rows =
                clusters().flat_map(|(index, _)| self.pulls[index * size * size..][..size * size].chunks_exact(size));
            rows.map(|row| dot(row, &contrast.free)).collect()
        });
        let solved = pulls.each_ref().map(|pulls| {
            let mut solved = pulls.clone();
            solved.chunks_exact_mut(size).for_each(|pull| factors.solve_in_place(pull));
            solved
        });
        // All pairs as if they had no group in common, which the loop below corrects for those that have.
        let mut squares: [f64; K] = std::array::from_fn(|k| all_pairs(size, &pulls[k], &solved[k]));
        let mut traces = [0.0; K];
        let of_singles = members.squares_of_singles(fit, clusters(), size, &pulls, &solved);
        (0..K).for_each(|k| squares[k] += of_singles[k]);
        // What a score has in common with each of those before it, through the groups that both environments are in.
        let mut shared = vec![[0.0; K]; clusters().count()];
        let (mut is_touched, mut touched) = (vec![false; shared.len()], Vec::new());
        for (place, (_, cluster)) in clusters().enumerate().filter(|(_, (_, cluster))| !fit.values.is_single(cluster)) {
            for (entry, loading) in fit.values.entries(cluster).zip(self.loadings(cluster, contrasts)) {
                let weight = fit.weight_of(entry.group);
                let share = loading.map(|loading| loading / weight);
                let members = members.of(entry.group).iter().map(|(other, loading)| (*other as usize, loading));
                for (other, loading) in members.take_while(|(other, _)| *other < place) {
                    if !is_touched[other] {
                        is_touched[other] = true;
                        touched.push(other);
                    }
                    (0..K).for_each(|k| shared[other][k] += share[k] * f64::from(loading[k]));
                }
            }
            let at = |place: usize| place * size..(place + 1) * size;
            for other in touched.drain(..) {
                is_touched[other] = false;
                let through_groups = std::mem::replace(&mut shared[other], [0.0; K]);
                for k in 0..K {
                    let through_estimate = dot(&pulls[k][at(place)], &solved[k][at(other)]);
                    squares[k] += 2.0 * ((through_groups[k] + through_estimate).powi(2) - through_estimate.powi(2));
                }
            }
        }
        for (place, (index, _)) in clusters().enumerate() {
            for k in 0..K {
                let own = self.own_variance(index, &contrasts[k], &pulls[k][place * size..][..size]);
                traces[k] += own;
                squares[k] += own.powi(2);
            }
        }
        std::array::from_fn(|k| traces[k].powi(2) / squares[k])
    }

    /// The loadings of the means of an environment, by each contrast.
    fn loadings<'b, const K: usize>(
        &'b self,
        cluster: &Cluster,
        contrasts: &'b [Contrast; K],
    ) -> impl Iterator<Item = [f64; K]> + 'b {
        let entries = self.fit.values.entries_of(cluster);
        let vectors = self.loadings[entries.start * self.size..entries.end * self.size].chunks_exact(self.size);
        vectors.map(|vector| {
            let part = |(loading, c): (&f32, &f64)| f64::from(*loading) * c;
            contrasts.each_ref().map(|contrast| vector.iter().zip(&contrast.free).map(part).sum())
        })
    }

    /// The variance of an environment's u if all values had the variance 1 over their weight.
    fn own_variance(&self, index: usize, contrast: &Contrast, pull: &[f64]) -> f64 {
        match self.variance {
            Variance::Cr2 => self.explained[index].quadratic_form(contrast.free_slopes()),
            Variance::Cr3 => dot(contrast.free_slopes(), pull),
        }
    }
}

impl<const K: usize> Members<K> {
    /// Those of some environments, which are in their order in each group.
    fn new<'a>(
        scores: &Scores<'_>,
        contrasts: &[Contrast; K],
        clusters: impl Iterator<Item = &'a Cluster> + Clone,
    ) -> Self {
        let fit = scores.fit;
        // How many members each group has, and then where its next one goes.
        let mut places = vec![0; fit.values.groups + 1];
        let entries = clusters.clone().flat_map(|cluster| fit.values.entries(cluster));
        entries.for_each(|entry| places[entry.group as usize + 1] += 1);
        (1..places.len()).for_each(|group| places[group] += places[group - 1]);
        let begins = places.clone();
        let mut members = vec![(0, [0.0; K]); begins.last().copied().unwrap_or_default()];
        for (index, cluster) in (0..).zip(clusters) {
            for (entry, loading) in fit.values.entries(cluster).zip(scores.loadings(cluster, contrasts)) {
                let place = &mut places[entry.group as usize];
                members[*place] = (index, loading.map(|loading| loading as f32));
                *place += 1;
            }
        }
        Self { begins, members }
    }

    /// What the environments with a single mean add to the squares of the covariances with those before them. There may be
    /// a million of them in a group; but they have nothing in common with others but by that group, so that with
    /// s = lᵢlⱼ/W and t = qᵢᵀM⁻¹qⱼ the sum over all i before j is that of 2(s + t)² − 2t² = 2s² + 4st, which takes Σ lᵢ² and
    /// Σ lᵢqᵢ.
    fn squares_of_singles<'a>(
        &self,
        fit: &Fit<'_>,
        clusters: impl Iterator<Item = (usize, &'a Cluster)>,
        size: usize,
        pulls: &[Vec<f64>; K],
        solved: &[Vec<f64>; K],
    ) -> [f64; K] {
        let is_single: Vec<bool> = clusters.map(|(_, cluster)| fit.values.is_single(cluster)).collect();
        let mut squares = [0.0; K];
        if !is_single.contains(&true) {
            return squares;
        }
        for group in 0..fit.values.groups as u32 {
            let weight = fit.weight_of(group);
            let mut before = [0.0; K];
            let mut pull_before = vec![[0.0; K]; size];
            for (place, loadings) in self.of(group) {
                let at = *place as usize * size;
                for k in 0..K {
                    let loading = f64::from(loadings[k]);
                    if is_single[*place as usize] {
                        let pull: f64 = (0..size).map(|row| pull_before[row][k] * solved[k][at + row]).sum();
                        squares[k] += 2.0 * (loading / weight).powi(2) * before[k] + 4.0 * loading / weight * pull;
                    }
                    before[k] += loading.powi(2);
                    (0..size).for_each(|row| pull_before[row][k] += loading * pulls[k][at + row]);
                }
            }
        }
        squares
    }

    fn of(&self, group: u32) -> &[(u32, [f32; K])] {
        let group = group as usize;
        &self.members[self.begins[group]..self.begins[group + 1]]
    }
}

/// Σ (qᵢᵀM⁻¹qⱼ)² over all pairs of different environments: with Q = Σ qqᵀ it is tr((M⁻¹Q)²), less what each has with itself.
fn all_pairs(size: usize, pulls: &[f64], solved: &[f64]) -> f64 {
    let pairs = || pulls.chunks_exact(size).zip(solved.chunks_exact(size));
    // M⁻¹Q, row by row.
    let mut product = vec![0.0; size * size];
    for (pull, solved) in pairs() {
        for (row, factor) in product.chunks_exact_mut(size).zip(solved) {
            row.iter_mut().zip(pull).for_each(|(cell, pull)| *cell += factor * pull);
        }
    }
    let cells = (0..size).flat_map(|row| (0..size).map(move |column| (row, column)));
    let all: f64 = cells.map(|(row, column)| product[row * size + column] * product[column * size + row]).sum();
    all - pairs().map(|(pull, solved)| dot(pull, solved).powi(2)).sum::<f64>()
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
