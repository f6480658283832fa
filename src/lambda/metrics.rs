//! The metrics of an invocation, as numbers; the [sink](super::sink) delivers them.
//!
//! Dimensions are `[Architecture, Workload]` and `[Architecture]` and nothing finer: CloudWatch
//! bills every combination of dimension values as a metric of its own.

use crate::protocol::{Architecture, Environment, Sample, Status};
use aws_sdk_cloudwatch::types::StandardUnit;
use std::time::{Instant, SystemTime};

/// The namespace of every metric; the function's role may write to no other.
pub const NAMESPACE: &str = "LambdaDuet";

/// The most distinct values that CloudWatch accepts in one datum.
const MAX_VALUES: usize = 150;

/// The data of an invocation from which metrics are made.
pub struct Report {
    /// The environment that served it.
    pub environment: Environment,
    /// The measurements; `None` if it ended in an error.
    pub results: Option<Vec<Sample>>,
    /// The invocation's id.
    pub request_id: String,
    /// The CPU's model, if it has been read.
    pub cpu_model: Option<String>,
    /// When the answer was ready.
    pub timestamp: SystemTime,
    /// The invocation's deadline, by which the metrics have to be delivered.
    pub deadline: Instant,
}

/// The metrics of one invocation.
pub struct Metrics {
    /// The value of the dimension `Architecture`.
    pub architecture: Architecture,
    /// When it was measured.
    pub timestamp: SystemTime,
    /// The values, grouped by scope.
    pub data: Vec<Datum>,
    /// Further facts about the invocation, which are too fine for dimensions.
    pub properties: Vec<(&'static str, String)>,
}

/// Values of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Datum {
    /// The metric's name.
    pub name: &'static str,
    /// The unit of the values.
    pub unit: StandardUnit,
    /// What the values describe.
    pub scope: Scope,
    /// Distinct values, ascending, each with its number of occurrences; at most [`MAX_VALUES`].
    pub values: Vec<(f64, f64)>,
}

/// What values describe, which decides their dimensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One workload: they count under it, and under the architecture as a whole.
    Workload(String),
    /// The architecture as a whole.
    Architecture,
}

impl From<&Report> for Metrics {
    fn from(report: &Report) -> Self {
        let Report { environment, results, request_id, cpu_model, timestamp, .. } = report;
        let named = [("request_id", request_id.as_str()), ("environment_id", &environment.id)];
        let properties = named.into_iter().chain(cpu_model.as_deref().map(|model| ("cpu_model", model)));
        let mut metrics = Self {
            architecture: Architecture::OF_BINARY,
            timestamp: *timestamp,
            data: Vec::new(),
            properties: properties.map(|(name, value)| (name, value.to_owned())).collect(),
        };
        for sample in results.iter().flatten() {
            metrics.add_sample(sample);
        }
        let max_rss = results.iter().flatten().map(|sample| sample.memory.max_rss_bytes).max();
        metrics.add("MaxRss", StandardUnit::Bytes, Scope::Architecture, max_rss.map(|bytes| bytes as f64));
        metrics.add_count("Errors", u32::from(results.is_none()));
        metrics.add_count("ColdStart", u32::from(environment.cold_start));
        if environment.cold_start {
            metrics.add("InitDuration", StandardUnit::Milliseconds, Scope::Architecture, [environment.init_ms]);
        }
        metrics
    }
}

impl Metrics {
    /// Adds a count for the architecture as a whole.
    pub fn add_count(&mut self, name: &'static str, count: u32) {
        self.add(name, StandardUnit::Count, Scope::Architecture, [f64::from(count)]);
    }

    fn add_sample(&mut self, sample: &Sample) {
        let milliseconds = |times: &[f64]| times.iter().map(|time| time / 1e6).collect::<Vec<_>>();
        let peak_heap = sample.memory.heap.map(|heap| heap.peak_heap_bytes as f64);
        let truncated = matches!(sample.status, Status::Truncated | Status::Skipped);
        let scope = || Scope::Workload(sample.workload.clone());
        self.add("Duration", StandardUnit::Milliseconds, scope(), milliseconds(&sample.wall_ns));
        self.add("CpuTime", StandardUnit::Milliseconds, scope(), milliseconds(&sample.cpu_ns));
        self.add("PeakHeap", StandardUnit::Bytes, scope(), peak_heap);
        self.add("Truncated", StandardUnit::Count, scope(), [f64::from(truncated)]);
    }

