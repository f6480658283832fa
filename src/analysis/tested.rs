//! What is held to a limit, and what that says.

use super::{
    clustered_proportion::ClusteredProportion,
    estimate::Difference,
    interval::{CONFIDENCE, Interval, Looks},
    proportion::Proportion,
    result::Ratio,
    verdict::{environments_for, holm},
};
use serde::Serialize;

/// What was found, as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// The candidate's time or bill over the baseline's.
    Ratio(Ratio),
    /// The candidate's mean, in milliseconds.
    MeanMs(MeanWithInterval),
    /// The proportion of the candidate's calls that take longer than the limit.
    ProportionAbove(Proportion),
}

/// A mean with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MeanWithInterval {
    pub estimate: f64,
    /// Its 95% interval.
    pub interval: Interval,
}

/// What is held to a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tested {
    pub found: Found,
    estimate: Estimate,
    /// The limit on the scale of the estimate.
    limit: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Estimate {
    /// On the logarithmic scale.
    Difference {
        difference: Difference,
        /// What of its variance is an earlier campaign's.
        earlier_variance: f64,
        /// The environments of each side in this campaign.
        environments: u32,
    },
    Proportion(ClusteredProportion),
}

/// What would decide where more environments would not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Needs {
    /// More blocks: disturbances of whole blocks are most of the uncertainty.
    MoreBlocks,
    /// An earlier campaign that is less uncertain.
    LargerEarlierCampaign,
    /// Another limit: what was found lies on this one.
    AnotherLimit,
}

/// On which side of a limit something lies for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Below,
    Above,
    /// Neither is certain.
    Open,
}

impl Tested {
    /// A difference of logarithms, or the logarithm of a mean.
    pub fn difference(found: Found, difference: Difference, limit: f64) -> Self {
        Self::beside_earlier(found, difference, limit, 0.0, fewest_environments(&difference))
    }

    /// A difference of which such a variance is an earlier campaign's, in a campaign of so many environments.
    pub fn beside_earlier(
        found: Found,
        difference: Difference,
        limit: f64,
        earlier_variance: f64,
        environments: u32,
    ) -> Self {
        Self { found, estimate: Estimate::Difference { difference, earlier_variance, environments }, limit }
    }

    pub fn proportion(shown: Proportion, proportion: ClusteredProportion, limit: f64) -> Self {
        Self { found: Found::ProportionAbove(shown), estimate: Estimate::Proportion(proportion), limit }
    }

    fn estimate(&self) -> f64 {
        match &self.estimate {
            Estimate::Difference { difference, .. } => difference.estimate,
            Estimate::Proportion(proportion) => proportion.estimate,
        }
    }

    fn p_value(&self, looks: Looks) -> f64 {
        match &self.estimate {
            Estimate::Difference { difference, .. } => difference.p_value(self.limit, looks),
            Estimate::Proportion(proportion) => proportion.p_value(self.limit, looks),
        }
    }

    /// With how many environments of each side in this campaign the interval would clear the limit, at the strictest
    /// that Holm's correction may ask of one of `count` cells; or what else it needs.
    pub fn environments_needed(&self, looks: Looks, count: usize) -> Result<u64, Needs> {
        let confidence = 1.0 - (1.0 - CONFIDENCE) / count.max(1) as f64;
        match &self.estimate {
            Estimate::Difference { difference, earlier_variance, environments } => {
                let distance = (self.limit - difference.estimate).abs();
                let needed = |fixed_variance: f64| {
                    let difference = Difference { fixed_variance, ..*difference };
                    environments_for(&difference, distance, confidence, looks, *environments)
                };
                needed(difference.fixed_variance).ok_or_else(|| match needed(*earlier_variance) {
                    _ if distance <= 0.0 => Needs::AnotherLimit,
                    Some(_) => Needs::MoreBlocks,
                    None => Needs::LargerEarlierCampaign,
                })
            }
            Estimate::Proportion(proportion) => {
                let needed = proportion.environments_needed(self.limit, confidence, looks);
                let is_at_limit = proportion.estimate == self.limit || !proportion.is_disturbed();
                needed.ok_or(if is_at_limit { Needs::AnotherLimit } else { Needs::MoreBlocks })
            }
        }
    }
}

/// On which side of its limit each of these lies, such that with 95% probability none of those that are said to lie below or
/// above does not (Holm 1979). None of what was not estimated.
pub fn places(tests: &[Option<&Tested>], looks: Looks) -> Vec<Option<Place>> {
    let adjusted = |is_tested: fn(&Tested) -> bool| {
        let p_value = |test: &&Tested| if is_tested(test) { test.p_value(looks) } else { 1.0 };
        holm(&tests.iter().flatten().map(p_value).collect::<Vec<_>>())
    };
    let p_below = adjusted(|test| test.estimate() < test.limit);
    let p_above = adjusted(|test| test.estimate() > test.limit);
    let alpha = 1.0 - CONFIDENCE;
    let mut places = p_below.into_iter().zip(p_above).map(|(below, above)| place(below <= alpha, above <= alpha));
    tests.iter().map(|test| test.and_then(|_| places.next())).collect()
}

fn place(is_below: bool, is_above: bool) -> Place {
    if is_below {
        Place::Below
    } else if is_above {
        Place::Above
    } else {
        Place::Open
    }
}

fn fewest_environments(difference: &Difference) -> u32 {
    difference.environments.baseline.min(difference.environments.candidate)
}
