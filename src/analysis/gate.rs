//! Whether a change may pass: is the candidate slower than is allowed?
//!
//! It passes only what is shown not to be slower (non-inferiority), and fails only what is shown to be: the whole
//! interval is on one side of the limit. That nothing was found does not pass.

use super::{
    change::{self, difference, looks, missing, what_differs, withholding},
    estimate::Difference,
    interval::{CONFIDENCE, Looks},
    measures::Measure,
    result::{Analysis, CellAnalysis, Comparison, Ratio},
    verdict::{MINIMUM_BLOCKS, MINIMUM_ENVIRONMENTS, adjusted, environments_for},
    warning_kind::Warning,
};
use crate::campaign::sides::Sides;
use serde::Serialize;

/// The version of this shape; it grows when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

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
    /// The names of both sides.
    pub names: Sides<String>,
    /// What the slowdown is measured against.
    pub against: Against,
    /// The slowdown that passes, as a share: 0.05 lets a ratio of 1.05 through.
    pub max_slowdown: f64,
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
    /// The decision on it, by Holm's correction over all cells.
    pub decision: Decision,
    /// If it is inconclusive: the environments of each side in this campaign that would probably settle it.
    pub environments_needed: Option<u64>,
    /// What else it needs, if no number of environments would do.
    pub needs: Option<Needs>,
    /// Why it is withheld, if it is.
    pub reason: Option<String>,
}

/// Holds the candidate of `run` to its baseline, or to `earlier` where that is given.
pub fn gate(run: &Analysis, earlier: Option<&Analysis>, max_slowdown: f64) -> Gate {
    let campaigns: Vec<&Analysis> = std::iter::once(run).chain(earlier).collect();
    let withheld: Vec<Warning> = campaigns.iter().copied().flat_map(withholding).collect();
    let looks = looks(&campaigns);
    let is_withheld = !withheld.is_empty();
    let held =
        |cell| if is_withheld { Err("the campaign gives no verdict".to_owned()) } else { tested(cell, run, earlier) };
    let tests: Vec<Result<Tested, String>> = run.cells.iter().map(held).collect();
    let differences: Vec<Option<Difference>> =
        tests.iter().map(|tested| Some(tested.as_ref().ok()?.difference)).collect();
    let decisions = decisions(&differences, max_slowdown, looks);
    let count = differences.iter().flatten().count();
    let mut cells = Vec::new();
    for ((cell, test), decision) in run.cells.iter().zip(tests).zip(decisions) {
        let open = test.as_ref().ok().filter(|_| decision == Decision::Inconclusive);
        let needed = open.map(|tested| tested.environments_needed(max_slowdown, looks, count));
        cells.push(CellGate {
            name: cell.name.clone(),
            measure: cell.deciding().map(|it| it.measure),
            ratio: test.as_ref().ok().map(|tested| Ratio::new(&tested.difference, looks)),
            decision,
            environments_needed: needed.and_then(Result::ok),
            needs: needed.and_then(Result::err),
            reason: test.err(),
        });
    }
    cells.extend(earlier.into_iter().flat_map(|earlier| missing(earlier, run)).map(CellGate::gone));
    Gate {
        schema: SCHEMA,
        names: run.names().map(|_, name| (*name).to_owned()),
        against: if earlier.is_some() { Against::EarlierCampaign } else { Against::Baseline },
        max_slowdown,
        decision: overall(&cells),
        withheld,
        differences: earlier.map(|earlier| what_differs(earlier, run)).unwrap_or_default(),
        cells,
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

fn tested(cell: &CellAnalysis, run: &Analysis, earlier: Option<&Analysis>) -> Result<Tested, String> {
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

fn overall(cells: &[CellGate]) -> Decision {
    let any = |decision| cells.iter().any(|cell| cell.decision == decision);
    let gravest =
        [Decision::Fail, Decision::Withheld, Decision::Inconclusive].into_iter().find(|decision| any(*decision));
    gravest.unwrap_or(if cells.is_empty() { Decision::Withheld } else { Decision::Pass })
}

#[cfg(test)]
mod tests;
