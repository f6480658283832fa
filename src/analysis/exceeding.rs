//! Which variants exceed the limits that a user sets to a choice.

use super::{
    interval::Interval,
    limits::{CellTest, Condition, ConditionTests},
    measures::Measure,
    proportion::Proportion,
    tested::{Found, MeanWithInterval},
};
use serde::Serialize;

/// A variant that exceeds a limit, or may, in the cell where it does most.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exceeding {
    pub variant: String,
    #[serde(flatten)]
    pub condition: Condition,
    pub standing: Standing,
    pub cell: String,
    pub measure: Option<Measure>,
    /// What was held to the limit. None if nothing could be.
    pub found: Option<Found>,
    /// Why nothing could be.
    pub reason: Option<String>,
}

/// Where a variant is that does not keep a limit for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nothing is known that could be held to the limit.
    Unknown,
    /// The estimate keeps it, but not the whole interval.
    MayExceed,
    /// The estimate is beyond it.
    Beyond,
}

impl Exceeding {
    /// What the tests of a variant say, each condition by the worst of its cells.
    pub(super) fn of_variant<'a>(
        variant: &'a str,
        tests: &'a [ConditionTests],
    ) -> impl Iterator<Item = Self> + use<'a> {
        tests.iter().filter_map(move |tests| {
            let cells = tests.cells.iter().filter_map(|cell| place(tests.condition, cell));
            let (standing, _, cell) = cells.max_by(|(one, excess, _), (other, other_excess, _)| {
                one.cmp(other).then(excess.total_cmp(other_excess))
            })?;
            Some(Self {
                variant: variant.to_owned(),
                condition: tests.condition,
                standing,
                cell: cell.name.clone(),
                measure: cell.measure,
                found: cell.test.as_ref().ok().map(|tested| tested.found),
                reason: cell.test.as_ref().err().cloned(),
            })
        })
    }
}

/// Where a cell is, and how many times the limit its estimate is. None if it keeps the limit for certain.
fn place(condition: Condition, cell: &CellTest) -> Option<(Standing, f64, &CellTest)> {
    let Ok(tested) = &cell.test else { return Some((Standing::Unknown, 0.0, cell)) };
    let (estimate, high) = match tested.found {
        Found::Ratio(ratio) => (ratio.estimate, ratio.interval.map(|interval| interval.high)),
        Found::MeanMs(MeanWithInterval { estimate, interval: Interval { high, .. } }) => (estimate, Some(high)),
        Found::ProportionAbove(Proportion { estimate, high, .. }) => (estimate, Some(high)),
    };
    let limit = match condition {
        Condition::Slowdown(increase) | Condition::CostIncrease(increase) => 1.0 + increase,
        Condition::Latency(limit) => limit.of.proportion_above().unwrap_or(limit.ms),
    };
    let standing = if estimate > limit {
        Standing::Beyond
    } else if high.is_none_or(|high| high > limit) {
        Standing::MayExceed
    } else {
        return None;
    };
    Some((standing, estimate / limit, cell))
}
