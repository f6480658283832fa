//! A report as Markdown, for a comment on a pull request.

use super::{
    facts::{
        assumptions, change_and_interval, changes, how_to_read, milliseconds, mix, origin, savings, short_cpu,
        side_line, sources, start_name, starts_note,
    },
    words::{count, dollars, headline, names, percent_change, significant},
};
use crate::{
    analysis::{
        decision::Verdict,
        result::{Analysis, Comparison, Cost, Levels, Money},
    },
    campaign::sides::{Side, Sides},
};

/// All of an analysis in GitHub's Markdown, the verdict first.
pub fn report(analysis: &Analysis) -> String {
    let mut blocks = vec![format!("**{}**", escaped(&headline(analysis)))];
    let warning = |it: &crate::analysis::warning::Warning| {
        let mark = if it.kind.withholds() { "⛔" } else { "⚠️" };
        format!("- {mark} `{}`: {}", it.kind.as_str(), escaped(&it.text))
    };
    blocks.push(analysis.warnings.iter().map(warning).collect::<Vec<_>>().join("\n"));
    blocks.push(cells(analysis));
    blocks.extend(analysis.money.as_ref().map(|it| bill(analysis, it)));
    blocks.push("<details><summary>Measures, CPU models, provenance</summary>".to_owned());
    blocks.extend([measures(analysis), cpu_models(analysis), starts(analysis)]);
    blocks.extend(starts_note(analysis).map(|it| escaped(&it)));
    blocks.push(sides(analysis));
    blocks.push(escaped(&how_to_read(analysis)));
    blocks.extend(sources(analysis).map(|it| escaped(&it)));
    blocks.push(escaped(&origin(analysis)));
    blocks.push("</details>".to_owned());
    blocks.retain(|it| !it.is_empty());
    blocks.join("\n\n") + "\n"
}

/// A table, its columns of numbers to the right: `:` before a heading sets it to the left.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let plain = |it: &&str| escaped(it.trim_start_matches(':'));
    let rule = |it: &&str| if it.starts_with(':') { ":--".to_owned() } else { "--:".to_owned() };
    let mut lines = vec![line(header.iter().map(plain).collect()), line(header.iter().map(rule).collect())];
    lines.extend(rows.iter().map(|row| line(row.iter().map(|it| escaped(it)).collect())));
    lines.join("\n")
}

/// Text that Markdown shows as it is, also in a table.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(it) = characters.next() {
        let is_before_word = characters.peek().is_some_and(|it| it.is_alphanumeric());
        match it {
            '\n' | '\r' => escaped.push(' '),
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            // Nobody is to be notified.
            '@' if is_before_word => escaped.push_str("&#64;"),
            // Within a word it means nothing: x86_64 stays readable where nobody renders it.
            '_' if before.is_alphanumeric() && is_before_word => escaped.push('_'),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '#' => escaped.extend(['\\', it]),
            it => escaped.push(it),
        }
        before = it;
    }
    escaped
}

fn verdict(comparison: &Comparison) -> String {
    match (comparison.verdict, comparison.environments_needed) {
        (Verdict::Inconclusive, Some(needed)) => format!("inconclusive, needs ~{} environments", count(needed)),
        (Verdict::Inconclusive, None) => "inconclusive, needs more blocks".to_owned(),
        (verdict, _) => verdict.to_string(),
    }
}

fn environments(comparison: &Comparison) -> String {
    format!("{}/{}", comparison.environments.baseline, comparison.environments.candidate)
}

/// The ratio as a change with its interval, unless it is withheld.
fn change(comparison: &Comparison) -> String {
    match (comparison.verdict, &comparison.ratio) {
        (Verdict::Withheld, _) | (_, None) => "–".to_owned(),
        (_, Some(ratio)) => change_and_interval(ratio),
    }
}

fn means(comparison: &Comparison) -> [String; 2] {
    Side::BOTH.map(|side| milliseconds(comparison.levels[side].as_ref()))
}

fn cells(analysis: &Analysis) -> String {
    let names = names(analysis);
    let deciding: Vec<(&str, &Comparison)> =
        analysis.cells.iter().filter_map(|it| Some((it.name.as_str(), it.deciding()?))).collect();
    let all = analysis.headline.iter().filter(|_| deciding.len() > 1).map(|it| ("all", it));
    let row = |(name, it): (&str, &Comparison)| {
        let ratio = it.ratio.filter(|_| it.verdict != Verdict::Withheld);
        let [baseline, candidate] = means(it);
        let change = ratio.map_or("–".to_owned(), |it| percent_change(it.estimate));
        let interval = changes(ratio.and_then(|it| it.interval));
        vec![name.to_owned(), baseline, candidate, change, interval, environments(it), verdict(it)]
    };
    let rows: Vec<Vec<String>> = all.chain(deciding.iter().copied()).map(row).collect();
    let measure = deciding.first().map_or(String::new(), |(_, it)| format!(":{}", it.measure));
    table(&[&measure, &names.baseline, &names.candidate, "change", "95% interval", "environments", ":verdict"], &rows)
}

