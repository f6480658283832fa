//! Where the times of each side lie, by CPU model.

use super::{
    axis::{Axis, has_logarithm},
    canvas::{Anchor, Canvas, LINE, Paint, shortened},
    figure::{self, WIDTHS, columns, figure, is_narrow, numbers, paint, table},
};
use crate::analysis::sides::{Side, Sides};
use crate::{
    analysis::result::{CellAnalysis, Distribution, PairAnalysis},
    report::{
        document::{Table, Value, numbers as of_numbers, words},
        imported::calls,
        tables::{self, known_environments},
        words::{Name, count, counted, measured, names, short_cpu, significant},
    },
};
use maud::{Markup, html};

/// More cells than that are only in the table.
const MOST_CELLS: usize = 30;
const ROW: f64 = 20.0;

struct DistributionRow<'a> {
    side: Side,
    distribution: &'a Distribution,
    /// Percentiles 5, 25, 50, 75 and 95, over the baseline's median.
    shape: [f64; 5],
}

struct Group<'a> {
    name: &'a str,
    rows: Vec<DistributionRow<'a>>,
}

/// The distributions, what each pair of CPU models comes to, and their numbers.
pub fn section(analysis: &PairAnalysis) -> Markup {
    let groups: Vec<Group<'_>> = analysis.cells.iter().take(MOST_CELLS).filter_map(group).collect();
    let pairs = tables::cpu_models(analysis);
    let title = if analysis.has_cpu_models() { "Distributions by CPU model" } else { "Distributions" };
    let content = html! {
        @if groups.is_empty() {
            p { "No chart: no cell has times that could be drawn." }
        } @else {
            (plot(analysis, &groups))
        }
        @if !pairs.rows.is_empty() { (numbers("Each pair of CPU models", &table(&pairs))) }
    };
    figure::section(title, &content)
}

fn group(cell: &CellAnalysis) -> Option<Group<'_>> {
    let all = || cell.distributions.iter().flat_map(|(side, of_side)| of_side.iter().map(move |of_cpu| (side, of_cpu)));
    let deciding = cell.deciding().and_then(|comparison| comparison.statistics.baseline).map(|levels| levels.p50);
    let medians = all().filter_map(|(_, of_cpu)| of_cpu.percentiles.get(50).copied());
    let reference = deciding.into_iter().chain(medians).find(has_logarithm)?;
    let rows: Vec<_> = all().filter_map(|(side, of_cpu)| row(side, of_cpu, reference)).collect();
    (!rows.is_empty()).then_some(Group { name: &cell.name, rows })
}

fn row(side: Side, distribution: &Distribution, reference: f64) -> Option<DistributionRow<'_>> {
    let mut shape = [0.0; 5];
    for (place, percent) in shape.iter_mut().zip([5, 25, 50, 75, 95]) {
        *place = distribution.percentiles.get(percent).map(|ms| ms / reference).filter(has_logarithm)?;
    }
    Some(DistributionRow { side, distribution, shape })
}

fn plot(analysis: &PairAnalysis, groups: &[Group<'_>]) -> Markup {
    let names = names(analysis);
    let has_cpus = analysis.has_cpu_models();
    let calls = calls(&analysis.campaign);
    let by = if has_cpus { " by CPU model" } else { "" };
    let label = format!(
        "Distributions of both sides{by} in {}. The same numbers are in the table below.",
        counted(groups.len() as u64, "cell")
    );
    let left_out = analysis.cells.len().saturating_sub(MOST_CELLS);
    let caption = html! {
        "Times of " (calls) " relative to the median of " (names.baseline) " in the same cell. A box holds the middle half "
        "of the " (calls) " and its line is the median; the thin line goes from the 5th to the 95th percentile."
        @if has_cpus {
            " Two boxes of one side that lie apart are two generations of CPU, so the fleet's mix decides."
        }
        @if left_out > 0 { " " (counted(left_out as u64, "more cell")) " in the table only." }
    };
    let height = |width: f64| {
        let rows: usize = groups.iter().map(|group| group.rows.len()).sum();
        let (heading, row) = heights(width);
        groups.len() as f64 * heading + rows as f64 * row + LINE * 2.0
    };
    let table = numbers("The percentiles", &percentiles(analysis));
    figure(&label, &caption, &table, WIDTHS.map(height), |canvas| draw(canvas, groups, &names, has_cpus))
}

/// The height of a group's heading, and that of a row.
fn heights(width: f64) -> (f64, f64) {
    if is_narrow(width) { (30.0, 34.0) } else { (12.0, ROW) }
}

fn draw(canvas: &Canvas<'_>, groups: &[Group<'_>], names: &Sides<Name>, has_cpus: bool) {
    let width = canvas.width;
    let narrow = is_narrow(width);
    let pixels = if narrow { (8.0, width - 8.0) } else { (330.0, width - 150.0) };
    let shapes = groups.iter().flat_map(|group| &group.rows).flat_map(|row| row.shape);
    let axis = Axis::logarithmic(shapes.chain([0.95, 1.05]).map(|ratio| ratio.clamp(0.02, 50.0)), pixels);
    let bottom = canvas.height - LINE * 1.5;
    columns(canvas, &axis.ratio_ticks(if narrow { 4 } else { 6 }), (0.0, bottom));
    canvas.line((axis.at(1.0), 0.0), (axis.at(1.0), bottom), Paint::Muted, 1.0);
    let (heading, row_height) = heights(width);
    let mut y = 0.0;
    for (index, group) in groups.iter().enumerate() {
        if index > 0 {
            canvas.line((0.0, y + 5.0), (width, y + 5.0), Paint::Grid, 1.0);
        }
        let name = shortened(group.name, if narrow { 44 } else { 19 });
        canvas.bold(&name, (0.0, y + 10.0 + if narrow { 8.0 } else { ROW / 2.0 }), Anchor::Left, Paint::Ink);
        y += heading;
        for row in &group.rows {
            let name = shortened(&names[row.side].to_string(), 10);
            draw_row(canvas, &axis, row, y, &if has_cpus { format!("{name} {}", cpu(canvas, row)) } else { name });
            y += row_height;
        }
    }
}

