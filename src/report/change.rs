//! What has changed between two campaigns.

use super::{
    document::{Block, Table, Tone, Value, numbers, words},
    words::{MORE_BLOCKS, by_verdict, date, environments_needed, percent, significant, time_unit},
};
use crate::analysis::sides::Side;
use crate::analysis::{
    change::{Campaigns, CellChange, Changes, MeanChange, PairChanges},
    result::Ratio,
    verdict::Verdict,
    warning_kind::Warning,
};

/// The changes of ratios, then those of means, then what else differs: of the only candidate, or of each.
pub fn document(changes: &Changes) -> Vec<Block> {
    let mut blocks = match changes.comparisons.as_slice() {
        [pair] => of_pair(pair, changes),
        pairs => of_pairs(pairs, changes),
    };
    for (campaign, names) in [("A", &changes.only_in.a), ("B", &changes.only_in.b)] {
        blocks.extend(names.iter().map(|name| Block::Item(format!("{name}: only in {campaign}"))));
    }
    blocks.push(Block::Remark(when(changes)));
    blocks
}

/// When each campaign was begun or imported, and which is the earlier one.
fn when(changes: &Changes) -> String {
    let Campaigns { a, b } = changes.created_unix_ms;
    let done = |is_imported| if is_imported { "imported" } else { "begun" };
    let (one, other) = (done(changes.imported.a), done(changes.imported.b));
    let has_order = !changes.imported.a && !changes.imported.b;
    let order = if has_order && a > b { "; B is the earlier one" } else { "" };
    let other = if one == other { String::new() } else { format!("was {other} ") };
    format!("A was {one} {}, B {other}{}{order}.", date(a), date(b))
}

fn of_pairs(pairs: &[PairChanges], changes: &Changes) -> Vec<Block> {
    let mut blocks = Vec::new();
    if pairs.is_empty() {
        let text = "The campaigns have no candidate in common.".to_owned();
        blocks.push(Block::Verdict(Tone::Neutral, text));
    }
    for pair in pairs {
        blocks.push(Block::Heading(pair.names.candidate.clone()));
        blocks.extend(of_pair(pair, changes));
    }
    blocks
}

fn of_pair(changes: &PairChanges, all: &Changes) -> Vec<Block> {
    let mut blocks = vec![Block::Verdict(Tone::Neutral, sentence(changes, all.margin))];
    for (campaign, warnings) in [("A", &changes.withheld.a), ("B", &changes.withheld.b)] {
        blocks.extend(warnings.iter().map(|warning| {
            let text = format!("{campaign} gives no verdict. {}", warning.text);
            Block::warning(&Warning { text, ..warning.clone() }, true)
        }));
    }
    if !changes.cells.is_empty() {
        let note = if all.are_of_fleets {
            "Means are described and not judged: nothing tells a change of the code from drift of the fleet between A and \
             B. The change of the ratio has taken out what both sides share of that drift, but not what one side's CPUs \
             have to do with it."
        } else {
            "Means are described and not judged: nothing tells a change of what was measured from drift between A and B. \
             The change of the ratio has taken out what both sides share of that drift, but not what one side alone has."
        };
        blocks.extend([ratios(changes), means(changes)].map(Block::Table));
        blocks.push(Block::Remark(note.to_owned()));
    }
    let mut differences = changes.differences.clone();
    differences.extend(changes.only_in.a.iter().map(|cell| format!("{cell}: only in A")));
    differences.extend(changes.only_in.b.iter().map(|cell| format!("{cell}: only in B")));
    if !differences.is_empty() {
        blocks.push(Block::Heading("What else differs".to_owned()));
        blocks.extend(differences.into_iter().map(Block::Item));
    }
    blocks
}

/// The result in one sentence.
fn sentence(changes: &PairChanges, margin: f64) -> String {
    let (baseline, candidate) = (&changes.names.baseline, &changes.names.candidate);
    let verdicts = changes.cells.iter().map(|cell| cell.verdict);
    let counts: Vec<String> =
        by_verdict(verdicts).map(|(verdict, number)| format!("{number} {}", word(verdict))).collect();
    if counts.is_empty() {
        return "The campaigns have no cell in common.".to_owned();
    }
    let unchanged = format!("unchanged is within ±{}", percent(margin));
    format!("From A to B, {candidate} compared with {baseline}, cells: {} ({unchanged}).", counts.join(", "))
}

