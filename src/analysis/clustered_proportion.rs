//! A proportion of calls of which those of one environment are alike, with the interval of Korn & Graubard (1998): that of
//! Clopper & Pearson (1934) for as many independent calls as would be as certain.
//!
//! The names are those of docs/method.md: p, N, V, D (the design effect), n* and c.

use super::{
    estimate::{Clusters, Difference, Observation, Weights, mean_of_side},
    interval::{CONFIDENCE, Interval, Looks, first_beyond, student, upper_quantile},
    verdict::{MINIMUM_ENVIRONMENTS, fixed_variance, has_enough},
};
use crate::campaign::manifest::{MAX_ENVIRONMENTS, Order};
use statrs::function::beta::beta_reg;

/// The proportion of calls that take longer than some time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClusteredProportion {
    /// p.
    pub estimate: f64,
    /// N.
    calls: f64,
    /// N/D: how many independent calls would be as certain, if D were known for certain.
    effective_calls: f64,
    /// The share of V that more environments do not narrow.
    fixed_share: f64,
    /// What tells how certain D is: the degrees of freedom of V, and where a campaign is looked at after every block, the
    /// standard error of the mean logarithm of the times, which narrows as that of p does.
    certainty: Difference,
}

/// What tells how alike calls are.
#[derive(Clone, Copy, Debug)]
pub struct Sampling {
    pub clusters: Clusters,
    pub order: Order,
    pub is_cold: bool,
}

impl ClusteredProportion {
    /// The proportion of the calls of which the value is above `limit`, to be held to `null`.
    ///
    /// None if too few environments or blocks have samples.
    pub fn above(limit: f64, null: f64, values: &[Observation], sampling: Sampling) -> Option<Self> {
        let Sampling { clusters, order, is_cold } = sampling;
        let above = |limit: f64| {
            let indicator =
                |call: &Observation| Observation { value: f64::from(u8::from(call.value > limit)), ..*call };
            mean_of_side(&values.iter().map(indicator).collect::<Vec<_>>(), Weights::Calls, clusters)
        };
        let calls = values.len() as f64;
        // How many times as large V is as that of independent calls. None if it is 0 for want of calls on both sides.
        let design_effect = |found: &Difference| {
            let independent = found.estimate * (1.0 - found.estimate) / calls;
            (independent > 0.0).then(|| found.standard_error.powi(2) / independent)
        };
        let found = above(limit).filter(has_enough)?;
        // Where few calls or none are above the limit, those above the quantile that is in question tell how alike they are.
        let at_quantile = above(nearest_quantile(values, null))?;
        let known = [&found, &at_quantile].into_iter().filter_map(|found| Some((design_effect(found)?, found)));
        let all_alike = calls / f64::from(found.environments.candidate);
        let (design_effect, decisive) =
            known.max_by(|one, other| one.0.total_cmp(&other.0)).unwrap_or((all_alike, &found));
        let times = mean_of_side(values, Weights::Environments, clusters)?;
        let fixed = fixed_variance(decisive.sources.disturbances, order, is_cold) / decisive.standard_error.powi(2);
        Some(Self {
            estimate: found.estimate,
            calls,
            effective_calls: calls / design_effect.max(1.0),
            fixed_share: if fixed.is_finite() { fixed } else { 0.0 },
            certainty: Difference { standard_error: times.standard_error, ..*decisive },
        })
    }

    pub fn environments(&self) -> u32 {
        self.certainty.environments.candidate
    }

    /// The interval that covers the true proportion with a probability of `confidence` or more.
    pub fn interval(&self, confidence: f64, looks: Looks) -> Interval {
        self.interval_of(self.independent_calls(1.0 - confidence, looks), 1.0 - confidence)
    }

    /// The smallest error probability at which the interval excludes that the proportion is `null`; 1 if it is above 5%,
    /// where intervals of few calls need not be nested.
    pub fn p_value(&self, null: f64, looks: Looks) -> f64 {
        const LARGEST: f64 = 1.0 - CONFIDENCE;
        let excludes = |alpha: f64| self.excludes(null, self.independent_calls(alpha, looks), alpha);
        if !excludes(LARGEST) {
            return 1.0;
        }
        first_beyond(|alpha| excludes(alpha.min(LARGEST))).min(LARGEST)
    }

    /// With how many environments the interval would exclude `null`, each of which makes as many calls as now. None if no
    /// number would do, or none that a campaign may have where more blocks would do.
    pub fn environments_needed(&self, null: f64, confidence: f64, looks: Looks) -> Option<u64> {
        let (now, alpha) = (f64::from(self.environments()), 1.0 - confidence);
        let narrowed = |factor: f64| factor / (1.0 + (factor - 1.0) * self.fixed_share);
        let excludes =
            |factor: f64| self.excludes(null, self.independent_calls(alpha, looks) * narrowed(factor), alpha);
        // Where more blocks are more environments, there may be any number of these.
        let most = if self.is_disturbed() { f64::from(MAX_ENVIRONMENTS) } else { 1e6 } / now;
        let needed = || (now * first_beyond(|factor| excludes(factor.min(most)))).ceil() as u64;
        excludes(most).then(|| needed().max(MINIMUM_ENVIRONMENTS.into()))
    }

    /// Whether more environments alone would not do because of disturbances.
    pub fn is_disturbed(&self) -> bool {
        self.fixed_share > 0.0
    }

    /// n*: as many independent calls would be as certain, given how certain D is. It is never more than there are.
    fn independent_calls(&self, alpha: f64, looks: Looks) -> f64 {
        let of_independent = upper_quantile(&student(self.calls - 1.0), alpha / 2.0);
        let c = self.certainty.critical_value(alpha, looks);
        self.effective_calls * (of_independent / c).powi(2).min(1.0)
    }

    fn interval_of(&self, calls: f64, alpha: f64) -> Interval {
        let (above, below) = (self.estimate * calls, (1.0 - self.estimate) * calls);
        let quantile = |a: f64, b: f64, probability: f64| first_beyond(|x| beta_reg(a, b, x) >= probability);
        Interval {
            low: if above > 0.0 { quantile(above, below + 1.0, alpha / 2.0) } else { 0.0 },
            high: if below > 0.0 { quantile(above + 1.0, below, 1.0 - alpha / 2.0) } else { 1.0 },
        }
    }

    /// Whether the interval of so many independent calls lies on one side of `null`.
    fn excludes(&self, null: f64, calls: f64, alpha: f64) -> bool {
        let (above, below) = (self.estimate * calls, (1.0 - self.estimate) * calls);
        let is_below = self.estimate < null && below > 0.0 && beta_reg(above + 1.0, below, null) >= 1.0 - alpha / 2.0;
        let is_above = self.estimate > null && above > 0.0 && beta_reg(above, below + 1.0, null) <= alpha / 2.0;
        is_below || is_above
    }
}

/// The value that at most this proportion of values is above, or the largest but one if that would be none.
fn nearest_quantile(values: &[Observation], above: f64) -> f64 {
    let mut sorted: Vec<f64> = values.iter().map(|call| call.value).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = ((above * sorted.len() as f64).ceil() as usize).max(1);
    sorted[sorted.len().saturating_sub(count + 1)]
}

#[cfg(test)]
mod tests;
