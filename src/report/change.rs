//! What has changed between two campaigns.

use super::{
    document::{Block, Table, Tone, Value, numbers, words},
    words::{count, percent, significant},
};
use crate::{
    analysis::{
        change::{CellChange, Changes},
        result::Ratio,
        verdict::Verdict,
    },
    campaign::sides::Side,
};
use std::time::{Duration, UNIX_EPOCH};

/// The changes of ratios, then those of levels, then what else differs.
pub fn document(changes: &Changes) -> Vec<Block> {
    let mut blocks = vec![Block::Verdict(Tone::Neutral, sentence(changes))];
    for (campaign, warnings) in [("A", &changes.withheld.a), ("B", &changes.withheld.b)] {
        blocks.extend(warnings.iter().map(|warning| Block::Warning {
            name: warning.kind,
            text: format!("{campaign} gives no verdict. {}", warning.text),
            withholds: true,
        }));
    }
    if !changes.cells.is_empty() {
        let note = "Means are described and not judged: nothing tells a change of the code from drift of the fleet \
                    between A and B. The change of the ratio has taken out what both sides share of that drift, but not \
                    what one side's CPUs have to do with it.";
        let tables = [Block::Table(ratios(changes)), Block::Table(levels(changes)), Block::Remark(note.to_owned())];
        blocks.extend(tables);
    }
    let mut differences = differences(changes).peekable();
    if differences.peek().is_some() {
        blocks.push(Block::Heading("What else differs".to_owned()));
        blocks.extend(differences.map(Block::Item));
    }
    let [a, b] = [changes.created_unix_ms.a, changes.created_unix_ms.b]
        .map(|unix_ms| humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(unix_ms)));
    let order = if changes.created_unix_ms.a > changes.created_unix_ms.b { "; B is the earlier one" } else { "" };
    blocks.push(Block::Remark(format!("A was begun {a}, B {b}{order}.")));
    blocks
}

/// What came of it, for those who read nothing else.
fn sentence(changes: &Changes) -> String {
    let (baseline, candidate) = (&changes.names.baseline, &changes.names.candidate);
    let of = |verdict| changes.cells.iter().filter(|cell| cell.verdict == verdict).count();
    let counts = [
        (Verdict::Faster, "gained"),
        (Verdict::Slower, "lost"),
        (Verdict::Equivalent, "unchanged"),
        (Verdict::Inconclusive, "inconclusive"),
        (Verdict::Withheld, "withheld"),
    ];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(verdict, _)| of(*verdict) > 0)
        .map(|(verdict, word)| format!("{} {word}", of(verdict)))
        .collect();
    if counts.is_empty() {
        return "The campaigns have no cell in common.".to_owned();
    }
    let unchanged = format!("unchanged is within ±{}", percent(changes.margin));
    format!("From A to B, {candidate} compared with {baseline}, cells: {} ({unchanged}).", counts.join(", "))
}

fn ratios(changes: &Changes) -> Table {
    let ratio = |ratio: &Option<Ratio>| ratio.map_or(Value::Unknown, |ratio| Value::Change(ratio.estimate));
    let row = |cell: &CellChange| {
        vec![
            Value::text(&cell.name),
            ratio(&cell.ratios.a),
            ratio(&cell.ratios.b),
            cell.change.map_or(Value::Unknown, Value::ChangeWithInterval),
            verdict(cell),
        ]
    };
    let columns = [words("cell"), numbers("A"), numbers("B"), numbers("change (95% interval)"), words("verdict")];
    Table::new("Ratio of candidate to baseline", columns).with_rows(changes.cells.iter().map(row))
}

fn verdict(cell: &CellChange) -> Value {
    let needed = || match cell.environments_needed {
        Some(needed) => format!("~{} environments", count(needed)),
        None => "more blocks".to_owned(),
    };
    let (tone, word) = match cell.verdict {
        Verdict::Faster => (Tone::Good, "gained"),
        Verdict::Slower => (Tone::Bad, "lost"),
        Verdict::Equivalent => (Tone::Good, "unchanged"),
        Verdict::Inconclusive => (Tone::Open, "inconclusive"),
        Verdict::Withheld => (Tone::Open, "withheld"),
    };
    Value::Verdict(tone, word.to_owned(), (cell.verdict == Verdict::Inconclusive).then(needed))
}

fn levels(changes: &Changes) -> Table {
    let row = |cell: &CellChange| {
        let of_side = |side: Side| {
            let level = cell.levels[side];
            let mean = |ms: Option<f64>| ms.map_or("–".to_owned(), significant);
            let change = level.ratio.map_or(Value::Unknown, Value::Change);
            [Value::number(format!("{} → {} ms", mean(level.a_ms), mean(level.b_ms))), change]
        };
        [Value::text(&cell.name)].into_iter().chain(Side::BOTH.into_iter().flat_map(of_side)).collect()
    };
    let of_side = |side: Side| [numbers(format!("{side} A → B")), numbers("change")];
    let columns = [words("cell")].into_iter().chain(Side::BOTH.into_iter().flat_map(of_side));
    Table::new("Each side's own mean", columns).with_rows(changes.cells.iter().map(row))
}

fn differences(changes: &Changes) -> impl Iterator<Item = String> {
    let only_in_a = changes.only_in.a.iter().map(|cell| format!("{cell}: only in A"));
    let only_in_b = changes.only_in.b.iter().map(|cell| format!("{cell}: only in B"));
    changes.differences.iter().cloned().chain(only_in_a).chain(only_in_b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::change::changes,
        report::{fixture, terminal},
    };
    use anstream::adapter::strip_str;

    #[test]
    fn ratios_are_judged_and_levels_described() {
        let before = fixture::analysis();
        let mut after = before.clone();
        after.campaign.created_unix_ms += 86_400_000;
        after.sides.candidate.memory_mb = Some(3008);
        after.cells.remove(1);
        let deciding = &mut after.cells[0].comparisons[0];
        deciding.ratio = deciding.ratio.map(|it| Ratio { estimate: 0.5, ..it });
        let text = strip_str(&terminal::full(&document(&changes(&before, &after)))).to_string();
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert!(text.starts_with("From A to B, arm64 compared with x86_64, cells: 1 gained, "), "{text}");
        for part in [
            "math/matmul",
            "gained\n",
            "41.8 → 41.8 ms",
            "not judged",
            "math/primes: only in A",
            "candidate, memory: 1769 MB in A, 3008 MB in B",
            "needs ~",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        let swapped = strip_str(&terminal::full(&document(&changes(&after, &before)))).to_string();
        assert!(swapped.contains("B is the earlier one"), "{swapped}");
    }

    #[test]
    fn campaigns_that_have_nothing_in_common_say_so() {
        let before = fixture::analysis();
        let mut after = before.clone();
        after.cells.clear();
        assert!(
            strip_str(&terminal::full(&document(&changes(&before, &after))))
                .to_string()
                .starts_with("The campaigns have no cell in common.")
        );
    }
}
