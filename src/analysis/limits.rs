//! Limits to which a gate holds a campaign, and what single calls and bills say about them.

use super::{
    call_sample::observations,
    campaign_bill::BillOptions,
    clustered_proportion::{ClusteredProportion, Sampling},
    compare_sets::Analyzer,
    estimate::{Difference, Groups, Observation, Weights, mean_of_side},
    interval::{CONFIDENCE, Interval},
    measures::Measure,
    proportion::Proportion,
    sides::Side,
    tested::{Found, MeanWithInterval, Tested},
    verdict::{MINIMUM_BLOCKS, MINIMUM_ENVIRONMENTS, fixed_variance, has_enough},
};
use crate::campaign::cell_names::ALL_CELLS;
use serde::Serialize;

/// A condition of a gate, with its limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "condition", content = "limit")]
pub enum Condition {
    /// The slowdown that passes, as a proportion: 0.05 lets a ratio of 1.05 through.
    #[serde(rename = "max-slowdown")]
    Slowdown(f64),
    /// By what proportion of the baseline's bill the candidate's may be higher.
    #[serde(rename = "max-cost-increase")]
    CostIncrease(f64),
    /// How long calls of the candidate may take.
    #[serde(rename = "max-latency")]
    Latency(LatencyLimit),
}

/// How long calls may take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LatencyLimit {
    /// What may be no longer.
    pub of: TimeStatistic,
    /// The longest time that passes, in milliseconds.
    pub ms: f64,
}

/// A statistic of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeStatistic {
    Mean,
    P50,
    P90,
    P95,
    P99,
}

crate::protocol::display_as_serialized!(TimeStatistic);

impl TimeStatistic {
    pub const ALL: [Self; 5] = [Self::Mean, Self::P50, Self::P90, Self::P95, Self::P99];

    /// The proportion of calls that may take longer. None of the mean.
    pub fn proportion_above(self) -> Option<f64> {
        match self {
            Self::Mean => None,
            Self::P50 => Some(0.5),
            Self::P90 => Some(0.1),
            Self::P95 => Some(0.05),
            Self::P99 => Some(0.01),
        }
    }
}

/// The limits that are not held to the ratios of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// See [`Condition::CostIncrease`].
    pub max_cost_increase: Option<f64>,
    /// See [`Condition::Latency`].
    pub max_latency: Option<LatencyLimit>,
}

/// What a candidate says about one condition.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionTests {
    pub condition: Condition,
    pub cells: Vec<CellTest>,
}

/// What one cell says about a condition.
#[derive(Clone, Debug, PartialEq)]
pub struct CellTest {
    pub name: String,
    /// The measure that decides.
    pub measure: Option<Measure>,
    /// What is held to the limit, or why nothing is.
    pub test: Result<Tested, String>,
}

impl Analyzer<'_> {
    /// What the candidate says about these limits.
    pub(super) fn limit_tests(&self, limits: Limits, bill: BillOptions) -> Vec<ConditionTests> {
        let cost = limits.max_cost_increase.map(|limit| ConditionTests {
            condition: Condition::CostIncrease(limit),
            cells: vec![CellTest {
                name: ALL_CELLS.to_owned(),
                measure: Some(Measure::Billed),
                test: self.cost_increase(limit, bill),
            }],
        });
        let latency = limits.max_latency.map(|limit| self.latencies(limit, Side::Candidate));
        cost.into_iter().chain(latency).collect()
    }

    /// What a side says about a limit of time.
    pub(super) fn latencies(&self, limit: LatencyLimit, side: Side) -> ConditionTests {
        let cells = self.pair.cells().map(|(name, calls)| {
            let calls = calls.deciding(self.pair.is_cold())[side];
            let values = observations(&[calls], self.primary);
            let test = self.latency(&values, limit).ok_or_else(|| why_withheld(&values, side));
            CellTest { name: name.to_owned(), measure: Some(self.primary), test }
        });
        ConditionTests { condition: Condition::Latency(limit), cells: cells.collect() }
    }

    /// The times of a side, as logarithms, held to a limit. None if they do not tell enough.
    fn latency(&self, values: &[Observation], LatencyLimit { of, ms }: LatencyLimit) -> Option<Tested> {
        let (sampling, looks) = (self.sampling(), self.looks);
        let mean = mean_of_side(values, Weights::Environments, sampling.clusters).filter(has_enough)?;
        let Some(null) = of.proportion_above() else {
            let fixed_variance = fixed_variance(mean.sources.disturbances, sampling.order, sampling.is_cold);
            let mean = Difference { fixed_variance, ..mean };
            let interval = mean.interval(CONFIDENCE, looks).map(f64::exp);
            let found = Found::MeanMs(MeanWithInterval { estimate: mean.estimate.exp(), interval });
            return Some(Tested::difference(found, mean, ms.ln()));
        };
        let above = ClusteredProportion::above(ms.ln(), null, values, sampling)?;
        let Interval { low, high } = above.interval(CONFIDENCE, looks);
        Some(Tested::proportion(Proportion { estimate: above.estimate, low, high }, above, null))
    }

    fn sampling(&self) -> Sampling {
        let plan = &self.pair.manifest.plan;
        Sampling { clusters: self.model(Groups::One).clusters, order: plan.order, is_cold: plan.cold }
    }
}

/// Why nothing is said of the times of one side.
fn why_withheld(values: &[Observation], side: Side) -> String {
    let count = |pick: fn(&Observation) -> u32| {
        let mut numbers: Vec<u32> = values.iter().map(pick).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.len()
    };
    let (environments, blocks) = (count(|call| call.environment), count(|call| call.block));
    if values.is_empty() {
        "it has no samples".to_owned()
    } else if environments < MINIMUM_ENVIRONMENTS as usize {
        format!("the {side} has {environments} of the {MINIMUM_ENVIRONMENTS} environments that a verdict takes")
    } else {
        format!("it has samples of the {side} in {blocks} of the {MINIMUM_BLOCKS} blocks that a verdict takes")
    }
}
