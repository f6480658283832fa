//! How often the estimator errs, for people.

use crate::analysis::calibration::{EFFECTS, Missed, Outcome, Score};
use std::fmt::Write;

/// One scenario's scores, under a heading where its fleet is another than that of the scenario before.
pub fn outcome(outcome: &Outcome, before: Option<&Outcome>) -> String {
    let mut text = String::new();
    let fleet = outcome.scenario.fleet();
    // Writing to a string cannot fail.
    if before.is_none_or(|it| it.scenario.fleet() != fleet) {
        let effects = EFFECTS.map(|it| format!("{:>6}", format!("{:.0}%", it * 100.0))).concat();
        let remark = if outcome.scenario.is_beyond_aims() { " (a limit of the method, without an aim)" } else { "" };
        let _ = writeln!(text, "\n{fleet}{remark}");
        let _ = writeln!(
            text,
            "{:>12} {:>5}  {:<21}{:>8} {:>9}{effects} {:>9}",
            "environments", "calls", "method", "coverage", "false pos", "width"
        );
    }
    for (index, score) in outcome.scores.iter().enumerate() {
        let size = match index {
            0 => format!("{:>12} {:>5}", outcome.scenario.environments, outcome.scenario.calls),
            _ => format!("{:>18}", ""),
        };
        let _ = writeln!(text, "{size}  {}", line(score));
    }
    text
}

fn line(score: &Score) -> String {
    let percent = |it: f64| format!("{:.1}%", it * 100.0);
    let optional = |it: Option<f64>| it.map_or("–".to_owned(), percent);
    let power = score.power.map(|it| format!("{:>6}", format!("{:.0}%", it * 100.0))).concat();
    let width = score.half_width.map_or("–".to_owned(), |it| format!("±{:.2}%", it * 100.0));
    format!(
        "{:<21}{:>8} {:>9}{power} {width:>9}",
        score.method.as_str(),
        optional(score.coverage),
        percent(score.false_positives)
    )
}

/// Whether the aims are met, and where not.
pub fn conclusion(missed: &[Missed], runs: u32) -> String {
    let mut text = format!(
        "\nCoverage of 95% intervals, false positives of equal sides, power for true differences, half widths; \
         {runs} campaigns each.\n"
    );
    if missed.is_empty() {
        text +=
            "The aims are met: duet report and duet run --until-ci are within them in every scenario that has one.\n";
    }
    for Missed { scenario, method, what } in missed {
        let (environments, calls) = (scenario.environments, scenario.calls);
        let _ = writeln!(
            text,
            "MISSED: {}, {}, {environments} environments, {calls} calls: {what}",
            method.as_str(),
            scenario.fleet()
        );
    }
    text
}
