//! The estimates of an analysis that other tools may have: what reports withhold is left out, since a number in another tool
//! stands there without its warnings.

use crate::analysis::{
    result::{Analysis, Comparison, Interval, Measure, PairAnalysis, SummaryStatistics},
    sides::Side,
    warning_kind::WarningKind,
};
use crate::campaign::cell_names::ALL_CELLS;
use crate::report::{tables::judged, words::listed};
use std::collections::BTreeSet;

/// The estimates of one campaign.
#[derive(Debug)]
pub(crate) struct Estimates<'a> {
    pub(super) analysis: &'a Analysis,
    pub(super) all: Vec<Estimate<'a>>,
}

/// A number with its interval.
#[derive(Debug)]
pub(super) struct Estimate<'a> {
    pub(super) variant: &'a str,
    /// What it is compared with. None unless it is a ratio.
    pub(super) baseline: Option<&'a str>,
    /// None of what a variant costs.
    pub(super) cell: Option<&'a str>,
    pub(super) quantity: Quantity,
    pub(super) value: f64,
    pub(super) interval: Option<Interval>,
    /// Where it is from. None of costs.
    pub(super) source: Option<(&'a Comparison, Side)>,
}

impl Estimate<'_> {
    /// Whether it depends on which cells a campaign has.
    pub(super) fn is_of_all_cells(&self) -> bool {
        self.cell.is_none_or(|cell| cell == ALL_CELLS)
    }
}

/// What is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantity {
    /// A mean, in milliseconds.
    Time(Measure),
    /// The candidate's mean over the baseline's.
    Ratio(Measure),
    /// US dollars for a million invocations.
    Cost,
}

/// Two estimates would have one name.
#[derive(Debug, thiserror::Error)]
#[error(
    "two estimates would be called {0:?}, because names of variants or cells have a \"/\" or \".\": give them other names"
)]
pub(crate) struct SameName(String);

impl<'a> Estimates<'a> {
    pub(crate) fn new(analysis: &'a Analysis) -> Self {
        let mut all = Vec::new();
        let pairs = &analysis.comparisons;
        let of_baseline = pair_of_baseline(analysis).map(|pair| (pair, Side::Baseline));
        let is_usable = |pair: &&PairAnalysis| pair.spoiled_by(Side::Candidate).next().is_none();
        let of_candidates = pairs.iter().filter(is_usable).map(|pair| (pair, Side::Candidate));
        for (pair, side) in of_baseline.into_iter().chain(of_candidates) {
            all.extend(times(pair, side));
            all.extend(cost(analysis, pair.names()[side]));
        }
        all.extend(pairs.iter().flat_map(ratios));
        all.retain(|estimate: &Estimate<'_>| estimate.value.is_finite());
        Self { analysis, all }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What is left out, and why.
    pub(crate) fn left_out(&self) -> Vec<String> {
        let pairs = &self.analysis.comparisons;
        let mut left_out = Vec::new();
        if let (None, Some(pair)) = (pair_of_baseline(self.analysis), pairs.first()) {
            left_out.extend(spoiled_times(pair, Side::Baseline));
        }
        for pair in pairs {
            left_out.extend(spoiled_times(pair, Side::Candidate));
            left_out.extend(withheld_ratios(pair));
        }
        left_out
    }
}

/// The pair whose times of the baseline stand for it: that of most blocks, as for costs.
fn pair_of_baseline(analysis: &Analysis) -> Option<&PairAnalysis> {
    let usable = analysis.comparisons.iter().filter(|pair| pair.spoiled_by(Side::Baseline).next().is_none());
    // Of equals the last is taken.
    usable.rev().max_by_key(|pair| pair.headline.as_ref().map_or(0, |headline| headline.blocks))
}

/// The means of a side; that of all cells together is no further one.
fn times(pair: &PairAnalysis, side: Side) -> impl Iterator<Item = Estimate<'_>> {
    let of_cells = pair.named_comparisons().filter(|(cell, _)| *cell != ALL_CELLS);
    of_cells.filter_map(move |(cell, comparison)| {
        let SummaryStatistics { mean, interval, .. } = comparison.statistics[side]?;
        Some(Estimate {
            variant: pair.names()[side],
            baseline: None,
            cell: Some(cell),
            quantity: Quantity::Time(comparison.measure),
            value: mean,
            interval: interval.filter(is_finite),
            source: Some((comparison, side)),
        })
    })
}

fn ratios(pair: &PairAnalysis) -> impl Iterator<Item = Estimate<'_>> {
    pair.named_comparisons().filter_map(|(cell, comparison)| {
        let ratio = judged(comparison)?;
        Some(Estimate {
            variant: pair.names().candidate,
            baseline: Some(pair.names().baseline),
            cell: Some(cell),
            quantity: Quantity::Ratio(comparison.measure),
            value: ratio.estimate,
            interval: ratio.interval.filter(is_finite),
            source: Some((comparison, Side::Candidate)),
        })
    })
}

