//! The course of a campaign: drift, and the environments that answered.

use super::{
    axis::{Axis, short},
    canvas::{Anchor, Canvas, LINE, Paint, shortened},
    figure::{columns, figure, is_narrow, legend, levels, numbers, paint, table},
};
use crate::{
    analysis::result::{Analysis, CellAnalysis, SeriesPoint},
    campaign::sides::{Side, Sides},
    report::{
        document::{self, Table, Value, words},
        words::{count, names, significant},
    },
};
use maud::{Markup, html};

/// Stretches of the campaign that are told apart where cells are put together.
const STRETCHES: usize = 60;
/// More cells than that are only in the table.
const MOST_CELLS: usize = 30;
/// What is farther from a side's own mean than this is drawn at the edge.
const FARTHEST: f64 = 4.0;

/// A side's mean over its own of the whole campaign, and its environments, in the course of time.
#[derive(Default)]
struct Series {
    means: Sides<Vec<(f64, Option<f64>)>>,
    environments: Sides<Vec<(f64, f64)>>,
}

/// The time series and their numbers.
pub fn section(analysis: &Analysis) -> Markup {
    let moments: usize = analysis.cells.iter().map(|it| it.series.len()).sum();
    html! {
        section aria-labelledby="series" {
            h2 #series { "Over the campaign" }
            @if moments == 0 {
                p { "No chart: there are no samples whose time is known." }
            } @else {
                (together(analysis))
                @if analysis.cells.len() > 1 { (apart(analysis)) }
            }
        }
    }
}

fn together(analysis: &Analysis) -> Markup {
    let names = names(analysis);
    let unit = unit(analysis);
    let course = course(&analysis.cells.iter().collect::<Vec<_>>(), unit);
    let label = "Means of both sides over the campaign, relative to each side's own mean, and below them the environments \
                 that answered. The same numbers are in the table below.";
    let caption = html! {
        "Above: each side's mean time relative to its own mean of the whole campaign, all cells together. What moves "
        "both lines is drift, and it cancels, because each block visits both sides; what moves one line is that side's "
        "fleet. Below: the environments that answered in each stretch."
    };
    let table = numbers("The numbers", &moments(analysis));
    figure(
        label,
        &caption,
        &table,
        |_| 332.0,
        |canvas, width| {
            legend(canvas, &names, (left(width), 8.0), width);
            let x = time(&course, (left(width), width - 8.0));
            draw_means(canvas, &course, &x, (left(width), width - 8.0), (24.0, 200.0), 5);
            draw_environments(canvas, &course, &x, (left(width), width - 8.0), (234.0, 290.0));
            let ticks = x.labelled(if is_narrow(width) { 4 } else { 8 }, short);
            columns(canvas, &ticks, (290.0, 294.0));
            canvas.text(unit.1, (width - 8.0, 322.0), Anchor::End, Paint::Muted);
        },
    )
}

fn left(width: f64) -> f64 {
    if is_narrow(width) { 44.0 } else { 56.0 }
}

