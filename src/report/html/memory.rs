//! The memory that environments used, beside what they were given.

use super::{
    axis::{Axis, short},
    canvas::{Anchor, Canvas, LINE, Paint, shortened},
    figure::{columns, figure, is_narrow, numbers, paint, table},
};
use crate::{
    analysis::result::{Analysis, SideFacts, SummaryStatistics},
    campaign::sides::{Side, Sides},
    report::{
        document::{self, Table, Value, words},
        words::{Name, names, percent, significant},
    },
};
use maud::{Markup, html};

const ROW: f64 = 44.0;

/// The chart of memory and its numbers.
pub fn section(analysis: &Analysis) -> Markup {
    let known = analysis.sides.iter().any(|(_, it)| usable(it).is_some());
    html! {
        section aria-labelledby="memory" {
            h2 #memory { "Memory" }
            @if known {
                (chart(analysis))
            } @else {
                p { "No chart: how much memory environments used is not known." }
            }
        }
    }
}

fn usable(side: &SideFacts) -> Option<SummaryStatistics> {
    side.memory.filter(|it| [it.min, it.p50, it.max].iter().all(|it| it.is_finite() && (0.0..1e9).contains(it)))
}

fn chart(analysis: &Analysis) -> Markup {
    let names = names(analysis);
    let label = "The most memory that environments of both sides used, beside their settings. The same numbers are in the \
                 table below.";
    let caption = html! {
        "The most memory that each environment used, in MiB: the bar ends at the median, the thin line goes from the "
        "smallest to the largest. The pale bar is the memory setting."
    };
    let table = numbers("The numbers", &numbers_of(analysis));
    figure(label, &caption, &table, |_| 2.0 * ROW + LINE * 2.75, |canvas, width| draw(canvas, width, analysis, &names))
}

fn draw(canvas: &Canvas<'_>, width: f64, analysis: &Analysis, names: &Sides<Name>) {
    let (left, right) = (8.0, width - 8.0);
    let settings = analysis.sides.iter().filter_map(|(_, it)| it.memory_mb.map(f64::from));
    let largest = analysis.sides.iter().filter_map(|(_, it)| Some(usable(it)?.max));
    let axis = Axis::linear(settings.chain(largest).chain([0.0]), (left, right));
    let bottom = 2.0 * ROW + 4.0;
    columns(canvas, &axis.labelled(if is_narrow(width) { 4 } else { 8 }, short), (0.0, bottom));
    for (index, (side, facts)) in analysis.sides.iter().enumerate() {
        let (words, middle) = (ROW * index as f64 + 12.0, ROW * index as f64 + 30.0);
        let paint = paint(side);
        if let Some(setting) = facts.memory_mb.map(f64::from) {
            canvas.rectangle([(axis.at(0.0), middle - 7.0), (axis.at(setting), middle + 7.0)], paint, 0.18);
        }
        let used = usable(facts);
        if let Some(SummaryStatistics { min, p50, max, .. }) = used {
            canvas.rectangle([(axis.at(0.0), middle - 7.0), (axis.at(p50), middle + 7.0)], paint, 1.0);
            canvas.line((axis.at(min), middle), (axis.at(max), middle), Paint::Ink, 1.5);
        }
        let used = used.map_or("not known".to_owned(), |it| format!("median {} MiB", significant(it.p50)));
        let setting = facts.memory_mb.map(|it| format!(" of {it}")).unwrap_or_default();
        let name = shortened(&names[side].to_string(), if is_narrow(width) { 20 } else { 60 });
        canvas.mark((left + 6.0, words), 5.0, paint);
        canvas.text(&format!("{name}, {used}{setting}"), (left + 17.0, words), Anchor::Start, Paint::Ink);
    }
    canvas.text("MiB", (right, bottom + LINE * 1.6), Anchor::End, Paint::Muted);
}

fn numbers_of(analysis: &Analysis) -> Markup {
    let names = names(analysis);
    let row = |(side, facts): (Side, &SideFacts)| {
        let level = |pick: fn(&SummaryStatistics) -> f64| {
            Value::number_or_unknown(facts.memory.map(|levels| significant(pick(&levels))))
        };
        let setting = facts.memory_mb;
        let levels: [fn(&SummaryStatistics) -> f64; 7] =
            [|it| it.mean, |it| it.min, |it| it.p50, |it| it.p90, |it| it.p95, |it| it.p99, |it| it.max];
        let used = facts.memory.zip(setting).map(|(used, of)| percent(used.p50 / f64::from(of.max(1))));
        [Value::text(names[side].to_string()), Value::number_or_unknown(setting)]
            .into_iter()
            .chain(levels.map(level))
            .chain([Value::number_or_unknown(used)])
            .collect()
    };
    let of_numbers = ["setting", "mean", "min", "p50", "p90", "p95", "p99", "max", "median of setting"];
    let columns = [words("side")].into_iter().chain(of_numbers.map(document::numbers));
    let title = "The most memory that each environment used, in MiB.";
    table(&Table::new(title, columns).with_rows(analysis.sides.iter().map(row)))
}
