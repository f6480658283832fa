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
//!
//! The names are those of docs/method.md:
//!
//! - w₀, w₁: the weights of the baseline and the candidate in a group (a cell and block);
//! - u: a score, by how much one call (or the mean of several) moves the estimate;
//! - h: the part that the values themselves have in the mean that is taken out of them;
//! - b: the blocks with values of both sides;
//! - V_environment, V_block, V_both: the variances by environments, by blocks, and by environments within blocks, in the
//!   code `v_environment`, `v_block`, `v_both`; V = V_environment + V_block − V_both.

mod combined;
mod degrees_of_freedom;
mod difference;
mod disturbances;
mod environments;
mod fit;
mod mix;
mod one_side;
mod strata;
mod symmetric_matrix;
mod values;

pub(super) use combined::welch;
pub use difference::{Difference, Sources};
pub use environments::Variance;
pub use fit::Fit;
pub use mix::mean_of_fleet;
pub use one_side::{Weights, mean_of_side};
pub use strata::{CpuMix, WORST_MODEL};
pub use values::{Groups, Observation, last_block, mean};

use crate::analysis::sides::{Side, Sides};
use combined::satterthwaite;
use disturbances::Disturbances;
use rayon::prelude::*;
use strata::Strata;
use values::in_order;

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
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Model<'a> {
    /// What has a mean of its own.
    pub groups: Groups,
    /// What adds to the variance.
    pub clusters: Clusters,
    /// The fleets' mixes of CPU models, if they were counted.
    pub mixes: Option<&'a Sides<CpuMix>>,
}

impl<'a> Model<'a> {
    /// The fit of values, which leaves out the mixes where the means of the fleets cannot be told by them.
    ///
    /// None if no group has values of both sides. Only groups with values of both sides have a part in it.
    pub fn fit(self, values: &Sides<impl AsRef<[Observation]>>) -> Option<Fit<'a>> {
        let values = values.map(|_, values| in_order(values.as_ref()));
        let by_mix = self.mixes.and_then(|mixes| mix::fit(&values, self, mixes));
        by_mix.or_else(|| Fit::new(&values, self, Strata::sides()))
    }

    /// The same by mixes, None if the means of the fleets cannot be told by them.
    pub fn fit_by_mix(self, values: &Sides<impl AsRef<[Observation]>>) -> Option<Fit<'a>> {
        mix::fit(&values.map(|_, values| in_order(values.as_ref())), self, self.mixes?)
    }

    /// Whether an estimate depends on more than the means of the calls that an environment has in a cell and block.
    fn depends_on_single_calls(&self) -> bool {
        self.clusters == Clusters::Environments
    }

    /// Adds to the variance of a difference what disturbances do to it.
    fn disturbed(&self, found: Difference, disturbances: &Disturbances, neighbours: f64) -> Difference {
        let found = Difference { blocks: disturbances.blocks, ..found };
        match self.clusters {
            Clusters::Environments => interleaved(found, disturbances, neighbours),
            Clusters::EnvironmentsAndBlocks => disturbed(found, disturbances),
        }
    }
}

