//! The decision of a gate in one sentence, which names the conditions that decide.

use super::{
    super::words::{count, exact_time, listed, percent},
    more,
};
use crate::analysis::{
    gate::{Against, ConditionGate, Decision, Gate, PairGate, WhichCampaign},
    limits::Condition,
    tested::Needs,
};
use std::collections::BTreeSet;

/// The option that sets a condition.
pub(super) fn option(condition: Condition) -> &'static str {
    match condition {
        Condition::Slowdown(_) => "--max-slowdown",
        Condition::CostIncrease(_) => "--max-cost-increase",
        Condition::Latency(_) => "--max-latency",
    }
}

/// The option in brackets, with what it limits; nothing of a slowdown that is the only condition.
fn in_brackets(judged: &ConditionGate, pair: &PairGate) -> String {
    match judged.condition {
        Condition::Slowdown(_) if pair.conditions.len() == 1 => String::new(),
        Condition::Latency(_) => format!(" ({}, {})", option(judged.condition), statistic(judged)),
        condition => format!(" ({})", option(condition)),
    }
}

/// The decision on several candidates.
pub(super) fn overall(gate: &Gate) -> String {
    let pairs = || gate.comparisons.iter().filter(|pair| pair.decision == gate.decision);
    let names: Vec<String> = pairs().map(|pair| pair.names.candidate.clone() + &why(gate, pair)).collect();
    let are_several = names.len() > 1;
    let names = listed(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let be = if are_several { "are" } else { "is" };
    match gate.decision {
        Decision::Pass => match gate.conditions.as_slice() {
            [Condition::Slowdown(limit)] => format!("Pass: no variant is more than {} slower.", percent(*limit)),
            _ => "Pass: every variant keeps to the limits.".to_owned(),
        },
        Decision::Fail => match gate.conditions.as_slice() {
            [Condition::Slowdown(limit)] => {
                format!("Fail: {names} {be} more than {} slower.", percent(*limit))
            }
            _ => format!("Fail: {names} {} a limit.", if are_several { "exceed" } else { "exceeds" }),
        },
        Decision::Inconclusive => match gate.conditions.as_slice() {
            [Condition::Slowdown(limit)] => {
                format!("Inconclusive: whether {names} {be} more than {} slower is open.", percent(*limit))
            }
            _ => {
                let keep = if are_several { "keep" } else { "keeps" };
                format!("Inconclusive: whether {names} {keep} to the limits is open.")
            }
        },
        Decision::Withheld if gate.comparisons.iter().all(|pair| pair.decision != Decision::Withheld) => {
            "Withheld: a variant of the earlier campaign is missing.".to_owned()
        }
        Decision::Withheld => format!("Withheld: no verdict is given on {names}."),
    }
}

/// The conditions that decide on a candidate, unless a slowdown is the only one.
fn why(gate: &Gate, pair: &PairGate) -> String {
    if matches!(gate.conditions.as_slice(), [Condition::Slowdown(_)]) {
        return String::new();
    }
    let options: Vec<&str> = deciding(pair).map(|judged| option(judged.condition)).collect();
    format!(" ({})", listed(&options))
}

/// The conditions that decide on a candidate.
fn deciding(pair: &PairGate) -> impl Iterator<Item = &ConditionGate> {
    pair.conditions.iter().filter(|judged| judged.decision == pair.decision)
}

/// The decision on one candidate.
pub(super) fn sentence(gate: &Gate, pair: &PairGate) -> String {
    let candidate = &pair.names.candidate;
    let of_each = |text: &dyn Fn(&ConditionGate) -> String| {
        let texts: Vec<String> = deciding(pair).map(text).collect();
        listed(&texts.iter().map(String::as_str).collect::<Vec<_>>())
    };
    match pair.decision {
        Decision::Pass => format!("Pass: {candidate} {}.", of_each(&|judged| keeps(judged, gate, pair))),
        Decision::Fail => {
            let exceeds =
                |judged: &ConditionGate| exceeds(judged, gate, pair) + &cells(judged) + &in_brackets(judged, pair);
            format!("Fail: {candidate} {}.", of_each(&exceeds))
        }
        Decision::Inconclusive => {
            let is_open = |judged: &ConditionGate| {
                let (exceeds, cells) = (exceeds(judged, gate, pair), cells(judged));
                format!("whether {candidate} {exceeds} is open{cells}{}", in_brackets(judged, pair))
            };
            format!("Inconclusive: {}{}.", of_each(&is_open), advice(pair))
        }
        Decision::Withheld if !pair.withheld.is_empty() => format!("Withheld: {}.", who_withholds(gate, pair)),
        Decision::Withheld if deciding(pair).all(|judged| judged.cells.is_empty()) => {
            "Withheld: there is no cell to judge.".to_owned()
        }
        Decision::Withheld => {
            let is_withheld = |judged: &ConditionGate| {
                let what = match judged.condition {
                    Condition::Slowdown(_) if pair.conditions.len() == 1 => {
                        return cells(judged).trim_start().to_owned();
                    }
                    Condition::Slowdown(_) => "slowdown".to_owned(),
                    Condition::CostIncrease(_) => "bill".to_owned(),
                    Condition::Latency(_) => statistic(judged),
                };
                format!("on the {what}{} ({})", cells(judged), option(judged.condition))
            };
            format!("Withheld: no verdict is given {}", of_each(&is_withheld)).trim_end().to_owned() + "."
        }
    }
}

/// Which campaign gives no verdict.
fn who_withholds(gate: &Gate, pair: &PairGate) -> &'static str {
    let does = |campaign| pair.withheld.iter().any(|withholding| withholding.campaign == campaign);
    match (gate.against, does(WhichCampaign::This), does(WhichCampaign::Earlier)) {
        (Against::Baseline, ..) => "the campaign gives no verdict",
        (_, true, true) => "neither campaign gives a verdict",
        (_, true, false) => "this campaign gives no verdict",
        (_, false, _) => "the earlier campaign gives no verdict",
    }
}

