//! Whether a change may pass: is the candidate slower, dearer or later than is allowed?
//!
//! It passes only what is shown to keep to every limit (non-inferiority), and fails only what is shown to exceed one: the
//! whole interval is on one side of the limit. That nothing was found does not pass.

mod slowdown;

use super::{
    change::{Differing, common_pairs, looks, missing, what_differs, withholding},
    interval::Looks,
    limits::{CellTest, Condition, ConditionTests},
    measures::Measure,
    result::{Analysis, PairAnalysis},
    tested::{Found, Needs, Place, Tested, places},
    warning_kind::Warning,
};
use crate::analysis::sides::Sides;
use serde::Serialize;

/// The version of this shape; it grows when a field changes its meaning or goes.
pub const SCHEMA: u32 = 2;

/// The decision of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// No more than allowed: the whole interval lies below the limit.
    Pass,
    /// More than allowed: the whole interval lies above the limit.
    Fail,
    /// Neither is certain, with the environments so far.
    Inconclusive,
    /// No decision may be given.
    Withheld,
}

crate::protocol::display_as_serialized!(Decision);

/// What a slowdown is measured against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// The baseline side of the same campaign.
    Baseline,
    /// The candidate beside its baseline in an earlier campaign: a ratio of ratios, without the drift that both sides
    /// share.
    EarlierCampaign,
}

/// The result of holding a campaign to limits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gate {
    /// The version of this shape, [`SCHEMA`].
    pub schema: u32,
    /// What a slowdown is measured against.
    pub against: Against,
    /// The conditions, each with its limit.
    pub conditions: Vec<Condition>,
    /// The decision on all candidates: it fails if one does, and passes if all do.
    pub decision: Decision,
    /// The candidates that only the earlier campaign has: what is not measured does not pass.
    pub gone: Vec<String>,
    /// Each candidate beside the baseline.
    pub comparisons: Vec<PairGate>,
}

/// The result for one candidate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairGate {
    /// The names of both sides.
    pub names: Sides<String>,
    /// The decision on all conditions: it fails if one does, and passes if all do.
    pub decision: Decision,
    /// Why nothing is said of any cell; empty where something is.
    pub withheld: Vec<Withholding>,
    /// What differs between this campaign and the earlier one besides the time, one sentence each.
    pub differences: Vec<String>,
    /// Each condition, in the order of the gate's.
    pub conditions: Vec<ConditionGate>,
}

/// A warning because of which nothing is said of any cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Withholding {
    /// The campaign that it is about.
    pub campaign: WhichCampaign,
    #[serde(flatten)]
    pub warning: Warning,
}

/// One of the campaigns that a gate looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhichCampaign {
    /// The one that is to pass.
    This,
    /// The one that it is held to.
    Earlier,
}

/// The result for one condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConditionGate {
    #[serde(flatten)]
    pub condition: Condition,
    /// The decision on all cells: it fails if one does, and passes if all do.
    pub decision: Decision,
    /// Over how many comparisons, those of all candidates by this condition, its decisions are Holm-corrected; intervals are
    /// not.
    pub tests: usize,
    /// Each payload or workload, with those that only one of two campaigns has; of the bill, all of them together.
    pub cells: Vec<CellGate>,
}

/// The result for one cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CellGate {
    pub name: String,
    /// The measure that decides.
    pub measure: Option<Measure>,
    /// What is held to the limit. None if it is withheld.
    #[serde(flatten)]
    pub found: Option<Found>,
    /// The decision on it, by Holm's correction over all cells of all candidates, for this condition.
    pub decision: Decision,
    /// If it is inconclusive: the environments of each side in this campaign that would probably settle it.
    pub environments_needed: Option<u64>,
    /// If it is inconclusive, and no number of environments would do: what else it needs.
    pub needs: Option<Needs>,
    /// Why it is withheld, if it is.
    pub reason: Option<String>,
}

