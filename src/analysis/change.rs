//! Two campaigns in time: how the candidate's ratio to its baseline has changed from one to the other.
//!
//! Levels of different days differ by whatever the fleet is like that day. A ratio of one campaign has that taken out as
//! far as both sides share it, and so has the ratio of two such ratios: it is what is judged here, and levels are only
//! described. The fleet of one side may get other CPUs than before: that is in the ratio, and is listed.

use super::{
    cpu_models::{environments, environments_of},
    estimate::{Difference, welch},
    interval::Looks,
    measures::Measure,
    proportion::Proportion,
    result::{Analysis, CellAnalysis, Comparison, Method, PairAnalysis, Provenance, Ratio, VariantFacts},
    verdict::{self, Verdict},
    warning_kind::Warning,
};
use crate::analysis::sides::{Side, Sides};
use serde::Serialize;
use std::collections::BTreeSet;

/// The version of this shape; it grows when a field changes its meaning or goes.
pub const SCHEMA: u32 = 2;

/// Something that each of two campaigns has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Campaigns<T> {
    /// The first campaign's.
    pub a: T,
    /// The second campaign's.
    pub b: T,
}

/// What has changed from campaign A to campaign B.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changes {
    /// The version of this shape, [`SCHEMA`].
    pub schema: u32,
    /// When each was begun, in milliseconds since 1970-01-01 UTC.
    pub created_unix_ms: Campaigns<u64>,
    /// Whether each was imported, so that nothing tells when its measurements were made.
    pub imported: Campaigns<bool>,
    /// Whether both may have CPU models, and so be of a fleet.
    #[serde(skip)]
    pub are_of_fleets: bool,
    /// Changes of the ratio between 1/(1 + margin) and 1 + margin count as none.
    pub margin: f64,
    /// The candidates that only one of them has.
    pub only_in: Campaigns<Vec<String>>,
    /// The candidates that both have, each beside the baseline.
    pub comparisons: Vec<PairChanges>,
}

/// What has changed for one candidate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairChanges {
    /// The names of both sides, as the second campaign has them.
    pub names: Sides<String>,
    /// What withholds the verdicts of each campaign, and so all verdicts here.
    pub withheld: Campaigns<Vec<Warning>>,
    /// What differs between the campaigns besides the time, one sentence each.
    pub differences: Vec<String>,
    /// The cells that only one of them has.
    pub only_in: Campaigns<Vec<String>>,
    /// The cells that both have.
    pub cells: Vec<CellChange>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CellChange {
    pub name: String,
    /// The measure that decides.
    pub measure: Measure,
    /// The candidate's mean over the baseline's in each campaign. None where it is withheld.
    pub ratios: Campaigns<Option<Ratio>>,
    /// The second ratio over the first: below 1 the candidate has gained on the baseline.
    pub change: Option<Ratio>,
    /// Whether the candidate has become faster beside the baseline, by Holm's correction over all cells of all candidates.
    pub verdict: Verdict,
    /// Where it is inconclusive: with how many environments of each side, in both campaigns, it probably would not be.
    pub environments_needed: Option<u64>,
    /// How each side's own mean has moved. This is described and not judged: nothing tells a change of the code from drift
    /// of the fleet.
    pub means: Sides<MeanChange>,
}

/// How the mean of one side has moved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MeanChange {
    /// Its mean in the first campaign, in milliseconds.
    pub a_ms: Option<f64>,
    /// Its mean in the second campaign, in milliseconds.
    pub b_ms: Option<f64>,
    /// The second over the first.
    pub ratio: Option<f64>,
}

