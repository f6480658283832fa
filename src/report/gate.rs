//! What a gate decided.

mod sentences;

use super::{
    document::{Block, Table, Tone, Value, numbers, words},
    words::{
        MORE_BLOCKS, counted, environments_needed, exact_time, from_to, listed, measured_with_interval, percent,
        proportion, proportion_to, time_unit, unit_of_limit,
    },
};
use crate::analysis::{
    gate::{Against, CellGate, ConditionGate, Decision, Gate, PairGate, WhichCampaign, Withholding},
    limits::Condition,
    tested::{Found, Needs},
    warning_kind::Warning,
};
use sentences::{option, overall, sentence};

/// The decision, then each cell: of the only candidate, or of each.
pub fn document(gate: &Gate) -> Vec<Block> {
    if let ([pair], []) = (gate.comparisons.as_slice(), gate.gone.as_slice()) {
        return of_pair(gate, pair).into_iter().chain(correction(gate)).collect();
    }
    let mut blocks = vec![Block::Verdict(tone(gate.decision), overall(gate))];
    blocks.extend(gate.gone.iter().map(|name| Block::Item(format!("{name}: only the earlier campaign has it"))));
    for pair in &gate.comparisons {
        blocks.push(Block::Heading(pair.names.candidate.clone()));
        blocks.extend(of_pair(gate, pair));
    }
    blocks.extend(correction(gate));
    blocks
}

/// That decisions are corrected and intervals are not. None where that makes no difference, or nothing is decided.
fn correction(gate: &Gate) -> Option<Block> {
    let conditions = &gate.comparisons.first()?.conditions;
    let corrected = conditions.iter().filter(|judged| judged.tests > 1);
    let over = corrected.map(|judged| match conditions.len() {
        1 => counted(judged.tests as u64, "comparison"),
        _ => format!("{} by {}", counted(judged.tests as u64, "comparison"), option(judged.condition)),
    });
    let over: Vec<String> = over.collect();
    (!over.is_empty()).then(|| {
        Block::Remark(format!(
            "Decisions are Holm-corrected over {}; intervals are not, so that one which barely clears a limit may be \
             inconclusive.",
            listed(&over.iter().map(String::as_str).collect::<Vec<_>>())
        ))
    })
}

fn of_pair(gate: &Gate, pair: &PairGate) -> Vec<Block> {
    let mut blocks = vec![Block::Verdict(tone(pair.decision), sentence(gate, pair))];
    blocks.extend(pair.withheld.iter().map(|withholding| withheld(gate, withholding)));
    if pair.withheld.is_empty() {
        blocks.extend(match pair.conditions.as_slice() {
            [only] if is_slowdown(only) => of_slowdown(only),
            several => of_conditions(several),
        });
    }
    blocks.extend(pair.differences.iter().map(|differs| Block::Item(format!("Besides the time, {differs}."))));
    blocks
}

/// A warning, with the campaign that it is about where there are two.
fn withheld(gate: &Gate, Withholding { campaign, warning }: &Withholding) -> Block {
    let campaign = match (gate.against, campaign) {
        (Against::Baseline, _) => "",
        (Against::EarlierCampaign, WhichCampaign::This) => "This campaign: ",
        (Against::EarlierCampaign, WhichCampaign::Earlier) => "The earlier campaign: ",
    };
    Block::warning(&Warning { text: format!("{campaign}{}", warning.text), ..warning.clone() }, true)
}

fn is_slowdown(judged: &ConditionGate) -> bool {
    matches!(judged.condition, Condition::Slowdown(_))
}

/// Each cell by the only condition.
fn of_slowdown(slowdown: &ConditionGate) -> Vec<Block> {
    let columns = [words("cell"), numbers("change (95% interval)"), words("verdict")];
    let row = |cell: &CellGate| vec![Value::text(&cell.name), found(slowdown.condition, cell), verdict(cell)];
    let reason = |cell: &CellGate| Some(format!("{}: {}", cell.name, cell.reason.as_ref()?));
    let reasons = slowdown.cells.iter().filter_map(reason).map(Block::Item);
    std::iter::once(Block::Table(Table::new("", columns, slowdown.cells.iter().map(row)))).chain(reasons).collect()
}

