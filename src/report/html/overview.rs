//! All variants side by side, for campaigns of more than two.

use super::{
    axis::{Axis, has_logarithm, short},
    blocks::blocks,
    canvas::{Anchor, Canvas, LINE, Paint, shortened},
    figure::{self, columns, figure, is_narrow, levels, table, text_width},
    header::listed_warnings,
};
use crate::{
    analysis::result::{Analysis, Interval, VariantFacts},
    report::{
        choice::{self, baseline_as},
        document::Block,
        settings,
        variants::{self, headline},
        visualizer,
        words::{counted, dollars, percent},
    },
};
use maud::{Markup, html};

/// The top of the page.
pub fn header(analysis: &Analysis) -> Markup {
    html! {
        header {
            p.eyebrow { "Lambda Duet · " (analysis.variants.len()) " variants" }
            h1 { (headline(analysis)) }
            (blocks(&choice::blocks(analysis)))
            (listed_warnings(&variants::warnings(analysis)))
            p.evidence {
                @match &analysis.campaign.imported {
                    None => { "Measured with " (counted(analysis.campaign.calls, "call")) }
                    Some(import) => { (counted(analysis.campaign.calls, "measurement")) " from " (import.files_in_short()) }
                }
                " in " (counted(analysis.campaign.blocks, "block")) ". Intervals are " (percent(analysis.method.confidence)) " intervals."
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
        (blocks(&variants::not_made(analysis).map(Block::Item).collect::<Vec<_>>()))
    };
    figure::section(if is_imported { "All variants" } else { "Cost against time" }, &content)
}

/// How the function gets what is chosen, and where else all variants can be looked at.
pub fn change(analysis: &Analysis) -> Markup {
    let sections = [settings::blocks(analysis), visualizer::blocks(analysis)];
    html! {
        @for section in sections.iter().filter(|section| !section.is_empty()) { section { (blocks(section)) } }
    }
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
        "front) in one without being worse in the other. The square is " (analysis.baseline) ", " (baseline_as(analysis)) "."
        @if left_out > 0 { " " (counted(left_out as u64, "variant")) " without time or cost only in the table." }
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
    for point in points {
        let paint = paint(analysis, point);
        let at = (x.at(point.ms), y.at(point.usd));
        canvas.line((x.at(point.time.low), at.1), (x.at(point.time.high), at.1), paint, 1.5);
        canvas.line((at.0, y.at(point.cost.low)), (at.0, y.at(point.cost.high)), paint, 1.5);
        canvas.mark(at, if point.is_on_front() { 5.5 } else { 4.0 }, paint);
    }
    // Names must not run into each other; all of them are in the table. Those on the front come first.
    let (front, others): (Vec<_>, Vec<_>) = points.iter().partition(|point| point.is_on_front());
    let mut labels: Vec<Label> = Vec::new();
    for point in front.into_iter().chain(others) {
        let name = shortened(&point.facts.name, if narrow { 14 } else { 24 });
        let places = Label::around((x.at(point.ms), y.at(point.usd)), &name);
        let is_free = |label: &Label| {
            label.from >= left && label.to <= right && labels.iter().all(|other| !label.runs_into(other))
        };
        if let Some(label) = places.into_iter().find(is_free) {
            canvas.text(&name, (label.from, label.y), Anchor::Left, Paint::Ink);
            labels.push(label);
        }
    }
}

fn paint(analysis: &Analysis, point: &Point<'_>) -> Paint {
    if point.facts.name == analysis.baseline { Paint::Baseline } else { Paint::Candidate }
}

/// The place of a name.
#[derive(Clone, Copy)]
struct Label {
    from: f64,
    to: f64,
    y: f64,
}

impl Label {
    /// The places that a name may have around its point, the best first.
    fn around((x, y): (f64, f64), name: &str) -> [Self; 4] {
        let width = text_width(name);
        let [right, left] = [x + 10.0, x - 10.0 - width];
        [(right, y - 10.0), (right, y + 12.0), (left, y - 10.0), (left, y + 12.0)].map(|(from, y)| Self {
            from,
            to: from + width,
            y,
        })
    }

    fn runs_into(&self, other: &Self) -> bool {
        self.from < other.to && other.from < self.to && (self.y - other.y).abs() < LINE
    }
}
