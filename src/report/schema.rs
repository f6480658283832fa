//! The published shape of a report, held to what is written.

use super::fixture;
use crate::analysis::{
    result::{PairAnalysis, Ratio},
    verdict::Verdict,
    warning_kind::WarningKind,
};
use serde_json::Value;

fn validate(pair: &PairAnalysis) -> Result<(), String> {
    let schema: Value = serde_json::from_str(include_str!("../../docs/schema/report.schema.json")).unwrap();
    let value = serde_json::to_value(fixture::campaign_of(&[pair.clone(), pair.clone()])).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.validate(&value).map_err(|error| format!("{error} at {}", error.instance_path()))
}

#[test]
fn a_complete_report_matches_the_schema() {
    assert_eq!(validate(&fixture::analysis()), Ok(()));
}

#[test]
fn a_report_with_a_census_matches_the_schema() {
    let mut analysis = fixture::counted();
    assert_eq!(validate(&analysis), Ok(()));
    analysis.mix_scenarios[0].points[7].proportion = 1.5;
    assert!(validate(&analysis).is_err());
}

#[test]
fn a_sparse_report_matches_the_schema() {
    let mut analysis = fixture::analysis();
    (analysis.headline, analysis.money) = (None, None);
    analysis.sides.baseline.architecture = None;
    analysis.sides.baseline.memory_mb = None;
    analysis.sides.baseline.memory = None;
    analysis.sides.candidate.cpus.clear();
    let cell = &mut analysis.cells[0];
    cell.by_cpu.clear();
    cell.series.clear();
    let comparison = &mut cell.comparisons[0];
    (comparison.ratio, comparison.verdict) = (None, Verdict::Withheld);
    comparison.statistics.candidate = None;
    let ratio =
        Ratio { estimate: 1.1, interval: None, log_standard_error: None, degrees_of_freedom: None, p_value: None };
    cell.comparisons[1].ratio = Some(ratio);
    assert_eq!(validate(&analysis), Ok(()));
    analysis.cells.clear();
    analysis.cold_starts.comparisons.clear();
    assert_eq!(validate(&analysis), Ok(()));
}

/// Programs look for these names.
#[test]
fn kinds_of_warnings_have_the_names_that_the_schema_has() {
    let schema: Value = serde_json::from_str(include_str!("../../docs/schema/report.schema.json")).unwrap();
    let names = &schema["$defs"]["warning"]["properties"]["kind"]["enum"];
    let kinds: Vec<WarningKind> = serde_json::from_value(names.clone()).unwrap();
    assert_eq!(serde_json::to_value(&kinds).unwrap(), *names);
    assert_eq!(kinds.len(), WarningKind::NoBill as usize + 1);
}

#[test]
fn a_number_that_json_does_not_have_is_refused() {
    // JSON has no such numbers; they become null, which the shape does not allow in their places.
    let mut analysis = fixture::analysis();
    analysis.cells[0].distributions.candidate[0].percentiles[99] = f64::INFINITY;
    assert!(validate(&analysis).is_err());
    let mut analysis = fixture::analysis();
    analysis.cells[0].comparisons[0].ratio =
        analysis.cells[0].comparisons[0].ratio.map(|ratio| Ratio { estimate: f64::NAN, ..ratio });
    assert!(validate(&analysis).is_err());
}