/// Holds the candidates of `run` to the limits that it was analyzed with, and to a largest slowdown: beside its baseline, or
/// beside `earlier` where that is given.
pub fn gate(run: &Analysis, earlier: Option<&Analysis>, max_slowdown: Option<f64>) -> Gate {
    let (held, gone) = held_pairs(run, earlier);
    let mut families: Vec<Family> = Vec::new();
    families.extend(max_slowdown.map(|limit| Family::of_slowdown(&held, run, earlier, limit)));
    families.extend(Family::of_limits(&held, run));
    let conditions = families.iter().map(|family| family.condition).collect();
    let mut judged: Vec<_> = families.into_iter().map(|family| family.judge().into_iter()).collect();
    let comparisons = held.iter().map(|held| {
        let conditions: Vec<ConditionGate> = judged.iter_mut().filter_map(Iterator::next).collect();
        let conditions: Vec<ConditionGate> = conditions.into_iter().map(|judged| held.with_gone(judged)).collect();
        PairGate {
            names: held.run.names().map(|_, name| (*name).to_owned()),
            decision: overall(conditions.iter().map(|condition| condition.decision)),
            withheld: held.withheld(),
            differences: held.differences(),
            conditions,
        }
    });
    let comparisons: Vec<PairGate> = comparisons.collect();
    let decisions = comparisons.iter().map(|pair| pair.decision).chain(gone.iter().map(|_| Decision::Withheld));
    Gate {
        schema: SCHEMA,
        against: if earlier.is_some() { Against::EarlierCampaign } else { Against::Baseline },
        conditions,
        decision: overall(decisions),
        gone,
        comparisons,
    }
}

/// All that one condition is held to: the cells of each candidate.
struct Family {
    condition: Condition,
    looks: Looks,
    pairs: Vec<Vec<CellTest>>,
}

impl Family {
    fn of_slowdown(held: &[HeldPair<'_>], run: &Analysis, earlier: Option<&Analysis>, limit: f64) -> Self {
        let methods: Vec<_> = std::iter::once(run).chain(earlier).map(|campaign| &campaign.method).collect();
        let looks = looks(&methods);
        let pairs = held.iter().map(|held| held.slowdowns(limit, looks)).collect();
        Self { condition: Condition::Slowdown(limit), looks, pairs }
    }

    /// What the limits of the analysis are held to, which are the same for all candidates.
    fn of_limits(held: &[HeldPair<'_>], run: &Analysis) -> Vec<Self> {
        let first = held.first().map(|held| held.run.limit_tests.as_slice()).unwrap_or_default();
        let family = |(place, tests): (usize, &ConditionTests)| Self {
            condition: tests.condition,
            looks: looks(&[&run.method]),
            pairs: held.iter().map(|held| held.unless_withheld(&held.run.limit_tests[place].cells)).collect(),
        };
        first.iter().enumerate().map(family).collect()
    }

    /// The decisions on each candidate, by Holm's correction over all of them.
    fn judge(self) -> Vec<ConditionGate> {
        let tests: Vec<Option<&Tested>> = self.pairs.iter().flatten().map(|cell| cell.test.as_ref().ok()).collect();
        let count = tests.iter().flatten().count();
        let mut places = places(&tests, self.looks).into_iter();
        let pairs = self.pairs.iter().map(|cells| {
            let cells = cells.iter().zip(places.by_ref());
            let cells: Vec<CellGate> =
                cells.map(|(cell, place)| CellGate::new(cell, place, self.looks, count)).collect();
            ConditionGate::new(self.condition, count, cells)
        });
        pairs.collect()
    }
}

impl ConditionGate {
    fn new(condition: Condition, tests: usize, cells: Vec<CellGate>) -> Self {
        Self { condition, decision: overall(cells.iter().map(|cell| cell.decision)), tests, cells }
    }
}

impl CellGate {
    fn new(cell: &CellTest, place: Option<Place>, looks: Looks, count: usize) -> Self {
        let open = cell.test.as_ref().ok().filter(|_| place == Some(Place::Open));
        let needed = open.map(|tested| tested.environments_needed(looks, count));
        Self {
            name: cell.name.clone(),
            measure: cell.measure,
            found: cell.test.as_ref().ok().map(|tested| tested.found),
            decision: place.map_or(Decision::Withheld, Decision::from),
            environments_needed: needed.and_then(Result::ok),
            needs: needed.and_then(Result::err),
            reason: cell.test.as_ref().err().cloned(),
        }
    }
}

impl From<Place> for Decision {
    fn from(place: Place) -> Self {
        match place {
            Place::Below => Self::Pass,
            Place::Above => Self::Fail,
            Place::Open => Self::Inconclusive,
        }
    }
}

/// A candidate, and what it is held to.
struct HeldPair<'a> {
    run: &'a PairAnalysis,
    reference: Reference<'a>,
}

enum Reference<'a> {
    Baseline,
    Earlier(&'a PairAnalysis),
    /// The earlier campaign does not have the candidate.
    Missing,
}

/// The candidates of `run`, and the names of those that only the earlier campaign has.
fn held_pairs<'a>(run: &'a Analysis, earlier: Option<&'a Analysis>) -> (Vec<HeldPair<'a>>, Vec<String>) {
    let Some(earlier) = earlier else {
        let held = run.comparisons.iter().map(|run| HeldPair { run, reference: Reference::Baseline });
        return (held.collect(), Vec::new());
    };
    let (common, only_in) = common_pairs(earlier, run);
    let held = run.comparisons.iter().map(|run| {
        let earlier = common.iter().find(|pair| std::ptr::eq(pair.b, run)).map(|pair| pair.a);
        HeldPair { run, reference: earlier.map_or(Reference::Missing, Reference::Earlier) }
    });
    (held.collect(), only_in.a)
}