fn ratios(changes: &PairChanges) -> Table {
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
    Table::new("Ratio of candidate to baseline", columns, changes.cells.iter().map(row))
}

fn verdict(cell: &CellChange) -> Value {
    let is_open = cell.verdict == Verdict::Inconclusive;
    let needed = || cell.environments_needed.map_or(MORE_BLOCKS.to_owned(), environments_needed);
    Value::Verdict(cell.verdict.into(), word(cell.verdict), is_open.then(needed))
}

/// A verdict on the change of a ratio.
fn word(verdict: Verdict) -> String {
    match verdict {
        Verdict::Faster => "gained".to_owned(),
        Verdict::Slower => "lost".to_owned(),
        Verdict::Equivalent => "unchanged".to_owned(),
        Verdict::Inconclusive | Verdict::Withheld => verdict.to_string(),
    }
}

fn means(changes: &PairChanges) -> Table {
    let row = |cell: &CellChange| {
        let of_side = |side: Side| {
            let MeanChange { a_ms, b_ms, ratio } = cell.means[side];
            let (size, unit) = time_unit(a_ms.into_iter().chain(b_ms).fold(0.0, f64::max));
            let [a, b] = [a_ms, b_ms].map(|ms| ms.map_or("–".to_owned(), |ms| significant(ms / size)));
            [Value::number(format!("{a} → {b} {unit}")), ratio.map_or(Value::Unknown, Value::Change)]
        };
        [Value::text(&cell.name)].into_iter().chain(Side::BOTH.into_iter().flat_map(of_side)).collect()
    };
    let of_side = |side: Side| [numbers(format!("{side} A → B")), numbers("change")];
    let columns = [words("cell")].into_iter().chain(Side::BOTH.into_iter().flat_map(of_side));
    Table::new("Each side's own mean", columns, changes.cells.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::{change::changes, result::PairAnalysis},
        campaign::import::Import,
        report::fixture::{self, plain},
    };

    #[test]
    fn ratios_are_judged_and_means_described() {
        let before = fixture::analysis();
        let mut after = before.clone();
        after.campaign.created_unix_ms += 86_400_000;
        after.sides.candidate.memory_mb = Some(3008);
        after.cells.remove(1);
        let deciding = &mut after.cells[0].comparisons[0];
        deciding.ratio = deciding.ratio.map(|ratio| Ratio { estimate: 0.5, ..ratio });
        let text = plain(&document(&changes(&fixture::campaign(&before), &fixture::campaign(&after))));
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
        let swapped = plain(&document(&changes(&fixture::campaign(&after), &fixture::campaign(&before))));
        assert!(swapped.contains("B is the earlier one"), "{swapped}");
    }

    #[test]
    fn of_imports_without_cpu_models_there_is_no_fleet() {
        let own = fixture::analysis();
        let mut import = own.clone();
        import.campaign.imported = Some(fixture::import());
        let of = |a: &PairAnalysis, b: &PairAnalysis| {
            plain(&document(&changes(&fixture::campaign(a), &fixture::campaign(b))))
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        let text = of(&import, &import);
        assert!(text.contains("nothing tells a change of what was measured from drift between A and B."), "{text}");
        assert!(!text.contains("fleet") && !text.contains("CPUs") && !text.contains("source:"), "{text}");
        assert!(!of(&own, &import).contains("fleet") && of(&own, &own).contains("drift of the fleet"));
        let mut other = import.clone();
        let files = ["b.csv", "c.csv"].map(str::to_owned).into();
        other.campaign.imported = Some(Import { files, has_cpu_models: true, ..fixture::import() });
        other.sides.candidate.target = "import:b.csv and 1 more".to_owned();
        let text = of(&import, &other);
        assert!(text.contains("source: a.csv in A, b.csv and 1 more in B") && !text.contains("target"), "{text}");
        assert!(of(&other, &other).contains("drift of the fleet"));
    }

    #[test]
    fn campaigns_without_a_common_cell_say_so() {
        let before = fixture::analysis();
        let mut after = before.clone();
        after.cells.clear();
        let text = plain(&document(&changes(&fixture::campaign(&before), &fixture::campaign(&after))));
        assert!(text.starts_with("The campaigns have no cell in common."), "{text}");
    }
}
