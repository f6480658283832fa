//! The ratio of each cell with its interval, and of all cells together.

use super::{
    axis::Axis,
    canvas::{Anchor, Canvas, LINE, Paint, shortened},
    figure::{columns, figure, is_narrow, numbers, table},
};
use crate::{
    analysis::{
        result::{Analysis, Comparison, Interval},
        verdict::Verdict,
    },
    report::{
        tables,
        words::{changes, names, percent, percent_change},
    },
};
use maud::{Markup, html};

/// Beyond this factor a ratio is only said to be beyond.
const FARTHEST: f64 = 8.0;

struct ForestRow<'a> {
    name: &'a str,
    comparison: &'a Comparison,
    all: bool,
}

/// The forest plot and its numbers.
pub fn section(analysis: &Analysis) -> Markup {
    let rows = rows(analysis);
    html! {
        section aria-labelledby="cells" {
            h2 #cells { "Every cell" }
            @if rows.is_empty() {
                p { "No chart: there is no cell with samples of a side." }
            } @else {
                p { (tally(analysis)) }
                (plot(analysis, &rows))
            }
        }
    }
}

fn rows(analysis: &Analysis) -> Vec<ForestRow<'_>> {
    let cells = analysis.cells.iter().filter_map(|cell| {
        let comparison = cell.deciding()?;
        Some(ForestRow { name: &cell.name, comparison, all: false })
    });
    let all = analysis.headline.iter().map(|comparison| ForestRow { name: "all cells", comparison, all: true });
    cells.chain(all).collect()
}

/// How many cells have which verdict.
fn tally(analysis: &Analysis) -> String {
    let names = names(analysis);
    let verdicts: Vec<Verdict> = analysis.cells.iter().filter_map(|it| it.deciding()).map(|it| it.verdict).collect();
    let kinds = [
        (Verdict::Faster, "faster in"),
        (Verdict::Slower, "slower in"),
        (Verdict::Equivalent, "equivalent in"),
        (Verdict::Inconclusive, "undecided in"),
        (Verdict::Withheld, "without a verdict in"),
    ];
    let parts = kinds.into_iter().filter_map(|(kind, words)| {
        let number = verdicts.iter().filter(|it| **it == kind).count();
        (number > 0).then(|| format!("{words} {number}"))
    });
    let cells = if verdicts.len() == 1 { "the one cell".to_owned() } else { format!("{} cells", verdicts.len()) };
    format!("Of {cells}, {} is {}.", names.candidate, parts.collect::<Vec<_>>().join(", "))
}

fn plot(analysis: &Analysis, rows: &[ForestRow<'_>]) -> Markup {
    let names = names(analysis);
    let margin = analysis.method.margin;
    let measure = rows[0].comparison.measure;
    let label = format!(
        "Forest plot: {measure} of {} over that of {} for {} cells. The same numbers are in the table below.",
        names.candidate,
        names.baseline,
        analysis.cells.len()
    );
    let caption = html! {
        "Ratio of " (measure.as_str()) ", " (names.candidate) " over " (names.baseline) ", with "
        (percent(analysis.method.confidence)) " intervals. Left of 0% " (names.candidate) " takes less time. "
        "Within the shaded band (±" (percent(margin)) ") sides count as equivalent; a hollow point has no interval."
    };
    let height = |width: f64| top(width) + rows.len() as f64 * row_height(width) + 12.0 + LINE * 3.0;
    figure(&label, &caption, &numbers("The numbers", &numbers_of(analysis)), height, |canvas, width| {
        draw(canvas, width, rows, margin);
        let bottom = height(width) - LINE * 0.75;
        let (left, right) = pixels(width);
        let most = if is_narrow(width) { 12 } else { 24 };
        let less = format!("← {} faster", shortened(&names.candidate.to_string(), most));
        let more = format!("{} faster →", shortened(&names.baseline.to_string(), most));
        canvas.bold(&less, (left, bottom), Anchor::Start, Paint::Candidate);
        canvas.bold(&more, (right, bottom), Anchor::End, Paint::Baseline);
    })
}

fn pixels(width: f64) -> (f64, f64) {
    if is_narrow(width) { (8.0, width - 8.0) } else { (190.0, width - 292.0) }
}

fn row_height(width: f64) -> f64 {
    if is_narrow(width) { 38.0 } else { 24.0 }
}

fn top(width: f64) -> f64 {
    if is_narrow(width) { 4.0 } else { 8.0 }
}

fn draw(canvas: &Canvas<'_>, width: f64, rows: &[ForestRow<'_>], margin: f64) {
    let pixels = pixels(width);
    let known = rows.iter().filter_map(|it| it.comparison.ratio);
    let ends = known.flat_map(|it| {
        let Interval { low, high } = it.interval.unwrap_or(Interval { low: it.estimate, high: it.estimate });
        [low, it.estimate, high]
    });
    let (nearest, band) = (1.0 / FARTHEST, [1.0 / (1.0 + margin), 1.0 + margin]);
    // One without room for its labels says nothing.
    let values = ends.chain([0.95, 1.05]).chain(band).filter(|it| it.is_finite());
    let axis = Axis::logarithmic(values.map(|it| it.clamp(nearest, FARTHEST)), pixels);
    let from = top(width);
    let to = from + rows.len() as f64 * row_height(width) + 12.0;
    canvas.rectangle([(axis.at(band[0]), from), (axis.at(band[1]), to)], Paint::Band, 1.0);
    columns(canvas, &axis.ratio_ticks(if is_narrow(width) { 4 } else { 6 }), (from, to));
    canvas.line((axis.at(1.0), from), (axis.at(1.0), to), Paint::Muted, 1.25);
    let mut y = from;
    for row in rows {
        if row.all && rows.len() > 1 {
            canvas.line((0.0, y + 4.0), (width, y + 4.0), Paint::Muted, 1.0);
        }
        y += if row.all { 8.0 } else { 0.0 };
        draw_words(canvas, width, row, y);
        let middle = y + if is_narrow(width) { 28.0 } else { 12.0 };
        draw_ratio(canvas, &axis, row, middle);
        y += row_height(width);
    }
}