/// A unit of time: its seconds, and its name.
type Unit = (f64, &'static str);

/// The unit in which this campaign's time has short numbers.
fn unit(analysis: &Analysis) -> Unit {
    match analysis.cells.iter().flat_map(|it| &it.series).map(|it| it.elapsed_s).fold(0.0, f64::max) {
        it if it < 180.0 => (1.0, "seconds"),
        it if it < 3.0 * 3600.0 => (60.0, "minutes"),
        _ => (3600.0, "hours"),
    }
}

fn time(course: &Series, pixels: (f64, f64)) -> Axis {
    let times = course.means.iter().flat_map(|(_, them)| them.iter().map(|(at, _)| *at)).collect::<Vec<_>>();
    Axis::linear(times.into_iter().chain([0.0]), pixels)
}

fn draw_means(
    canvas: &Canvas<'_>,
    course: &Series,
    x: &Axis,
    (from, to): (f64, f64),
    (top, bottom): (f64, f64),
    about: usize,
) {
    let values = course.means.iter().flat_map(|(_, them)| them.iter().filter_map(|(_, it)| *it));
    // A steady line should look steady.
    let y = Axis::logarithmic(values.chain([0.97, 1.03]).collect::<Vec<_>>(), (bottom, top));
    levels(canvas, &y.ratio_ticks(about), (from, to));
    canvas.line((from, y.at(1.0)), (to, y.at(1.0)), Paint::Muted, 1.0);
    for (side, means) in course.means.iter() {
        // A stretch without a sample is a gap, not a straight line.
        for stretch in means.split(|(_, it)| it.is_none()) {
            let points: Vec<_> = stretch.iter().filter_map(|(at, it)| Some((x.at(*at), y.at((*it)?)))).collect();
            if points.len() > 1 {
                canvas.path(&points, paint(side), 2.0);
            }
            let every = if points.len() > 30 { 4 } else { 2 };
            for point in points.iter().step_by(if points.len() < 3 { 1 } else { every }) {
                canvas.mark(*point, 3.0, paint(side));
            }
        }
    }
}

fn draw_environments(
    canvas: &Canvas<'_>,
    course: &Series,
    x: &Axis,
    (from, to): (f64, f64),
    (top, bottom): (f64, f64),
) {
    let most = course.environments.iter().flat_map(|(_, them)| them.iter().map(|(_, it)| *it)).fold(1.0, f64::max);
    let y = Axis::linear([0.0, most], (bottom, top));
    levels(canvas, &[0.0, most].map(|it| (y.at(it), count(it as u64))), (from, to));
    for (side, them) in course.environments.iter() {
        // Beside each other, lest one hides the other.
        let shift = if side == Side::Baseline { -0.75 } else { 0.75 };
        let points: Vec<_> = them.iter().map(|(at, it)| (x.at(*at), y.at(*it) + shift)).collect();
        if points.len() > 1 {
            canvas.path(&points, paint(side), 1.5);
        }
        for point in points.iter().take(if points.len() == 1 { 1 } else { 0 }) {
            canvas.mark(*point, 3.0, paint(side));
        }
    }
    canvas.text("environments", (from, top - 12.0), Anchor::Start, Paint::Muted);
}

fn apart(analysis: &Analysis) -> Markup {
    let names = names(analysis);
    let unit = unit(analysis);
    let cells: Vec<(&str, Series)> = analysis
        .cells
        .iter()
        .filter(|it| !it.series.is_empty())
        .take(MOST_CELLS)
        .map(|it| (it.name.as_str(), course(&[it], unit)))
        .collect();
    let label = format!("Means of both sides over the campaign for each of {} cells.", cells.len());
    let caption = html! { "The same for each cell: the mean of each side relative to its own of the whole campaign." };
    const HEIGHT: f64 = 84.0;
    let chart = figure(
        &label,
        &caption,
        &html! {},
        |_| cells.len() as f64 * HEIGHT + 20.0 + LINE,
        |canvas, width| {
            legend(canvas, &names, (left(width), 8.0), width);
            for (index, (name, course)) in cells.iter().enumerate() {
                let top = 20.0 + index as f64 * HEIGHT;
                let name = shortened(name, if is_narrow(width) { 40 } else { 80 });
                canvas.bold(&name, (left(width), top + 10.0), Anchor::Start, Paint::Ink);
                let x = time(course, (left(width), width - 8.0));
                draw_means(canvas, course, &x, (left(width), width - 8.0), (top + 20.0, top + HEIGHT - 6.0), 2);
            }
        },
    );
    html! { details { summary { "Each cell" } (chart) } }
}

/// These cells together, in equal stretches of time.
fn course(cells: &[&CellAnalysis], unit: Unit) -> Series {
    let moments = || cells.iter().flat_map(|it| &it.series).filter(|it| it.elapsed_s.is_finite());
    let longest = cells.iter().map(|it| it.series.len()).max().unwrap_or_default().clamp(1, STRETCHES);
    let end = moments().map(|it| it.elapsed_s).fold(0.0, f64::max);
    let start = moments().map(|it| it.elapsed_s).fold(end, f64::min);
    // The last moment belongs to the last stretch, not to one of its own.
    let stretch = |moment: &SeriesPoint| {
        let share = if end > start { (moment.elapsed_s - start) / (end - start) } else { 0.0 };
        ((share * (longest - 1) as f64).round() as usize).min(longest - 1)
    };
    let at = |index: usize| (start + (end - start) * index as f64 / (longest - 1).max(1) as f64) / unit.0;
    let mut course = Series::default();
    for side in Side::BOTH {
        let mut logs = vec![(0.0, 0u32); longest];
        let mut most = vec![None; longest];
        for cell in cells {
            let own = own_log_mean(cell, side);
            for moment in cell.series.iter().filter(|it| it.elapsed_s.is_finite()) {
                let index = stretch(moment);
                if let (Some(mean), Some(own)) = (log(moment.mean_ms[side]), own) {
                    logs[index].0 += mean - own;
                    logs[index].1 += 1;
                }
                most[index] = most[index].max(Some(moment.environments[side]));
            }
        }
        let seen = |index: &usize| most[*index].is_some();
        let mean = |(sum, number): (f64, u32)| {
            (number > 0).then(|| (sum / f64::from(number)).exp().clamp(1.0 / FARTHEST, FARTHEST))
        };
        course.means[side] = (0..longest).filter(seen).map(|it| (at(it), mean(logs[it]))).collect();
        course.environments[side] = (0..longest).filter_map(|it| Some((at(it), f64::from(most[it]?)))).collect();
    }
    course
}

fn log(mean: Option<f64>) -> Option<f64> {
    mean.filter(|it| it.is_finite() && *it > 0.0).map(f64::ln)
}

fn own_log_mean(cell: &CellAnalysis, side: Side) -> Option<f64> {
    let logs: Vec<f64> = cell.series.iter().filter_map(|it| log(it.mean_ms[side])).collect();
    (!logs.is_empty()).then(|| logs.iter().sum::<f64>() / logs.len() as f64)
}

fn moments(analysis: &Analysis) -> Markup {
    let Sides { baseline, candidate } = names(analysis);
    let row = |(cell, moment): (&CellAnalysis, &SeriesPoint)| {
        let Sides { baseline, candidate } = moment.mean_ms;
        let number = |ms: Option<f64>| Value::number_or_unknown(ms.map(significant));
        vec![
            Value::text(&cell.name),
            Value::number(moment.block),
            Value::number(format!("{:.0}", moment.elapsed_s)),
            number(baseline),
            number(candidate),
            baseline.zip(candidate).map_or(Value::Unknown, |(one, other)| Value::Change(other / one)),
            Value::number(moment.environments.baseline),
            Value::number(moment.environments.candidate),
        ]
    };
    let of_numbers = [
        "block".to_owned(),
        "after, s".to_owned(),
        format!("{baseline}, ms"),
        format!("{candidate}, ms"),
        "change".to_owned(),
        format!("environments, {baseline}"),
        format!("environments, {candidate}"),
    ];
    let columns = [words("cell")].into_iter().chain(of_numbers.map(document::numbers));
    let rows = analysis.cells.iter().flat_map(|cell| cell.series.iter().map(move |moment| (cell, moment)));
    table(&Table::new("Geometric means of the measure that decides.", columns).with_rows(rows.map(row)))
}
