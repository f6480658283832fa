//! What a decision needs: the verdict, three figures, and what speaks against trusting them.

use crate::{
    analysis::{
        decision::Verdict,
        result::{Analysis, Comparison, Interval, Measure},
        warning::{Warning, WarningKind},
    },
    report::words::{change, count, headline, names, percent, range},
};
use maud::{Markup, html};

/// The top of the page.
pub fn header(analysis: &Analysis) -> Markup {
    let verdict = analysis.headline.as_ref().map_or(Verdict::Withheld, |it| it.verdict);
    let names = names(analysis);
    html! {
        header {
            p.eyebrow { "Lambda Duet · " (names.candidate) " beside " (names.baseline) }
            h1 { (headline(analysis)) }
            @if verdict == Verdict::Withheld {
                (warnings(analysis, is_grave))
            }
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

/// What is still to be known of the campaign, below the figures.
pub fn cautions(analysis: &Analysis) -> Markup {
    let withheld = analysis.headline.as_ref().is_none_or(|it| it.verdict == Verdict::Withheld);
    warnings(analysis, |it| !(withheld && is_grave(it)))
}

fn is_grave(warning: &Warning) -> bool {
    warning.kind <= WarningKind::TooFewEnvironments
}

fn warnings(analysis: &Analysis, which: impl Fn(&Warning) -> bool) -> Markup {
    let them: Vec<&Warning> = analysis.warnings.iter().filter(|it| which(it)).collect();
    html! {
        @if !them.is_empty() {
            ul.warnings aria-label="Warnings" {
                @for it in them {
                    li class=[is_grave(it).then_some("grave")] { b { (spoken(it.kind)) } " " (it.text) }
                }
            }
        }
    }
}

/// A kind for people: `Too few environments`.
fn spoken(kind: WarningKind) -> String {
    let words = kind.as_str().replace('-', " ").replace("cpus", "CPUs").replace("vcpu", "vCPU");
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
        let word = if money.savings < 0.0 { "more expensive" } else { "cheaper" };
        let value = format!("{} {word}", percent(money.savings.abs()));
        let interval = money.savings_interval.map(|Interval { low, high }| {
            // Both ends in the direction of the value.
            let (from, to) = if money.savings < 0.0 { (-high, -low) } else { (low, high) };
            format!("{} to {}", percent(from), percent(to))
        });
        figures.push(("bill".to_owned(), value, interval.unwrap_or("no interval".to_owned())));
    }
    let start = analysis.starts.comparisons.iter().find(|it| it.measure == Measure::Init);
    if let Some(it) = start.filter(|_| analysis.headline.as_ref().is_none_or(|it| it.measure != Measure::Init)) {
        figures.push(compared("cold start", it));
    }
    figures
}

fn compared(term: &str, comparison: &Comparison) -> (String, String, String) {
    let value = match (comparison.verdict, comparison.ratio) {
        (Verdict::Equivalent, _) => "equivalent".to_owned(),
        (Verdict::Inconclusive, _) => "inconclusive".to_owned(),
        (Verdict::Withheld, _) | (_, None) => "no verdict".to_owned(),
        (_, Some(ratio)) => change(ratio.estimate),
    };
    let detail = match comparison.ratio.map(|it| it.interval) {
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
        "Measured on {cells} with {} calls to {} environments of {} and {} of {}. Intervals are {} intervals; faster means \
         that much less time.",
        count(analysis.campaign.calls),
        environments.baseline,
        names.baseline,
        environments.candidate,
        names.candidate,
        percent(analysis.method.confidence)
    )
}