fn bill(analysis: &Analysis, money: &Money) -> String {
    let names = names(analysis);
    let cost = |it: &Cost| {
        let interval = it.interval.map(|it| format!(" ({} to {})", dollars(it.low), dollars(it.high)));
        dollars(it.total_usd) + &interval.unwrap_or_default()
    };
    let row = |label: String, costs: &Sides<Cost>| vec![label, cost(&costs.baseline), cost(&costs.candidate)];
    let rows = [
        row("a million".to_owned(), &money.per_million),
        row(format!("{} a month", count(money.invocations_per_month as u64)), &money.monthly),
    ];
    let table = table(&[":invocations", &names.baseline, &names.candidate], &rows);
    format!("{table}\n\n{} {}", escaped(&savings(&names, money)), escaped(&assumptions(money)))
}

fn measures(analysis: &Analysis) -> String {
    let names = names(analysis);
    let of_cells = analysis.cells.iter().flat_map(|cell| cell.comparisons.iter().skip(1).map(move |it| (cell, it)));
    let row = |name: &str, it: &Comparison| {
        let [baseline, candidate] = means(it);
        let tail = |it: &Option<Levels>| it.map_or("–".to_owned(), |it| significant(it.p99));
        let p99 = format!("{}/{}", tail(&it.levels.baseline), tail(&it.levels.candidate));
        vec![name.to_owned(), it.measure.to_string(), baseline, candidate, change(it), p99]
    };
    let rows: Vec<Vec<String>> = of_cells.map(|(cell, it)| row(&cell.name, it)).collect();
    table(&[":cell", ":measure", &names.baseline, &names.candidate, "change (95% interval)", "p99 ms"], &rows)
}

fn cpu_models(analysis: &Analysis) -> String {
    let names = names(analysis);
    let of_cells = analysis.cells.iter().flat_map(|cell| cell.by_cpu.iter().map(move |it| (cell, it)));
    let rows: Vec<Vec<String>> = of_cells
        .map(|(cell, it)| {
            vec![
                cell.name.clone(),
                short_cpu(&it.models.baseline),
                short_cpu(&it.models.candidate),
                change_and_interval(&it.ratio),
                format!("{}/{}", it.environments.baseline, it.environments.candidate),
            ]
        })
        .collect();
    let [baseline, candidate] = Side::BOTH.map(|side| format!(":CPU of {}", names[side]));
    table(&[":cell", &baseline, &candidate, "change (95% interval)", "environments"], &rows)
}

fn starts(analysis: &Analysis) -> String {
    let names = names(analysis);
    let row = |it: &Comparison| {
        let [baseline, candidate] = means(it);
        vec![start_name(it.measure).to_owned(), baseline, candidate, change(it), environments(it), verdict(it)]
    };
    let rows: Vec<Vec<String>> = analysis.starts.comparisons.iter().map(row).collect();
    let header = [":starts", &names.baseline, &names.candidate, "change (95% interval)", "environments", ":verdict"];
    table(&header, &rows)
}

fn sides(analysis: &Analysis) -> String {
    let names = names(analysis);
    let side = |side: Side| {
        let it = &analysis.sides[side];
        let cpus = if it.cpus.is_empty() { String::new() } else { format!("; CPUs: {}", mix(it)) };
        let memory = it.memory.map(|it| format!("; memory {} MiB", significant(it.mean))).unwrap_or_default();
        let builds = it.builds.iter().map(|it| format!("; build {it}")).collect::<String>();
        let facts = format!("{}{cpus}{memory}; {}{builds}", side_line(it), it.target);
        format!("- **{}**: {}", escaped(&names[side]), escaped(&facts))
    };
    Side::BOTH.map(side).join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn the_verdict_comes_first_and_the_rest_can_be_opened() {
        let text = report(&fixture::analysis());
        assert!(text.starts_with("**arm64 is 25% cheaper than x86_64 "), "{text}");
        let (shown, hidden) = text.split_once("<details>").unwrap();
        for part in ["- ⚠️ `unseen-cpus`: ", "| math/matmul | 41.8 ms |", "needs \\~412 environments", "| a million |"]
        {
            assert!(shown.contains(part), "{part} is not in\n{shown}");
        }
        for part in ["CPU time", "Neoverse-V1", "cold call", "seed 42", "</details>"] {
            assert!(hidden.contains(part), "{part} is not in\n{hidden}");
        }
    }

    #[test]
    fn tables_keep_their_columns_whatever_names_say() {
        let mut analysis = fixture::analysis();
        analysis.cells[0].name = "a|b\n<img>`@all".to_owned();
        analysis.sides.baseline.name = "x|y".to_owned();
        let text = report(&analysis);
        assert!(text.contains("| a\\|b &lt;img>\\`&#64;all |"), "{text}");
        for block in text.split("\n\n").filter(|it| it.starts_with('|')) {
            let columns = |line: &str| line.replace("\\|", "").matches('|').count();
            let expected = columns(block.lines().next().unwrap());
            assert!(block.lines().all(|it| columns(it) == expected), "{block}");
        }
    }

    #[test]
    fn a_report_without_cells_is_a_sentence() {
        let mut analysis = fixture::analysis();
        analysis.cells.clear();
        (analysis.headline, analysis.money) = (None, None);
        let text = report(&analysis);
        assert!(text.starts_with("**No verdict: ") && !text.contains("\n\n\n"), "{text}");
    }
}