fn draw_words(canvas: &Canvas<'_>, width: f64, row: &ForestRow<'_>, y: f64) {
    let y = y + 12.0;
    let write = |text: &str, x: f64, anchor| {
        if row.all {
            canvas.bold(text, (x, y), anchor, Paint::Ink);
        } else {
            canvas.text(text, (x, y), anchor, Paint::Ink);
        }
    };
    let estimate = row.comparison.ratio.map_or("–".to_owned(), |it| percent_change(it.estimate));
    let verdict = row.comparison.verdict.to_string();
    write(&shortened(row.name, if is_narrow(width) { 30 } else { 27 }), 0.0, Anchor::Start);
    if is_narrow(width) {
        write(&format!("{estimate} {verdict}"), width, Anchor::End);
        return;
    }
    write(&estimate, width - 214.0, Anchor::End);
    let interval = row.comparison.ratio.and_then(|it| it.interval);
    let interval = interval.map(changes);
    canvas.text(&interval.unwrap_or_default(), (width - 206.0, y), Anchor::Start, Paint::Muted);
    write(&verdict, width, Anchor::End);
}

fn draw_ratio(canvas: &Canvas<'_>, axis: &Axis, row: &ForestRow<'_>, y: f64) {
    let Some(ratio) = row.comparison.ratio.filter(|it| it.estimate.is_finite() && it.estimate > 0.0) else { return };
    let paint = match row.comparison.verdict {
        Verdict::Faster => Paint::Candidate,
        Verdict::Slower => Paint::Baseline,
        _ => Paint::Ink,
    };
    let x = axis.at(ratio.estimate);
    if let Some(Interval { low, high }) = ratio.interval {
        let (from, to) = (axis.at(low), axis.at(high));
        if row.all {
            let (left, right) = (from.min(x - 4.0), to.max(x + 4.0));
            canvas.polygon(&[(left, y), (x, y - 7.0), (right, y), (x, y + 7.0)], paint, 1.0);
        } else {
            canvas.line((from, y), (to, y), paint, 2.0);
        }
        if !axis.holds(low) {
            canvas.beyond((from, y), false, paint);
        }
        if !axis.holds(high) {
            canvas.beyond((to, y), true, paint);
        }
    }
    if !axis.holds(ratio.estimate) {
        canvas.beyond((x, y), ratio.estimate > 1.0, paint);
    } else if ratio.interval.is_none() {
        canvas.circle((x, y), 5.0, paint, true);
    } else if !row.all {
        canvas.mark((x, y), 4.5, paint);
    }
}

fn numbers_of(analysis: &Analysis) -> Markup {
    html! {
        (table(&tables::cells(analysis)))
        (table(&tables::measures(analysis)))
    }
}
