//! An analysis as one page: no network, no script, and as readable by ear as by eye.

mod axis;
mod blocks;
mod canvas;
mod cold_starts;
mod distributions;
mod figure;
mod forest;
mod header;
mod memory;
mod mix_scenarios;
mod money;
mod overview;
mod provenance;
mod series;
#[cfg(test)]
mod tests;

use super::{sentences::headline, variants};
use crate::analysis::result::{Analysis, PairAnalysis};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("html/style.css");
/// The browser itself holds the page to what it promises.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// All of an analysis in one HTML file that needs nothing else.
pub fn page(analysis: &Analysis) -> String {
    let (title, body) = match analysis.pair_without_choice() {
        Some(pair) => (headline(pair), of_pair(pair)),
        None => (variants::headline(analysis), of_variants(analysis)),
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "Lambda Duet " (analysis.campaign.version) };
                title { "Lambda Duet: " (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    // Control characters have no place in HTML, and some turn the text around them.
    page.into_string().lines().map(|line| canvas::plain(line) + "\n").collect()
}

fn of_pair(pair: &PairAnalysis) -> Markup {
    html! {
        (header::header(pair))
        main {
            (header::cautions(pair))
            (sections(pair))
            (provenance::method(pair))
            (provenance::section(pair))
        }
    }
}

/// All variants side by side, then each pair, and what they have in common once.
fn of_variants(analysis: &Analysis) -> Markup {
    html! {
        (overview::header(analysis))
        main {
            (overview::section(analysis))
            (overview::change(analysis))
            @for pair in &analysis.comparisons {
                article {
                    (header::header_of_pair(pair))
                    (sections(pair))
                    (provenance::section(pair))
                }
            }
            @if let Some(pair) = analysis.comparisons.first() { (provenance::method(pair)) }
        }
    }
}

fn sections(pair: &PairAnalysis) -> Markup {
    html! {
        (forest::section(pair))
        (distributions::section(pair))
        (mix_scenarios::section(pair))
        (series::section(pair))
        // An import has none of these, as its origin says.
        @if pair.campaign.imported.is_none() {
            (cold_starts::section(pair))
            (money::section(pair))
            (memory::section(pair))
        }
    }
}
