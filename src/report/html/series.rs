//! The course of a campaign: drift, and the environments that answered.

use super::{
    axis::{Axis, has_logarithm, short},
    canvas::{Anchor, Canvas, LINE, Paint, shortened},
    figure::{self, columns, figure, is_narrow, legend, levels, numbers, paint, table},
};
use crate::analysis::sides::{Side, Sides};
use crate::{
    analysis::result::{CellAnalysis, PairAnalysis, SeriesPoint},
    report::{
        document::{self, Table, Value, words},
        words::{count, counted, names, significant, without_trailing_zeros},
    },
};
use maud::{Markup, html};
use std::slice;

/// The buckets of time into which the points of a campaign are put.
const BUCKETS: usize = 60;
/// More cells than that are only in the table.
const MOST_CELLS: usize = 30;
/// What is farther from a side's own mean than this is drawn at the edge.
const FARTHEST: f64 = 4.0;

/// A stretch of the campaign.
#[derive(Default)]
struct Bucket {
    /// When, in a [`Unit`].
    at: f64,
    /// Each side's mean over its own of the whole campaign. None without a sample.
    means: Sides<Option<f64>>,
    environments: Sides<u32>,
}

/// The time series and their numbers.
pub fn section(analysis: &PairAnalysis) -> Markup {
    let has_blocks = analysis.campaign.imported.as_ref().is_none_or(|import| import.has_blocks);
    let content = html! {
        @if !has_blocks {
            p { "No chart: nothing tells the blocks of measurements." }
        } @else if analysis.cells.iter().all(|cell| cell.series.is_empty()) {
            p { "No chart: there are no samples whose time is known." }
        } @else {
            (together(analysis))
            @if analysis.cells.len() > 1 { (apart(analysis)) }
        }
    };
    figure::section("Over the campaign", &content)
}

fn together(analysis: &PairAnalysis) -> Markup {
    let names = names(analysis);
    let unit = Unit::new(analysis);
    let buckets = buckets(&analysis.cells, unit);
    let (is_imported, has_environments) = (analysis.campaign.imported.is_some(), knows_environments(analysis));
    let answered = if is_imported { "were measured" } else { "answered" };
    let below =
        if has_environments { format!(", and below them the environments that {answered}") } else { String::new() };
    let label = format!(
        "Means of both sides over the campaign, relative to each side's own mean{below}. The same numbers are in the table \
         below."
    );
    let caption = html! {
        @if has_environments { "Above: each" } @else { "Each" }
        " side's mean time relative to its own mean of the whole campaign, all cells together. What moves both lines is drift"
        @if is_imported {
            " from block to block, and it cancels where a block has measurements of both sides; what moves one line is that "
            "side's own."
        } @else {
            ", and it cancels, because each block visits both sides; what moves one line is that side's fleet."
        }
        @if has_environments { " Below: the environments that " (answered) " in each stretch." }
    };
    let table = numbers("The numbers", &points(analysis));
    let bottom = if has_environments { 290.0 } else { 204.0 };
    figure(&label, &caption, &table, [bottom + 42.0; 2], |canvas| {
        let x = time(canvas, &buckets);
        legend(canvas, &names, (left(canvas), 8.0));
        draw_means(canvas, &buckets, &x, (24.0, 200.0), 5);
        if has_environments {
            draw_environments(canvas, &buckets, &x, (234.0, bottom));
        }
        columns(canvas, &x.labelled(if is_narrow(canvas.width) { 4 } else { 8 }, short), (bottom, bottom + 4.0));
        canvas.text(unit.name(), (x.pixels.1, bottom + 32.0), Anchor::Right, Paint::Muted);
    })
}

/// Whether anything tells environments apart: no point is of none.
fn knows_environments(analysis: &PairAnalysis) -> bool {
    let mut points = analysis.cells.iter().flat_map(|cell| &cell.series);
    points.any(|point| point.environments.iter().any(|(_, number)| *number > 0))
}

/// What the course of a campaign is drawn against.
#[derive(Clone, Copy)]
enum Unit {
    /// Blocks, where nothing tells when they were.
    Blocks,
    Time {
        seconds: f64,
        name: &'static str,
    },
}