impl<'a> HeldPair<'a> {
    fn earlier(&self) -> Option<&'a PairAnalysis> {
        match self.reference {
            Reference::Earlier(earlier) => Some(earlier),
            Reference::Baseline | Reference::Missing => None,
        }
    }

    fn withheld(&self) -> Vec<Withholding> {
        let campaigns = std::iter::once((WhichCampaign::This, self.run));
        let campaigns = campaigns.chain(self.earlier().map(|earlier| (WhichCampaign::Earlier, earlier)));
        let withheld = campaigns.flat_map(|(campaign, pair)| {
            withholding(pair).into_iter().map(move |warning| Withholding { campaign, warning })
        });
        withheld.collect()
    }

    fn differences(&self) -> Vec<String> {
        let differing = self.earlier().map(|earlier| what_differs(earlier, self.run)).unwrap_or_default();
        differing.iter().map(Differing::since_earlier).collect()
    }

    /// These tests, unless the campaign gives no verdict.
    fn unless_withheld(&self, cells: &[CellTest]) -> Vec<CellTest> {
        let mut cells = cells.to_vec();
        if let Some(Withholding { campaign, .. }) = self.withheld().first() {
            let campaign = match campaign {
                WhichCampaign::This => "the campaign",
                WhichCampaign::Earlier => "the earlier campaign",
            };
            cells.iter_mut().for_each(|cell| cell.test = Err(format!("{campaign} gives no verdict")));
        }
        cells
    }

    /// The same with the cells of the earlier campaign that this one has not: what is not measured does not pass.
    fn with_gone(&self, judged: ConditionGate) -> ConditionGate {
        let Some(earlier) = self.earlier().filter(|_| matches!(judged.condition, Condition::Slowdown(_))) else {
            return judged;
        };
        let gone = missing(earlier, self.run).into_iter().map(CellGate::gone);
        ConditionGate::new(judged.condition, judged.tests, judged.cells.into_iter().chain(gone).collect())
    }
}

impl CellGate {
    fn gone(name: String) -> Self {
        Self {
            name,
            measure: None,
            found: None,
            decision: Decision::Withheld,
            environments_needed: None,
            needs: None,
            reason: Some("only the earlier campaign has this cell".to_owned()),
        }
    }
}

fn overall(decisions: impl Iterator<Item = Decision>) -> Decision {
    let decisions: Vec<Decision> = decisions.collect();
    let gravest = [Decision::Fail, Decision::Withheld, Decision::Inconclusive, Decision::Pass];
    gravest.into_iter().find(|decision| decisions.contains(decision)).unwrap_or(Decision::Withheld)
}

#[cfg(test)]
mod tests;