fn cost<'a>(analysis: &'a Analysis, variant: &str) -> Option<Estimate<'a>> {
    let facts = analysis.variants.iter().find(|facts| facts.name == variant)?;
    let cost = facts.per_million?;
    Some(Estimate {
        variant: &facts.name,
        baseline: None,
        cell: None,
        quantity: Quantity::Cost,
        value: cost.total_usd,
        interval: cost.interval.filter(is_finite),
        source: None,
    })
}

fn is_finite(interval: &Interval) -> bool {
    interval.low.is_finite() && interval.high.is_finite()
}

fn spoiled_times(pair: &PairAnalysis, side: Side) -> Option<String> {
    let reasons: Vec<WarningKind> = pair.spoiled_by(side).collect();
    let name = pair.names()[side];
    (!reasons.is_empty()).then(|| format!("the times and the cost of {name}{}", because(&reasons)))
}

fn withheld_ratios(pair: &PairAnalysis) -> Option<String> {
    let (given, withheld): (Vec<_>, Vec<_>) =
        pair.named_comparisons().partition(|(_, comparison)| judged(comparison).is_some());
    let names = pair.names();
    let ratios = format!("of {} to {}", names.candidate, names.baseline);
    if given.is_empty() {
        let reasons: Vec<WarningKind> =
            pair.warnings.iter().filter(|warning| pair.withholds(warning)).map(|warning| warning.kind).collect();
        return Some(format!("the ratios {ratios}{}", because(&reasons)));
    }
    let name = |(cell, comparison): &(&str, &Comparison)| format!("{cell} by {}", comparison.measure);
    let more = withheld.len().saturating_sub(MOST_NAMED);
    let mut places: Vec<String> = withheld.iter().take(MOST_NAMED).map(name).collect();
    places.extend((more > 0).then(|| format!("{more} more")));
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    (!places.is_empty()).then(|| format!("the ratio {ratios} in {}: no verdict is given on it", listed(&places)))
}

/// How many withheld ratios are named one by one.
const MOST_NAMED: usize = 3;

fn because(reasons: &[WarningKind]) -> String {
    let mut names: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    names.dedup();
    if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
}

impl Estimate<'_> {
    /// Whose it is: a variant, or one compared with another.
    pub(super) fn subject(&self) -> String {
        match self.baseline {
            Some(baseline) => format!("{} over {baseline}", self.variant),
            None => self.variant.to_owned(),
        }
    }

    /// The same with the cell, as one name.
    pub(super) fn benchmark(&self) -> String {
        self.cell.map_or_else(|| self.subject(), |cell| format!("{}/{cell}", self.subject()))
    }
}

