//! What has changed between two campaigns, for a terminal.

use super::{
    facts::change_and_interval,
    table::{BAD, BOLD, FAINT, OPEN, heading, layout, paragraph},
    terminal::right,
    words::{count, percent, percent_change, significant},
};
use crate::{
    analysis::{
        change::{CellChange, Changes},
        decision::Verdict,
        result::Ratio,
    },
    campaign::sides::Side,
};
use comfy_table::Cell;
use std::time::{Duration, UNIX_EPOCH};

/// The changes of ratios, then those of levels, then what else differs, with ANSI styles.
pub fn report(changes: &Changes) -> String {
    let mut text = String::new();
    for (campaign, warnings) in [("A", &changes.withheld.a), ("B", &changes.withheld.b)] {
        for warning in warnings {
            let line = format!("{campaign} gives no verdict, {}: {}", warning.kind.as_str(), warning.text);
            text += &paragraph(&line, BAD.bold());
        }
    }
    text += &paragraph(&sentence(changes), BOLD);
    if !changes.cells.is_empty() {
        text += &format!("\n{}{}", heading("Ratio of candidate to baseline"), ratios(changes));
        text += &format!("\n{}{}", heading("Each side's own level"), levels(changes));
        let note = "Levels are described and not judged: nothing tells a change of the code from drift of the fleet \
                    between A and B. The change of the ratio has taken out what both sides share of that drift, but not \
                    what one side's CPUs have to do with it.";
        text += &paragraph(note, FAINT);
    }
    let differences = differences(changes);
    if !differences.is_empty() {
        text += &format!("\n{}", heading("What else differs"));
        text.extend(differences.iter().map(|it| paragraph(&format!("- {it}"), OPEN)));
    }
    let times = [changes.created_unix_ms.a, changes.created_unix_ms.b]
        .map(|it| humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(it)));
    let [a, b] = times;
    let order = if changes.created_unix_ms.a > changes.created_unix_ms.b { "; B is the earlier one" } else { "" };
    text + "\n" + &paragraph(&format!("A was begun {a}, B {b}{order}."), FAINT)
}

/// What came of it, for those who read nothing else.
fn sentence(changes: &Changes) -> String {
    let (baseline, candidate) = (&changes.names.baseline, &changes.names.candidate);
    let of = |verdict| changes.cells.iter().filter(|it| it.verdict == verdict).count();
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
    match counts.is_empty() {
        true => "The campaigns have no cell in common.".to_owned(),
        false => {
            let unchanged = format!("unchanged is within ±{}", percent(changes.margin));
            format!("From A to B, {candidate} beside {baseline}, cells: {} ({unchanged}).", counts.join(", "))
        }
    }
}

fn ratios(changes: &Changes) -> String {
    let ratio = |it: &Option<Ratio>| right(it.map_or("–".to_owned(), |it| percent_change(it.estimate)));
    let row = |it: &CellChange| {
        let change = it.change.as_ref().map_or("–".to_owned(), change_and_interval);
        vec![Cell::new(&it.name), ratio(&it.ratios.a), ratio(&it.ratios.b), right(change), Cell::new(verdict(it))]
    };
    layout(&["cell", "A", "B", "change (95% interval)", "verdict"], 1, changes.cells.iter().map(row).collect())
}

fn verdict(cell: &CellChange) -> String {
    let needed = || match cell.environments_needed {
        Some(needed) => format!("needs ~{} envs", count(needed)),
        None => "needs more blocks".to_owned(),
    };
    match cell.verdict {
        Verdict::Faster => "gained".to_owned(),
        Verdict::Slower => "lost".to_owned(),
        Verdict::Equivalent => "unchanged".to_owned(),
        Verdict::Inconclusive => format!("inconclusive\n{}", needed()),
        Verdict::Withheld => "withheld".to_owned(),
    }
}

fn levels(changes: &Changes) -> String {
    let row = |it: &CellChange| {
        let mut row = vec![Cell::new(&it.name)];
        for side in Side::BOTH {
            let level = it.levels[side];
            let mean = |it: Option<f64>| it.map_or("–".to_owned(), significant);
            let change = level.ratio.map_or("–".to_owned(), percent_change);
            row.push(right(format!("{} → {} ms", mean(level.a_ms), mean(level.b_ms))));
            row.push(right(change));
        }
        row
    };
    let header = ["cell", "baseline A → B", "change", "candidate A → B", "change"];
    layout(&header, 1, changes.cells.iter().map(row).collect())
}

fn differences(changes: &Changes) -> Vec<String> {
    let mut lines = changes.differences.clone();
    lines.extend(changes.only_in.a.iter().map(|it| format!("{it}: only in A")));
    lines.extend(changes.only_in.b.iter().map(|it| format!("{it}: only in B")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{analysis::change::changes, report::fixture};
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
        let text = strip_str(&report(&changes(&before, &after))).to_string();
        assert!(text.lines().all(|it| it.chars().count() <= 100), "{text}");
        assert!(text.starts_with("From A to B, arm64 beside x86_64, cells: 1 gained, "), "{text}");
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
        let swapped = strip_str(&report(&changes(&after, &before))).to_string();
        assert!(swapped.contains("B is the earlier one"), "{swapped}");
    }

    #[test]
    fn campaigns_that_have_nothing_in_common_say_so() {
        let before = fixture::analysis();
        let mut after = before.clone();
        after.cells.clear();
        assert!(
            strip_str(&report(&changes(&before, &after)))
                .to_string()
                .starts_with("The campaigns have no cell in common.")
        );
    }
}
