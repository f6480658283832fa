//! The verdict, three figures, and the warnings that may overturn them.

use crate::analysis::sides::Sides;
use crate::{
    analysis::{
        result::{Comparison, Measure, Money, PairAnalysis},
        verdict::Verdict,
        warning_kind::WarningKind,
    },
    report::{
        document::Block,
        sentences::{headline, is_certain, saved, saved_range},
        variants::title,
        words::{capitalized, change, counted, names, percent, range},
    },
};
use maud::{Markup, html};

/// The top of the page.
pub fn header(analysis: &PairAnalysis) -> Markup {
    let names = names(analysis);
    html! {
        header {
            p.eyebrow { "Lambda Duet · " (names.candidate) " compared with " (names.baseline) }
            h1 { (headline(analysis)) }
            (warnings(analysis, true))
            (listed_figures(analysis))
            p.evidence { (evidence(analysis)) }
        }
    }
}

/// The top of one pair of several.
pub fn header_of_pair(pair: &PairAnalysis) -> Markup {
    html! {
        header {
            h2 { (title(pair)) }
            p { b { (headline(pair)) } }
            (listed_figures(pair))
            p.evidence { (evidence(pair)) }
        }
    }
}

fn listed_figures(analysis: &PairAnalysis) -> Markup {
    html! {
        dl.figures {
            @for (term, value, detail) in figures(analysis) {
                div {
                    dt { (term) }
                    dd { strong { (value) } span { (detail) } }
                }
            }
        }
    }
}

/// The warnings that withhold no verdict, below the figures.
pub fn cautions(analysis: &PairAnalysis) -> Markup {
    warnings(analysis, false)
}

fn warnings(analysis: &PairAnalysis, withhold: bool) -> Markup {
    let warnings = analysis.warnings.iter().filter(|warning| analysis.withholds(warning) == withhold);
    listed_warnings(&warnings.map(|warning| Block::warning(warning, withhold)).collect::<Vec<_>>())
}

/// Those of the blocks that are warnings.
pub fn listed_warnings(blocks: &[Block]) -> Markup {
    html! {
        @if !blocks.is_empty() {
            ul.warnings aria-label="Warnings" {
                @for block in blocks {
                    @if let Block::Warning { name, text, withholds } = block {
                        li class=[withholds.then_some("grave")] { b { (spoken(*name)) } " " (text) }
                    }
                }
            }
        }
    }
}

/// A kind for people: `Too few environments`.
fn spoken(kind: WarningKind) -> String {
    let words = kind.to_string().replace('-', " ").replace("cpus", "CPUs").replace("vcpu", "vCPU");
    capitalized(&words) + "."
}

/// Speed, bill and start: a term, a value and what stands behind it.
fn figures(analysis: &PairAnalysis) -> Vec<(&str, String, String)> {
    let headline = analysis.headline.as_ref();
    let is_of_starts = headline.is_some_and(|headline| headline.measure == Measure::Init);
    let start = analysis.cold_starts.comparisons.iter().find(|start| start.measure == Measure::Init && !is_of_starts);
    let figures = [
        headline.map(|headline| compared(headline.measure.as_str(), headline)),
        analysis.money.as_ref().map(bill),
        start.map(|start| compared("cold start", start)),
    ];
    figures.into_iter().flatten().collect()
}

/// The bill is a verdict only where its interval is on one side of no savings.
fn bill(money: &Money) -> (&'static str, String, String) {
    let change = saved(money.savings);
    let (value, detail) = match money.savings_interval {
        None => ("no verdict".to_owned(), format!("{change}, no interval")),
        Some(interval) if is_certain(&interval) => (change, saved_range(interval)),
        Some(interval) => ("inconclusive".to_owned(), saved_range(interval)),
    };
    ("bill", value, detail)
}

fn compared<'a>(term: &'a str, comparison: &Comparison) -> (&'a str, String, String) {
    let value = match (comparison.verdict, comparison.ratio) {
        (Verdict::Equivalent, _) => "equivalent".to_owned(),
        (Verdict::Inconclusive, _) => "inconclusive".to_owned(),
        (Verdict::Withheld, _) | (_, None) => "no verdict".to_owned(),
        (_, Some(ratio)) => change(ratio.estimate),
    };
    let detail = match comparison.ratio.map(|ratio| ratio.interval) {
        Some(Some(interval)) => range(interval),
        Some(None) => "no interval".to_owned(),
        None => "no ratio".to_owned(),
    };
    (term, value, detail)
}

fn evidence(analysis: &PairAnalysis) -> String {
    let names = names(analysis);
    let Sides { baseline, candidate } = &analysis.sides;
    let cells = match analysis.cells.len() {
        1 => "one cell".to_owned(),
        number => format!("{number} cells"),
    };
    let confidence = percent(analysis.method.confidence);
    if let Some(import) = &analysis.campaign.imported {
        return format!(
            "{} from {}, made elsewhere, of {cells} in {}. Intervals are {confidence} intervals of time, less or more than {}.",
            counted(analysis.campaign.calls, "measurement"),
            import.files_in_short(),
            counted(analysis.campaign.blocks, "block"),
            names.baseline
        );
    }
    format!(
        "Measured on {cells} with {} to {} of {} and {} of {}. Intervals are {} intervals of time and \
         cost, less or more than {}.",
        counted(baseline.calls + candidate.calls, "call"),
        counted(baseline.environments, "environment"),
        names.baseline,
        candidate.environments,
        names.candidate,
        confidence,
        names.baseline
    )
}
