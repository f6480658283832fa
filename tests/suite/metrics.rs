//! When and how metrics leave, seen from the Runtime API, from CloudWatch and from the log.

use crate::{
    architectures::{NATIVE, on_both},
    cloudwatch::{self, Behaviour, Datum, Endpoint},
    handler::{Handler, TIMEOUT, root},
    sample::sample,
    service_model::examine_put_metric_data,
};
use lambda_duet::{protocol::Architecture, workload::ALL};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, time::Duration};
use tokio::{net::TcpListener, time::timeout};

on_both!(
    cloudwatch_gets_every_measurement_in_one_call,
    metrics_that_cloudwatch_refuses_are_logged_exactly_once,
    the_emf_sink_writes_metrics_to_the_log,
    metrics_leave_after_the_answer_and_before_the_next_event,
    no_metrics_leave_when_the_request_says_so,
    a_census_counts_cold_starts_and_measures_nothing
);

const REQUEST: &str = r#"{"workloads":["math/primes","string/json"],"size":100,"iterations":3}"#;

/// A handler whose metrics go to `endpoint`, after it has answered `request` and done all that it does after
/// an answer.
async fn answered(architecture: Architecture, endpoint: &str, request: &str) -> Handler {
    let mut handler = Handler::start_with(architecture, cloudwatch::variables(endpoint)).await;
    handler.direct(request).await.unwrap();
    timeout(TIMEOUT, handler.environment.api().asked_for_work(2)).await.unwrap();
    handler
}

/// How many values there are of each metric and unit, under each set of dimensions.
type Counts = BTreeMap<(String, String, Option<String>), f64>;

fn counts_of_data(data: &[Datum]) -> Counts {
    let mut counts = Counts::new();
    for Datum { name, unit, workload, counts: values, .. } in data {
        *counts.entry((name.clone(), unit.clone(), workload.clone())).or_default() += values.iter().sum::<f64>();
    }
    counts
}

/// The lines of a log that are metrics, each valid by CloudWatch's schema.
fn metric_lines(log: &str) -> Vec<Value> {
    let schema = fs::read_to_string(root().join("tests/suite/schema/emf.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{line}")));
    let metrics: Vec<Value> = lines.filter(|line| line.get("_aws").is_some()).collect();
    for line in &metrics {
        schema.validate(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for id in ["request_id", "environment_id", "cpu_model"] {
            assert!(line[id].as_str().is_some_and(|id| !id.is_empty()), "no {id}: {line}");
        }
    }
    metrics
}

fn counts_of_lines(lines: &[Value]) -> Counts {
    let mut counts = Counts::new();
    for line in lines {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        for metric in directive["Metrics"].as_array().unwrap() {
            let [name, unit] = ["Name", "Unit"].map(|member| metric[member].as_str().unwrap().to_owned());
            for dimensions in directive["Dimensions"].as_array().unwrap() {
                let has_workload = dimensions.as_array().unwrap().contains(&"Workload".into());
                let workload = has_workload.then(|| line["Workload"].as_str().unwrap().to_owned());
                let values = line[&name].as_array().unwrap().len();
                *counts.entry((name.clone(), unit.clone(), workload)).or_default() += values as f64;
            }
        }
    }
    counts
}

async fn cloudwatch_gets_every_measurement_in_one_call(architecture: Architecture) {
    let cloudwatch = Endpoint::start(Behaviour::Take).await;
    let handler = answered(architecture, &cloudwatch.url, REQUEST).await;
    let [call] = &*cloudwatch.calls() else { panic!("{:?}", cloudwatch.calls()) };
    assert_eq!(examine_put_metric_data(&call.body), [""; 0]);
    let counts = counts_of_data(&call.data());
    let count = |name: &str, unit: &str, workload: Option<&str>| {
        counts[&(name.to_owned(), unit.to_owned(), workload.map(str::to_owned))]
    };
    for name in ["Duration", "CpuTime"] {
        assert_eq!(count(name, "Milliseconds", Some("math/primes")), 3.0);
        assert_eq!(count(name, "Milliseconds", Some("string/json")), 3.0);
        assert_eq!(count(name, "Milliseconds", None), 6.0);
    }
    assert_eq!((count("ColdStart", "Count", None), count("MaxRss", "Bytes", None)), (1.0, 1.0));
    assert_eq!(metric_lines(&handler.log()), Vec::<Value>::new());
}

#[tokio::test]
async fn the_largest_request_respects_cloudwatchs_limits() {
    let cloudwatch = Endpoint::start(Behaviour::Take).await;
    // An iteration takes a thousand times what reading a clock does, and a second for each workload is long.
    let workloads = sample("largest request", ALL.each_ref().map(|workload| workload.name), 9);
    let request = json!({"workloads": workloads, "size": 1, "iterations": 1000, "warmup": 0});
    answered(NATIVE, &cloudwatch.url, &request.to_string()).await;
    let [call] = &*cloudwatch.calls() else { panic!("{} calls", cloudwatch.calls().len()) };
    assert!(call.body.len() < 1_000_000 && call.wire_bytes <= call.body.len(), "{} bytes", call.body.len());
    assert_eq!(examine_put_metric_data(&call.body), [""; 0]);
    let data = call.data();
    assert!(data.len() <= 1000, "{} data", data.len());
    assert!(data.iter().all(|datum| datum.values.len() <= 150 && datum.values.len() == datum.counts.len()));
    let counts = counts_of_data(&data);
    for workload in workloads {
        let duration = ("Duration".to_owned(), "Milliseconds".to_owned(), Some(workload.to_owned()));
        assert_eq!(counts[&duration], 1000.0, "{workload}");
    }
}

