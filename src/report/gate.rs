//! What a gate decided.

use super::{
    document::{Block, Table, Tone, Value, numbers, words},
    words::{MORE_BLOCKS, count, environments_needed, listed, percent},
};
use crate::analysis::gate::{Against, CellGate, Decision, Gate, Needs, PairGate};
use std::collections::BTreeSet;

/// The decision, then each cell: of the only candidate, or of each.
pub fn document(gate: &Gate) -> Vec<Block> {
    if let ([pair], []) = (gate.comparisons.as_slice(), gate.gone.as_slice()) {
        return of_pair(gate, pair);
    }
    let mut blocks = vec![Block::Verdict(tone(gate.decision), overall(gate))];
    blocks.extend(gate.gone.iter().map(|name| Block::Item(format!("{name}: only the earlier campaign has it"))));
    for pair in &gate.comparisons {
        blocks.push(Block::Heading(pair.names.candidate.clone()));
        blocks.extend(of_pair(gate, pair));
    }
    blocks
}

fn of_pair(gate: &Gate, pair: &PairGate) -> Vec<Block> {
    let mut blocks = vec![Block::Verdict(tone(pair.decision), sentence(gate, pair))];
    blocks.extend(pair.withheld.iter().map(|warning| Block::warning(warning, true)));
    if pair.withheld.is_empty() {
        let columns = [words("cell"), numbers("change (95% interval)"), words("verdict")];
        blocks.push(Block::Table(Table::new("", columns, pair.cells.iter().map(row))));
        let reason = |cell: &CellGate| Some(format!("{}: {}", cell.name, cell.reason.as_ref()?));
        blocks.extend(pair.cells.iter().filter_map(reason).map(Block::Item));
    }
    blocks.extend(pair.differences.iter().map(|difference| Block::Item(differs(difference))));
    blocks
}

/// The decision on several candidates in one sentence.
fn overall(gate: &Gate) -> String {
    let of = |decision| {
        let names = gate.comparisons.iter().filter(|pair| pair.decision == decision);
        let names: Vec<&str> = names.map(|pair| pair.names.candidate.as_str()).collect();
        listed(&names)
    };
    let limit = percent(gate.max_slowdown);
    match gate.decision {
        Decision::Pass => format!("Pass: no variant is more than {limit} slower."),
        Decision::Fail => format!("Fail: more than {limit} slower: {}.", of(Decision::Fail)),
        Decision::Inconclusive => format!("Inconclusive: undecided: {}.", of(Decision::Inconclusive)),
        Decision::Withheld if gate.comparisons.iter().all(|pair| pair.decision != Decision::Withheld) => {
            "Withheld: a variant of the earlier campaign is missing.".to_owned()
        }
        Decision::Withheld => format!("Withheld: no verdict is given on {}.", of(Decision::Withheld)),
    }
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
fn sentence(gate: &Gate, pair: &PairGate) -> String {
    let (candidate, limit) = (&pair.names.candidate, percent(gate.max_slowdown));
    let beside = match gate.against {
        Against::Baseline => format!("than {}", pair.names.baseline),
        Against::EarlierCampaign => format!("beside {} than in the earlier campaign", pair.names.baseline),
    };
    let of = |decision| pair.cells.iter().filter(|cell| cell.decision == decision).count();
    let cells = |decision| match (of(decision), pair.cells.len()) {
        (_, 1) => String::new(),
        (some, all) => format!(" in {some} of {all} cells"),
    };
    match pair.decision {
        Decision::Pass => format!("Pass: {candidate} is not more than {limit} slower {beside}."),
        Decision::Fail => {
            format!("Fail: {candidate} is more than {limit} slower {beside}{}.", cells(Decision::Fail))
        }
        Decision::Inconclusive => format!(
            "Inconclusive: whether {candidate} is more than {limit} slower {beside} is open{}{}.",
            cells(Decision::Inconclusive),
            advice(pair)
        ),
        Decision::Withheld => match of(Decision::Withheld) {
            _ if !pair.withheld.is_empty() => "Withheld: the campaign gives no verdict.".to_owned(),
            0 => "Withheld: there is no cell to judge.".to_owned(),
            _ => format!("Withheld: no verdict is given{}.", cells(Decision::Withheld)),
        },
    }
}

/// What would decide all open cells.
fn advice(pair: &PairGate) -> String {
    let open = || pair.cells.iter().filter(|cell| cell.decision == Decision::Inconclusive);
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
        let mut pair = fixture::analysis();
        pair.cells.retain(|cell| names.contains(&cell.name.as_str()));
        fixture::campaign(&pair)
    }

    fn plain(gate: &Gate) -> String {
        fixture::plain(&document(gate))
    }

    #[test]
    fn the_first_line_is_the_decision() {
        let text = plain(&gate(&fixture::campaign(&fixture::analysis()), None, 0.05));
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
        other.comparisons[0].sides.candidate.memory_mb = Some(3008);
        let text = plain(&crate::analysis::gate::gate(&other, Some(&earlier), 0.1));
        let difference = "Besides the time, candidate, memory: 1769 MB in the earlier campaign, 3008 MB now.";
        assert!(text.contains(difference), "{text}");
    }
}
