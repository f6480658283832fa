//! How long cold starts take.

use super::{
    axis::{Axis, short},
    canvas::{Anchor, Canvas, LINE, Paint, shortened},
    figure::{columns, figure, is_narrow, numbers, paint, table},
};
use crate::{
    analysis::result::Analysis,
    campaign::sides::{Side, Sides},
    report::{
        sentences::cold_starts_note,
        tables,
        words::{Name, count, names, significant},
    },
};
use maud::{Markup, html};

const PANEL: f64 = 110.0;

/// The histogram of starts and what they come to.
pub fn section(analysis: &Analysis) -> Markup {
    let starts = analysis.starts.init_ms.map(|_, them| usable(them));
    html! {
        section aria-labelledby="starts" {
            h2 #starts { "Cold starts" }
            @if starts.iter().all(|(_, it)| it.is_empty()) {
                p { "No histogram: no init duration is known." }
            } @else {
                (histogram(analysis, &starts))
            }
            @if !analysis.starts.comparisons.is_empty() {
                (comparisons(analysis))
            }
        }
    }
}

fn usable(times: &[f64]) -> Vec<f64> {
    times.iter().copied().filter(|it| it.is_finite() && *it > 0.0).collect()
}

fn histogram(analysis: &Analysis, starts: &Sides<Vec<f64>>) -> Markup {
    let names = names(analysis);
    let numbers_of = |side: Side| match median(&starts[side]) {
        Some(it) => {
            format!("{}: {} cold starts, median {} ms", names[side], count(starts[side].len() as u64), significant(it))
        }
        None => format!("{}: no cold start is known", names[side]),
    };
    let label =
        format!("Histogram of init durations. {}. {}.", numbers_of(Side::Baseline), numbers_of(Side::Candidate));
    let caption = html! {
        "Init durations, as proportions of each side's cold starts; the tall line is the median. Equal ratios are equally "
        "far apart."
    };
    figure(
        &label,
        &caption,
        &html! {},
        |_| 2.0 * PANEL + LINE * 2.0,
        |canvas, width| draw(canvas, width, starts, &names),
    )
}

fn median(sorted: &[f64]) -> Option<f64> {
    sorted.get(sorted.len() / 2).copied()
}

fn draw(canvas: &Canvas<'_>, width: f64, starts: &Sides<Vec<f64>>, names: &Sides<Name>) {
    let (left, right) = (8.0, width - 8.0);
    let axis = Axis::logarithmic(starts.iter().flat_map(|(_, them)| them.iter().copied()), (left, right));
    let bins = if is_narrow(width) { 24 } else { 48 };
    let proportions = starts.map(|_, them| proportions(them, &axis, (left, right), bins));
    let most = proportions.iter().flat_map(|(_, them)| them).fold(0.0, |most: f64, it| most.max(*it)).max(1e-9);
    columns(canvas, &axis.labelled(if is_narrow(width) { 4 } else { 8 }, short), (0.0, 2.0 * PANEL));
    canvas.text("milliseconds", (right, 2.0 * PANEL + LINE * 1.6), Anchor::End, Paint::Muted);
    for (index, (side, proportions)) in proportions.iter().enumerate() {
        let bottom = PANEL * (index + 1) as f64;
        let bar = (right - left) / bins as f64;
        for (bin, proportion) in proportions.iter().enumerate().filter(|(_, proportion)| **proportion > 0.0) {
            let x = left + bar * bin as f64;
            let top = bottom - (PANEL - 30.0) * proportion / most;
            canvas.rectangle([(x + 0.5, top), (x + bar - 0.5, bottom)], paint(side), 1.0);
        }
        canvas.line((left, bottom), (right, bottom), Paint::Muted, 1.0);
        let middle = median(&starts[side]);
        if let Some(middle) = middle {
            canvas.line((axis.at(middle), bottom - PANEL + 24.0), (axis.at(middle), bottom), Paint::Ink, 1.5);
        }
        let facts = middle.map_or("no cold start is known".to_owned(), |it| format!("median {} ms", significant(it)));
        let name = shortened(&names[side].to_string(), if is_narrow(width) { 20 } else { 40 });
        canvas.mark((left + 6.0, bottom - PANEL + 12.0), 5.0, paint(side));
        canvas.text(&format!("{name}, {facts}"), (left + 17.0, bottom - PANEL + 12.0), Anchor::Start, Paint::Ink);
    }
}

fn proportions(times: &[f64], axis: &Axis, (left, right): (f64, f64), bins: usize) -> Vec<f64> {
    let mut proportions = vec![0.0; bins];
    for time in times {
        let bin = ((axis.at(*time) - left) / (right - left) * bins as f64) as usize;
        proportions[bin.min(bins - 1)] += 1.0 / times.len() as f64;
    }
    proportions
}

fn comparisons(analysis: &Analysis) -> Markup {
    html! {
        (numbers("The numbers", &table(&tables::cold_starts(analysis))))
        @if let Some(note) = cold_starts_note(analysis) { p { (note) } }
    }
}
