//! A difference with its uncertainty.

use crate::analysis::sides::Sides;
use serde::Serialize;

/// The candidate's values less the baseline's, as estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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
    /// What of its variance more environments would not narrow, only more blocks; 0 until the campaign's order
    /// is taken into account.
    pub fixed_variance: f64,
    /// By how much it may be wrong at worst besides, because CPU models of the fleet were not measured.
    pub bias: f64,
    /// Whether it is of fleets whose mixes of CPU models are known.
    pub is_of_mix: bool,
}

impl Difference {
    /// Its variance, with the degrees of freedom of that.
    pub fn variance(&self) -> (f64, f64) {
        (self.standard_error.powi(2), self.degrees_of_freedom)
    }
}

/// Where the variance of a difference comes from; the parts add up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Sources {
    /// What the calls of one environment have in common.
    pub environments: f64,
    /// What several environments have in common in one block; of calls one by one, what neighbours have in common.
    pub disturbances: f64,
    /// What single calls have of their own, and in a cold campaign their environments.
    pub calls: f64,
    /// What is not known of the mixes of CPU models; 0 where they were not counted, and what is not known of them is in that
    /// of environments.
    pub mix: f64,
}

impl Sources {
    /// The parts as shares of the whole. None if the whole is 0.
    pub fn shares(self) -> Option<Self> {
        let Self { environments, disturbances, calls, mix } = self;
        let whole = environments + disturbances + calls + mix;
        let share = |part: f64| part / whole;
        (whole > 0.0).then(|| Self {
            environments: share(environments),
            disturbances: share(disturbances),
            calls: share(calls),
            mix: share(mix),
        })
    }
}
