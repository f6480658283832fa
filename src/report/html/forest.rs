//! The ratio of each cell with its interval, and of all cells together.

use super::{
    axis::{Axis, has_logarithm},
    canvas::{Anchor, Canvas, LINE, Paint, shortened},
    figure::{self, WIDTHS, columns, figure, is_narrow, numbers, table},
    provenance::uncertainty,
};
use crate::{
    analysis::{
        result::{CellAnalysis, Comparison, Interval, PairAnalysis},
        verdict::Verdict,
    },
    report::{
        tables,
        words::{by_verdict, changes, counted, names, percent, percent_change},
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
pub fn section(analysis: &PairAnalysis) -> Markup {
    let rows = rows(analysis);
    let content = html! {
        @if rows.is_empty() {
            p { "No chart: there is no cell with samples of a side." }
        } @else {
            p { (tally(analysis)) }
            (plot(analysis, &rows))
            (uncertainty(analysis))
        }
    };
    figure::section("Every cell", &content)
}

fn rows(analysis: &PairAnalysis) -> Vec<ForestRow<'_>> {
    let cells = analysis
        .cells
        .iter()
        .filter_map(|cell| Some(ForestRow { name: &cell.name, comparison: cell.deciding()?, all: false }));
    let all = analysis.headline.iter().map(|comparison| ForestRow { name: "all cells", comparison, all: true });
    cells.chain(all).collect()
}

/// How many cells have which verdict.
fn tally(analysis: &PairAnalysis) -> String {
    let names = names(analysis);
    let verdicts = || analysis.cells.iter().filter_map(CellAnalysis::deciding).map(|comparison| comparison.verdict);
    let words = |verdict: Verdict| match verdict {
        Verdict::Faster => "faster in",
        Verdict::Slower => "slower in",
        Verdict::Equivalent => "equivalent in",
        Verdict::Inconclusive => "undecided in",
        Verdict::Withheld => "without a verdict in",
    };
    let parts = by_verdict(verdicts()).map(|(verdict, number)| format!("{} {number}", words(verdict)));
    let cells = match verdicts().count() {
        1 => "the one cell".to_owned(),
        number => format!("{number} cells"),
    };
    format!("Of {cells}, {} is {}.", names.candidate, parts.collect::<Vec<_>>().join(", "))
}

fn plot(analysis: &PairAnalysis, rows: &[ForestRow<'_>]) -> Markup {
    let names = names(analysis);
    let margin = analysis.method.margin;
    let measure = rows[0].comparison.measure;
    let label = format!(
        "Forest plot: {measure} of {} over that of {} for {}. The same numbers are in the table below.",
        names.candidate,
        names.baseline,
        counted(analysis.cells.len() as u64, "cell")
    );
    let caption = html! {
        "Ratio of " (measure.as_str()) ", " (names.candidate) " over " (names.baseline) ", with "
        (percent(analysis.method.confidence)) " intervals. Left of 0% " (names.candidate) " takes less time. "
        "Within the shaded band (±" (percent(margin)) ") sides count as equivalent; a hollow point has no interval."
    };
    let tables = html! {
        (table(&tables::cells(analysis)))
        (table(&tables::measures(analysis)))
    };
    let height = |width: f64| {
        let (top, row) = top_and_row(width);
        top + rows.len() as f64 * row + 12.0 + LINE * 3.0
    };
    figure(&label, &caption, &numbers("The numbers", &tables), WIDTHS.map(height), |canvas| {
        draw(canvas, rows, margin);
        let bottom = canvas.height - LINE * 0.75;
        let (left, right) = pixels(canvas.width);
        let most = if is_narrow(canvas.width) { 12 } else { 24 };
        let less = format!("← {} faster", shortened(&names.candidate.to_string(), most));
        let more = format!("{} faster →", shortened(&names.baseline.to_string(), most));
        canvas.bold(&less, (left, bottom), Anchor::Left, Paint::Candidate);
        canvas.bold(&more, (right, bottom), Anchor::Right, Paint::Baseline);
    })
}

/// The ends of the axis.
fn pixels(width: f64) -> (f64, f64) {
    if is_narrow(width) { (8.0, width - 8.0) } else { (190.0, width - 292.0) }
}

/// Where the first row begins, and the height of each.
fn top_and_row(width: f64) -> (f64, f64) {
    if is_narrow(width) { (4.0, 38.0) } else { (8.0, 24.0) }
}

fn draw(canvas: &Canvas<'_>, rows: &[ForestRow<'_>], margin: f64) {
    let width = canvas.width;
    let ratios = rows.iter().filter_map(|row| row.comparison.ratio);
    let intervals = ratios.clone().filter_map(|ratio| ratio.interval).flat_map(|Interval { low, high }| [low, high]);
    let (nearest, band) = (1.0 / FARTHEST, [1.0 / (1.0 + margin), 1.0 + margin]);
    // One without room for its labels says nothing.
    let values = ratios.map(|ratio| ratio.estimate).chain(intervals).chain([0.95, 1.05]).chain(band);
    let values = values.filter(|value| value.is_finite()).map(|value| value.clamp(nearest, FARTHEST));
    let axis = Axis::logarithmic(values, pixels(width));
    let ((from, row_height), to) = (top_and_row(width), canvas.height - LINE * 3.0);
    canvas.rectangle([(axis.at(band[0]), from), (axis.at(band[1]), to)], Paint::Band, 1.0);
    columns(canvas, &axis.ratio_ticks(if is_narrow(width) { 4 } else { 6 }), (from, to));
    canvas.line((axis.at(1.0), from), (axis.at(1.0), to), Paint::Muted, 1.25);
    let mut y = from;
    for row in rows {
        if row.all && rows.len() > 1 {
            canvas.line((0.0, y + 4.0), (width, y + 4.0), Paint::Muted, 1.0);
        }
        y += if row.all { 8.0 } else { 0.0 };
        draw_words(canvas, row, y);
        let middle = y + if is_narrow(width) { 28.0 } else { 12.0 };
        draw_ratio(canvas, &axis, row, middle);
        y += row_height;
    }
}

fn draw_words(canvas: &Canvas<'_>, row: &ForestRow<'_>, y: f64) {
    let (width, y) = (canvas.width, y + 12.0);
    let write = |text: &str, x: f64, anchor| {
        let write = if row.all { Canvas::bold } else { Canvas::text };
        write(canvas, text, (x, y), anchor, Paint::Ink);
    };
    let estimate = row.comparison.ratio.map_or("–".to_owned(), |ratio| percent_change(ratio.estimate));
    let verdict = row.comparison.verdict.to_string();
    write(&shortened(row.name, if is_narrow(width) { 30 } else { 27 }), 0.0, Anchor::Left);
    if is_narrow(width) {
        write(&format!("{estimate} {verdict}"), width, Anchor::Right);
        return;
    }
    write(&estimate, width - 214.0, Anchor::Right);
    let interval = row.comparison.ratio.and_then(|ratio| ratio.interval).map(changes).unwrap_or_default();
    canvas.text(&interval, (width - 206.0, y), Anchor::Left, Paint::Muted);
    write(&verdict, width, Anchor::Right);
}

fn draw_ratio(canvas: &Canvas<'_>, axis: &Axis, row: &ForestRow<'_>, y: f64) {
    let Some(ratio) = row.comparison.ratio.filter(|ratio| has_logarithm(&ratio.estimate)) else { return };
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
        for (end, x, is_right) in [(low, from, false), (high, to, true)] {
            if !axis.holds(end) {
                canvas.beyond((x, y), is_right, paint);
            }
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
