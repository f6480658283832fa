//! The metrics of an invocation, as numbers; where they go is the [sink](super::sink)'s business.
//!
//! Dimensions are `[Architecture, Workload]` and `[Architecture]` and nothing finer: CloudWatch
//! bills every combination of dimension values as a metric of its own.

use crate::protocol::{Architecture, Environment, Error, Response, Sample, Status};
use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

/// The namespace of every metric; the function's role may write to no other.
pub const NAMESPACE: &str = "LambdaDuet";

/// The most distinct values that CloudWatch takes in one datum.
const MAX_VALUES: usize = 150;

/// Values of one metric under one set of dimensions.
#[derive(Clone, Debug, PartialEq)]
pub struct Datum {
    /// The metric's name.
    pub name: &'static str,
    /// The unit of the values.
    pub unit: Unit,
    /// The value of the dimension `Architecture`.
    pub architecture: Architecture,
    /// The value of the dimension `Workload`, where the metric is of one workload.
    pub workload: Option<String>,
    /// Distinct values, ascending, each with how often it occurred; at most [`MAX_VALUES`].
    pub values: Vec<(f64, f64)>,
    /// When the invocation was measured.
    pub timestamp: SystemTime,
}

/// CloudWatch's units, as far as they are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Thousandths of a second.
    Milliseconds,
    /// Bytes.
    Bytes,
    /// A number of things.
    Count,
}

/// Metrics on their way from the handler to the layer that delivers them.
#[derive(Clone, Default)]
pub struct Outbox(Arc<Mutex<Vec<Datum>>>);

impl Outbox {
    /// Leaves metrics for delivery.
    pub fn put(&self, metrics: Vec<Datum>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(metrics);
    }

    /// Takes all metrics out, or none where there are none.
    pub fn take(&self) -> Option<Vec<Datum>> {
        let metrics = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        (!metrics.is_empty()).then_some(metrics)
    }
}

/// The metrics of one invocation.
pub fn of(environment: &Environment, outcome: Result<&Response, &Error>) -> Vec<Datum> {
    let mut metrics = Metrics { data: Vec::new(), timestamp: SystemTime::now() };
    if let Ok(response) = outcome {
        for sample in &response.results {
            metrics.add_sample(sample);
        }
        let max_rss = response.results.iter().map(|sample| sample.memory.max_rss_bytes).max();
        metrics.add("MaxRss", Unit::Bytes, None, max_rss.map(|bytes| bytes as f64));
    }
    metrics.add("Errors", Unit::Count, None, [f64::from(outcome.is_err())]);
    metrics.add("ColdStart", Unit::Count, None, [f64::from(environment.cold_start)]);
    if environment.cold_start {
        metrics.add("InitDuration", Unit::Milliseconds, None, [environment.init_ms]);
    }
    metrics.data
}

struct Metrics {
    data: Vec<Datum>,
    timestamp: SystemTime,
}

impl Metrics {
    /// A sample counts under its own workload and under its architecture as a whole.
    fn add_sample(&mut self, sample: &Sample) {
        let milliseconds = |times: &[f64]| times.iter().map(|time| time / 1e6).collect::<Vec<_>>();
        let peak_heap = sample.memory.heap.map(|heap| heap.peak_heap_bytes as f64);
        let truncated = matches!(sample.status, Status::Truncated | Status::Skipped);
        for workload in [Some(sample.workload.as_str()), None] {
            self.add("Duration", Unit::Milliseconds, workload, milliseconds(&sample.wall_ns));
            self.add("CpuTime", Unit::Milliseconds, workload, milliseconds(&sample.cpu_ns));
            self.add("PeakHeap", Unit::Bytes, workload, peak_heap);
            self.add("Truncated", Unit::Count, workload, [f64::from(truncated)]);
        }
    }

    /// Adds as many data as the values need; none for no values.
    fn add(&mut self, name: &'static str, unit: Unit, workload: Option<&str>, values: impl IntoIterator<Item = f64>) {
        for values in counted(values).chunks(MAX_VALUES) {
            self.data.push(Datum {
                name,
                unit,
                architecture: Architecture::OF_BINARY,
                workload: workload.map(str::to_owned),
                values: values.to_vec(),
                timestamp: self.timestamp,
            });
        }
    }
}