/// What has changed from `a` to `b`.
pub fn changes(a: &Analysis, b: &Analysis) -> Changes {
    let (pairs, only_in) = common_pairs(a, b);
    let looks = looks(&[&a.method, &b.method]);
    let margin = a.method.margin.max(b.method.margin);
    let differences: Vec<Vec<Option<Difference>>> = pairs.iter().map(differences).collect();
    let tests = differences.iter().flatten().count();
    let mut verdicts = verdict::verdicts(&differences.concat(), margin, looks).into_iter();
    let comparisons = pairs.iter().zip(&differences).map(|(pair, differences)| {
        let cells = cells(pair).into_iter().zip(differences).zip(verdicts.by_ref());
        let cells = cells.map(|(((name, cell), difference), verdict)| CellChange {
            name: name.to_owned(),
            measure: cell.b.measure,
            ratios: Campaigns { a: shown(cell.a), b: shown(cell.b) },
            change: difference.as_ref().map(|difference| Ratio::new(difference, looks)),
            verdict,
            environments_needed: difference
                .as_ref()
                .filter(|_| verdict == Verdict::Inconclusive)
                .and_then(|open| verdict::environments_needed(open, margin, looks, tests)),
            means: Sides {
                baseline: mean_change(&cell, Side::Baseline),
                candidate: mean_change(&cell, Side::Candidate),
            },
        });
        let Campaigns { a, b } = pair;
        PairChanges {
            names: b.names().map(|_, name| (*name).to_owned()),
            withheld: Campaigns { a: withholding(a), b: withholding(b) },
            differences: what_differs(a, b).iter().map(Differing::a_to_b).collect(),
            only_in: Campaigns { a: missing(a, b), b: missing(b, a) },
            cells: cells.collect(),
        }
    });
    Changes {
        schema: SCHEMA,
        created_unix_ms: Campaigns { a: a.campaign.created_unix_ms, b: b.campaign.created_unix_ms },
        imported: Campaigns { a: a.campaign.imported.is_some(), b: b.campaign.imported.is_some() },
        are_of_fleets: a.campaign.may_have_cpus() && b.campaign.may_have_cpus(),
        margin,
        comparisons: comparisons.collect(),
        only_in,
    }
}

/// The candidates that both campaigns compare with the same baseline, by the names of both, and the names of the others. The
/// only candidates of two campaigns are taken for the same, whatever the names.
pub(super) fn common_pairs<'a>(
    a: &'a Analysis,
    b: &'a Analysis,
) -> (Vec<Campaigns<&'a PairAnalysis>>, Campaigns<Vec<String>>) {
    if let (Some(a), Some(b)) = (a.only_pair(), b.only_pair()) {
        return (vec![Campaigns { a, b }], Campaigns { a: Vec::new(), b: Vec::new() });
    }
    fn of_name<'a>(analysis: &'a Analysis, pair: &PairAnalysis) -> Option<&'a PairAnalysis> {
        analysis.comparisons.iter().find(|other| other.names() == pair.names())
    }
    let only_in = |one: &Analysis, other: &Analysis| {
        let alone = one.comparisons.iter().filter(|pair| of_name(other, pair).is_none());
        alone.map(|pair| pair.names().candidate.to_owned()).collect()
    };
    let pairs = b.comparisons.iter().filter_map(|pair| Some(Campaigns { a: of_name(a, pair)?, b: pair }));
    (pairs.collect(), Campaigns { a: only_in(a, b), b: only_in(b, a) })
}

/// How the ratio of each common cell has changed. None where no verdict was given.
fn differences(pair: &Campaigns<&PairAnalysis>) -> Vec<Option<Difference>> {
    let Campaigns { a, b } = pair;
    let is_withheld = !withholding(a).is_empty() || !withholding(b).is_empty();
    let campaigns = Campaigns { a: &a.campaign, b: &b.campaign };
    cells(pair).iter().map(|(_, cell)| change_of(cell, &campaigns).filter(|_| !is_withheld)).collect()
}

/// The cells that both campaigns have, each with the comparisons that decide on it.
fn cells<'a>(Campaigns { a, b }: &Campaigns<&'a PairAnalysis>) -> Vec<(&'a str, Campaigns<&'a Comparison>)> {
    let common = |cell: &'a CellAnalysis| {
        Some((cell.name.as_str(), Campaigns { a: a.cell(&cell.name)?.deciding()?, b: cell.deciding()? }))
    };
    b.cells.iter().filter_map(common).collect()
}

