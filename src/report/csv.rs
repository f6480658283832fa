//! A report as comma-separated values: a row for each candidate, cell and measure.

use crate::analysis::sides::Side;
use crate::analysis::{
    choice::Chosen,
    estimate::Sources,
    result::{Analysis, Comparison, Interval, Measure, PairAnalysis, SummaryStatistics},
};
use crate::report::tables::known_environments;
use csv::Writer;
use std::fmt::{Display, LowerExp};

/// The columns, in their order. They stay; new ones come at the end.
///
/// Times are milliseconds, ratios the candidate's mean over the baseline's. What is not known is empty.
pub const HEADER: &str = "cell,measure,verdict,ratio,ratio_low,ratio_high,log_standard_error,degrees_of_freedom,\
    p_value,environments_needed,\
    baseline_environments,baseline_calls,baseline_mean_ms,baseline_mean_low_ms,baseline_mean_high_ms,baseline_min_ms,\
    baseline_p50_ms,baseline_p90_ms,baseline_p95_ms,baseline_p99_ms,baseline_max_ms,\
    candidate_environments,candidate_calls,candidate_mean_ms,candidate_mean_low_ms,candidate_mean_high_ms,\
    candidate_min_ms,candidate_p50_ms,candidate_p90_ms,candidate_p95_ms,candidate_p99_ms,candidate_max_ms,\
    confidence,blocks,share_of_environments,share_of_disturbances,share_of_calls,baseline,candidate,\
    baseline_usd_per_million,candidate_usd_per_million,savings,savings_low,savings_high,baseline_chosen,candidate_chosen,\
    share_of_mix,ratio_without_census,ratio_low_without_census,ratio_high_without_census";

/// All comparisons of an analysis under [`HEADER`]: the headline as the cell `all`, each cell's measures, and the starts
/// of environments as the cell `starts`; one candidate after the other.
///
/// # Errors
/// When the writer of `csv` fails, which it does not in memory.
pub fn report(analysis: &Analysis) -> Result<String, csv::Error> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(HEADER.split(','))?;
    for pair in &analysis.comparisons {
        for (cell, comparison) in pair.named_comparisons() {
            let record = record(cell, comparison, pair).into_iter().chain(answer(analysis, pair));
            writer.write_record(record.chain(of_census(comparison)))?;
        }
    }
    let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn record(cell: &str, comparison: &Comparison, pair: &PairAnalysis) -> Vec<String> {
    let Comparison { measure, ratio, verdict, .. } = comparison;
    let (low, high) = ends(ratio.and_then(|ratio| ratio.interval));
    let mut record = vec![
        cell.to_owned(),
        key(*measure).to_owned(),
        verdict.to_string(),
        number(ratio.map(|it| it.estimate)),
        number(low),
        number(high),
        number(ratio.and_then(|it| it.log_standard_error)),
        number(ratio.and_then(|it| it.degrees_of_freedom)),
        number(ratio.and_then(|it| it.p_value)),
        comparison.environments_needed.map(|needed| needed.to_string()).unwrap_or_default(),
    ];
    for side in Side::BOTH {
        let environments = known_environments(comparison.environments[side], comparison.calls[side]);
        let environments = environments.map(|number| number.to_string()).unwrap_or_default();
        record.extend([environments, comparison.calls[side].to_string()]);
        record.extend(statistics(comparison.statistics[side]));
    }
    record.extend([number(Some(pair.method.confidence)), comparison.blocks.to_string()]);
    let share = |pick: fn(&Sources) -> f64| number(comparison.sources.as_ref().map(pick));
    record.extend([share(|it| it.environments), share(|it| it.disturbances), share(|it| it.calls)]);
    record.extend(pair.names().iter().map(|(_, name)| (*name).to_owned()));
    record
}

/// What a pair costs and saves, and as what its variants were chosen.
fn answer(analysis: &Analysis, pair: &PairAnalysis) -> Vec<String> {
    let of_variant = |name: &str| analysis.variants.iter().find(|facts| facts.name == name);
    let names = pair.names();
    let [baseline, candidate] = [names.baseline, names.candidate];
    let cost = |name: &str| number(of_variant(name).and_then(|facts| Some(facts.per_million?.total_usd)));
    let money = pair.money.as_ref();
    let (low, high) = ends(money.and_then(|money| money.savings_interval));
    vec![
        cost(baseline),
        cost(candidate),
        number(money.map(|money| money.savings)),
        number(low),
        number(high),
        chosen_as(analysis, baseline),
        chosen_as(analysis, candidate),
    ]
}

/// What a census leaves open of the ratio, and the ratio without it.
fn of_census(comparison: &Comparison) -> [String; 4] {
    let without = comparison.without_census;
    let (low, high) = ends(without.and_then(|ratio| ratio.interval));
    let mix = comparison.sources.as_ref().map(|sources| sources.mix);
    [mix, without.map(|ratio| ratio.estimate), low, high].map(number)
}

/// As what a variant was chosen, such as `cheapest balanced`.
fn chosen_as(analysis: &Analysis, name: &str) -> String {
    let Some(choice) = &analysis.choice else { return String::new() };
    let roles = [("cheapest", &choice.cheapest), ("fastest", &choice.fastest), ("balanced", &choice.balanced)];
    let is_chosen = |chosen: &Option<Chosen>| chosen.as_ref().is_some_and(|chosen| chosen.variant == name);
    let roles: Vec<&str> = roles.into_iter().filter(|(_, chosen)| is_chosen(chosen)).map(|(role, _)| role).collect();
    roles.join(" ")
}

/// A measure's name in files.
pub(super) fn key(measure: Measure) -> &'static str {
    match measure {
        Measure::Wall => "wall",
        Measure::Cpu => "cpu",
        Measure::Duration => "duration",
        Measure::Billed => "billed",
        Measure::Latency => "latency",
        Measure::Init => "init",
    }
}