impl Unit {
    /// The unit in which this campaign's course has short numbers.
    fn new(analysis: &PairAnalysis) -> Self {
        let points = analysis.cells.iter().flat_map(|cell| &cell.series);
        let last = points.filter_map(|point| point.elapsed_s).fold(0.0, f64::max);
        let (seconds, name) = match last {
            _ if last <= 0.0 && analysis.campaign.imported.is_some() => return Self::Blocks,
            ..180.0 => (1.0, "seconds"),
            ..10_800.0 => (60.0, "minutes"),
            ..360_000.0 => (3600.0, "hours"),
            _ => (86_400.0, "days"),
        };
        Self::Time { seconds, name }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::Time { name, .. } => name,
        }
    }

    /// A point for a table; None where its block is all that is known.
    fn text(self, point: &SeriesPoint) -> Option<String> {
        let text = format!("{:.1}", self.at(point));
        matches!(self, Self::Time { .. }).then(|| without_trailing_zeros(&text).to_owned())
    }

    fn at(self, point: &SeriesPoint) -> f64 {
        match self {
            Self::Blocks => (point.block + 1) as f64,
            Self::Time { seconds, .. } => point.elapsed_s.unwrap_or_default() / seconds,
        }
    }
}

fn time(canvas: &Canvas<'_>, buckets: &[Bucket]) -> Axis {
    Axis::linear(buckets.iter().map(|bucket| bucket.at).chain([0.0]), (left(canvas), canvas.width - 8.0))
}

fn left(canvas: &Canvas<'_>) -> f64 {
    if is_narrow(canvas.width) { 44.0 } else { 56.0 }
}

fn draw_means(canvas: &Canvas<'_>, buckets: &[Bucket], x: &Axis, (top, bottom): (f64, f64), about: usize) {
    let values = buckets.iter().flat_map(|bucket| [bucket.means.baseline, bucket.means.candidate]).flatten();
    // A steady line should look steady.
    let y = Axis::logarithmic(values.chain([0.97, 1.03]), (bottom, top));
    levels(canvas, &y.ratio_ticks(about), x.pixels);
    canvas.line((x.pixels.0, y.at(1.0)), (x.pixels.1, y.at(1.0)), Paint::Muted, 1.0);
    for side in Side::BOTH {
        // Without a sample there is a gap, not a straight line.
        for stretch in buckets.split(|bucket| bucket.means[side].is_none()) {
            let point = |bucket: &Bucket| Some((x.at(bucket.at), y.at(bucket.means[side]?)));
            let points: Vec<_> = stretch.iter().filter_map(point).collect();
            canvas.path(&points, paint(side), 2.0);
            let every = match points.len() {
                ..3 => 1,
                3..=30 => 2,
                _ => 4,
            };
            for point in points.iter().step_by(every) {
                canvas.mark(*point, 3.0, paint(side));
            }
        }
    }
}

fn draw_environments(canvas: &Canvas<'_>, buckets: &[Bucket], x: &Axis, (top, bottom): (f64, f64)) {
    let numbers = buckets.iter().flat_map(|bucket| [bucket.environments.baseline, bucket.environments.candidate]);
    let most = numbers.max().unwrap_or_default().max(1);
    let y = Axis::linear([0.0, most.into()], (bottom, top));
    levels(canvas, &[0, most].map(|number| (y.at(number.into()), count(number.into()))), x.pixels);
    // Beside each other, lest one hides the other.
    for (side, shift) in [(Side::Baseline, -0.75), (Side::Candidate, 0.75)] {
        let point = |bucket: &Bucket| (x.at(bucket.at), y.at(bucket.environments[side].into()) + shift);
        let points: Vec<_> = buckets.iter().map(point).collect();
        canvas.path(&points, paint(side), 1.5);
        if let [point] = points[..] {
            canvas.mark(point, 3.0, paint(side));
        }
    }
    canvas.text("environments", (x.pixels.0, top - 12.0), Anchor::Left, Paint::Muted);
}

fn apart(analysis: &PairAnalysis) -> Markup {
    const HEIGHT: f64 = 84.0;
    let names = names(analysis);
    let unit = Unit::new(analysis);
    let cells = analysis.cells.iter().filter(|cell| !cell.series.is_empty()).take(MOST_CELLS);
    let cells: Vec<_> = cells.map(|cell| (&cell.name, buckets(slice::from_ref(cell), unit))).collect();
    let label = format!("Means of both sides over the campaign for each of {}.", counted(cells.len() as u64, "cell"));
    let caption = html! { "The same for each cell: the mean of each side relative to its own of the whole campaign." };
    let height = cells.len() as f64 * HEIGHT + 20.0 + LINE;
    let chart = figure(&label, &caption, &html! {}, [height; 2], |canvas| {
        legend(canvas, &names, (left(canvas), 8.0));
        for (index, (name, buckets)) in cells.iter().enumerate() {
            let top = 20.0 + index as f64 * HEIGHT;
            let name = shortened(name, if is_narrow(canvas.width) { 40 } else { 80 });
            canvas.bold(&name, (left(canvas), top + 10.0), Anchor::Left, Paint::Ink);
            draw_means(canvas, buckets, &time(canvas, buckets), (top + 20.0, top + HEIGHT - 6.0), 2);
        }
    });
    html! { details { summary { "Each cell" } (chart) } }
}