    /// Adds a datum, unless there are no values.
    fn add(&mut self, name: &'static str, unit: StandardUnit, scope: Scope, values: impl IntoIterator<Item = f64>) {
        let values = counted(values.into_iter().collect());
        if !values.is_empty() {
            self.data.push(Datum { name, unit, scope, values });
        }
    }
}

/// Distinct values, ascending, with their counts. If they are too many for one datum, those between the smallest and
/// the largest are replaced by the means of groups of equal size: count, sum and extremes stay exact, percentiles
/// nearly so.
fn counted(mut values: Vec<f64>) -> Vec<(f64, f64)> {
    values.sort_unstable_by(f64::total_cmp);
    let distinct = values.chunk_by(|a, b| a == b);
    if distinct.clone().count() <= MAX_VALUES {
        return distinct.map(|equal| (equal[0], equal.len() as f64)).collect();
    }
    let [least, between @ .., greatest] = &*values else { unreachable!("there are more than two distinct values") };
    let groups = between.chunks(between.len().div_ceil(MAX_VALUES - 2));
    let means = groups.map(|group| (group.iter().sum::<f64>() / group.len() as f64, group.len() as f64));
    [(*least, 1.0)].into_iter().chain(means).chain([(*greatest, 1.0)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        lambda::emf,
        protocol::{HeapUse, Memory, Nanoseconds, Size},
    };
    use std::collections::BTreeMap;

    fn sample(workload: &str, times: &[u64], status: Status) -> Sample {
        let times: Nanoseconds = times.iter().map(|&time| time as f64).collect();
        Sample {
            workload: workload.to_owned(),
            category: "math".to_owned(),
            size: Size::Elements(1),
            elements: 1,
            shape: None,
            code_path: None,
            checksum: None,
            status,
            error: None,
            batch_size: 1,
            cpu_ns: times.clone(),
            wall_ns: times,
            summary: None,
            memory: Memory { heap: Some(HeapUse { peak_heap_bytes: 7, ..HeapUse::default() }), max_rss_bytes: 99 },
            throttled_fraction: None,
            warnings: Vec::new(),
        }
    }

    fn metrics(cold_start: bool, results: Option<Vec<Sample>>) -> Metrics {
        let environment =
            Environment { id: "e".to_owned(), cold_start, invocation_index: u64::from(!cold_start), init_ms: 12.5 };
        Metrics::from(&Report {
            environment,
            results,
            request_id: "r".to_owned(),
            cpu_model: Some("Neoverse-V2".to_owned()),
            timestamp: SystemTime::now(),
            deadline: Instant::now(),
        })
    }

    fn values<'a>(metrics: &'a Metrics, name: &str, workload: Option<&str>) -> &'a [(f64, f64)] {
        let scope = workload.map_or(Scope::Architecture, |workload| Scope::Workload(workload.to_owned()));
        let mut found = metrics.data.iter().filter(|datum| datum.name == name && datum.scope == scope);
        let values = &found.next().unwrap_or_else(|| panic!("no {name} of {workload:?}")).values;
        assert!(found.next().is_none(), "{name} of {workload:?} comes twice");
        values
    }

    #[test]
    fn iterations_are_values_with_counts() {
        let sample = sample("math/x", &[3_000_000, 1_000_000, 3_000_000], Status::Completed);
        let metrics = metrics(true, Some(vec![sample]));
        let of_workload = |name| values(&metrics, name, Some("math/x"));
        assert_eq!(of_workload("Duration"), [(1.0, 1.0), (3.0, 2.0)]);
        assert_eq!(of_workload("CpuTime"), [(1.0, 1.0), (3.0, 2.0)]);
        assert_eq!(of_workload("PeakHeap"), [(7.0, 1.0)]);
        assert_eq!(of_workload("Truncated"), [(0.0, 1.0)]);
        assert_eq!(values(&metrics, "MaxRss", None), [(99.0, 1.0)]);
        assert_eq!(values(&metrics, "Errors", None), [(0.0, 1.0)]);
        assert_eq!(values(&metrics, "ColdStart", None), [(1.0, 1.0)]);
        assert_eq!(values(&metrics, "InitDuration", None), [(12.5, 1.0)]);
    }

    #[test]
    fn a_warm_start_has_no_init_and_an_error_has_no_measurements() {
        let metrics = metrics(false, None);
        let names: Vec<_> = metrics.data.iter().map(|datum| datum.name).collect();
        assert_eq!(names, ["Errors", "ColdStart"]);
        assert_eq!(values(&metrics, "Errors", None), [(1.0, 1.0)]);
        assert_eq!(values(&metrics, "ColdStart", None), [(0.0, 1.0)]);
    }

    #[test]
    fn too_many_values_become_means_that_keep_count_sum_and_extremes() {
        for len in [150, 151, 152, 299, 1000] {
            let metrics =
                metrics(false, Some(vec![sample("math/x", &(1..=len).collect::<Vec<_>>(), Status::Completed)]));
            let values = values(&metrics, "Duration", Some("math/x"));
            assert!(values.len() <= MAX_VALUES && values.is_sorted_by(|a, b| a.0 < b.0));
            let sum = |of: fn(&(f64, f64)) -> f64| values.iter().map(of).sum::<f64>();
            assert_eq!(sum(|(_, count)| *count), len as f64);
            assert!((sum(|(value, count)| value * count) * 1e6 - (len * (len + 1) / 2) as f64).abs() < 1e-6);
            assert_eq!((values[0].0, values[values.len() - 1].0), (1e-6, len as f64 / 1e6));
        }
    }

    /// What CloudWatch makes of metrics by either way: the number and the sum of the values of each unit,
    /// under each name and set of dimensions.
    type Totals = BTreeMap<(String, String, Option<String>), (u64, f64)>;

    fn totals_of_data(metrics: &Metrics) -> Totals {
        let mut totals = Totals::new();
        for datum in &metrics.data {
            let scopes = match &datum.scope {
                Scope::Workload(workload) => vec![Some(workload.clone()), None],
                Scope::Architecture => vec![None],
            };
            for scope in scopes {
                let total = totals.entry((datum.name.to_owned(), datum.unit.as_str().to_owned(), scope)).or_default();
                for (value, count) in &datum.values {
                    *total = (total.0 + *count as u64, total.1 + value * count);
                }
            }
        }
        totals
    }

    fn totals_of_lines(metrics: &Metrics) -> Totals {
        let mut totals = Totals::new();
        for line in emf::documents(metrics) {
            assert_eq!(
                (&line["Architecture"], &line["request_id"]),
                (&Architecture::OF_BINARY.to_string().into(), &"r".into())
            );
            let directive = &line["_aws"]["CloudWatchMetrics"][0];
            for metric in directive["Metrics"].as_array().unwrap() {
                let values = line[metric["Name"].as_str().unwrap()].as_array().unwrap();
                assert!((1..=100).contains(&values.len()));
                for dimensions in directive["Dimensions"].as_array().unwrap() {
                    let has_workload = dimensions.as_array().unwrap().iter().any(|name| name == "Workload");
                    let workload = has_workload.then(|| line["Workload"].as_str().unwrap().to_owned());
                    let text = |name: &str| metric[name].as_str().unwrap().to_owned();
                    let total = totals.entry((text("Name"), text("Unit"), workload)).or_default();
                    for value in values {
                        *total = (total.0 + 1, total.1 + value.as_f64().unwrap());
                    }
                }
            }
        }
        totals
    }

    #[test]
    fn log_lines_have_the_same_metrics_as_calls() {
        let many: Vec<u64> = (1..=1000).map(|time| time * 1_000_003).collect();
        let samples = crate::workload::ALL.iter().map(|workload| sample(workload.name, &many, Status::Truncated));
        for metrics in [metrics(true, Some(samples.collect())), metrics(false, None)] {
            let (calls, lines) = (totals_of_data(&metrics), totals_of_lines(&metrics));
            assert!(calls.keys().eq(lines.keys()), "{:?} and {:?}", calls.keys(), lines.keys());
            for (key, (count, sum)) in calls {
                let line = lines[&key];
                assert!(
                    count == line.0 && (sum - line.1).abs() <= 1e-9 * sum.abs(),
                    "{key:?}: {count} {sum}, {line:?}"
                );
            }
        }
    }
}
