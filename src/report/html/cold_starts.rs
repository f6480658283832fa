//! How long cold starts take.

use super::{
    axis::{Axis, has_logarithm, short},
    canvas::{Anchor, Canvas, LINE, Paint, shortened},
    figure::{self, columns, figure, is_narrow, marked, numbers, paint, table},
};
use crate::analysis::sides::Sides;
use crate::{
    analysis::result::PairAnalysis,
    report::{
        sentences::cold_starts_note,
        tables,
        words::{Name, count, names, significant},
    },
};
use maud::{Markup, html};

const PANEL: f64 = 110.0;

/// The histogram of starts and what they come to.
pub fn section(analysis: &PairAnalysis) -> Markup {
    let starts: Sides<Vec<f64>> =
        analysis.cold_starts.init_ms.map(|_, times| times.iter().copied().filter(has_logarithm).collect());
    let content = html! {
        @if starts.iter().all(|(_, times)| times.is_empty()) {
            p { "No histogram: no init duration is known." }
        } @else {
            (histogram(analysis, &starts))
        }
        @if !analysis.cold_starts.comparisons.is_empty() {
            (numbers("The numbers", &table(&tables::cold_starts(analysis))))
            @if let Some(note) = cold_starts_note(analysis) { p { (note) } }
        }
    };
    figure::section("Cold starts", &content)
}

fn histogram(analysis: &PairAnalysis, starts: &Sides<Vec<f64>>) -> Markup {
    let names = names(analysis);
    let Sides { baseline, candidate } = starts.map(|side, times| match times.len() as u64 {
        0 => format!("{}: {}", names[side], facts(times)),
        number => format!("{}: {} cold starts, {}", names[side], count(number), facts(times)),
    });
    let label = format!("Histogram of init durations. {baseline}. {candidate}.");
    let caption = html! {
        "Init durations, as proportions of each side's cold starts; the tall line is the median. Equal ratios are equally "
        "far apart."
    };
    let height = 2.0 * PANEL + LINE * 2.0;
    figure(&label, &caption, &html! {}, [height; 2], |canvas| draw(canvas, starts, &names))
}

fn median(sorted: &[f64]) -> Option<f64> {
    sorted.get(sorted.len() / 2).copied()
}

fn facts(sorted: &[f64]) -> String {
    median(sorted).map_or("no cold start is known".to_owned(), |median| format!("median {} ms", significant(median)))
}

fn draw(canvas: &Canvas<'_>, starts: &Sides<Vec<f64>>, names: &Sides<Name>) {
    let (left, right) = (8.0, canvas.width - 8.0);
    let axis = Axis::logarithmic(starts.iter().flat_map(|(_, times)| times.iter().copied()), (left, right));
    let (bins, ticks, longest) = if is_narrow(canvas.width) { (24, 4, 20) } else { (48, 8, 40) };
    let proportions = starts.map(|_, times| proportions(times, &axis, (left, right), bins));
    let most = proportions.iter().flat_map(|(_, of_bins)| of_bins).copied().fold(1e-9, f64::max);
    columns(canvas, &axis.labelled(ticks, short), (0.0, 2.0 * PANEL));
    canvas.text("milliseconds", (right, 2.0 * PANEL + LINE * 1.6), Anchor::Right, Paint::Muted);
    for (index, (side, proportions)) in proportions.iter().enumerate() {
        let bottom = PANEL * (index + 1) as f64;
        let bar = (right - left) / bins as f64;
        for (bin, proportion) in proportions.iter().enumerate().filter(|(_, proportion)| **proportion > 0.0) {
            let x = left + bar * bin as f64;
            let top = bottom - (PANEL - 30.0) * proportion / most;
            canvas.rectangle([(x + 0.5, top), (x + bar - 0.5, bottom)], paint(side), 1.0);
        }
        canvas.line((left, bottom), (right, bottom), Paint::Muted, 1.0);
        if let Some(x) = median(&starts[side]).map(|median| axis.at(median)) {
            canvas.line((x, bottom - PANEL + 24.0), (x, bottom), Paint::Ink, 1.5);
        }
        let name = shortened(&names[side].to_string(), longest);
        marked(canvas, side, &format!("{name}, {}", facts(&starts[side])), (left, bottom - PANEL + 12.0));
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