/// The points of these cells together, in equal stretches. Those without a point are left out.
fn buckets(cells: &[CellAnalysis], unit: Unit) -> Vec<Bucket> {
    let points = || cells.iter().flat_map(finite_points);
    let number = cells.iter().map(|cell| cell.series.len()).max().unwrap_or_default().clamp(1, BUCKETS);
    let end = points().map(|point| unit.at(point)).fold(0.0, f64::max);
    let start = points().map(|point| unit.at(point)).fold(end, f64::min);
    // The last point belongs to the last bucket, not to one of its own.
    let last = (number - 1) as f64;
    let mut points = vec![Vec::new(); number];
    for cell in cells {
        let own = |side| mean(cell.series.iter().filter_map(|point| log_mean(point, side)));
        let own = Sides { baseline: own(Side::Baseline), candidate: own(Side::Candidate) };
        for point in finite_points(cell) {
            let share = if end > start { (unit.at(point) - start) / (end - start) } else { 0.0 };
            points[(share * last).round() as usize].push((point, own));
        }
    }
    let mut buckets = Vec::new();
    for (index, points) in points.iter().enumerate().filter(|(_, points)| !points.is_empty()) {
        let at = start + (end - start) * index as f64 / last.max(1.0);
        let mut bucket = Bucket { at, ..Bucket::default() };
        for side in Side::BOTH {
            let logs = points.iter().filter_map(|(point, own)| Some(log_mean(point, side)? - own[side]?));
            bucket.means[side] = mean(logs).map(|log| log.exp().clamp(1.0 / FARTHEST, FARTHEST));
            bucket.environments[side] = points.iter().map(|(point, _)| point.environments[side]).max().unwrap_or(0);
        }
        buckets.push(bucket);
    }
    buckets
}

fn finite_points(cell: &CellAnalysis) -> impl Iterator<Item = &SeriesPoint> {
    cell.series.iter().filter(|point| point.elapsed_s.is_none_or(f64::is_finite))
}

fn log_mean(point: &SeriesPoint, side: Side) -> Option<f64> {
    point.mean_ms[side].filter(has_logarithm).map(f64::ln)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, number) = values.fold((0.0, 0.0), |(sum, number), value| (sum + value, number + 1.0));
    (number > 0.0).then_some(sum / number)
}

fn points(analysis: &PairAnalysis) -> Markup {
    let Sides { baseline, candidate } = names(analysis);
    let has_environments = knows_environments(analysis);
    let unit = Unit::new(analysis);
    let row = |(cell, point): (&CellAnalysis, &SeriesPoint)| {
        let Sides { baseline, candidate } = point.mean_ms;
        let mean = |ms: Option<f64>| Value::number_or_unknown(ms.map(significant));
        let change = baseline.zip(candidate).map_or(Value::Unknown, |(one, other)| Value::Change(other / one));
        let mut row = vec![Value::text(&cell.name), Value::number(point.block + 1)];
        row.extend(unit.text(point).map(Value::number));
        row.extend([mean(baseline), mean(candidate), change]);
        row.extend(point.environments.iter().filter(|_| has_environments).map(|(_, number)| Value::number(number)));
        row
    };
    let mut of_numbers = vec!["block".to_owned()];
    of_numbers.extend(matches!(unit, Unit::Time { .. }).then(|| format!("after, {}", unit.name())));
    of_numbers.extend([format!("{baseline}, ms"), format!("{candidate}, ms"), "change".to_owned()]);
    if has_environments {
        of_numbers.extend([&baseline, &candidate].map(|name| format!("environments, {name}")));
    }
    let columns = [words("cell")].into_iter().chain(of_numbers.into_iter().map(document::numbers));
    let rows = analysis.cells.iter().flat_map(|cell| cell.series.iter().map(move |point| (cell, point)));
    table(&Table::new("Geometric means of the measure that decides.", columns, rows.map(row)))
}