/// Each cell by each condition.
fn of_conditions(conditions: &[ConditionGate]) -> Vec<Block> {
    let columns = [words("cell"), words("condition"), numbers("found (95% interval)"), words("verdict")];
    let cells = || conditions.iter().flat_map(|judged| judged.cells.iter().map(move |cell| (judged.condition, cell)));
    let row = |(condition, cell): (Condition, &CellGate)| {
        vec![Value::text(&cell.name), Value::text(in_short(condition)), found(condition, cell), verdict(cell)]
    };
    let reason = |(condition, cell): (Condition, &CellGate)| {
        Some(format!("{}, {}: {}", option(condition), cell.name, cell.reason.as_ref()?))
    };
    let reasons = cells().filter_map(reason).map(Block::Item);
    std::iter::once(Block::Table(Table::new("", columns, cells().map(row)))).chain(reasons).collect()
}

/// A condition with its limit, for a column.
fn in_short(condition: Condition) -> String {
    match condition {
        Condition::Slowdown(limit) => format!("slowdown ≤ {}", percent(limit)),
        Condition::CostIncrease(limit) => format!("cost increase ≤ {}", percent(limit)),
        Condition::Latency(limit) => format!("{} ≤ {}", limit.of, exact_time(limit.ms)),
    }
}

fn found(condition: Condition, cell: &CellGate) -> Value {
    match cell.found {
        None => Value::Unknown,
        Some(Found::Ratio(ratio)) => Value::ChangeWithInterval(ratio),
        Some(Found::MeanMs(mean)) => {
            let unit = match condition {
                Condition::Latency(limit) => unit_of_limit(limit.ms),
                Condition::Slowdown(_) | Condition::CostIncrease(_) => time_unit(mean.estimate),
            };
            Value::number(measured_with_interval(unit, mean.estimate, mean.interval))
        }
        Some(Found::ProportionAbove(above)) => {
            let interval = from_to(above.low, above.high, proportion_to);
            Value::number(format!("{} take longer ({interval})", proportion(above.estimate)))
        }
    }
}

fn verdict(cell: &CellGate) -> Value {
    Value::Verdict(tone(cell.decision), cell.decision.to_string(), what_decides(cell))
}

fn tone(decision: Decision) -> Tone {
    match decision {
        Decision::Pass => Tone::Good,
        Decision::Fail => Tone::Bad,
        Decision::Inconclusive | Decision::Withheld => Tone::Open,
    }
}

