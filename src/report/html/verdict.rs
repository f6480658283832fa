//! What a decision needs: the verdict, three figures, and what speaks against trusting them.

use crate::{
    analysis::{
        decision::Verdict,
        result::{Analysis, Comparison, Interval, Measure, Money},
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
    let (savings, word) = match money.savings < 0.0 {
        true => (-money.savings, "more expensive"),
        false => (money.savings, "cheaper"),
    };
    let change = format!("{} {word}", percent(savings));
    match money.savings_interval {
        None => ("no verdict".to_owned(), format!("{change}, no interval")),
        Some(Interval { low, high }) if low > 0.0 => (change, format!("{} to {}", percent(low), percent(high))),
        Some(Interval { low, high }) if high < 0.0 => (change, format!("{} to {}", percent(-high), percent(-low))),
        Some(Interval { low, high }) => {
            ("inconclusive".to_owned(), format!("saves {} to {}", percent(low), percent(high)))
        }
    }
}

fn compared(term: &str, comparison: &Comparison) -> (String, String, String) {
    let value = match (comparison.verdict, comparison.ratio) {
        (Verdict::Equivalent, _) => "equivalent".to_owned(),
        (Verdict::Inconclusive, _) => "inconclusive".to_owned(),
        (Verdict::Withheld, _) | (_, None) => "no verdict".to_owned(),
        (_, Some(ratio)) => change(ratio.estimate),
    };
    let detail = match comparison.ratio.map(|it| (it.estimate, it.interval)) {
        None => "no ratio".to_owned(),
        Some((_, None)) => "no interval".to_owned(),
        Some((estimate, Some(interval))) => match (range(interval), comparison.verdict) {
            (text, Verdict::Faster | Verdict::Slower) => text,
            // No verdict names the direction, so that the interval has to.
            (text, _) if text.contains("er") => text,
            (text, _) => format!("{text} {}", if estimate < 1.0 { "faster" } else { "slower" }),
        },
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