fn statistics(statistics: Option<SummaryStatistics>) -> [String; 9] {
    let Some(SummaryStatistics { mean, interval, min, p50, p90, p95, p99, max }) = statistics else {
        return Default::default();
    };
    let (low, high) = ends(interval);
    let [mean, low, high] = [Some(mean), low, high].map(number);
    let [min, p50, p90, p95, p99, max] = [min, p50, p90, p95, p99, max].map(measured);
    [mean, low, high, min, p50, p90, p95, p99, max]
}

/// A time of a call, which is kept with single precision, in the digits that this has.
fn measured(ms: f64) -> String {
    let single = ms as f32;
    if f64::from(single) == ms { number_as(single, single.into()) } else { number(Some(ms)) }
}

fn ends(interval: Option<Interval>) -> (Option<f64>, Option<f64>) {
    interval.map(|Interval { low, high }| (low, high)).unzip()
}

/// A number in all its digits; empty if it is unknown, or none that other programs read.
pub(super) fn number(value: Option<f64>) -> String {
    value.map(|value| number_as(value, value)).unwrap_or_default()
}

/// A number with powers of ten where it would have many zeros.
fn number_as<T: Display + LowerExp>(number: T, value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => String::new(),
        0.0 | 1e-5..1e16 => number.to_string(),
        _ => format!("{number:e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::{choice::Choice, verdict::Verdict},
        report::fixture,
    };

    fn rows(analysis: &PairAnalysis) -> Vec<Vec<String>> {
        let text = report(&fixture::campaign(analysis)).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap(), HEADER.split(',').collect::<Vec<_>>());
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn every_comparison_is_a_row() {
        let analysis = fixture::analysis();
        let rows = rows(&analysis);
        let comparisons: usize = analysis.cells.iter().map(|cell| cell.comparisons.len()).sum();
        assert_eq!(rows.len(), 1 + comparisons + analysis.cold_starts.comparisons.len());
        assert_eq!(rows[0][..2], ["all", "wall"]);
        assert_eq!(rows[1][..4], ["math/matmul", "wall", "faster", "0.742"]);
        let of =
            |name: &str| rows[1][HEADER.split(',').position(|column| column == name).unwrap()].parse::<f64>().unwrap();
        let levels = analysis.cells[0].comparisons[0].statistics.candidate.unwrap();
        assert_eq!((of("candidate_p99_ms"), of("candidate_mean_ms")), (levels.p99, levels.mean));
        assert_eq!((of("baseline_environments"), of("confidence")), (48.0, 0.95));
    }

    #[test]
    fn rows_have_the_answer() {
        let mut analysis = fixture::campaign(&fixture::analysis());
        let chosen = |variant: &str| Some(Chosen { variant: variant.to_owned(), not_distinguishable: Vec::new() });
        analysis.choice = Some(Choice {
            weight: 0.5,
            exceeding: Vec::new(),
            cheapest: chosen("arm64"),
            fastest: chosen("x86_64"),
            balanced: chosen("arm64"),
            undecided: Vec::new(),
        });
        let answer = |analysis: &Analysis| answer(analysis, &analysis.comparisons[0]);
        let money = analysis.comparisons[0].money.clone().unwrap();
        let of_money = [Some(money.savings), money.savings_interval.map(|savings| savings.low)].map(number);
        let row = answer(&analysis);
        assert_eq!((&row[2..4], &row[5..]), (&of_money[..], &["fastest", "cheapest balanced"].map(str::to_owned)[..]));
        (analysis.choice, analysis.comparisons[0].money) = (None, None);
        assert!(answer(&analysis)[2..].iter().all(String::is_empty));
    }

    #[test]
    fn rows_end_with_what_a_census_changes() {
        let ends = |analysis: &PairAnalysis| rows(analysis)[0][46..].to_vec();
        let without = fixture::counted().headline.unwrap().without_census.unwrap();
        let interval = without.interval.unwrap();
        let expected = [0.2, without.estimate, interval.low, interval.high].map(|value| value.to_string());
        assert_eq!(ends(&fixture::counted()), expected);
        assert_eq!(ends(&fixture::analysis()), ["0", "", "", ""]);
    }

    #[test]
    fn names_are_quoted_and_gaps_are_empty() {
        let mut analysis = fixture::analysis();
        analysis.cells[0].name = "a, \"b\"\nc".to_owned();
        let comparison = &mut analysis.cells[0].comparisons[0];
        (comparison.ratio, comparison.verdict) = (None, Verdict::Withheld);
        comparison.statistics.baseline = None;
        let rows = rows(&analysis);
        assert_eq!(rows[1][0], "a, \"b\"\nc");
        assert!(rows[1][3..9].iter().all(String::is_empty), "{:?}", rows[1]);
        assert_eq!(number(Some(f64::NAN)), "");
    }

    #[test]
    fn numbers_have_the_digits_of_their_precision_and_few_zeros() {
        let texts = [f64::from(70.586_f32), 70.586, f64::from(1e-7_f32), f64::INFINITY].map(measured);
        assert_eq!(texts, ["70.586", "70.586", "1e-7", ""]);
        let texts = [f64::from(70.586_f32), 1e-120, 0.05, 0.0, -3e-9].map(|value| number(Some(value)));
        assert_eq!(texts, ["70.58599853515625", "1e-120", "0.05", "0", "-3e-9"]);
    }

    #[test]
    fn measures_have_the_names_of_the_json() {
        for measure in Measure::ALL {
            assert_eq!(serde_json::to_value(measure).unwrap(), key(measure));
        }
    }
}
