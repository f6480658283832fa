//! A report for a terminal of 100 columns: the verdict in the first lines, then what it rests on.

use super::{
    facts::{
        assumptions, change_and_interval, changes, how_to_read, milliseconds, mix, origin, savings, short_cpu,
        side_line, sources, start_name, starts_note,
    },
    terminal::{STYLE, WIDTH, right},
    words::{count, dollars, headline, names, percent_change, significant},
};
use crate::{
    analysis::{
        decision::Verdict,
        result::{Analysis, CellAnalysis, Comparison, Cost, Levels, Money},
        warning::Warning,
    },
    campaign::sides::Sides,
};
use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Table};

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default();
pub(super) const OPEN: Style = AnsiColor::Yellow.on_default();
pub(super) const FAINT: Style = Style::new().dimmed();

/// All of an analysis, with ANSI styles: print it through `anstream`, which leaves them out where there is no terminal.
pub fn report(analysis: &Analysis) -> String {
    let (grave, other): (Vec<&Warning>, Vec<&Warning>) = analysis.warnings.iter().partition(|it| it.kind.withholds());
    let mut text = String::new();
    for warning in &grave {
        text += &paragraph(&format!("{}: {}", warning.kind.as_str(), warning.text), BAD.bold());
    }
    text += &paragraph(&headline(analysis), BOLD);
    let sections = [
        cells(analysis),
        measures(analysis),
        cpu_models(analysis),
        sides(analysis),
        starts(analysis),
        analysis.money.as_ref().map(|it| bill(analysis, it)).unwrap_or_default(),
        warnings(&other),
        provenance(analysis),
    ];
    for section in sections.iter().filter(|it| !it.is_empty()) {
        text.push('\n');
        text += section;
    }
    text
}

/// Text in lines that fit, in one style.
pub(super) fn paragraph(text: &str, style: Style) -> String {
    let line = |line| format!("{style}{line}{style:#}\n");
    textwrap::wrap(text, usize::from(WIDTH)).iter().map(line).collect()
}

pub(super) fn heading(text: &str) -> String {
    format!("{BOLD}{text}{BOLD:#}\n")
}

/// A table whose last column is not broken, its verdicts coloured.
///
/// The first `texts` columns hold text, and so does one of verdicts.
pub(super) fn layout(header: &[&str], texts: usize, rows: Vec<Vec<Cell>>) -> String {
    let mut table = Table::new();
    let columns = header.len();
    let header = header.iter().enumerate().map(|(index, it)| match index < texts || *it == "verdict" {
        true => Cell::new(it),
        false => right((*it).to_owned()),
    });
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH)
        .set_header(header)
        .add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((2 * u16::from(index > 0), 0));
        // Names may be broken; numbers may not.
        if index > 0 && index < columns {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.to_string().lines().map(|line| coloured(line.trim_end()) + "\n").collect()
}

/// A line of a table whose last column is a verdict or a decision. Colours come after the layout, which would take
/// them for text.
fn coloured(line: &str) -> String {
    let styles = [
        (GOOD, ["faster", "pass", "gained"].as_slice()),
        (BAD, &["slower", "fail", "lost"]),
        (GOOD, &["equivalent", "unchanged"]),
        (OPEN, &["inconclusive", "withheld", " envs", " more blocks"]),
    ];
    for (style, words) in styles {
        for word in words {
            if let Some(rest) = line.strip_suffix(word).filter(|it| it.ends_with(' ') || word.starts_with(' ')) {
                return format!("{rest}{style}{word}{style:#}");
            }
        }
    }
    line.to_owned()
}

fn verdict(comparison: &Comparison) -> String {
    match (comparison.verdict, comparison.environments_needed) {
        (Verdict::Inconclusive, Some(needed)) => format!("inconclusive\nneeds ~{} envs", count(needed)),
        (Verdict::Inconclusive, None) => "inconclusive\nneeds more blocks".to_owned(),
        (verdict, _) => verdict.to_string(),
    }
}

