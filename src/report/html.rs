//! An analysis as one page: no network, no script, and as readable by ear as by eye.

mod axis;
mod canvas;
mod cold_starts;
mod distributions;
mod figure;
mod forest;
mod header;
mod memory;
mod money;
mod provenance;
mod series;
#[cfg(test)]
mod tests;

use super::sentences::headline;
use crate::analysis::result::Analysis;
use maud::{DOCTYPE, PreEscaped, html};

const STYLE: &str = include_str!("html/style.css");
/// The browser itself holds the page to what it promises.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// All of an analysis in one HTML file that needs nothing else.
pub fn page(analysis: &Analysis) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "Lambda Duet " (analysis.campaign.version) };
                title { "Lambda Duet: " (headline(analysis)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (header::header(analysis))
                main {
                    (header::cautions(analysis))
                    (forest::section(analysis))
                    (distributions::section(analysis))
                    (series::section(analysis))
                    (cold_starts::section(analysis))
                    (money::section(analysis))
                    (memory::section(analysis))
                    (provenance::method(analysis))
                    (provenance::section(analysis))
                }
            }
        }
    };
    // Control characters have no place in HTML, and some turn the text around them.
    page.into_string().lines().map(|line| canvas::plain(line) + "\n").collect()
}
