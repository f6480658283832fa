//! Satterthwaite's degrees of freedom of V_environment.

use super::{
    environments::{Scores, Variance},
    fit::{Contrast, Fit},
    symmetric_matrix::dot,
    values::Cluster,
};
use crate::analysis::sides::{Side, Sides};

/// The means of some environments by the group that they are in, each with its environment's place and its loading by each
/// contrast.
struct Members<const K: usize> {
    /// Where those of each group begin.
    begins: Vec<usize>,
    members: Vec<(u32, [f32; K])>,
}

impl Scores<'_> {
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
        // All pairs as if they had no group in common, which the rest corrects for those that have.
        let of_singles = members.squares_of_singles(fit, clusters(), size, &pulls, &solved);
        let mut squares: [f64; K] = std::array::from_fn(|k| all_pairs(size, &pulls[k], &solved[k]) + of_singles[k]);
        let mut traces = [0.0; K];
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
        let mut pull_before = vec![[0.0; K]; size];
        for group in 0..fit.values.groups as u32 {
            let weight = fit.weight_of(group);
            let mut before = [0.0; K];
            pull_before.fill([0.0; K]);
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
