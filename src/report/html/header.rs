//! What a decision needs: the verdict, three figures, and what speaks against trusting them.

use crate::{
    analysis::{
        result::{Analysis, Comparison, Interval, Measure, Money},
        verdict::Verdict,
        warning_kind::{Warning, WarningKind},
    },
    report::{
        sentences::headline,
        words::{change, count, names, percent, range},
    },
};
use maud::{Markup, html};

/// The top of the page.
pub fn header(analysis: &Analysis) -> Markup {
    let names = names(analysis);
    html! {
        header {
            p.eyebrow { "Lambda Duet · " (names.candidate) " compared with " (names.baseline) }
            h1 { (headline(analysis)) }
            (warnings(analysis, |warning| analysis.withholds(warning)))
            dl.figures {
                @for (term, value, detail) in figures(analysis) {
                    div {
                        dt { (term) }
                        dd { strong { (value) } span { (detail) } }
                    }
                }
            }
            p.evidence { (evidence(analysis)) }
        }
    }
}

/// What else may overturn it, below the figures.
pub fn cautions(analysis: &Analysis) -> Markup {
    warnings(analysis, |warning| !analysis.withholds(warning))
}

fn warnings(analysis: &Analysis, which: impl Fn(&Warning) -> bool) -> Markup {
    let warnings: Vec<&Warning> = analysis.warnings.iter().filter(|warning| which(warning)).collect();
    html! {
        @if !warnings.is_empty() {
            ul.warnings aria-label="Warnings" {
                @for warning in warnings {
                    @let class = analysis.withholds(warning).then_some("grave");
                    li class=[class] { b { (spoken(warning.kind)) } " " (warning.text) }
                }
            }
        }
    }
}

/// A kind for people: `Too few environments`.
fn spoken(kind: WarningKind) -> String {
    let words = kind.to_string().replace('-', " ").replace("cpus", "CPUs").replace("vcpu", "vCPU");
    let mut characters = words.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect::<String>() + ".").unwrap_or_default()
}

/// Speed, bill and start: a term, a value and what stands behind it.
fn figures(analysis: &Analysis) -> Vec<(String, String, String)> {
    let mut figures = Vec::new();
    if let Some(it) = &analysis.headline {
        figures.push(compared(it.measure.as_str(), it));
    }
    if let Some(money) = &analysis.money {
        let (value, detail) = saved(money);
        figures.push(("bill".to_owned(), value, detail));
    }
    let start = analysis.starts.comparisons.iter().find(|it| it.measure == Measure::Init);
    if let Some(it) = start.filter(|_| analysis.headline.as_ref().is_none_or(|it| it.measure != Measure::Init)) {
        figures.push(compared("cold start", it));
    }
    figures
}

/// The bill is a verdict only where its interval is on one side of no savings.
fn saved(money: &Money) -> (String, String) {
    let change = change(1.0 - money.savings);
    match money.savings_interval.map(|it| Interval { low: 1.0 - it.high, high: 1.0 - it.low }) {
        None => ("no verdict".to_owned(), format!("{change}, no interval")),
        Some(interval) if interval.high < 1.0 || interval.low > 1.0 => (change, range(interval)),
        Some(interval) => ("inconclusive".to_owned(), range(interval)),
    }
}

fn compared(term: &str, comparison: &Comparison) -> (String, String, String) {
    let value = match (comparison.verdict, comparison.ratio) {
        (Verdict::Equivalent, _) => "equivalent".to_owned(),
        (Verdict::Inconclusive, _) => "inconclusive".to_owned(),
        (Verdict::Withheld, _) | (_, None) => "no verdict".to_owned(),
        (_, Some(ratio)) => change(ratio.estimate),
    };
    let detail = match comparison.ratio.map(|ratio| ratio.interval) {
        None => "no ratio".to_owned(),
        Some(None) => "no interval".to_owned(),
        Some(Some(interval)) => range(interval),
    };
    (term.to_owned(), value, detail)
}

fn evidence(analysis: &Analysis) -> String {
    let names = names(analysis);
    let environments = analysis.sides.map(|_, it| it.environments);
    let cells = match analysis.cells.len() {
        1 => "one cell".to_owned(),
        number => format!("{number} cells"),
    };
    format!(
        "Measured on {cells} with {} calls to {} environments of {} and {} of {}. Intervals are {} intervals of time and \
         cost, less or more than {}.",
        count(analysis.campaign.calls),
        environments.baseline,
        names.baseline,
        environments.candidate,
        names.candidate,
        percent(analysis.method.confidence),
        names.baseline
    )
}