fn cells(analysis: &Analysis) -> String {
    let deciding: Vec<(&CellAnalysis, &Comparison)> =
        analysis.cells.iter().filter_map(|it| Some((it, it.deciding()?))).collect();
    let Some((_, first)) = deciding.first() else { return String::new() };
    let names = columns(analysis);
    let header = ["cell", &names.baseline, &names.candidate, "change", "95% interval", "envs", "verdict"];
    let all = analysis.headline.iter().filter(|_| deciding.len() > 1).map(|it| ("all", it));
    let rows = all.chain(deciding.iter().map(|(cell, it)| (cell.name.as_str(), *it))).map(|(name, it)| {
        let (change, interval) = match it.verdict {
            Verdict::Withheld => ("–".to_owned(), "–".to_owned()),
            _ => it
                .ratio
                .map_or(("–".to_owned(), "–".to_owned()), |it| (percent_change(it.estimate), changes(it.interval))),
        };
        vec![
            Cell::new(name),
            right(milliseconds(it.levels.baseline.as_ref())),
            right(milliseconds(it.levels.candidate.as_ref())),
            right(change),
            right(interval),
            right(format!("{}/{}", it.environments.baseline, it.environments.candidate)),
            Cell::new(verdict(it)),
        ]
    });
    let title = format!("{}, {} beside {}", first.measure, names.candidate, names.baseline);
    heading(&title) + &layout(&header, 1, rows.collect())
}

/// The names of both sides as headings of columns.
pub(super) fn columns(analysis: &Analysis) -> Sides<String> {
    names(analysis).map(|_, it| short(it))
}

/// The beginning of a name, without an article, such that columns of numbers stay narrow.
fn short(name: &str) -> String {
    const LONGEST: usize = 13;
    let name = name.strip_prefix("the ").unwrap_or(name);
    match name.chars().count() > LONGEST {
        true => name.chars().take(LONGEST - 1).chain(['…']).collect(),
        false => name.to_owned(),
    }
}

