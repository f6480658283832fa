//! What a gate decided.

use super::{
    document::{Block, Table, Tone, Value, numbers, words},
    words::{MORE_BLOCKS, count, environments_needed, percent},
};
use crate::analysis::gate::{Against, CellGate, Decision, Gate, Needs};
use std::collections::BTreeSet;

/// The decision, then each cell.
pub fn document(gate: &Gate) -> Vec<Block> {
    let mut blocks = vec![Block::Verdict(tone(gate.decision), sentence(gate))];
    blocks.extend(gate.withheld.iter().map(|warning| Block::warning(warning, true)));
    if gate.withheld.is_empty() {
        let columns = [words("cell"), numbers("change (95% interval)"), words("verdict")];
        blocks.push(Block::Table(Table::new("", columns, gate.cells.iter().map(row))));
        let reason = |cell: &CellGate| Some(format!("{}: {}", cell.name, cell.reason.as_ref()?));
        blocks.extend(gate.cells.iter().filter_map(reason).map(Block::Item));
    }
    blocks.extend(gate.differences.iter().map(|difference| Block::Item(differs(difference))));
    blocks
}

fn row(cell: &CellGate) -> Vec<Value> {
    vec![
        Value::text(&cell.name),
        cell.ratio.map_or(Value::Unknown, Value::ChangeWithInterval),
        Value::Verdict(tone(cell.decision), cell.decision.to_string(), what_decides(cell)),
    ]
}

fn tone(decision: Decision) -> Tone {
    match decision {
        Decision::Pass => Tone::Good,
        Decision::Fail => Tone::Bad,
        Decision::Inconclusive | Decision::Withheld => Tone::Open,
    }
}

/// What differs from the earlier campaign, which is A where two are compared.
fn differs(difference: &str) -> String {
    format!(
        "Besides the time, {}.",
        difference.replace(" in A, ", " in the earlier campaign, ").replace(" in B", " now")
    )
}

/// The decision in one sentence.
fn sentence(gate: &Gate) -> String {
    let (candidate, limit) = (&gate.names.candidate, percent(gate.max_slowdown));
    let beside = match gate.against {
        Against::Baseline => format!("than {}", gate.names.baseline),
        Against::EarlierCampaign => format!("beside {} than in the earlier campaign", gate.names.baseline),
    };
    let of = |decision| gate.cells.iter().filter(|cell| cell.decision == decision).count();
    let cells = |decision| match (of(decision), gate.cells.len()) {
        (_, 1) => String::new(),
        (some, all) => format!(" in {some} of {all} cells"),
    };
    match gate.decision {
        Decision::Pass => format!("Pass: {candidate} is not more than {limit} slower {beside}."),
        Decision::Fail => {
            format!("Fail: {candidate} is more than {limit} slower {beside}{}.", cells(Decision::Fail))
        }
        Decision::Inconclusive => format!(
            "Inconclusive: whether {candidate} is more than {limit} slower {beside} is open{}{}.",
            cells(Decision::Inconclusive),
            advice(gate)
        ),
        Decision::Withheld => match of(Decision::Withheld) {
            _ if !gate.withheld.is_empty() => "Withheld: the campaign gives no verdict.".to_owned(),
            0 => "Withheld: there is no cell to judge.".to_owned(),
            _ => format!("Withheld: no verdict is given{}.", cells(Decision::Withheld)),
        },
    }
}

/// What would decide all open cells.
fn advice(gate: &Gate) -> String {
    let open = || gate.cells.iter().filter(|cell| cell.decision == Decision::Inconclusive);
    let needs: BTreeSet<Needs> = open().filter_map(|cell| cell.needs).collect();
    if !needs.is_empty() {
        return format!("; it takes {}", needs.into_iter().map(more).collect::<Vec<_>>().join(" and "));
    }
    let most = open().filter_map(|cell| cell.environments_needed).max();
    most.map(|number| format!("; about {} environments of each side would tell", count(number))).unwrap_or_default()
}

/// What would decide a cell that no number of environments decides.
fn more(needs: Needs) -> &'static str {
    match needs {
        Needs::MoreBlocks => MORE_BLOCKS,
        Needs::LargerEarlierCampaign => "a larger earlier campaign",
    }
}

/// What would decide a cell.
fn what_decides(cell: &CellGate) -> Option<String> {
    cell.environments_needed.map(environments_needed).or_else(|| cell.needs.map(more).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::{gate::gate, result::Analysis},
        report::{fixture, markdown},
    };

    /// The fixture with the cells of these names alone.
    fn only(names: &[&str]) -> Analysis {
        let mut analysis = fixture::analysis();
        analysis.cells.retain(|cell| names.contains(&cell.name.as_str()));
        analysis
    }

    fn plain(gate: &Gate) -> String {
        fixture::plain(&document(gate))
    }

    #[test]
    fn the_first_line_is_the_decision() {
        let text = plain(&gate(&fixture::analysis(), None, 0.05));
        assert!(text.starts_with("Fail: arm64 is more than 5% slower than x86_64 in 1 of 6 cells.\n"), "{text}");
        let text = plain(&gate(&only(&["math/matmul", "sorting/quick"]), None, 0.05));
        assert!(text.starts_with("Pass: arm64 is not more than 5% slower than x86_64.\n"), "{text}");
        let text = plain(&gate(&only(&["string/json"]), None, 0.05));
        assert!(
            text.starts_with("Inconclusive: whether arm64 is more than 5% slower than x86_64 is open; about "),
            "{text}"
        );
        assert!(text.contains("needs ~"), "{text}");
        let text = plain(&gate(&only(&[]), None, 0.05));
        assert_eq!(text, "Withheld: there is no cell to judge.\n");
    }

    #[test]
    fn an_earlier_campaign_and_its_missing_cells_are_named() {
        let (run, earlier) = (only(&["math/matmul", "math/primes"]), only(&["math/matmul", "sorting/quick"]));
        let gate = gate(&run, Some(&earlier), 0.1);
        let text = plain(&gate);
        assert!(text.starts_with("Withheld: no verdict is given in 2 of 3 cells."), "{text}");
        assert!(text.contains("math/primes: the earlier campaign does not have this cell"), "{text}");
        assert!(text.contains("sorting/quick: only the earlier campaign has this cell"), "{text}");
        let comment = markdown::render(&document(&gate));
        assert!(comment.starts_with("❔ **Withheld: ") && comment.contains("| math/matmul | 0% ("), "{comment}");
        let passed = crate::analysis::gate::gate(&earlier, Some(&earlier), 0.1);
        assert!(markdown::render(&document(&passed)).contains("beside x86_64 than in the earlier campaign.**"));
        let mut other = earlier.clone();
        other.sides.candidate.memory_mb = Some(3008);
        let text = plain(&crate::analysis::gate::gate(&other, Some(&earlier), 0.1));
        let difference = "Besides the time, candidate, memory: 1769 MB in the earlier campaign, 3008 MB now.";
        assert!(text.contains(difference), "{text}");
    }
}
