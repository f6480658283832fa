//! A chart with its caption and, behind it, its numbers.

use super::canvas::{Anchor, Canvas, LINE, Paint, shortened, svg};
use crate::analysis::sides::{Side, Sides};
use crate::report::{document::Table, words::Name};
use maud::{Markup, html};

/// The widths at which every chart is drawn, in pixels: one for a page, one for a phone. The style sheet shows one.
pub const WIDTHS: [f64; 2] = [860.0, 360.0];

/// Texts of more characters than that may be broken into lines within a table.
const LONG: usize = 48;

/// Whether a chart of this width is for a narrow screen.
pub fn is_narrow(width: f64) -> bool {
    width < 500.0
}

pub fn paint(side: Side) -> Paint {
    match side {
        Side::Baseline => Paint::Baseline,
        Side::Candidate => Paint::Candidate,
    }
}

/// A section of the page, named as its heading.
pub fn section(title: &str, content: &Markup) -> Markup {
    html! {
        section aria-label=(title) {
            h2 { (title) }
            (content)
        }
    }
}

/// A chart at both widths, each with its height, under it what it shows and its numbers.
pub fn figure(
    label: &str,
    caption: &Markup,
    numbers: &Markup,
    heights: [f64; 2],
    draw: impl Fn(&Canvas<'_>),
) -> Markup {
    html! {
        figure {
            @for (width, height) in WIDTHS.into_iter().zip(heights) {
                div class=(if is_narrow(width) { "narrow" } else { "wide" }) {
                    (svg(width, height, label, &draw))
                }
            }
            figcaption { (caption) }
            (numbers)
        }
    }
}

/// A table that the reader can open.
pub fn numbers(summary: &str, table: &Markup) -> Markup {
    html! {
        details {
            summary { (summary) }
            (scrolling(summary, table))
        }
    }
}

/// A table that is scrolled where it is too wide.
pub fn scrolling(label: &str, table: &Markup) -> Markup {
    html! { div.scroll tabindex="0" role="region" aria-label=(label) { (table) } }
}

/// A table; nothing of one without rows. The first value of a row is its header.
pub fn table(table: &Table) -> Markup {
    if table.rows.is_empty() {
        return Markup::default();
    }
    html! {
        table {
            caption { (table.title) }
            thead {
                tr {
                    @for column in &table.columns { th scope="col" { (column.header) } }
                }
            }
            tbody {
                @for row in &table.rows {
                    tr {
                        @for (index, value) in row.iter().enumerate() {
                            @let text = value.lines().join(", ");
                            @let class = (text.chars().count() > LONG).then_some("long");
                            @if index == 0 { th class=[class] scope="row" { (text) } } @else { td class=[class] { (text) } }
                        }
                    }
                }
            }
        }
    }
}

/// The mark and the name of each side, from this position on.
pub fn legend(canvas: &Canvas<'_>, names: &Sides<Name>, (mut x, y): (f64, f64)) {
    let most = if is_narrow(canvas.width) { 18 } else { 40 };
    for (side, name) in names.iter() {
        let name = shortened(&name.to_string(), most);
        marked(canvas, side, &name, (x, y));
        x += 17.0 + text_width(&name) + 18.0;
    }
}

/// The mark of a side and, to its right, a text.
pub fn marked(canvas: &Canvas<'_>, side: Side, text: &str, (x, y): (f64, f64)) {
    canvas.mark((x + 6.0, y), 5.0, paint(side));
    canvas.text(text, (x + 17.0, y), Anchor::Left, Paint::Ink);
}

/// About how wide a text is.
pub fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * 7.2
}

/// Upright lines at these positions with their labels below.
pub fn columns(canvas: &Canvas<'_>, ticks: &[(f64, String)], (top, bottom): (f64, f64)) {
    let mut end = f64::NEG_INFINITY;
    for (x, label) in ticks {
        canvas.line((*x, top), (*x, bottom), Paint::Grid, 1.0);
        let half = text_width(label) / 2.0;
        let x = x.clamp(half, (canvas.width - half).max(half));
        // Labels must not run into each other.
        if x - half > end + 4.0 {
            canvas.text(label, (x, bottom + LINE * 0.75), Anchor::Center, Paint::Muted);
            end = x + half;
        }
    }
}

/// Level lines at these heights with their labels to the left.
pub fn levels(canvas: &Canvas<'_>, ticks: &[(f64, String)], (left, right): (f64, f64)) {
    for (y, label) in ticks {
        canvas.line((left, *y), (right, *y), Paint::Grid, 1.0);
        canvas.text(label, (left - 6.0, *y), Anchor::Right, Paint::Muted);
    }
}
