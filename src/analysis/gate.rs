//! Whether a change may pass: is the candidate slower than is allowed?
//!
//! It passes only what is shown not to be slower (non-inferiority), and fails only what is shown to be: the whole
//! interval is on one side of the limit. That nothing was found does not pass.

use super::{
    change::{self, common_pairs, difference, looks, missing, what_differs, withholding},
    estimate::Difference,
    interval::{CONFIDENCE, Looks},
    measures::Measure,
    result::{Analysis, CellAnalysis, Comparison, Method, PairAnalysis, Ratio},
    verdict::{MINIMUM_BLOCKS, MINIMUM_ENVIRONMENTS, adjusted, environments_for},
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
    /// Not slower than allowed: the whole interval lies below the limit.
    Pass,
    /// Slower than allowed: the whole interval lies above the limit.
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

/// The result of holding a campaign to a limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gate {
    /// The version of this shape, [`SCHEMA`].
    pub schema: u32,
    /// What the slowdown is measured against.
    pub against: Against,
    /// The slowdown that passes, as a share: 0.05 lets a ratio of 1.05 through.
    pub max_slowdown: f64,
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
    /// The decision on all cells: it fails if one does, and passes if all do.
    pub decision: Decision,
    /// Why nothing is said of any cell; empty where something is.
    pub withheld: Vec<Warning>,
    /// What differs between this campaign and the earlier one besides the time, one sentence each.
    pub differences: Vec<String>,
    /// Each payload or workload, with those that only one of two campaigns has.
    pub cells: Vec<CellGate>,
}

/// What would decide where more environments would not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Needs {
    /// More blocks: disturbances of whole blocks are most of the uncertainty.
    MoreBlocks,
    /// An earlier campaign that is less uncertain.
    LargerEarlierCampaign,
}

/// The result for one cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CellGate {
    pub name: String,
    /// The measure that decides.
    pub measure: Option<Measure>,
    /// The ratio that is held to the limit, above 1 if the candidate is slower. None if it is withheld.
    pub ratio: Option<Ratio>,
    /// The decision on it, by Holm's correction over all cells of all candidates.
    pub decision: Decision,
    /// If it is inconclusive: the environments of each side in this campaign that would probably settle it.
    pub environments_needed: Option<u64>,
    /// What else it needs, if no number of environments would do.
    pub needs: Option<Needs>,
    /// Why it is withheld, if it is.
    pub reason: Option<String>,
}

