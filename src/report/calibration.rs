//! How often the estimator errs.

use super::{
    document::{Block, Table, Value, numbers, words},
    words::count,
};
use crate::analysis::calibration::{EFFECTS, Missed, ScenarioScores, Score, scenario::Scenario};

/// One scenario's scores, under a title where its fleet is another than that of the scenario before.
pub fn outcome(outcome: &ScenarioScores, before: Option<&ScenarioScores>) -> Block {
    let scenario = &outcome.scenario;
    let fleet = scenario.fleet();
    let is_same = before.is_some_and(|before| before.scenario.fleet() == fleet);
    let remark = if scenario.is_beyond_aims() { " (a limit of the method, without an aim)" } else { "" };
    let title = if is_same { String::new() } else { format!("{fleet}{remark}") };
    let power = EFFECTS.map(|effect| numbers(format!("power {:.0}%", effect * 100.0)));
    let columns = [words("size"), words("method")];
    let columns = columns.into_iter().chain(["coverage", "false pos"].map(numbers)).chain(power);
    let rows = outcome.scores.iter().enumerate().map(|(index, score)| {
        let size = if index == 0 { size(scenario) } else { String::new() };
        std::iter::once(Value::text(size)).chain(values(score)).collect()
    });
    Block::Table(Table::new(title, columns.chain([numbers("half width")]), rows))
}

/// The environments of each side, the calls of each, and the environments that are counted.
fn size(Scenario { environments, calls, census, .. }: &Scenario) -> String {
    let census = if *census > 0 { format!(" + {}", count((*census).into())) } else { String::new() };
    format!("{environments} × {calls}{census}")
}

fn values(score: &Score) -> Vec<Value> {
    let percent = |share: f64| format!("{:.1}%", share * 100.0);
    let mut values = vec![
        Value::text(score.method.as_str()),
        Value::number_or_unknown(score.coverage.map(percent)),
        Value::number(percent(score.false_positives)),
    ];
    values.extend(score.power.map(|power| Value::number(format!("{:.0}%", power * 100.0))));
    values.push(Value::number_or_unknown(score.half_width.map(|width| format!("±{:.2}%", width * 100.0))));
    values
}

/// Whether the aims are met, and where not.
pub fn conclusion(missed: &[Missed], runs: u32) -> Vec<Block> {
    let mut blocks = vec![Block::Paragraph(format!(
        "Environments of each side × calls of each, + environments of which a census counts the CPU alone; coverage of 95% \
         intervals, false positives of equal sides, power for true differences, half widths; {runs} campaigns each."
    ))];
    if missed.is_empty() {
        let text =
            "The aims are met: duet report and duet run --until-ci are within them in every scenario that has one.";
        blocks.push(Block::Paragraph(text.to_owned()));
    }
    blocks.extend(missed.iter().map(|Missed { scenario, method, what }| {
        Block::Paragraph(format!("MISSED: {}, {}, {}: {what}", method.as_str(), scenario.fleet(), size(scenario)))
    }));
    blocks
}
