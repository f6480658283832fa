//! Bencher Metric Format: benchmarks, each with its measures, each with a value and its bounds.

use super::estimates::{Estimate, Estimates, Quantity, SameName, check_unique};
use serde_json::{Map, Value, json};

/// The benchmarks by their names.
///
/// # Errors
/// When names do not tell them apart.
pub(crate) fn benchmarks(estimates: &Estimates<'_>) -> Result<Map<String, Value>, SameName> {
    let names: Vec<String> = estimates.all.iter().map(|it| format!("{} {}", it.benchmark(), measure(it))).collect();
    check_unique(names.iter())?;
    let mut benchmarks = Map::new();
    for estimate in &estimates.all {
        let measures = benchmarks.entry(estimate.benchmark()).or_insert_with(|| json!({}));
        measures[measure(estimate)] = metric(estimate);
    }
    Ok(benchmarks)
}

fn metric(estimate: &Estimate<'_>) -> Value {
    let mut metric = json!({"value": estimate.value});
    if let Some(interval) = estimate.interval {
        (metric["lower_value"], metric["upper_value"]) = (interval.low.into(), interval.high.into());
    }
    metric
}

/// A measure's slug, in which its unit is: Bencher creates measures without one. Bencher's own `latency` is in nanoseconds, and so
/// no name of these.
fn measure(estimate: &Estimate<'_>) -> String {
    let slug = |words: &str| words.to_lowercase().replace(' ', "-");
    match estimate.quantity {
        Quantity::Time(measure) => format!("{}-ms", slug(measure.as_str())),
        Quantity::Ratio(measure) => format!("{}-ratio", slug(measure.as_str())),
        Quantity::Cost => "cost-usd-per-million".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn values_are_those_of_the_analysis() {
        let pair = fixture::analysis();
        let mut analysis = fixture::campaign(&pair);
        let cost = pair.money.as_ref().unwrap().per_million.candidate;
        analysis.variants[1].per_million = Some(cost);
        let benchmarks = benchmarks(&Estimates::new(&analysis)).unwrap();
        let first = &pair.cells[0].comparisons[0];
        let (ratio, mean) = (first.ratio.unwrap(), first.statistics.candidate.unwrap().mean);
        let interval = ratio.interval.unwrap();
        assert_eq!(
            benchmarks["arm64 over x86_64/math/matmul"]["wall-time-ratio"],
            json!({"value": ratio.estimate, "lower_value": interval.low, "upper_value": interval.high})
        );
        assert_eq!(benchmarks["arm64/math/matmul"]["wall-time-ms"]["value"], mean);
        assert!(benchmarks["arm64/math/matmul"]["cpu-time-ms"]["value"].is_f64());
        assert_eq!(benchmarks["arm64"]["cost-usd-per-million"]["value"], cost.total_usd);
    }

    #[test]
    fn names_that_collide_are_refused() {
        let mut pair = fixture::analysis();
        pair.cells[1].name = pair.cells[0].name.clone();
        let analysis = fixture::campaign(&pair);
        let error = benchmarks(&Estimates::new(&analysis)).unwrap_err().to_string();
        assert!(error.starts_with("two estimates would be called \"x86_64/math/matmul wall-time-ms\""), "{error}");
    }
}