/// The measures that do not decide, a line each.
fn measures(analysis: &Analysis) -> String {
    let rows: Vec<Vec<Cell>> = analysis
        .cells
        .iter()
        .flat_map(|cell| cell.comparisons.iter().skip(1).enumerate().map(move |it| (cell, it)))
        .map(|(cell, (index, it))| {
            let name = if index == 0 { cell.name.as_str() } else { "" };
            let tail = |it: &Option<Levels>| it.map_or("–".to_owned(), |it| significant(it.p99));
            let mut row = vec![Cell::new(name), Cell::new(it.measure)];
            row.extend(
                [milliseconds(it.levels.baseline.as_ref()), milliseconds(it.levels.candidate.as_ref())].map(right),
            );
            row.push(right(match it.verdict {
                Verdict::Withheld => "withheld".to_owned(),
                _ => it.ratio.as_ref().map_or("–".to_owned(), change_and_interval),
            }));
            row.push(right(format!("{}/{}", tail(&it.levels.baseline), tail(&it.levels.candidate))));
            row
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let names = columns(analysis);
    let header = ["cell", "measure", &names.baseline, &names.candidate, "change (95% interval)", "p99 ms"];
    heading("Other measures") + &layout(&header, 2, rows)
}

fn cpu_models(analysis: &Analysis) -> String {
    let rows: Vec<Vec<Cell>> = analysis
        .cells
        .iter()
        .flat_map(|cell| cell.by_cpu.iter().enumerate().map(move |it| (cell, it)))
        .map(|(cell, (index, it))| {
            vec![
                Cell::new(if index == 0 { cell.name.as_str() } else { "" }),
                Cell::new(short_cpu(&it.models.candidate)),
                Cell::new(short_cpu(&it.models.baseline)),
                right(change_and_interval(&it.ratio)),
                right(format!("{}/{}", it.environments.baseline, it.environments.candidate)),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let names = columns(analysis);
    let header = ["cell", &names.candidate, &names.baseline, "change (95% interval)", "environments"];
    heading("By CPU model") + &layout(&header, 3, rows)
}

fn sides(analysis: &Analysis) -> String {
    let names = names(analysis);
    let mut text = heading("Sides");
    for (side, it) in analysis.sides.iter() {
        let mut lines = vec![side_line(it)];
        if !it.cpus.is_empty() {
            lines.push(format!("CPUs: {}", mix(it)));
        }
        if let Some(memory) = &it.memory {
            let interval = memory.interval.map(|it| format!(" ({} to {})", significant(it.low), significant(it.high)));
            let interval = interval.unwrap_or_default();
            lines.push(format!(
                "memory: {} MiB{interval}, at most {}",
                significant(memory.mean),
                significant(memory.max)
            ));
        }
        lines.push(it.target.clone());
        lines.extend(it.builds.iter().map(|it| format!("build {it}")));
        text += &hanging(&names[side], &lines);
    }
    text
}

/// Lines behind a label, those that are too long broken.
fn hanging(label: &str, lines: &[String]) -> String {
    const INDENT: &str = "              ";
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let first =
            if index == 0 { format!("{:<width$}", short(label), width = INDENT.len()) } else { INDENT.to_owned() };
        let options = textwrap::Options::new(WIDTH.into()).initial_indent(&first).subsequent_indent(INDENT);
        text += &(textwrap::fill(line, options) + "\n");
    }
    text
}

fn starts(analysis: &Analysis) -> String {
    let rows: Vec<Vec<Cell>> = analysis
        .starts
        .comparisons
        .iter()
        .map(|it| {
            let mut row = vec![Cell::new(start_name(it.measure))];
            row.extend([&it.levels.baseline, &it.levels.candidate].map(|it| right(milliseconds(it.as_ref()))));
            row.push(right(match (it.verdict, &it.ratio) {
                (Verdict::Withheld, _) | (_, None) => "–".to_owned(),
                (_, Some(ratio)) => change_and_interval(ratio),
            }));
            row.push(right(format!("{}/{}", it.environments.baseline, it.environments.candidate)));
            row.push(Cell::new(verdict(it)));
            row
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let names = columns(analysis);
    let header = ["", &names.baseline, &names.candidate, "change (95% interval)", "environments", "verdict"];
    let note = starts_note(analysis).map(|it| paragraph(&it, FAINT)).unwrap_or_default();
    heading("Starts of environments") + &layout(&header, 1, rows) + &note
}

fn bill(analysis: &Analysis, money: &Money) -> String {
    let names = names(analysis);
    let month = format!("{} a month", count(money.invocations_per_month as u64));
    let row = |label: String, costs: &Sides<Cost>| {
        let cost = |it: &Cost| {
            let interval = it.interval.map(|it| format!(" ({} to {})", dollars(it.low), dollars(it.high)));
            right(dollars(it.total_usd) + &interval.unwrap_or_default())
        };
        vec![Cell::new(label), cost(&costs.baseline), cost(&costs.candidate)]
    };
    let rows = vec![row("a million".to_owned(), &money.per_million), row(month, &money.monthly)];
    let columns = columns(analysis);
    let header = ["invocations", &columns.baseline, &columns.candidate];
    let mut text = heading("Bill") + &layout(&header, 1, rows);
    text += &paragraph(&savings(&names, money), Style::new());
    text += &paragraph(&assumptions(money), FAINT);
    text
}

fn warnings(warnings: &[&Warning]) -> String {
    if warnings.is_empty() {
        return String::new();
    }
    let mut text = heading("To know before using this");
    for warning in warnings {
        let options = textwrap::Options::new(WIDTH.into()).initial_indent("- ").subsequent_indent("  ");
        let lines = textwrap::fill(&format!("{}: {}", warning.kind.as_str(), warning.text), options);
        text.extend(lines.lines().map(|it| format!("{OPEN}{it}{OPEN:#}\n")));
    }
    text
}

fn provenance(analysis: &Analysis) -> String {
    let texts = [Some(origin(analysis)), sources(analysis), Some(how_to_read(analysis))];
    texts.iter().flatten().map(|it| paragraph(it, FAINT)).collect()
}

#[cfg(test)]
mod tests;