/// Holds the candidates of `run` to its baseline, or to `earlier` where that is given.
pub fn gate(run: &Analysis, earlier: Option<&Analysis>, max_slowdown: f64) -> Gate {
    let methods: Vec<&Method> = std::iter::once(run).chain(earlier).map(|campaign| &campaign.method).collect();
    let looks = looks(&methods);
    let (held, gone) = held_pairs(run, earlier);
    let tests: Vec<Vec<Result<Tested, String>>> = held.iter().map(HeldPair::tests).collect();
    let difference = |test: &Result<Tested, String>| Some(test.as_ref().ok()?.difference);
    let differences: Vec<Option<Difference>> = tests.iter().flatten().map(difference).collect();
    let count = differences.iter().flatten().count();
    let mut decisions = decisions(&differences, max_slowdown, looks).into_iter();
    let comparisons = held.iter().zip(tests).map(|(held, tests)| {
        let cells = held.run.cells.iter().zip(tests).zip(decisions.by_ref()).map(|((cell, test), decision)| {
            let open = test.as_ref().ok().filter(|_| decision == Decision::Inconclusive);
            let needed = open.map(|tested| tested.environments_needed(max_slowdown, looks, count));
            CellGate {
                name: cell.name.clone(),
                measure: cell.deciding().map(|it| it.measure),
                ratio: test.as_ref().ok().map(|tested| Ratio::new(&tested.difference, looks)),
                decision,
                environments_needed: needed.and_then(Result::ok),
                needs: needed.and_then(Result::err),
                reason: test.err(),
            }
        });
        let gone = held.earlier().into_iter().flat_map(|earlier| missing(earlier, held.run)).map(CellGate::gone);
        let cells: Vec<CellGate> = cells.chain(gone).collect();
        PairGate {
            names: held.run.names().map(|_, name| (*name).to_owned()),
            decision: overall(cells.iter().map(|cell| cell.decision)),
            withheld: held.withheld(),
            differences: held.earlier().map(|earlier| what_differs(earlier, held.run)).unwrap_or_default(),
            cells,
        }
    });
    let comparisons: Vec<PairGate> = comparisons.collect();
    let decisions = comparisons.iter().map(|pair| pair.decision).chain(gone.iter().map(|_| Decision::Withheld));
    Gate {
        schema: SCHEMA,
        against: if earlier.is_some() { Against::EarlierCampaign } else { Against::Baseline },
        max_slowdown,
        decision: overall(decisions),
        gone,
        comparisons,
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

    fn withheld(&self) -> Vec<Warning> {
        std::iter::once(self.run).chain(self.earlier()).flat_map(withholding).collect()
    }

    /// What is held to the limit in each cell, or why nothing is.
    fn tests(&self) -> Vec<Result<Tested, String>> {
        let is_withheld = !self.withheld().is_empty();
        let test = |cell| match self.reference {
            _ if is_withheld => Err("the campaign gives no verdict".to_owned()),
            Reference::Missing => Err("the earlier campaign does not have this variant".to_owned()),
            Reference::Baseline => tested(cell, self.run, None),
            Reference::Earlier(earlier) => tested(cell, self.run, Some(earlier)),
        };
        self.run.cells.iter().map(test).collect()
    }
}

impl CellGate {
    /// A cell of the earlier campaign that this one has not: what is not measured does not pass.
    fn gone(name: String) -> Self {
        Self {
            name,
            measure: None,
            ratio: None,
            decision: Decision::Withheld,
            environments_needed: None,
            needs: None,
            reason: Some("only the earlier campaign has this cell".to_owned()),
        }
    }
}

/// What is held to the limit, what of its variance is the earlier campaign's, and how many environments of each side this one
/// has.
struct Tested {
    difference: Difference,
    earlier_variance: f64,
    environments: u32,
}

fn tested(cell: &CellAnalysis, run: &PairAnalysis, earlier: Option<&PairAnalysis>) -> Result<Tested, String> {
    let deciding = cell.deciding().ok_or("it has no samples")?;
    let now = difference(deciding, &run.campaign).ok_or_else(|| why_withheld(deciding))?;
    let environments = now.environments.baseline.min(now.environments.candidate);
    let Some(earlier) = earlier else {
        return Ok(Tested { difference: now, earlier_variance: 0.0, environments });
    };
    let before = earlier.cell(&cell.name).ok_or("the earlier campaign does not have this cell")?;
    let before = before.deciding().ok_or("the earlier campaign has no samples of it")?;
    if before.measure != deciding.measure {
        return Err(format!("it has {} here and {} in the earlier campaign", deciding.measure, before.measure));
    }
    let then = difference(before, &earlier.campaign);
    let then = then.ok_or_else(|| format!("in the earlier campaign {}", why_withheld(before)))?;
    // More environments in this campaign narrow nothing of the other.
    let earlier_variance = then.standard_error.powi(2);
    let fixed_variance = earlier_variance + now.fixed_variance;
    let difference = Difference { fixed_variance, ..change::change(&then, &now) };
    Ok(Tested { difference, earlier_variance, environments })
}

/// Why no verdict is given on a comparison by itself.
fn why_withheld(Comparison { measure, environments, blocks, .. }: &Comparison) -> String {
    let fewest = environments.baseline.min(environments.candidate);
    if fewest < MINIMUM_ENVIRONMENTS {
        format!("a side has {fewest} of the {MINIMUM_ENVIRONMENTS} environments that a verdict takes")
    } else if *blocks < MINIMUM_BLOCKS {
        format!("it has samples of both sides in {blocks} of the {MINIMUM_BLOCKS} blocks that a verdict takes")
    } else {
        format!("no verdict is given on its {measure}")
    }
}

impl Tested {
    /// With how many environments of each side in this campaign the interval would clear the limit, at the strictest
    /// that Holm's correction may ask of one of `count` cells; or what else it needs.
    fn environments_needed(&self, max_slowdown: f64, looks: Looks, count: usize) -> Result<u64, Needs> {
        let distance = (max_slowdown.ln_1p() - self.difference.estimate).abs();
        let confidence = 1.0 - (1.0 - CONFIDENCE) / count.max(1) as f64;
        let needed = |fixed_variance: f64| {
            let difference = Difference { fixed_variance, ..self.difference };
            environments_for(&difference, distance, confidence, looks, self.environments)
        };
        needed(self.difference.fixed_variance).ok_or(match needed(self.earlier_variance) {
            Some(_) => Needs::MoreBlocks,
            None => Needs::LargerEarlierCampaign,
        })
    }
}

/// The decision on each of these differences of logarithms, such that with 95% probability none of those that say pass
/// or fail is wrong (Holm 1979).
fn decisions(differences: &[Option<Difference>], max_slowdown: f64, looks: Looks) -> Vec<Decision> {
    let limit = max_slowdown.ln_1p();
    let p_value = |found: &Difference, is_tested| if is_tested { found.p_value(limit, looks) } else { 1.0 };
    let p_below = adjusted(differences, |found| p_value(found, found.estimate < limit));
    let p_above = adjusted(differences, |found| p_value(found, found.estimate > limit));
    let alpha = 1.0 - CONFIDENCE;
    let tested = differences.iter().zip(p_below.into_iter().zip(p_above));
    let decisions = tested.map(|(difference, (below, above))| match difference {
        None => Decision::Withheld,
        Some(_) if below <= alpha => Decision::Pass,
        Some(_) if above <= alpha => Decision::Fail,
        Some(_) => Decision::Inconclusive,
    });
    decisions.collect()
}

fn overall(decisions: impl Iterator<Item = Decision>) -> Decision {
    let decisions: Vec<Decision> = decisions.collect();
    let gravest = [Decision::Fail, Decision::Withheld, Decision::Inconclusive, Decision::Pass];
    gravest.into_iter().find(|decision| decisions.contains(decision)).unwrap_or(Decision::Withheld)
}

#[cfg(test)]
mod tests;