async fn metrics_that_cloudwatch_refuses_are_logged_exactly_once(architecture: Architecture) {
    let expected = {
        let cloudwatch = Endpoint::start(Behaviour::Take).await;
        answered(NATIVE, &cloudwatch.url, REQUEST).await;
        let mut counts = counts_of_data(&cloudwatch.calls()[0].data());
        counts.insert(("EmfFallbacks".to_owned(), "Count".to_owned(), None), 1.0);
        counts
    };
    let unreachable = cloudwatch::unreachable().await;
    let mut logs = vec![("refusing".to_owned(), answered(architecture, &unreachable, REQUEST).await.log())];
    for behaviour in Behaviour::FAULTS {
        let cloudwatch = Endpoint::start(behaviour).await;
        logs.push((format!("{behaviour:?}"), answered(architecture, &cloudwatch.url, REQUEST).await.log()));
    }
    for (fault, log) in logs {
        assert_eq!(counts_of_lines(&metric_lines(&log)), expected, "{fault} on {architecture}");
        let fallbacks = log.lines().filter(|line| line.contains("metrics not delivered")).count();
        assert_eq!(fallbacks, 1, "{fault} on {architecture}: {log}");
    }
}

#[tokio::test]
async fn a_call_that_hangs_ends_before_the_deadline() {
    let cloudwatch = Endpoint::start(Behaviour::Hang).await;
    let mut handler = Handler::start_with(NATIVE, cloudwatch::variables(&cloudwatch.url)).await;
    let (time, watch) = (Duration::from_secs(1), handler.stopwatch());
    let _ = handler.outcome(REQUEST, time).await;
    // The call alone would have had two seconds.
    timeout(TIMEOUT, handler.environment.api().asked_for_work(2)).await.unwrap();
    assert!(watch.elapsed() < time, "{:?}", watch.elapsed());
    assert!(!metric_lines(&handler.log()).is_empty());
}

async fn the_emf_sink_writes_metrics_to_the_log(architecture: Architecture) {
    let mut handler = Handler::start_with(architecture, [("METRICS_SINK", "emf")]).await;
    handler.direct(REQUEST).await.unwrap();
    timeout(TIMEOUT, handler.environment.api().asked_for_work(2)).await.unwrap();
    let counts = counts_of_lines(&metric_lines(&handler.log()));
    assert_eq!(counts[&("Duration".to_owned(), "Milliseconds".to_owned(), None)], 6.0);
    assert!(counts.keys().all(|(name, ..)| name != "EmfFallbacks"));
}

async fn metrics_leave_after_the_answer_and_before_the_next_event(architecture: Architecture) {
    let cloudwatch = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", cloudwatch.local_addr().unwrap());
    let mut handler = Handler::start_with(architecture, cloudwatch::variables(&url)).await;

    // The answer is here although nothing has been accepted at the endpoint.
    handler.direct(REQUEST).await.unwrap();
    let _silent = cloudwatch.accept().await.unwrap();

    // While the endpoint keeps silent, no event is asked for; the handler gives up in time.
    let api = handler.environment.api();
    assert!(timeout(Duration::from_millis(50), api.asked_for_work(2)).await.is_err());
    timeout(TIMEOUT, api.asked_for_work(2)).await.unwrap();
}

async fn no_metrics_leave_when_the_request_says_so(architecture: Architecture) {
    let cloudwatch = Endpoint::start(Behaviour::Take).await;
    let quiet = REQUEST.replace('}', r#","emit_metrics":false}"#);
    let handler = answered(architecture, &cloudwatch.url, &quiet).await;
    assert!(cloudwatch.calls().is_empty() && metric_lines(&handler.log()).is_empty());
}

async fn a_census_counts_cold_starts_and_measures_nothing(architecture: Architecture) {
    let cloudwatch = Endpoint::start(Behaviour::Take).await;
    answered(architecture, &cloudwatch.url, r#"{"hold_ms":1}"#).await;
    let [call] = &*cloudwatch.calls() else { panic!("{:?}", cloudwatch.calls()) };
    let names: Vec<String> = call.data().into_iter().map(|datum| datum.name).collect();
    assert_eq!(names, ["Errors", "ColdStart", "InitDuration"]);
    let handler = answered(architecture, &cloudwatch.url, r#"{"hold_ms":1,"emit_metrics":false}"#).await;
    assert!(cloudwatch.calls().len() == 1 && metric_lines(&handler.log()).is_empty());
}

#[tokio::test]
async fn an_empty_endpoint_variable_is_ignored() {
    let cloudwatch = Endpoint::start(Behaviour::Take).await;
    let variables = cloudwatch::variables(&cloudwatch.url).into_iter().chain([("AWS_ENDPOINT_URL_CLOUDWATCH", "")]);
    let mut handler = Handler::start_with(NATIVE, variables).await;
    handler.direct(REQUEST).await.unwrap();
    timeout(TIMEOUT, handler.environment.api().asked_for_work(2)).await.unwrap();
    assert_eq!(cloudwatch.calls().len(), 1);
}
