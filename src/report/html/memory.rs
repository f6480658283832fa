//! The memory that environments used, beside what they were given.

use super::{
    axis::{Axis, short},
    canvas::{Anchor, Canvas, LINE, Paint, shortened},
    figure::{self, columns, figure, is_narrow, marked, numbers, paint, table},
};
use crate::analysis::sides::{Side, Sides};
use crate::{
    analysis::result::{PairAnalysis, SummaryStatistics, VariantFacts},
    report::{
        document::{self, Table, Value, words},
        words::{Name, names, proportion, significant},
    },
};
use maud::{Markup, html};

const ROW: f64 = 44.0;

/// The chart of memory and its numbers.
pub fn section(analysis: &PairAnalysis) -> Markup {
    let content = if analysis.sides.iter().any(|(_, facts)| usable(facts).is_some()) {
        chart(analysis)
    } else {
        html! { p { "No chart: how much memory environments used is not known." } }
    };
    figure::section("Memory", &content)
}

fn usable(side: &VariantFacts) -> Option<SummaryStatistics> {
    side.memory.filter(|used| [used.min, used.p50, used.max].iter().all(|mib| (0.0..1e9).contains(mib)))
}

fn chart(analysis: &PairAnalysis) -> Markup {
    let names = names(analysis);
    let label = "The most memory that environments of both sides used, beside their settings. The same numbers are in the \
                 table below.";
    let caption = html! {
        "The most memory that each environment used, in MiB: the bar ends at the median, the thin line goes from the "
        "smallest to the largest."
        @if analysis.sides.iter().any(|(_, facts)| facts.memory_mb.is_some()) { " The pale bar is the memory setting." }
    };
    let table = numbers("The numbers", &numbers_of(analysis));
    figure(label, &caption, &table, [2.0 * ROW + LINE * 2.75; 2], |canvas| draw(canvas, analysis, &names))
}

fn draw(canvas: &Canvas<'_>, analysis: &PairAnalysis, names: &Sides<Name>) {
    let (left, right) = (8.0, canvas.width - 8.0);
    let (ticks, longest) = if is_narrow(canvas.width) { (4, 20) } else { (8, 60) };
    let settings = analysis.sides.iter().filter_map(|(_, facts)| facts.memory_mb.map(f64::from));
    let largest = analysis.sides.iter().filter_map(|(_, facts)| Some(usable(facts)?.max));
    let axis = Axis::linear(settings.chain(largest).chain([0.0]), (left, right));
    let bottom = 2.0 * ROW + 4.0;
    columns(canvas, &axis.labelled(ticks, short), (0.0, bottom));
    for (index, (side, facts)) in analysis.sides.iter().enumerate() {
        let (words, middle) = (ROW * index as f64 + 12.0, ROW * index as f64 + 30.0);
        let paint = paint(side);
        let bar = |mib: f64, opacity: f64| {
            canvas.rectangle([(axis.at(0.0), middle - 7.0), (axis.at(mib), middle + 7.0)], paint, opacity);
        };
        let mut text = shortened(&names[side].to_string(), longest);
        if let Some(setting) = facts.memory_mb {
            bar(setting.into(), 0.18);
        }
        if let Some(SummaryStatistics { min, p50, max, .. }) = usable(facts) {
            bar(p50, 1.0);
            canvas.line((axis.at(min), middle), (axis.at(max), middle), Paint::Ink, 1.5);
            text += &format!(", median {} MiB", significant(p50));
        } else {
            text += ", not known";
        }
        text += &facts.memory_mb.map(|setting| format!(" of {setting}")).unwrap_or_default();
        marked(canvas, side, &text, (left, words));
    }
    canvas.text("MiB", (right, bottom + LINE * 1.6), Anchor::Right, Paint::Muted);
}

fn numbers_of(analysis: &PairAnalysis) -> Markup {
    let names = names(analysis);
    let row = |(side, facts): (Side, &VariantFacts)| {
        let used =
            facts.memory.map_or([None; 7], |SummaryStatistics { mean, min, p50, p90, p95, p99, max, .. }| {
                [mean, min, p50, p90, p95, p99, max].map(Some)
            });
        let of_setting =
            facts.memory.zip(facts.memory_mb).map(|(used, mb)| proportion(used.p50 / f64::from(mb.max(1))));
        let mut row = vec![Value::text(names[side].to_string()), Value::number_or_unknown(facts.memory_mb)];
        row.extend(used.map(|mib| Value::number_or_unknown(mib.map(significant))));
        row.push(Value::number_or_unknown(of_setting));
        row
    };
    let of_numbers = ["setting", "mean", "min", "p50", "p90", "p95", "p99", "max", "median of setting"];
    let columns = [words("side")].into_iter().chain(of_numbers.map(document::numbers));
    let title = "The most memory that each environment used, in MiB.";
    table(&Table::new(title, columns, analysis.sides.iter().map(row)))
}
