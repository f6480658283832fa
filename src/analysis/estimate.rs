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
mod difference;
mod disturbances;
mod environments;
mod fit;
mod mix;
mod one_side;
mod strata;
mod symmetric_matrix;

pub(super) use combined::welch;
pub use difference::{Difference, Sources};
pub use environments::Variance;
pub use fit::{Groups, Observation, last_block, mean};
pub use mix::mean_of_fleet;
pub use one_side::{Weights, mean_of_side};
pub use strata::{CpuMix, WORST_MODEL};

use crate::analysis::sides::{Side, Sides};
use combined::satterthwaite;
use disturbances::Disturbances;
use fit::Fit;
use rayon::prelude::*;
use strata::Strata;

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

impl Model<'_> {
    /// The fit, which leaves out the mixes where the means of the fleets cannot be told by them.
    fn fit(&self, values: &Sides<Vec<Observation>>) -> Option<Fit> {
        let by_mix = self.mixes.and_then(|mixes| mix::fit(values, self.groups, mixes));
        by_mix.or_else(|| Fit::new(values, self.groups, Strata::sides()))
    }

    /// The share of what calls vary by that disturbances have, as neighbours tell it where that counts.
    fn neighbours(&self, fit: &Fit) -> f64 {
        match self.clusters {
            Clusters::Environments => fit.shared_by_neighbours(),
            Clusters::EnvironmentsAndBlocks => 0.0,
        }
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

/// The difference of the means of both sides' values; of those of their fleets, if the model has their mixes and not too much
/// of a fleet was not measured.
///
/// None if no group has values of both sides, or if fewer than two environments of a side answered, so that nothing tells
/// how uncertain the difference is. Only groups with values of both sides have a part in it.
pub fn difference(values: &Sides<Vec<Observation>>, model: Model<'_>) -> Option<Difference> {
    difference_of(&model.fit(values)?, model, |_| true)
}

/// The same, if it matters as it would be if its variance were as small as it may be, and known as well as it may be. If it
/// does not, the one with that variance: it takes less time to tell.
pub fn difference_if(
    values: &Sides<Vec<Observation>>,
    model: Model<'_>,
    matters: impl Fn(&Difference) -> bool,
) -> Option<Difference> {
    difference_of(&model.fit(values)?, model, matters)
}

fn difference_of(fit: &Fit, model: Model<'_>, matters: impl Fn(&Difference) -> bool) -> Option<Difference> {
    let contrast = [fit.contrast(&fit.strata.contrast())];
    let scores = fit.scores(fit.variance())?;
    let most = Sides { baseline: f64::INFINITY, candidate: f64::INFINITY };
    let least = scores.difference(&contrast[0], most);
    if !matters(&least) {
        return Some(least);
    }
    let ([disturbances], neighbours) = (fit.disturbances(&contrast), model.neighbours(fit));
    let with = |degrees_of_freedom| {
        let found = scores.difference(&contrast[0], degrees_of_freedom);
        let found = model.disturbed(found, &disturbances, neighbours);
        match model.mixes {
            Some(mixes) if fit.strata.are_models() => fit.with_mix(found, mixes),
            _ => found,
        }
    };
    let least = with(most);
    if !matters(&least) {
        return Some(least);
    }
    Some(with(scores.degrees_of_freedom_of_sides(&contrast).map(|_, [of_side]| *of_side)))
}

/// The differences of the means of fleets as they would be if they had other mixes of the same CPU models, which are known for
/// certain.
///
/// None if the difference of the means of fleets with the model's mixes cannot be told.
pub fn differences_of_fleets<const K: usize>(
    values: Sides<Vec<Observation>>,
    model: Model<'_>,
    proportions: &[[Sides<Vec<f64>>; K]],
) -> Option<Vec<[Difference; K]>> {
    let fit = mix::fit(&values, model.groups, model.mixes?)?;
    // The fit has them in its own order.
    drop(values);
    let (scores, neighbours) = (fit.scores(fit.variance())?, model.neighbours(&fit));
    let differences = |proportions: &[Sides<Vec<f64>>; K]| {
        let contrasts = proportions.each_ref().map(|proportions| fit.contrast(&fit.strata.contrast_of(proportions)));
        let (disturbances, freedom) = (fit.disturbances(&contrasts), scores.degrees_of_freedom_of_sides(&contrasts));
        std::array::from_fn(|k| {
            let found = scores.difference(&contrasts[k], freedom.map(|_, of_side| of_side[k]));
            Difference { is_of_mix: true, ..model.disturbed(found, &disturbances[k], neighbours) }
        })
    };
    Some(proportions.par_iter().map(differences).collect())
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

/// The same with a variance by environments alone, and the degrees of freedom that this has by itself: those of both sides
/// together, if all values had the same variance. It is what the R package clubSandwich computes.
pub fn difference_by(values: &Sides<Vec<Observation>>, variance: Variance) -> Option<Difference> {
    let fit = Fit::new(values, Groups::CellsAndBlocks, Strata::sides())?;
    let (scores, contrast) = (fit.scores(variance)?, [fit.contrast(&fit.strata.contrast())]);
    let found = scores.difference(&contrast[0], Sides { baseline: 1.0, candidate: 1.0 });
    let [degrees_of_freedom] = scores.degrees_of_freedom(&contrast, &Side::BOTH);
    Some(Difference { degrees_of_freedom, ..found })
}

/// The difference of the logarithms of the arithmetic means of both sides' values, which must not be negative.
///
/// None if [`difference`] is None, or if a mean is 0.
pub fn log_ratio_of_means(values: &Sides<Vec<Observation>>, model: Model<'_>) -> Option<Difference> {
    let fit = model.fit(values)?;
    let means = fit.means_of_fleets();
    if means.baseline <= 0.0 || means.candidate <= 0.0 {
        return None;
    }
    // To first order the logarithm of a mean moves as the mean does in units of itself (the delta method).
    let difference = difference_of(&fit.in_units_of(means)?, model, |_| true)?;
    Some(Difference { estimate: (means.candidate / means.baseline).ln(), ..difference })
}

/// The means of both sides' values over the groups that have values of both, each environment weighing the same; of
/// their fleets, if the model has their mixes and not too much of a fleet was not measured.
///
/// None if there is no such group.
pub fn means(values: &Sides<Vec<Observation>>, model: Model<'_>) -> Option<Sides<f64>> {
    Some(model.fit(values)?.means_of_fleets())
}

#[cfg(test)]
mod tests;
