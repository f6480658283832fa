//! What a gate decided, for a terminal and for a pull request.

use super::{
    facts::change_and_interval,
    markdown::{escaped, table},
    table::{BAD, GOOD, OPEN, layout, paragraph},
    terminal::right,
    words::{count, percent, percent_change},
};
use crate::analysis::gate::{Against, CellGate, Decision, Gate, Needs};
use anstyle::Style;
use comfy_table::Cell;
use std::collections::BTreeSet;

/// The decision in the first line, then each cell, with ANSI styles.
pub fn report(gate: &Gate) -> String {
    let mut text = paragraph(&sentence(gate), style(gate.decision).bold());
    for warning in &gate.withheld {
        text += &paragraph(&format!("{}: {}", warning.kind.as_str(), warning.text), BAD);
    }
    let row = |it: &CellGate| {
        let environments = needed(it).map(|it| format!("\n{it}")).unwrap_or_default();
        vec![Cell::new(&it.name), right(change(it)), Cell::new(format!("{}{environments}", it.decision))]
    };
    if gate.withheld.is_empty() && !gate.cells.is_empty() {
        text += &layout(&["cell", "change (95% interval)", "verdict"], 1, gate.cells.iter().map(row).collect());
        text.extend(reasons(gate).iter().map(|it| paragraph(it, OPEN)));
    }
    text.extend(gate.differences.iter().map(|it| paragraph(&differs(it), OPEN)));
    text
}

/// The same in GitHub's Markdown.
pub fn markdown(gate: &Gate) -> String {
    let mark = match gate.decision {
        Decision::Pass => "✅",
        Decision::Fail => "❌",
        Decision::Inconclusive | Decision::Withheld => "❔",
    };
    let mut blocks = vec![format!("{mark} **{}**", escaped(&sentence(gate)))];
    let warnings = gate.withheld.iter().map(|it| format!("- ⛔ `{}`: {}", it.kind.as_str(), escaped(&it.text)));
    blocks.push(warnings.collect::<Vec<_>>().join("\n"));
    let row = |it: &CellGate| {
        let environments = needed(it).map(|it| format!(", {it}")).unwrap_or_default();
        vec![it.name.clone(), change(it), format!("{}{environments}", it.decision)]
    };
    if gate.withheld.is_empty() {
        let rows: Vec<Vec<String>> = gate.cells.iter().map(row).collect();
        blocks.push(table(&[":cell", "change (95% interval)", ":verdict"], &rows));
        blocks.push(reasons(gate).iter().map(|it| format!("- {}", escaped(it))).collect::<Vec<_>>().join("\n"));
    }
    blocks
        .push(gate.differences.iter().map(|it| format!("- {}", escaped(&differs(it)))).collect::<Vec<_>>().join("\n"));
    blocks.retain(|it| !it.is_empty());
    blocks.join("\n\n") + "\n"
}

/// What differs from the earlier campaign, which is A where two are compared.
fn differs(difference: &str) -> String {
    format!(
        "Besides the time, {}.",
        difference.replace(" in A, ", " in the earlier campaign, ").replace(" in B", " now")
    )
}

fn style(decision: Decision) -> Style {
    match decision {
        Decision::Pass => GOOD,
        Decision::Fail => BAD,
        Decision::Inconclusive | Decision::Withheld => OPEN,
    }
}

/// The decision for those who read nothing else.
fn sentence(gate: &Gate) -> String {
    let (candidate, limit) = (&gate.names.candidate, percent(gate.max_slowdown));
    let beside = match gate.against {
        Against::Baseline => format!("than {}", gate.names.baseline),
        Against::EarlierCampaign => format!("beside {} than in the earlier campaign", gate.names.baseline),
    };
    let of = |decision| gate.cells.iter().filter(|it| it.decision == decision).count();
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
    let open = || gate.cells.iter().filter(|it| it.decision == Decision::Inconclusive);
    let needs: BTreeSet<Needs> = open().filter_map(|it| it.needs).collect();
    if !needs.is_empty() {
        return format!("; it takes {}", needs.into_iter().map(more).collect::<Vec<_>>().join(" and "));
    }
    let most = open().filter_map(|it| it.environments_needed).max();
    most.map(|it| format!("; about {} environments of each side would tell", count(it))).unwrap_or_default()
}

/// What would decide a cell that no number of environments decides.
fn more(needs: Needs) -> &'static str {
    match needs {
        Needs::MoreBlocks => "more blocks",
        Needs::LargerEarlierCampaign => "a larger earlier campaign",
    }
}

fn needed(cell: &CellGate) -> Option<String> {
    let environments = cell.environments_needed.map(|it| format!("needs ~{} envs", count(it)));
    environments.or_else(|| Some(format!("needs {}", more(cell.needs?))))
}

fn change(cell: &CellGate) -> String {
    cell.ratio.as_ref().map_or("–".to_owned(), |it| match it.interval {
        Some(_) => change_and_interval(it),
        None => percent_change(it.estimate),
    })
}

/// Why cells are withheld.
fn reasons(gate: &Gate) -> Vec<String> {
    gate.cells.iter().filter_map(|it| Some(format!("{}: {}", it.name, it.reason.as_ref()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::{gate::gate, result::Analysis},
        report::fixture,
    };
    use anstream::adapter::strip_str;

    /// The fixture with the cells of these names alone.
    fn only(names: &[&str]) -> Analysis {
        let mut analysis = fixture::analysis();
        analysis.cells.retain(|it| names.contains(&it.name.as_str()));
        analysis
    }

    fn plain(gate: &Gate) -> String {
        let text = strip_str(&report(gate)).to_string();
        assert!(text.lines().all(|it| it.chars().count() <= 100), "{text}");
        text
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
    fn an_earlier_campaign_and_what_it_lacks_are_named() {
        let (run, earlier) = (only(&["math/matmul", "math/primes"]), only(&["math/matmul", "sorting/quick"]));
        let gate = gate(&run, Some(&earlier), 0.1);
        let text = plain(&gate);
        assert!(text.starts_with("Withheld: no verdict is given in 2 of 3 cells."), "{text}");
        assert!(text.contains("math/primes: the earlier campaign has not this cell"), "{text}");
        assert!(text.contains("sorting/quick: only the earlier campaign has this cell"), "{text}");
        let markdown = markdown(&gate);
        assert!(markdown.starts_with("❔ **Withheld: ") && markdown.contains("| math/matmul | 0% ("), "{markdown}");
        let passed = crate::analysis::gate::gate(&earlier, Some(&earlier), 0.1);
        assert!(super::markdown(&passed).contains("beside x86_64 than in the earlier campaign.**"));
        let mut other = earlier.clone();
        other.sides.candidate.memory_mb = Some(3008);
        let text = plain(&crate::analysis::gate::gate(&other, Some(&earlier), 0.1));
        let difference = "Besides the time, candidate, memory: 1769 MB in the earlier campaign, 3008 MB now.";
        assert!(text.contains(difference), "{text}");
    }
}
