//! OpenMetrics' text format, as far as Prometheus' own older format has it too, which textfile collectors read: gauges alone.

use super::estimates::{Estimate, Estimates, Quantity};
use crate::{
    analysis::result::{PairAnalysis, VariantFacts},
    report::csv::key,
};
use std::{collections::BTreeSet, fmt::Write};

/// Metrics of one name.
struct Family {
    /// With its unit at the end, if it has one.
    name: &'static str,
    unit: Option<&'static str>,
    help: &'static str,
    samples: Vec<Sample>,
}

struct Sample {
    labels: Vec<(&'static str, String)>,
    value: f64,
}

/// An estimate's family, and those of the ends of its interval.
type Names = [(&'static str, &'static str); 3];

const TIMES: Names = [
    ("duet_time_seconds", "Mean time of calls."),
    ("duet_time_low_seconds", "Lower end of the mean's 95% interval."),
    ("duet_time_high_seconds", "Upper end of the mean's 95% interval."),
];

const RATIOS: Names = [
    ("duet_time_ratio", "Mean time of calls over that of the baseline."),
    ("duet_time_low_ratio", "Lower end of the ratio's 95% interval."),
    ("duet_time_high_ratio", "Upper end of the ratio's 95% interval."),
];

const COSTS: Names = [
    ("duet_million_invocations_usd", "Cost of a million invocations."),
    ("duet_million_invocations_low_usd", "Lower end of the cost's 95% interval."),
    ("duet_million_invocations_high_usd", "Upper end of the cost's 95% interval."),
];

/// The estimates and what is known of their quality, for the campaign of this name.
pub(crate) fn render(estimates: &Estimates<'_>, run: &str) -> String {
    let mut families = Vec::new();
    let times = |quantity| matches!(quantity, Quantity::Time(_));
    families.extend(intervals(estimates, run, TIMES, "seconds", times));
    families.push(quantiles(estimates, run));
    families.extend(intervals(estimates, run, RATIOS, "ratio", |quantity| matches!(quantity, Quantity::Ratio(_))));
    families.extend(intervals(estimates, run, COSTS, "usd", |quantity| quantity == Quantity::Cost));
    families.extend(quality(estimates, run));
    let mut text = String::new();
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        family.write(&mut text);
    }
    text + "# EOF\n"
}

fn intervals(
    estimates: &Estimates<'_>,
    run: &str,
    names: Names,
    unit: &'static str,
    is_meant: impl Fn(Quantity) -> bool,
) -> [Family; 3] {
    let mut families = names.map(|(name, help)| Family { name, unit: Some(unit), help, samples: Vec::new() });
    for estimate in estimates.all.iter().filter(|estimate| is_meant(estimate.quantity)) {
        let ends = estimate.interval.map(|interval| [interval.low, interval.high]);
        let values = [Some(estimate.value), ends.map(|[low, _]| low), ends.map(|[_, high]| high)];
        for (family, value) in families.iter_mut().zip(values) {
            let sample =
                |value| Sample { labels: labels(estimate, run), value: in_base_unit(estimate.quantity, value) };
            family.samples.extend(value.map(sample));
        }
    }
    families
}

fn quantiles(estimates: &Estimates<'_>, run: &str) -> Family {
    let mut samples = Vec::new();
    for estimate in estimates.all.iter().filter(|estimate| matches!(estimate.quantity, Quantity::Time(_))) {
        let Some(statistics) = estimate.source.and_then(|(comparison, side)| comparison.statistics[side]) else {
            continue;
        };
        let quantiles =
            [("0.5", statistics.p50), ("0.9", statistics.p90), ("0.95", statistics.p95), ("0.99", statistics.p99)];
        for (quantile, value) in quantiles {
            let mut labels = labels(estimate, run);
            labels.push(("quantile", quantile.to_owned()));
            samples.push(Sample { labels, value: in_base_unit(estimate.quantity, value) });
        }
    }
    let help = "Quantiles of the times of calls.";
    Family { name: "duet_time_quantile_seconds", unit: Some("seconds"), help, samples }
}

fn in_base_unit(quantity: Quantity, value: f64) -> f64 {
    if matches!(quantity, Quantity::Time(_)) { value / 1000.0 } else { value }
}

fn labels(estimate: &Estimate<'_>, run: &str) -> Vec<(&'static str, String)> {
    let measure = match estimate.quantity {
        Quantity::Time(measure) | Quantity::Ratio(measure) => Some(key(measure)),
        Quantity::Cost => None,
    };
    let labels = [
        ("run", Some(run)),
        ("variant", Some(estimate.variant)),
        ("baseline", estimate.baseline),
        ("cell", estimate.cell),
        ("measure", measure),
    ];
    labels.into_iter().filter_map(|(name, value)| Some((name, value?.to_owned()))).collect()
}