/// The cells of `one` that `other` has not.
pub(super) fn missing(one: &PairAnalysis, other: &PairAnalysis) -> Vec<String> {
    one.cells.iter().map(|cell| &cell.name).filter(|name| other.cell(name).is_none()).cloned().collect()
}

/// The warnings because of which nothing is said of any cell.
pub(super) fn withholding(analysis: &PairAnalysis) -> Vec<Warning> {
    analysis.warnings.iter().filter(|warning| warning.kind.withholds()).cloned().collect()
}

/// A ratio, where its own campaign stands by it.
fn shown(comparison: &Comparison) -> Option<Ratio> {
    comparison.ratio.filter(|_| comparison.verdict != Verdict::Withheld)
}

/// The difference of logarithms behind a comparison of a campaign. None if no verdict was given on it.
pub(super) fn difference(comparison: &Comparison, campaign: &Provenance) -> Option<Difference> {
    let ratio = shown(comparison)?;
    let standard_error = ratio.log_standard_error?;
    let disturbances = comparison.sources.map_or(0.0, |it| it.disturbances) * standard_error.powi(2);
    let difference = Difference {
        estimate: ratio.estimate.ln(),
        standard_error,
        degrees_of_freedom: ratio.degrees_of_freedom?,
        environments: comparison.environments,
        blocks: comparison.blocks,
        fixed_variance: verdict::fixed_variance(disturbances, campaign.order, campaign.cold),
        ..Difference::default()
    };
    let is_known = difference.estimate.is_finite() && difference.standard_error.is_finite();
    (is_known && verdict::has_enough(&difference)).then_some(difference)
}

/// The second difference less the first, of two campaigns that know nothing of each other: their variances add, with
/// the degrees of freedom of Welch (1947) and Satterthwaite (1946).
pub(super) fn change(a: &Difference, b: &Difference) -> Difference {
    let (standard_error, degrees_of_freedom) = welch(&[a.variance(), b.variance()]);
    Difference {
        estimate: b.estimate - a.estimate,
        standard_error,
        degrees_of_freedom,
        environments: a.environments.map(|side, count| (*count).min(b.environments[side])),
        blocks: a.blocks.min(b.blocks),
        fixed_variance: a.fixed_variance + b.fixed_variance,
        ..Difference::default()
    }
}

/// How often campaigns were looked at that a difference rests on.
///
/// Where one of them was to end by its interval, the interval is the one that is valid at all looks, tightest about
/// where these campaigns were to end together.
pub(super) fn looks(campaigns: &[&Method]) -> Looks {
    let targets = campaigns.iter().filter_map(|method| method.until_ci);
    let targets: f64 = targets.map(|target| target.ln_1p().powi(2)).sum();
    if targets > 0.0 { Looks::EveryBlock(targets.sqrt()) } else { Looks::Once }
}

/// How the ratio has changed. None if the campaigns decide by different measures, or one of them has no verdict.
fn change_of(cell: &Campaigns<&Comparison>, campaigns: &Campaigns<&Provenance>) -> Option<Difference> {
    if cell.a.measure != cell.b.measure {
        return None;
    }
    Some(change(&difference(cell.a, campaigns.a)?, &difference(cell.b, campaigns.b)?))
}

fn mean_change(&Campaigns { a, b }: &Campaigns<&Comparison>, side: Side) -> MeanChange {
    let mean = |comparison: &Comparison| comparison.statistics[side].map(|it| it.mean);
    let (a_ms, b_ms) = (mean(a), mean(b));
    let ratio = a_ms.zip(b_ms).filter(|_| a.measure == b.measure).map(|(a, b)| b / a).filter(|it| it.is_finite());
    MeanChange { a_ms, b_ms, ratio }
}

/// Something that sets two campaigns apart.
pub(super) struct Differing {
    /// The side that it is about. None if it is about both.
    side: Option<Side>,
    what: String,
    values: Campaigns<String>,
}