/// What would decide a cell that no number of environments decides.
fn more(needs: Needs) -> &'static str {
    match needs {
        Needs::MoreBlocks => MORE_BLOCKS,
        Needs::LargerEarlierCampaign => "a larger earlier campaign",
        Needs::AnotherLimit => "another limit",
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
        analysis::{
            estimate::Difference,
            gate::gate,
            interval::Interval,
            limits::{CellTest, ConditionTests, LatencyLimit, TimeStatistic},
            proportion::Proportion,
            result::{Analysis, Measure},
            sides::Sides,
            tested::{MeanWithInterval, Tested},
            warning_kind::WarningKind,
        },
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
        let text = plain(&gate(&fixture::campaign(&fixture::analysis()), None, Some(0.05)));
        assert!(text.starts_with("Fail: arm64 is more than 5% slower than x86_64 in 1 of 6 cells.\n"), "{text}");
        let text = plain(&gate(&only(&["math/matmul", "sorting/quick"]), None, Some(0.05)));
        assert!(text.starts_with("Pass: arm64 is not more than 5% slower than x86_64.\n"), "{text}");
        let text = plain(&gate(&only(&["string/json"]), None, Some(0.05)));
        assert!(
            text.starts_with("Inconclusive: whether arm64 is more than 5% slower than x86_64 is open; about "),
            "{text}"
        );
        assert!(text.contains("needs ~"), "{text}");
        let text = plain(&gate(&only(&[]), None, Some(0.05)));
        assert_eq!(text, "Withheld: there is no cell to judge.\n");
    }

    #[test]
    fn a_slowdown_alone_has_a_table_of_changes() {
        let mut run = only(&["math/matmul", "string/regex"]);
        run.comparisons[0].cells[1].comparisons[0].environments.baseline = 7;
        let text = plain(&gate(&run, None, Some(0.05)));
        let expected = "Withheld: no verdict is given in 1 of 2 cells.\n\
                        cell           change (95% interval)   verdict\n\
                        ───────────────────────────────────────────────\n\
                        math/matmul      −26% (−28% to −24%)   pass\n\
                        string/regex                       –   withheld\n\
                        - string/regex: a side has 7 of the 8 environments that a verdict takes\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn an_earlier_campaign_and_its_missing_cells_are_named() {
        let (run, earlier) = (only(&["math/matmul", "math/primes"]), only(&["math/matmul", "sorting/quick"]));
        let gate = gate(&run, Some(&earlier), Some(0.1));
        let text = plain(&gate);
        assert!(text.starts_with("Withheld: no verdict is given in 2 of 3 cells."), "{text}");
        assert!(text.contains("math/primes: the earlier campaign does not have this cell"), "{text}");
        assert!(text.contains("sorting/quick: only the earlier campaign has this cell"), "{text}");
        let comment = markdown::render(&document(&gate));
        assert!(comment.starts_with("❔ **Withheld: ") && comment.contains("| math/matmul | 0% ("), "{comment}");
        let passed = crate::analysis::gate::gate(&earlier, Some(&earlier), Some(0.1));
        assert!(markdown::render(&document(&passed)).contains("beside x86_64 than in the earlier campaign.**"));
        let mut other = earlier.clone();
        other.comparisons[0].sides.candidate.memory_mb = Some(3008);
        let text = plain(&crate::analysis::gate::gate(&other, Some(&earlier), Some(0.1)));
        let difference =
            "Besides the time, the memory of the candidate was 1769 MB in the earlier campaign and is 3008 MB\n  now.";
        assert!(text.contains(difference), "{text}");
    }

    /// The fixture with one cell, held to these limits.
    fn with_limits(increase: f64, limit: LatencyLimit, found: Found, distance: f64) -> Analysis {
        let mean = |estimate: f64| Difference {
            estimate,
            standard_error: 0.01,
            degrees_of_freedom: 1e9,
            environments: Sides { baseline: 48, candidate: 52 },
            blocks: 40,
            ..Difference::default()
        };
        let bill = mean(increase.ln_1p());
        let tests = [
            (
                "all",
                Condition::CostIncrease(0.0),
                Measure::Billed,
                Found::Ratio(fixture::ratio(1.0 + increase, 0.0196)),
                bill,
            ),
            ("math/matmul", Condition::Latency(limit), Measure::Wall, found, mean(distance)),
        ];
        let tests = tests.map(|(name, condition, measure, found, difference)| {
            let test = Ok(Tested::difference(found, difference, 0.0));
            let cell = CellTest { name: name.to_owned(), measure: Some(measure), test };
            ConditionTests { condition, cells: vec![cell] }
        });
        let mut run = only(&["math/matmul"]);
        run.comparisons[0].limit_tests = tests.into();
        run
    }

    const P99: LatencyLimit = LatencyLimit { of: TimeStatistic::P99, ms: 300.0 };
    const ABOVE: Found = Found::ProportionAbove(Proportion { estimate: 0.004, low: 0.002, high: 0.0079 });

    #[test]
    fn the_first_line_names_the_conditions_that_decide() {
        let text = |increase, distance| plain(&gate(&with_limits(increase, P99, ABOVE, distance), None, Some(0.05)));
        let passed = text(-0.2, -0.1);
        let first = "Pass: arm64 is not more than 5% slower than x86_64, costs no more than x86_64 and takes at most 300\nms \
                     (p99 of wall time).\n";
        assert!(passed.starts_with(first), "{passed}");
        for row in [
            "math/matmul   slowdown ≤ 5%                    −26% (−28% to −24%)   pass\n",
            "all           cost increase ≤ 0%               −20% (−22% to −18%)   pass\n",
            "math/matmul   p99 ≤ 300 ms         0.4% take longer (0.2% to 0.8%)   pass\n",
        ] {
            assert!(passed.contains(row), "{passed}");
        }
        let failed = text(0.2, -0.1);
        assert!(failed.starts_with("Fail: arm64 costs more than x86_64 (--max-cost-increase).\n"), "{failed}");
        let failed = text(0.2, 0.1);
        let first = "Fail: arm64 costs more than x86_64 (--max-cost-increase) and takes more than 300 ms (--max-latency,\n\
                     p99 of wall time).\n";
        assert!(failed.starts_with(first), "{failed}");
        let open = text(-0.2, -0.01);
        let first = "Inconclusive: whether arm64 takes more than 300 ms is open (--max-latency, p99 of wall time); about\n185 \
                     environments of each side would tell.\n";
        assert!(open.starts_with(first) && open.contains("needs ~185 environments"), "{open}");
    }

    #[test]
    fn decisions_are_said_to_be_corrected_where_intervals_are_not() {
        let run = only(&["math/matmul", "sorting/quick"]);
        let remark = "Decisions are Holm-corrected over 2 comparisons; intervals are not, so that one which barely clears a limit \
                      may be inconclusive.";
        let decided = gate(&run, None, Some(0.05));
        assert!(markdown::render(&document(&decided)).ends_with(&format!("\n\n{remark}\n")), "{decided:?}");
        assert!(!plain(&gate(&only(&["math/matmul"]), None, Some(0.05))).contains("Holm"));
        let mut two = with_limits(-0.2, P99, ABOVE, -0.1);
        two.comparisons.push(two.comparisons[0].clone());
        let text = markdown::render(&document(&gate(&two, None, Some(0.05))));
        let over = "over 2 comparisons by --max-slowdown, 2 comparisons by --max-cost-increase and 2 comparisons by --max-latency;";
        assert!(text.contains(over), "{text}");
    }

    #[test]
    fn the_campaign_that_withholds_is_named() {
        let run = only(&["math/matmul"]);
        let mut other = run.clone();
        let text = "It was emulated.".to_owned();
        other.comparisons[0].warnings.push(Warning { kind: WarningKind::Emulated, side: None, text });
        let text = |run: &Analysis, earlier: Option<&Analysis>| plain(&gate(run, earlier, Some(0.05)));
        assert_eq!(text(&other, None), "Withheld: the campaign gives no verdict.\nemulated: It was emulated.\n");
        let earlier =
            "Withheld: the earlier campaign gives no verdict.\nemulated: The earlier campaign: It was emulated.\n";
        assert_eq!(text(&run, Some(&other)), earlier);
        let this = "Withheld: this campaign gives no verdict.\nemulated: This campaign: It was emulated.\n";
        assert_eq!(text(&other, Some(&run)), this);
        assert!(text(&other, Some(&other)).starts_with("Withheld: neither campaign gives a verdict.\n"));
    }

    #[test]
    fn limits_have_units_that_fit_and_what_would_tell_no_second_meaning() {
        let limit = LatencyLimit { of: TimeStatistic::P99, ms: 60_000.0 };
        let mut run = with_limits(-0.2, limit, ABOVE, 0.0);
        run.comparisons[0].cells.clear();
        run.comparisons[0].limit_tests.remove(0);
        let text = plain(&gate(&run, None, None));
        let first = "Inconclusive: whether arm64 takes more than 1 min is open (--max-latency, p99 of wall time); another\n\
                     limit would tell.\n";
        assert!(text.starts_with(first) && text.contains("p99 ≤ 1 min"), "{text}");
        assert!(text.contains("needs another limit"), "{text}");
        let mut second = run.comparisons[0].clone();
        second.sides.candidate.name = "second".to_owned();
        run.comparisons.push(second);
        let text = plain(&gate(&run, None, None));
        let first =
            "Inconclusive: whether arm64 (--max-latency) and second (--max-latency) keep to the limits is open.\n";
        assert!(text.starts_with(first), "{text}");
    }

    #[test]
    fn what_is_withheld_is_named_with_its_reason() {
        let mut run = with_limits(-0.2, P99, ABOVE, -0.1);
        run.comparisons[0].limit_tests[0].cells[0].test = Err("no bill is known".to_owned());
        let gate = gate(&run, None, None);
        let text = plain(&gate);
        assert!(text.starts_with("Withheld: no verdict is given on the bill (--max-cost-increase).\n"), "{text}");
        assert!(text.contains("- --max-cost-increase, all: no bill is known\n"), "{text}");
    }

    #[test]
    fn a_mean_has_its_interval_in_milliseconds() {
        let mean = MeanWithInterval { estimate: 281.2, interval: Interval { low: 270.0, high: 290.0 } };
        let limit = LatencyLimit { of: TimeStatistic::Mean, ..P99 };
        let run = with_limits(-0.2, limit, Found::MeanMs(mean), -0.1);
        let comment = markdown::render(&document(&gate(&run, None, None)));
        assert!(
            comment.starts_with(
                "✅ **Pass: arm64 costs no more than x86_64 and takes at most 300 ms (mean of wall time).**"
            )
        );
        assert!(comment.contains("| math/matmul | mean ≤ 300 ms | 281 ms (270 to 290) | pass |"), "{comment}");
    }

    #[test]
    fn of_several_candidates_each_is_named_with_its_conditions() {
        let mut run = with_limits(0.2, P99, ABOVE, -0.1);
        let mut second = with_limits(-0.2, P99, ABOVE, 0.1).comparisons.remove(0);
        second.sides.candidate.name = "second".to_owned();
        run.comparisons.push(second);
        let text = plain(&gate(&run, None, Some(0.05)));
        assert!(
            text.starts_with("Fail: arm64 (--max-cost-increase) and second (--max-latency) exceed a limit.\n"),
            "{text}"
        );
    }
}
