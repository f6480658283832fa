//! The result by the proportion of a CPU model: what a fleet that drifts would make of it.

use super::{
    axis::Axis,
    canvas::{Anchor, Canvas, LINE, Paint, shortened},
    figure::{self, columns, figure, is_narrow, levels, numbers, text_width},
};
use crate::{
    analysis::{
        result::{Interval, MixPoint, MixScenario, PairAnalysis},
        verdict::Verdict,
    },
    report::{
        mix_scenarios::{VerdictRange, fleet, interval_now, ranges, sentence, table},
        words::{names, percent, proportion_to, short_cpu, with_interval},
    },
};
use maud::{Markup, html};

/// Beyond this factor a ratio is drawn at the edge.
const FARTHEST: f64 = 8.0;

/// A chart for each scenario; nothing without any.
pub fn section(pair: &PairAnalysis) -> Markup {
    if pair.mix_scenarios.is_empty() {
        return Markup::default();
    }
    let content = html! {
        @for scenario in &pair.mix_scenarios {
            p { (sentence(pair, scenario)) }
            (chart(pair, scenario))
        }
    };
    figure::section("Other mixes of CPU models", &content)
}

fn chart(pair: &PairAnalysis, scenario: &MixScenario) -> Markup {
    let names = names(pair);
    let (model, fleet) = (short_cpu(&scenario.model), fleet(scenario, &names));
    let label = format!(
        "Change of time of {} beside {} by the proportion of {model} in {fleet}. {} The same numbers are in the table below.",
        names.candidate,
        names.baseline,
        sentence(pair, scenario)
    );
    let side = &pair.sides[scenario.side];
    let caption = html! {
        "Change of time of " (names.candidate) " beside " (names.baseline) ", all cells together, if " (model) " had another "
        "proportion of " (fleet) ", with " (percent(pair.method.confidence)) " intervals; the proportion is taken for certain"
        @if side.cpus.len() > 2 { ", and the other models share the rest as they do now" }
        ". Below 0% " (names.candidate) " takes less time; within the level band (±" (percent(pair.method.margin)) ") "
        "sides count as equivalent. The bar at the bottom has the verdict, which is not adjusted for other cells. The dashed "
        "line is the proportion now, and the shade around it its interval, as "
        @if side.census.is_some() { "the census and the calls tell it." } @else { "the environments that were called tell it." }
    };
    let table = numbers("The numbers", &figure::table(&table(pair, scenario, 1)));
    figure(&label, &caption, &table, [316.0; 2], |canvas| {
        draw(canvas, pair, scenario);
        let axis = format!("{model} in the fleet of {}", names[scenario.side]);
        let axis = shortened(&axis, if is_narrow(canvas.width) { 44 } else { 100 });
        canvas.text(&axis, (right(canvas), canvas.height - LINE / 2.0), Anchor::Right, Paint::Muted);
    })
}

fn draw(canvas: &Canvas<'_>, pair: &PairAnalysis, scenario: &MixScenario) {
    let (left, ticks) = if is_narrow(canvas.width) { (44.0, 5) } else { (56.0, 10) };
    let (top, bottom) = (26.0, 240.0);
    let band = [1.0 / (1.0 + pair.method.margin), 1.0 + pair.method.margin];
    let x = Axis::linear([0.0, 1.0], (left, right(canvas)));
    let y = ratios(scenario, band, (bottom, top));
    canvas.rectangle([(x.pixels.0, y.at(band[0])), (x.pixels.1, y.at(band[1]))], Paint::Band, 1.0);
    levels(canvas, &y.ratio_ticks(6), x.pixels);
    draw_now(canvas, pair, scenario, &x, (top, bottom));
    let at = |point: &MixPoint, ratio: f64| (x.at(point.proportion), y.at(ratio));
    let ends = |end: fn(Interval) -> f64| {
        scenario.points.iter().filter_map(move |point| Some(at(point, end(point.ratio.interval?))))
    };
    let interval: Vec<_> = ends(|interval| interval.low).chain(ends(|interval| interval.high).rev()).collect();
    canvas.polygon(&interval, Paint::Ink, 0.14);
    canvas.line((x.pixels.0, y.at(1.0)), (x.pixels.1, y.at(1.0)), Paint::Muted, 1.25);
    let line: Vec<_> = scenario.points.iter().map(|point| at(point, point.ratio.estimate)).collect();
    canvas.path(&line, Paint::Ink, 2.0);
    let strip = (bottom + 6.0, bottom + 26.0);
    draw_verdicts(canvas, scenario, &x, strip);
    columns(canvas, &x.labelled(ticks, percent), (strip.1, strip.1 + 4.0));
}

/// Where the horizontal axis ends, with space for half of its last label.
fn right(canvas: &Canvas<'_>) -> f64 {
    canvas.width - 20.0
}

/// The vertical axis.
fn ratios(scenario: &MixScenario, band: [f64; 2], pixels: (f64, f64)) -> Axis {
    let of_point = |MixPoint { ratio, .. }: &MixPoint| {
        [Some(ratio.estimate), ratio.interval.map(|it| it.low), ratio.interval.map(|it| it.high)]
    };
    let values = scenario.points.iter().flat_map(of_point).flatten().chain(band).chain([0.95, 1.05]);
    let values = values.filter(|value| value.is_finite()).map(|value| value.clamp(1.0 / FARTHEST, FARTHEST));
    Axis::logarithmic(values, pixels)
}

/// The proportion now, with its interval.
fn draw_now(canvas: &Canvas<'_>, pair: &PairAnalysis, scenario: &MixScenario, x: &Axis, (top, bottom): (f64, f64)) {
    let interval = interval_now(pair, scenario);
    if let Some(Interval { low, high }) = interval {
        canvas.rectangle([(x.at(low), top), (x.at(high), bottom)], Paint::Muted, 0.2);
    }
    canvas.dashed(x.at(scenario.now), (top, bottom), Paint::Ink);
    let text = format!("now {}", with_interval(scenario.now, interval, proportion_to));
    let half = text_width(&text) / 2.0;
    let middle = x.at(scenario.now).min(x.pixels.1 - half).max(x.pixels.0 + half);
    canvas.text(&text, (middle, top - 12.0), Anchor::Center, Paint::Ink);
}

/// Which proportions have which verdict, named where the name fits.
fn draw_verdicts(canvas: &Canvas<'_>, scenario: &MixScenario, x: &Axis, (top, bottom): (f64, f64)) {
    // A verdict holds halfway to the next proportion.
    let half = 0.5 / (scenario.points.len().max(2) - 1) as f64;
    for VerdictRange { verdict, low, high } in ranges(scenario) {
        let (from, to) = (x.at(low - half), x.at(high + half));
        let (paint, opacity) = match verdict {
            Verdict::Faster => (Paint::Candidate, 0.3),
            Verdict::Slower => (Paint::Baseline, 0.3),
            Verdict::Equivalent => (Paint::Muted, 0.4),
            Verdict::Inconclusive | Verdict::Withheld => (Paint::Band, 1.0),
        };
        canvas.rectangle([(from, top), (to, bottom)], paint, opacity);
        let name = verdict.to_string();
        if text_width(&name) < to - from {
            canvas.text(&name, (f64::midpoint(from, to), f64::midpoint(top, bottom)), Anchor::Center, Paint::Ink);
        }
    }
}