fn cpu(canvas: &Canvas<'_>, row: &DistributionRow<'_>) -> String {
    let cpu = &row.distribution.cpu;
    let cpu = if cpu.is_empty() { "CPU unknown".to_owned() } else { short_cpu(cpu).replace(" @", "") };
    shortened(&cpu, if is_narrow(canvas.width) { 22 } else { 19 })
}

fn draw_row(canvas: &Canvas<'_>, axis: &Axis, row: &DistributionRow<'_>, y: f64, label: &str) {
    let narrow = is_narrow(canvas.width);
    let Distribution { environments, calls, percentiles, .. } = row.distribution;
    let paint = paint(row.side);
    let (words, middle) = if narrow { (y + 8.0, y + 24.0) } else { (y + ROW / 2.0, y + ROW / 2.0) };
    let start = if narrow { 0.0 } else { 160.0 };
    canvas.mark((start + 6.0, words), 4.0, paint);
    canvas.text(label, (start + 16.0, words), Anchor::Left, Paint::Ink);
    let environments = known_environments(*environments, *calls).map(|number| format!(", {number} env."));
    let facts = measured(percentiles[50]) + &environments.unwrap_or_default();
    canvas.text(&facts, (canvas.width, words), Anchor::Right, Paint::Muted);
    let [p5, p25, p50, p75, p95] = row.shape.map(|ratio| axis.at(ratio));
    canvas.line((p5, middle), (p95, middle), paint, 1.5);
    // Even where all values are the same there is something to see.
    canvas.rectangle([(p25.min(p50 - 1.5), middle - 6.0), (p75.max(p50 + 1.5), middle + 6.0)], paint, 1.0);
    canvas.line((p50, middle - 6.0), (p50, middle + 6.0), Paint::Paper, 2.0);
}

fn percentiles(analysis: &PairAnalysis) -> Markup {
    let (names, has_cpus) = (names(analysis), analysis.campaign.may_have_cpus());
    let row = |(cell, side, distribution): (&CellAnalysis, Side, &Distribution)| {
        let percentile =
            |at: usize| Value::number_or_unknown(distribution.percentiles.get(at).map(|ms| significant(*ms)));
        let Distribution { cpu, environments, calls, .. } = distribution;
        let mut facts = vec![Value::text(&cell.name), Value::text(names[side].to_string())];
        facts.extend(has_cpus.then(|| Value::text(if cpu.is_empty() { "unknown" } else { cpu })));
        facts.push(Value::number_or_unknown(known_environments(*environments, *calls)));
        facts.push(Value::number(count(*calls)));
        facts.into_iter().chain([0, 5, 25, 50, 75, 95, 99, 100].map(percentile)).collect()
    };
    let of_sides = analysis.cells.iter().flat_map(|cell| cell.distributions.iter().map(move |of_side| (cell, of_side)));
    let rows = of_sides.flat_map(|(cell, (side, of_side))| of_side.iter().map(move |of_cpu| (cell, side, of_cpu)));
    let calls = calls(&analysis.campaign);
    let of_numbers = ["environments", calls, "min", "p5", "p25", "p50", "p75", "p95", "p99", "max"].map(of_numbers);
    let of_cpus = has_cpus.then(|| words("CPU model"));
    let columns = ["cell", "side"].map(words).into_iter().chain(of_cpus).chain(of_numbers);
    let title = "Percentiles of the measure that decides, in milliseconds.";
    table(&Table::new(title, columns, rows.map(row)))
}