/// Distinct values, ascending, with their counts.
fn counted(values: impl IntoIterator<Item = f64>) -> Vec<(f64, f64)> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    values.chunk_by(|a, b| a == b).map(|equal| (equal[0], equal.len() as f64)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        host,
        measure::clock,
        protocol::{Function, HeapUse, Memory, Nanoseconds, SCHEMA, Size},
    };

    fn environment(cold_start: bool) -> Environment {
        Environment { id: "e".to_owned(), cold_start, invocation_index: u64::from(!cold_start), init_ms: 12.5 }
    }

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

    fn response(results: Vec<Sample>) -> Response {
        Response {
            schema: SCHEMA,
            request_id: "r".to_owned(),
            function: Function {
                name: "f".to_owned(),
                version: "1".to_owned(),
                memory_mb: 128,
                architecture: Architecture::OF_BINARY,
            },
            environment: environment(true),
            host: host::describe(clock::monotonic(), clock::cpu()),
            build: host::build(),
            complete: true,
            results,
            remaining_ms: 1,
        }
    }

    fn values<'a>(metrics: &'a [Datum], name: &str, workload: Option<&str>) -> Vec<&'a [(f64, f64)]> {
        let of = |datum: &&Datum| datum.name == name && datum.workload.as_deref() == workload;
        metrics.iter().filter(of).map(|datum| datum.values.as_slice()).collect()
    }

    #[test]
    fn iterations_are_values_with_counts_under_both_dimension_sets() {
        let response = response(vec![sample("math/x", &[3_000_000, 1_000_000, 3_000_000], Status::Completed)]);
        let metrics = of(&environment(true), Ok(&response));
        for workload in [Some("math/x"), None] {
            assert_eq!(values(&metrics, "Duration", workload), [[(1.0, 1.0), (3.0, 2.0)]]);
            assert_eq!(values(&metrics, "CpuTime", workload), [[(1.0, 1.0), (3.0, 2.0)]]);
            assert_eq!(values(&metrics, "PeakHeap", workload), [[(7.0, 1.0)]]);
            assert_eq!(values(&metrics, "Truncated", workload), [[(0.0, 1.0)]]);
        }
        assert_eq!(values(&metrics, "MaxRss", None), [[(99.0, 1.0)]]);
        assert_eq!(values(&metrics, "Errors", None), [[(0.0, 1.0)]]);
        assert_eq!(values(&metrics, "ColdStart", None), [[(1.0, 1.0)]]);
        assert_eq!(values(&metrics, "InitDuration", None), [[(12.5, 1.0)]]);
    }

    #[test]
    fn a_warm_start_has_no_init_and_an_error_has_no_measurements() {
        let error = Error::NotFound { detail: String::new() };
        let metrics = of(&environment(false), Err(&error));
        let names: Vec<_> = metrics.iter().map(|datum| datum.name).collect();
        assert_eq!(names, ["Errors", "ColdStart"]);
        assert_eq!(values(&metrics, "Errors", None), [[(1.0, 1.0)]]);
        assert_eq!(values(&metrics, "ColdStart", None), [[(0.0, 1.0)]]);
    }

    #[test]
    fn the_largest_request_stays_within_cloudwatchs_limits_and_loses_nothing() {
        let times: Vec<u64> = (1..=1000).collect();
        let samples = crate::workload::ALL.iter().map(|workload| sample(workload.name, &times, Status::Truncated));
        let metrics = of(&environment(true), Ok(&response(samples.collect())));
        assert!(metrics.len() <= 1000, "{} data in one call", metrics.len());
        assert!(metrics.iter().all(|datum| datum.values.len() <= MAX_VALUES));
        let durations = values(&metrics, "Duration", Some("math/matmul"));
        assert_eq!(durations.iter().flat_map(|values| values.iter()).map(|(_, count)| count).sum::<f64>(), 1000.0);
    }
}
