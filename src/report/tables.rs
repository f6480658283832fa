//! The tables of an analysis that every output format has; a table of one chart or subcommand stands with it.

use super::{
    document::{Column, Table, Value, numbers, words},
    words::{
        MORE_BLOCKS, capitalized, count, dollars_to, measured_in, names, percent, short_cpu, significant, time_unit,
        with_interval,
    },
};
use crate::analysis::sides::{Side, Sides};
use crate::analysis::{
    result::{CellAnalysis, Comparison, Cost, CpuComparison, Measure, Money, PairAnalysis, Ratio, SummaryStatistics},
    verdict::Verdict,
};
use crate::campaign::cell_names::ALL_CELLS;

/// Each cell by the measure that decides, and before them all together.
pub fn cells(analysis: &PairAnalysis) -> Table {
    let deciding: Vec<(&str, &Comparison)> =
        analysis.cells.iter().filter_map(|cell| Some((cell.name.as_str(), cell.deciding()?))).collect();
    let all = analysis.headline.iter().filter(|_| deciding.len() > 1).map(|headline| (ALL_CELLS, headline));
    let row = |(name, comparison): (&str, &Comparison)| {
        let ratio = judged(comparison);
        let [baseline, candidate] = means(comparison);
        vec![
            Value::text(name),
            baseline,
            candidate,
            ratio.map_or(Value::Unknown, |ratio| Value::Change(ratio.estimate)),
            ratio.and_then(|ratio| ratio.interval).map_or(Value::Unknown, Value::Interval),
            environments(comparison),
            verdict(comparison),
        ]
    };
    let names = names(analysis);
    let title = deciding.first().map_or(String::new(), |(_, first)| {
        format!("{} of {} compared with {}", capitalized(first.measure.as_str()), names.candidate, names.baseline)
    });
    let [baseline, candidate] = of_sides(analysis);
    let columns = [
        words("cell"),
        baseline,
        candidate,
        numbers("change"),
        numbers(format!("{} interval", percent(analysis.method.confidence))),
        numbers("environments"),
        words("verdict"),
    ];
    Table::new(title, columns, all.chain(deciding.iter().copied()).map(row))
}

/// The measures that do not decide.
pub fn measures(analysis: &PairAnalysis) -> Table {
    let row = |(cell, comparison): (&CellAnalysis, &Comparison)| {
        let [baseline, candidate] = means(comparison);
        let [p99, candidate_p99] = Side::BOTH
            .map(|side| comparison.statistics[side].map_or("–".to_owned(), |levels| significant(levels.p99)));
        vec![
            Value::text(&cell.name),
            Value::text(comparison.measure.as_str()),
            baseline,
            candidate,
            change(comparison),
            Value::number(format!("{p99}/{candidate_p99}")),
        ]
    };
    let cells = analysis.cells.iter();
    let rows = cells.flat_map(|cell| cell.comparisons.iter().skip(1).map(move |comparison| (cell, comparison)));
    let [baseline, candidate] = of_sides(analysis);
    let columns = [words("cell"), words("measure"), baseline, candidate, changes(analysis), numbers("p99 ms")];
    Table::new("Other measures", columns, rows.map(row))
}

/// Each pair of CPU models.
pub fn cpu_models(analysis: &PairAnalysis) -> Table {
    let row = |(cell, pair): (&CellAnalysis, &CpuComparison)| {
        vec![
            Value::text(&cell.name),
            Value::text(short_cpu(&pair.models.baseline)),
            Value::text(short_cpu(&pair.models.candidate)),
            Value::ChangeWithInterval(pair.ratio),
            Value::Environments(pair.environments.map(|_, number| Some(*number)), None),
        ]
    };
    let rows = analysis.cells.iter().flat_map(|cell| cell.by_cpu.iter().map(move |pair| (cell, pair)));
    let names = names(analysis);
    let [baseline, candidate] = Side::BOTH.map(|side| words(format!("CPU of {}", names[side].label())));
    let columns = [words("cell"), baseline, candidate, changes(analysis), numbers("environments")];
    Table::new("By CPU model", columns, rows.map(row))
}

pub fn cold_starts(analysis: &PairAnalysis) -> Table {
    let row = |comparison: &Comparison| {
        let [baseline, candidate] = means(comparison);
        let name = match comparison.measure {
            Measure::Latency => "cold call",
            other => other.as_str(),
        };
        let (change, environments) = (change(comparison), environments(comparison));
        vec![Value::text(name), baseline, candidate, change, environments, verdict(comparison)]
    };
    let [baseline, candidate] = of_sides(analysis);
    let (environments, verdict) = (numbers("environments"), words("verdict"));
    let columns = [words("measure"), baseline, candidate, changes(analysis), environments, verdict];
    Table::new("Cold starts", columns, analysis.cold_starts.comparisons.iter().map(row))
}

/// What both sides cost.
pub fn bill(analysis: &PairAnalysis, money: &Money) -> Table {
    let cost = |cost: &Cost| Value::number(with_interval(cost.total_usd, cost.interval, dollars_to));
    let row =
        |label: String, costs: &Sides<Cost>| vec![Value::text(label), cost(&costs.baseline), cost(&costs.candidate)];
    let month = format!("{} invocations a month", count(money.invocations_per_month as u64));
    let rows = [row("per million invocations".to_owned(), &money.per_million), row(month, &money.monthly)];
    let [baseline, candidate] = of_sides(analysis);
    Table::new("Bill", [words("volume"), baseline, candidate], rows)
}

pub fn of_sides(analysis: &PairAnalysis) -> [Column; 2] {
    let names = names(analysis);
    Side::BOTH.map(|side| numbers(names[side].label()))
}

pub fn changes(analysis: &PairAnalysis) -> Column {
    numbers(format!("change ({} interval)", percent(analysis.method.confidence)))
}

fn means(comparison: &Comparison) -> [Value; 2] {
    let of_sides = Side::BOTH.map(|side| comparison.statistics[side].map(|levels: SummaryStatistics| levels.mean));
    // One unit for both.
    let unit = time_unit(of_sides.iter().flatten().copied().fold(0.0, f64::max));
    of_sides.map(|mean| Value::number_or_unknown(mean.map(|mean| measured_in(unit, mean))))
}

/// The ratio, unless it is withheld.
pub fn judged(comparison: &Comparison) -> Option<Ratio> {
    comparison.ratio.filter(|_| comparison.verdict != Verdict::Withheld)
}

fn change(comparison: &Comparison) -> Value {
    judged(comparison).map_or(Value::Unknown, Value::ChangeWithInterval)
}

/// The environments of so many calls. None if nothing tells them apart.
pub fn known_environments(environments: u32, calls: u64) -> Option<u32> {
    Some(environments).filter(|environments| *environments > 0 || calls == 0)
}

fn environments(comparison: &Comparison) -> Value {
    let is_open = comparison.verdict == Verdict::Inconclusive;
    let known = comparison.environments.map(|side, number| known_environments(*number, comparison.calls[side]));
    Value::Environments(known, comparison.environments_needed.filter(|_| is_open))
}

pub fn verdict(comparison: &Comparison) -> Value {
    let verdict = comparison.verdict;
    let needs_blocks = verdict == Verdict::Inconclusive && comparison.environments_needed.is_none();
    Value::Verdict(verdict.into(), verdict.to_string(), needs_blocks.then(|| MORE_BLOCKS.to_owned()))
}