/// What tells how good the estimates are, and which of them are withheld.
fn quality(estimates: &Estimates<'_>, run: &str) -> Vec<Family> {
    let analysis = estimates.analysis;
    let gauge = |name, help, samples| Family { name, unit: None, help, samples };
    let verdicts = analysis.comparisons.iter().flat_map(|pair| verdicts(pair, run)).collect();
    let warnings = analysis.comparisons.iter().flat_map(|pair| warnings(pair, run)).collect();
    let of_variants = |count: fn(&VariantFacts) -> Option<u64>| {
        let sample = |facts: &VariantFacts| {
            let labels = vec![("run", run.to_owned()), ("variant", facts.name.clone())];
            Some(Sample { labels, value: count(facts)? as f64 })
        };
        analysis.variants.iter().filter_map(sample).collect()
    };
    let created =
        Sample { labels: vec![("run", run.to_owned())], value: analysis.campaign.created_unix_ms as f64 / 1000.0 };
    vec![
        gauge("duet_verdict", "The verdict in the label verdict; where it is withheld there is no ratio.", verdicts),
        gauge("duet_warning", "A reason to doubt the result, and whether it withholds the verdict.", warnings),
        gauge("duet_calls", "Calls, failed ones included.", of_variants(|facts| Some(facts.calls))),
        gauge(
            "duet_failed_calls",
            "Calls that failed.",
            of_variants(|facts| Some(facts.failures.as_ref()?.values().sum())),
        ),
        gauge(
            "duet_environments",
            "Execution environments that answered.",
            of_variants(|facts| facts.has_known_environments().then_some(facts.environments.into())),
        ),
        Family {
            unit: Some("seconds"),
            ..gauge("duet_created_timestamp_seconds", "When the campaign was begun.", vec![created])
        },
    ]
}

fn of_pair(pair: &PairAnalysis, run: &str) -> Vec<(&'static str, String)> {
    let names = pair.names();
    let labels = [("run", run), ("variant", names.candidate), ("baseline", names.baseline)];
    labels.map(|(name, value)| (name, value.to_owned())).to_vec()
}

fn verdicts(pair: &PairAnalysis, run: &str) -> impl Iterator<Item = Sample> {
    pair.named_comparisons().map(move |(cell, comparison)| {
        let mut labels = of_pair(pair, run);
        labels.push(("cell", cell.to_owned()));
        labels.push(("measure", key(comparison.measure).to_owned()));
        labels.push(("verdict", comparison.verdict.to_string()));
        Sample { labels, value: 1.0 }
    })
}

fn warnings(pair: &PairAnalysis, run: &str) -> impl Iterator<Item = Sample> {
    pair.warnings.iter().map(move |warning| {
        let mut labels = of_pair(pair, run);
        labels.push(("kind", warning.kind.to_string()));
        labels.push(("side", warning.side.map_or("both", |side| side.as_str()).to_owned()));
        labels.push(("withholds", pair.withholds(warning).to_string()));
        Sample { labels, value: 1.0 }
    })
}

impl Family {
    fn write(&self, text: &mut String) {
        let Self { name, unit, help, samples } = self;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        if let Some(unit) = unit {
            let _ = writeln!(text, "# UNIT {name} {unit}");
        }
        let mut written = BTreeSet::new();
        for Sample { labels, value } in samples {
            let labels: Vec<String> =
                labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
            let series = format!("{name}{{{}}}", labels.join(","));
            // Two warnings of one kind are one: a series has one value.
            if !written.contains(&series) {
                let _ = writeln!(text, "{series} {value}");
                written.insert(series);
            }
        }
    }
}

/// The value of a label.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn metrics_have_units_and_labels() {
        let pair = fixture::analysis();
        let analysis = fixture::campaign(&pair);
        let text = render(&Estimates::new(&analysis), "nightly");
        let mean = pair.cells[0].comparisons[0].statistics.candidate.unwrap().mean / 1000.0;
        let ratio = "duet_time_ratio{run=\"nightly\",variant=\"arm64\",baseline=\"x86_64\",cell=\"math/matmul\",\
            measure=\"wall\"} 0.742\n";
        for part in [
            "# HELP duet_time_seconds Mean time of calls.\n# TYPE duet_time_seconds gauge\n# UNIT duet_time_seconds seconds\n",
            &format!(
                "duet_time_seconds{{run=\"nightly\",variant=\"arm64\",cell=\"math/matmul\",measure=\"wall\"}} {mean}\n"
            ),
            ratio,
            "measure=\"wall\",verdict=\"faster\"} 1\n",
            "kind=\"unseen-cpus\",side=\"candidate\",withholds=\"false\"} 1\n",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(text.ends_with("\n# EOF\n"), "{text}");
    }

    #[test]
    fn labels_are_escaped() {
        let mut pair = fixture::analysis();
        pair.cells[0].name = "a\"b\\c\nd".to_owned();
        let analysis = fixture::campaign(&pair);
        let text = render(&Estimates::new(&analysis), "nightly");
        assert!(text.contains("cell=\"a\\\"b\\\\c\\nd\""), "{text}");
    }
}