/// That a candidate keeps to a limit.
fn keeps(judged: &ConditionGate, gate: &Gate, pair: &PairGate) -> String {
    let baseline = &pair.names.baseline;
    match judged.condition {
        Condition::CostIncrease(0.0) => format!("costs no more than {baseline}"),
        Condition::CostIncrease(limit) => format!("costs at most {} more than {baseline}", percent(limit)),
        Condition::Latency(limit) => format!("takes at most {} ({})", exact_time(limit.ms), statistic(judged)),
        Condition::Slowdown(_) => format!("is not {}", slower(judged, gate, pair)),
    }
}

/// That it does not.
fn exceeds(judged: &ConditionGate, gate: &Gate, pair: &PairGate) -> String {
    let baseline = &pair.names.baseline;
    match judged.condition {
        Condition::CostIncrease(0.0) => format!("costs more than {baseline}"),
        Condition::CostIncrease(limit) => format!("costs over {} more than {baseline}", percent(limit)),
        Condition::Latency(limit) => format!("takes more than {}", exact_time(limit.ms)),
        Condition::Slowdown(_) => format!("is {}", slower(judged, gate, pair)),
    }
}

fn slower(judged: &ConditionGate, gate: &Gate, pair: &PairGate) -> String {
    let Condition::Slowdown(limit) = judged.condition else { return String::new() };
    let beside = match gate.against {
        Against::Baseline => format!("than {}", pair.names.baseline),
        Against::EarlierCampaign => format!("beside {} than in the earlier campaign", pair.names.baseline),
    };
    format!("more than {} slower {beside}", percent(limit))
}

/// What is held to a limit of time, such as `p99 of wall time`.
fn statistic(judged: &ConditionGate) -> String {
    let Condition::Latency(limit) = judged.condition else { return String::new() };
    match judged.cells.iter().find_map(|cell| cell.measure) {
        Some(measure) => format!("{} of {measure}", limit.of),
        None => limit.of.to_string(),
    }
}

/// In how many of several cells the decision is that of the condition.
fn cells(judged: &ConditionGate) -> String {
    let some = judged.cells.iter().filter(|cell| cell.decision == judged.decision).count();
    match judged.cells.len() {
        1 => String::new(),
        all => format!(" in {some} of {all} cells"),
    }
}

/// What would decide all that is open.
fn advice(pair: &PairGate) -> String {
    let cells = || pair.conditions.iter().flat_map(|judged| &judged.cells);
    let open = || cells().filter(|cell| cell.decision == Decision::Inconclusive);
    let needs: BTreeSet<Needs> = open().filter_map(|cell| cell.needs).collect();
    let most = open().filter_map(|cell| cell.environments_needed).max();
    let environments = most.map(|number| format!("about {} environments of each side", count(number)));
    let needs: Vec<String> = environments.into_iter().chain(needs.into_iter().map(more).map(str::to_owned)).collect();
    format!("; {} would tell", listed(&needs.iter().map(String::as_str).collect::<Vec<_>>()))
}