impl Differing {
    /// For two campaigns that are called A and B.
    pub(super) fn a_to_b(&self) -> String {
        let Self { side, what, values: Campaigns { a, b } } = self;
        let side = side.map(|side| format!("{side}, ")).unwrap_or_default();
        format!("{side}{what}: {a} in A, {b} in B")
    }

    /// For a campaign and an earlier one.
    pub(super) fn since_earlier(&self) -> String {
        let Self { side, what, values: Campaigns { a, b } } = self;
        let side = side.map(|side| format!(" of the {side}")).unwrap_or_default();
        format!("the {what}{side} was {a} in the earlier campaign and is {b} now")
    }
}

/// What sets two campaigns apart besides the time.
pub(super) fn what_differs(a: &PairAnalysis, b: &PairAnalysis) -> Vec<Differing> {
    let mut differences = Vec::new();
    let imports = a.campaign.imported.as_ref().zip(b.campaign.imported.as_ref());
    let files = imports.map(|(a, b)| Campaigns { a: a.files_in_short(), b: b.files_in_short() });
    let files = files.filter(|files| files.a != files.b);
    differences.extend(files.map(|values| Differing { side: None, what: "source".to_owned(), values }));
    for side in Side::BOTH {
        let facts = facts(&a.sides[side]).into_iter().zip(facts(&b.sides[side]));
        // The files of an import are those of all sides together.
        for ((label, before), (_, after)) in facts.skip(usize::from(imports.is_some())) {
            if before != after {
                let values = Campaigns { a: before, b: after };
                differences.push(Differing { side: Some(side), what: label.to_owned(), values });
            }
        }
        differences.extend(other_mix(side, &a.sides[side], &b.sides[side]));
    }
    if a.campaign.cold != b.campaign.cold {
        let kind = |analysis: &PairAnalysis| match &analysis.campaign {
            Provenance { imported: Some(import), .. } => format!("imported {}", Measure::from(import.measure)),
            Provenance { cold, .. } => if *cold { "cold starts" } else { "warm calls" }.to_owned(),
        };
        let values = Campaigns { a: kind(a), b: kind(b) };
        differences.push(Differing { side: None, what: "kind of calls".to_owned(), values });
    }
    for (name, Campaigns { a, b }) in cells(&Campaigns { a, b }) {
        if a.measure != b.measure {
            let values = Campaigns { a: a.measure.to_string(), b: b.measure.to_string() };
            differences.push(Differing { side: None, what: format!("measure that decides on {name}"), values });
        }
    }
    differences
}

/// What is known of a side, with labels; the target first.
fn facts(side: &VariantFacts) -> [(&'static str, String); 4] {
    let known = |text: Option<String>| text.unwrap_or("unknown".to_owned());
    [
        ("target", side.target.clone()),
        ("architecture", known(side.architecture.map(|it| it.to_string()))),
        ("memory", known(side.memory_mb.map(|megabytes| format!("{megabytes} MB")))),
        ("build", if side.builds.is_empty() { known(None) } else { side.builds.join(" and ") }),
    ]
}

/// The CPU models whose share of the fleet has changed by more than chance explains: the intervals do not meet.
fn other_mix(side: Side, a: &VariantFacts, b: &VariantFacts) -> Vec<Differing> {
    if [a, b].iter().any(|side| environments(&side.cpus) == 0) {
        return Vec::new();
    }
    let models: BTreeSet<&str> = a.cpus.iter().chain(&b.cpus).map(|cpu| cpu.model.as_str()).collect();
    let differing = |model: &str| {
        let proportion =
            |side: &VariantFacts| Proportion::new(environments_of(&side.cpus, model), environments(&side.cpus));
        let (before, after) = (proportion(a), proportion(b));
        let percent = |models: Proportion| format!("{:.0}% of environments", models.estimate * 100.0);
        (before.high < after.low || after.high < before.low).then(|| Differing {
            side: Some(side),
            what: format!("CPU {model}"),
            values: Campaigns { a: percent(before), b: percent(after) },
        })
    };
    models.into_iter().filter_map(differing).collect()
}

#[cfg(test)]
pub(super) mod tests;
