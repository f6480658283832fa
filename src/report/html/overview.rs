//! All variants side by side, for campaigns of more than two.

use super::{
    axis::{Axis, has_logarithm, short},
    canvas::{Anchor, Canvas, LINE, Paint, shortened},
    figure::{self, columns, figure, is_narrow, levels, table},
    header::listed_warnings,
};
use crate::{
    analysis::result::{Analysis, Interval, VariantFacts},
    report::{
        imported,
        variants::{self, best, headline},
        words::{count, dollars, percent},
    },
};
use maud::{Markup, html};

/// The top of the page.
pub fn header(analysis: &Analysis) -> Markup {
    html! {
        header {
            p.eyebrow { "Lambda Duet · " (analysis.variants.len()) " variants" }
            h1 { (headline(analysis)) }
            @if let Some(best) = best(analysis) { p { (best) } }
            (listed_warnings(&variants::warnings(analysis)))
            p.evidence {
                @match &analysis.campaign.imported {
                    None => { "Measured with " (count(analysis.campaign.calls)) " calls" }
                    Some(import) => { (count(analysis.campaign.calls)) " measurements from " (imported::files(import)) }
                }
                " in " (count(analysis.campaign.blocks)) " blocks. Intervals are " (percent(analysis.method.confidence)) " intervals."
            }
        }
    }
}

/// Cost against time, and the numbers.
pub fn section(analysis: &Analysis) -> Markup {
    let points: Vec<Point<'_>> = analysis.variants.iter().filter_map(Point::new).collect();
    let is_imported = analysis.campaign.imported.is_some();
    let content = html! {
        @if is_imported {
            // It has no cost, as its origin says.
        } @else if points.is_empty() {
            p { "No chart: of no variant are both its time and its cost known." }
        } @else {
            (chart(analysis, &points))
        }
        div.scroll tabindex="0" role="region" aria-label="The variants" { (table(&variants::table(analysis))) }
    };
    figure::section(if is_imported { "All variants" } else { "Cost against time" }, &content)
}

/// A variant with a place on the chart.
struct Point<'a> {
    facts: &'a VariantFacts,
    ms: f64,
    usd: f64,
    time: Interval,
    cost: Interval,
}

impl<'a> Point<'a> {
    fn new(facts: &'a VariantFacts) -> Option<Self> {
        let (time, cost) = (facts.time?, facts.per_million?);
        let (ms, usd) = (time.mean_ms, cost.total_usd);
        let or_point = |interval: Option<Interval>, value| interval.unwrap_or(Interval { low: value, high: value });
        let point = Self { facts, ms, usd, time: or_point(time.interval, ms), cost: or_point(cost.interval, usd) };
        [ms, usd].iter().all(has_logarithm).then_some(point)
    }

    fn is_on_front(&self) -> bool {
        self.facts.is_on_pareto_front == Some(true)
    }
}

fn chart(analysis: &Analysis, points: &[Point<'_>]) -> Markup {
    let label =
        "Cost of a million invocations against time, for each variant. The same numbers are in the table below.";
    let left_out = analysis.variants.len() - points.len();
    let caption = html! {
        "Cost of a million invocations against the time of one, with " (percent(analysis.method.confidence))
        " intervals; both scales are logarithmic. Lower left is better. No variant beats those on the line (the Pareto "
        "front) in one without being worse in the other. The square is the baseline."
        @if left_out > 0 { " " (left_out) " variants without time or cost are only in the table." }
    };
    figure(label, &caption, &html! {}, [380.0, 340.0], |canvas| draw(canvas, analysis, points))
}

fn draw(canvas: &Canvas<'_>, analysis: &Analysis, points: &[Point<'_>]) {
    let narrow = is_narrow(canvas.width);
    let (left, right) = (if narrow { 56.0 } else { 72.0 }, canvas.width - 12.0);
    let (top, bottom) = (20.0, canvas.height - LINE * 2.5);
    let ends = |pick: fn(&Point<'_>) -> Interval| points.iter().map(pick).flat_map(|it| [it.low, it.high]);
    let x = Axis::logarithmic(ends(|point| point.time).chain(points.iter().map(|point| point.ms)), (left, right));
    let y = Axis::logarithmic(ends(|point| point.cost).chain(points.iter().map(|point| point.usd)), (bottom, top));
    levels(canvas, &y.labelled(5, dollars), (left, right));
    columns(canvas, &x.labelled(if narrow { 4 } else { 8 }, short), (top, bottom));
    canvas.text("$ a million", (0.0, 8.0), Anchor::Left, Paint::Muted);
    canvas.text("milliseconds", (right, bottom + LINE * 1.8), Anchor::Right, Paint::Muted);
    let mut front: Vec<(f64, f64)> =
        points.iter().filter(|point| point.is_on_front()).map(|point| (x.at(point.ms), y.at(point.usd))).collect();
    front.sort_by(|one, other| one.0.total_cmp(&other.0));
    canvas.path(&front, Paint::Grid, 3.0);
    let mut labels: Vec<(f64, f64, f64)> = Vec::new();
    for point in points {
        let paint = if point.facts.name == analysis.baseline { Paint::Baseline } else { Paint::Candidate };
        let at = (x.at(point.ms), y.at(point.usd));
        canvas.line((x.at(point.time.low), at.1), (x.at(point.time.high), at.1), paint, 1.5);
        canvas.line((at.0, y.at(point.cost.low)), (at.0, y.at(point.cost.high)), paint, 1.5);
        canvas.mark(at, if point.is_on_front() { 5.5 } else { 4.0 }, paint);
        let name = shortened(&point.facts.name, if narrow { 14 } else { 24 });
        let width = name.chars().count() as f64 * 7.2;
        let is_left = at.0 + 10.0 + width > right;
        let start = if is_left { at.0 - 10.0 - width } else { at.0 + 10.0 };
        let height = at.1 - 9.0;
        // Names must not run into each other; all of them are in the table.
        let is_free =
            |(from, to, y): &(f64, f64, f64)| start > *to || start + width < *from || (height - y).abs() > LINE;
        if labels.iter().all(is_free) {
            canvas.text(&name, (start, height), Anchor::Left, Paint::Ink);
            labels.push((start, start + width, height));
        }
    }
}
