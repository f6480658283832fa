//! What github-action-benchmark reads as `customSmallerIsBetter`: a list of values, each with a name and a unit.

use super::estimates::{Estimate, Estimates, Quantity, SameName, check_unique};
use crate::{
    analysis::sides::Side,
    report::{
        tables::known_environments,
        words::{counted, from_to, percent, significant_to},
    },
};
use serde::Serialize;

/// A value under its name. The action draws one chart for each name.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    name: String,
    unit: &'static str,
    value: f64,
    /// The interval, in words: charts and comments show them as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    /// What a chart shows on demand.
    extra: String,
}

/// The list.
///
/// # Errors
/// When names do not tell entries apart.
pub(crate) fn entries(estimates: &Estimates<'_>) -> Result<Vec<Entry>, SameName> {
    let confidence = estimates.analysis.method.confidence;
    let entries: Vec<Entry> = estimates.all.iter().map(|estimate| entry(estimate, confidence)).collect();
    check_unique(entries.iter().map(|entry| &entry.name))?;
    Ok(entries)
}

fn entry(estimate: &Estimate<'_>, confidence: f64) -> Entry {
    let (what, unit) = match estimate.quantity {
        Quantity::Time(measure) => (measure.to_string(), "ms"),
        Quantity::Ratio(measure) => (format!("{measure} ratio"), "ratio"),
        Quantity::Cost => ("cost of a million invocations".to_owned(), "USD"),
    };
    let interval = estimate.interval.map(|_| format!("range: {} interval", percent(confidence)));
    let lines: Vec<String> = evidence(estimate).into_iter().chain(interval).collect();
    Entry {
        name: format!("{} {what}", estimate.benchmark()),
        unit,
        value: estimate.value,
        range: estimate.interval.map(|interval| from_to(interval.low, interval.high, significant_to)),
        extra: lines.join("\n"),
    }
}

/// What an estimate is made of.
fn evidence(estimate: &Estimate<'_>) -> Vec<String> {
    let Some((comparison, side)) = estimate.source else { return Vec::new() };
    let of = |side: Side| {
        let calls = counted(comparison.calls[side], "call");
        let environments = known_environments(comparison.environments[side], comparison.calls[side]);
        environments.map_or(calls.clone(), |number| format!("{}, {calls}", counted(number, "environment")))
    };
    match estimate.quantity {
        Quantity::Ratio(_) => vec![
            format!("verdict: {}", comparison.verdict),
            format!("baseline: {}", of(Side::Baseline)),
            format!("candidate: {}", of(Side::Candidate)),
            format!("blocks: {}", comparison.blocks),
        ],
        Quantity::Time(_) | Quantity::Cost => vec![of(side)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_value_has_its_interval_and_what_it_is_made_of() {
        let pair = fixture::analysis();
        let analysis = fixture::campaign(&pair);
        let list = serde_json::to_value(entries(&Estimates::new(&analysis)).unwrap()).unwrap();
        let of = |name: &str| list.as_array().unwrap().iter().find(|entry| entry["name"] == name).unwrap();
        let ratio = of("arm64 over x86_64/math/matmul wall time ratio");
        assert_eq!((&ratio["unit"], &ratio["value"]), (&"ratio".into(), &0.742.into()));
        assert_eq!(ratio["range"], "0.722 to 0.763");
        let expected = "verdict: faster\nbaseline: 48 environments, 1,872 calls\ncandidate: 52 environments, 1,868 calls\n\
            blocks: 40\nrange: 95% interval";
        assert_eq!(ratio["extra"], expected);
        let mean = of("arm64/math/matmul wall time");
        assert_eq!(
            (&mean["unit"], &mean["extra"]),
            (&"ms".into(), &"52 environments, 1,868 calls\nrange: 95% interval".into())
        );
    }
}