impl Fit<'_> {
    /// The difference of the means of both sides' values; of those of their fleets, if the model has their mixes and not too
    /// much of a fleet was not measured.
    ///
    /// None if fewer than two environments of a side answered, so that nothing tells how uncertain the difference is.
    pub fn difference(&self) -> Option<Difference> {
        self.difference_if(|_| true)
    }

    /// The same, if it matters as it would be if its variance were as small as it may be, and known as well as it may be. If
    /// it does not, the one with that variance: it takes less time to tell.
    pub fn difference_if(&self, matters: impl Fn(&Difference) -> bool) -> Option<Difference> {
        let contrast = [self.contrast(&self.strata.contrast())];
        let scores = self.scores(self.variance())?;
        let most = Sides { baseline: f64::INFINITY, candidate: f64::INFINITY };
        let least = scores.difference(&contrast[0], most);
        if !matters(&least) {
            return Some(least);
        }
        let ([disturbances], neighbours) = (self.disturbances(&contrast), self.neighbours());
        let with = |degrees_of_freedom| {
            let found = scores.difference(&contrast[0], degrees_of_freedom);
            let found = self.model.disturbed(found, &disturbances, neighbours);
            match self.model.mixes {
                Some(mixes) if self.strata.are_models() => self.with_mix(found, mixes),
                _ => found,
            }
        };
        let least = with(most);
        if !matters(&least) {
            return Some(least);
        }
        Some(with(scores.degrees_of_freedom_of_sides(&contrast).map(|_, [of_side]| *of_side)))
    }

    /// The differences of the means of fleets as they would be if they had other mixes of CPU models, which are known for
    /// certain; None where the fit does not have all of these models, or one environment of a side alone.
    pub fn differences_of_fleets<const K: usize>(
        &self,
        proportions: &[[Sides<Vec<f64>>; K]],
    ) -> Vec<Option<[Difference; K]>> {
        let Some(scores) = self.scores(self.variance()) else { return vec![None; proportions.len()] };
        let neighbours = self.neighbours();
        let differences = |proportions: &[Sides<Vec<f64>>; K]| {
            if !proportions.iter().all(|proportions| self.strata.has_all_of(proportions)) {
                return None;
            }
            let contrasts =
                proportions.each_ref().map(|proportions| self.contrast(&self.strata.contrast_of(proportions)));
            let (disturbances, freedom) =
                (self.disturbances(&contrasts), scores.degrees_of_freedom_of_sides(&contrasts));
            Some(std::array::from_fn(|k| {
                let found = scores.difference(&contrasts[k], freedom.map(|_, of_side| of_side[k]));
                Difference { is_of_mix: true, ..self.model.disturbed(found, &disturbances[k], neighbours) }
            }))
        };
        proportions.par_iter().map(differences).collect()
    }

    /// The difference of the logarithms of the arithmetic means of both sides' values, which must not be negative.
    ///
    /// None if [`Self::difference`] is None, or if a mean is 0.
    pub fn log_ratio_of_means(self) -> Option<Difference> {
        let means = self.means_of_fleets();
        if means.baseline <= 0.0 || means.candidate <= 0.0 {
            return None;
        }
        // To first order the logarithm of a mean moves as the mean does in units of itself (the delta method).
        let difference = self.in_units_of(means)?.difference()?;
        Some(Difference { estimate: (means.candidate / means.baseline).ln(), ..difference })
    }

    /// The same as [`Self::difference`] with a variance by environments alone, and the degrees of freedom that this has by itself:
    /// those of both sides together, if all values had the same variance. It is what the R package clubSandwich computes.
    pub fn difference_by(&self, variance: Variance) -> Option<Difference> {
        let (scores, contrast) = (self.scores(variance)?, [self.contrast(&self.strata.contrast())]);
        let found = scores.difference(&contrast[0], Sides { baseline: 1.0, candidate: 1.0 });
        let [degrees_of_freedom] = scores.degrees_of_freedom(&contrast, &Side::BOTH);
        Some(Difference { degrees_of_freedom, ..found })
    }

    /// The share of what calls vary by that disturbances have, as neighbours tell it where that counts.
    fn neighbours(&self) -> f64 {
        if self.model.depends_on_single_calls() { self.shared_by_neighbours() } else { 0.0 }
    }
}

/// V = V_environment: disturbances meet both sides by chance, and have this share in V_both.
fn interleaved(found: Difference, disturbances: &Disturbances, share: f64) -> Difference {
    let v_environment = found.standard_error.powi(2);
    // V_environment holds what single calls have of their own.
    let v_both = disturbances.v_both.min(v_environment);
    let sources = Sources {
        environments: v_environment - v_both,
        disturbances: v_both * share,
        calls: v_both * (1.0 - share),
        mix: 0.0,
    };
    Difference { sources, ..found }
}

/// V = V_environment + V_block − V_both: disturbances last for blocks. V_block is an estimate too, with its own degrees of
/// freedom (Satterthwaite 1946).
fn disturbed(mut found: Difference, disturbances: &Disturbances) -> Difference {
    let (v_environment, v_block) = (found.standard_error.powi(2), disturbances.v_block);
    // Both of the others hold what single calls have of their own.
    let v_both = disturbances.v_both.min(v_environment);
    let excess = (v_block - v_both).max(0.0);
    if excess > 0.0 {
        let parts = [(v_environment, found.degrees_of_freedom), (v_block, disturbances.degrees_of_freedom)];
        let variance = v_environment + excess;
        found.standard_error = variance.sqrt();
        found.degrees_of_freedom = satterthwaite(variance, &parts);
    }
    found.sources = Sources { environments: v_environment - v_both, disturbances: excess, calls: v_both, mix: 0.0 };
    found
}

#[cfg(test)]
mod tests;