/// Checks that names tell estimates apart.
pub(super) fn check_unique<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), SameName> {
    let mut known = BTreeSet::new();
    let twice = names.into_iter().find(|name| !known.insert(*name));
    twice.map_or(Ok(()), |name| Err(SameName(name.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::{verdict::Verdict, warning_kind::Warning},
        report::fixture,
    };

    fn names(analysis: &Analysis) -> BTreeSet<String> {
        Estimates::new(analysis).all.iter().map(|it| format!("{} {:?}", it.benchmark(), it.quantity)).collect()
    }

    fn with_warning(kind: WarningKind, side: Option<Side>) -> Analysis {
        let mut pair = fixture::analysis();
        pair.warnings.insert(0, Warning { kind, side, text: String::new() });
        pair.headline.iter_mut().for_each(|it| it.verdict = Verdict::Withheld);
        pair.cells.iter_mut().flat_map(|cell| &mut cell.comparisons).for_each(|it| it.verdict = Verdict::Withheld);
        pair.cold_starts.comparisons.iter_mut().for_each(|it| it.verdict = Verdict::Withheld);
        fixture::campaign(&pair)
    }

    #[test]
    fn what_reports_show_is_there() {
        let analysis = fixture::campaign(&fixture::analysis());
        let names = names(&analysis);
        for name in [
            "arm64/math/matmul Time(Wall)",
            "x86_64/math/matmul Time(Wall)",
            "arm64 over x86_64/math/matmul Ratio(Wall)",
            "arm64 over x86_64/all Ratio(Wall)",
            "arm64/starts Time(Init)",
        ] {
            assert!(names.contains(name), "{name}: {names:?}");
        }
        assert!(!names.iter().any(|name| name.contains("64/all Time")), "{names:?}");
        assert!(Estimates::new(&analysis).left_out().is_empty());
    }

    #[test]
    fn what_was_emulated_is_left_out_and_the_other_side_is_not() {
        let analysis = with_warning(WarningKind::Emulated, Some(Side::Candidate));
        let names = names(&analysis);
        assert!(names.iter().all(|name| name.starts_with("x86_64/")), "{names:?}");
        assert!(names.contains("x86_64/math/matmul Time(Wall)"), "{names:?}");
        let expected = ["the times and the cost of arm64 (emulated)", "the ratios of arm64 to x86_64 (emulated)"];
        assert_eq!(Estimates::new(&analysis).left_out(), expected);
    }

    #[test]
    fn different_work_leaves_nothing() {
        let analysis = with_warning(WarningKind::ChecksumMismatch, None);
        assert!(Estimates::new(&analysis).is_empty());
        assert_eq!(Estimates::new(&analysis).left_out().len(), 3);
    }

    #[test]
    fn times_stay_where_only_their_difference_is_unknown() {
        let analysis = with_warning(WarningKind::EnvironmentsUnknown, None);
        let names = names(&analysis);
        assert!(names.contains("arm64/math/matmul Time(Wall)"), "{names:?}");
        assert!(!names.iter().any(|name| name.contains(" over ")), "{names:?}");
        assert_eq!(Estimates::new(&analysis).left_out(), ["the ratios of arm64 to x86_64 (environments-unknown)"]);
    }

    #[test]
    fn single_ratios_are_withheld_by_name() {
        let mut pair = fixture::analysis();
        pair.cells[0].comparisons[0].verdict = Verdict::Withheld;
        let analysis = fixture::campaign(&pair);
        let expected = ["the ratio of arm64 to x86_64 in math/matmul by wall time: no verdict is given on it"];
        assert_eq!(Estimates::new(&analysis).left_out(), expected);
        assert!(!names(&analysis).contains("arm64 over x86_64/math/matmul Ratio(Wall)"));
    }

    #[test]
    fn what_is_no_number_is_no_estimate() {
        let mut pair = fixture::analysis();
        let ratio = pair.cells[0].comparisons[0].ratio.as_mut().unwrap();
        (ratio.estimate, ratio.interval) = (f64::NAN, None);
        let ratio = pair.cells[1].comparisons[0].ratio.as_mut().unwrap();
        ratio.interval = Some(Interval { low: 0.0, high: f64::INFINITY });
        let analysis = fixture::campaign(&pair);
        let estimates = Estimates::new(&analysis);
        let of = |cell: &str| {
            let is_meant = |it: &&Estimate<'_>| it.cell == Some(cell) && it.quantity == Quantity::Ratio(Measure::Wall);
            estimates.all.iter().find(is_meant)
        };
        assert!(of("math/matmul").is_none());
        assert!(of("math/primes").is_some_and(|it| it.interval.is_none()));
    }
}
