//! Answers and errors of the real binary, for both envelopes, on both architectures.

use crate::{
    architectures::{FOREIGN, NATIVE, on_both},
    handler::{Clock, Handler, target_cpu},
};
use lambda_duet::{
    protocol::{Architecture, Catalogue, Response, SCHEMA, Size, SizeName, Status},
    workload,
};
use serde_json::json;
use std::time::{Duration, Instant};

on_both!(
    every_refusal_is_a_problem_over_http,
    every_refusal_is_a_function_error_by_direct_invocation,
    a_size_beyond_memory_is_refused_before_allocating,
    a_deadline_that_fits_no_iteration_is_an_error,
    a_deadline_in_the_middle_truncates_and_answers_in_time,
    routes_and_methods_are_checked,
    events_that_make_no_http_request_are_answered,
    an_answer_has_everything_in_it,
    a_census_runs_nothing_and_is_held,
    a_deadline_cuts_a_hold_short,
    the_catalogue_lists_every_workload,
);

const QUICK: &str = r#"{"workloads":["sorting","string"],"size":300,"iterations":4,"warmup":1,"seed":7}"#;

/// A body, its HTTP status, its kind, its field, and part of what the message says.
type Refusal = (String, u64, &'static str, Option<&'static str>, &'static str);

fn refusals() -> Vec<Refusal> {
    let case = |body: &str, status, kind, field, part| (body.to_owned(), status, kind, field, part);
    vec![
        case(r#"{"size":"#, 400, "InvalidRequest", None, "not JSON"),
        case("hello", 400, "InvalidRequest", None, "not JSON"),
        case(r#"["sorting"]"#, 400, "InvalidRequest", None, "an array"),
        case(r#"{"iterations":"ten"}"#, 400, "InvalidRequest", Some("iterations"), "from 1 to 1000, not \"ten\""),
        case(r#"{"iterations":1001}"#, 400, "InvalidRequest", Some("iterations"), "from 1 to 1000, not 1001"),
        case(r#"{"warmup":101}"#, 400, "InvalidRequest", Some("warmup"), "from 0 to 100, not 101"),
        case(r#"{"size":0}"#, 400, "InvalidRequest", Some("size"), "not 0"),
        case(r#"{"shape":"shuffled"}"#, 400, "InvalidRequest", Some("shape"), "\"few-unique\", not \"shuffled\""),
        case(
            r#"{"workloads":["math"],"shape":"sorted"}"#,
            400,
            "InvalidRequest",
            Some("shape"),
            "only sorting has shapes",
        ),
        case(r#"{"seed":1,"size":"small","seed":2}"#, 400, "InvalidRequest", Some("seed"), "more than once"),
        case(r#"{"itertions":3}"#, 400, "InvalidRequest", Some("itertions"), "did you mean \"iterations\"?"),
        case(r#"{"workloads":["math/matmal"]}"#, 400, "InvalidRequest", Some("workloads[0]"), "\"math/matmul\"?"),
        case(r#"{"size":1000000000}"#, 413, "InputTooLarge", Some("size"), "the largest size that fits is "),
        case(
            r#"{"workloads":["math/primes"],"size":18446744073709551615}"#,
            413,
            "InputTooLarge",
            Some("size"),
            "of the function's 1769 MiB",
        ),
        case(r#"{"hold_ms":60001}"#, 400, "InvalidRequest", Some("hold_ms"), "from 0 to 60000, not 60001"),
        case(r#"{"hold_ms":9,"seed":1}"#, 400, "InvalidRequest", Some("seed"), "a census runs no workloads"),
        (format!("{}{{}}", " ".repeat(65_536)), 413, "InputTooLarge", None, "at most 65536 bytes"),
    ]
}

async fn every_refusal_is_a_problem_over_http(architecture: Architecture) {
    let mut handler = Handler::start(architecture).await;
    for (body, status, kind, field, part) in refusals() {
        let answer = handler.http(&handler.post(&body)).await;
        let shown: String = body.chars().take(80).collect();
        assert_eq!(answer.status, status, "{shown}: {answer:?}");
        assert_eq!(answer.headers["content-type"], json!(["application/problem+json"]));
        assert_eq!(answer.body["type"], format!("urn:lambda-duet:error:{kind}"));
        assert_eq!(answer.body["status"], status);
        assert_eq!(answer.body.get("field").and_then(|field| field.as_str()), field, "{shown}");
        assert!(answer.body["detail"].as_str().unwrap().contains(part), "{shown}: {answer:?}");
    }
}

async fn every_refusal_is_a_function_error_by_direct_invocation(architecture: Architecture) {
    let mut handler = Handler::start(architecture).await;
    for (event, _, kind, _, part) in refusals() {
        let error = handler.direct(&event).await.unwrap_err();
        assert_eq!(error.error_type, kind);
        assert!(error.error_message.contains(part), "{error:?}");
    }
}

async fn a_size_beyond_memory_is_refused_before_allocating(architecture: Architecture) {
    let variables = [("METRICS_SINK", "none"), ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")];
    let mut handler = Handler::start_with(architecture, variables).await;
    let sized = |size| format!(r#"{{"workloads":["math/primes"],"size":{size},"iterations":1,"warmup":0}}"#);
    let before = handler.direct(sized(10)).await.unwrap().results[0].memory.max_rss_bytes;
    let error = handler.direct(sized(1_000_000_000)).await.unwrap_err();
    assert_eq!(error.error_type, "InputTooLarge");
    let after = handler.direct(sized(10)).await.unwrap().results[0].memory.max_rss_bytes;
    assert!(after < before + 32 * 1024 * 1024, "{before} bytes before, {after} after");

    let largest: u64 = error.error_message.rsplit(' ').next().unwrap().parse().expect("the largest size that fits");
    assert!((200_000_000..512 * 1024 * 1024).contains(&largest), "{error:?}");
}

async fn a_deadline_that_fits_no_iteration_is_an_error(architecture: Architecture) {
    let mut handler = Handler::start(architecture).await;
    let tight = Duration::from_millis(200);
    let answer = handler.http_within(&handler.post("{}"), tight).await;
    assert_eq!((answer.status, &answer.body["status"]), (504, &json!(504)));
    assert_eq!(answer.body["type"], "urn:lambda-duet:error:DeadlineTooShort");
    let Err(error) = handler.outcome_in_time("{}", tight, Clock::WithoutWaiting).await else {
        panic!("200 ms were enough")
    };
    assert_eq!(error.error_type, "DeadlineTooShort");
    assert!(error.error_message.contains("longer timeout"), "{error:?}");
}

async fn a_deadline_in_the_middle_truncates_and_answers_in_time(architecture: Architecture) {
    let mut handler = Handler::start(architecture).await;
    let request = r#"{"workloads":["string/levenshtein","string/word-count"],"size":2500,"iterations":1000}"#;
    let time = Duration::from_secs(2);
    let Ok(payload) = handler.outcome_in_time(request, time, Clock::WithoutWaiting).await else {
        panic!("nothing fitted into two seconds")
    };
    let response: Response = serde_json::from_slice(&payload).unwrap();
    assert!(!response.complete);
    assert_eq!(response.results[0].status, Status::Truncated);
    assert!(!response.results[0].wall_ns.is_empty());
}

async fn routes_and_methods_are_checked(architecture: Architecture) {
    let mut handler = Handler::start(architecture).await;
    let other = if architecture == NATIVE { FOREIGN } else { NATIVE };

    let answer = handler.http(&handler.event("apigw-not-found")).await;
    assert_eq!((answer.status, answer.body["type"].as_str()), (404, Some("urn:lambda-duet:error:NotFound")));

    let text = handler.post("{}").to_string().replace(&format!("/{architecture}/"), &format!("/{other}/"));
    let answer = handler.http(&serde_json::from_str(&text).unwrap()).await;
    assert_eq!(answer.status, 404, "the {architecture} function answered for {other}");

    let answer = handler.http(&handler.event("apigw-method-not-allowed")).await;
    assert_eq!(answer.status, 405, "{answer:?}");
    assert_eq!(answer.headers["allow"], json!(["POST"]));
}

/// `lambda_http` panics on them, where they get to it.
async fn events_that_make_no_http_request_are_answered(architecture: Architecture) {
    let mut handler = Handler::start(architecture).await;
    let mut event = handler.post(QUICK);
    event["headers"] = json!({"Host": "not a host"});
    event["multiValueHeaders"] = json!({});
    event["queryStringParameters"] = json!({"q": "x".repeat(70_000)});
    assert_eq!(handler.http(&event).await.status, 200);

    event["isBase64Encoded"] = json!(true);
    let answer = handler.http(&event).await;
    assert_eq!((answer.status, answer.body["type"].as_str()), (400, Some("urn:lambda-duet:error:InvalidRequest")));
    assert!(answer.body["detail"].as_str().unwrap().contains("base64"), "{answer:?}");

    event["path"] = json!(":no path");
    event["requestContext"]["resourcePath"] = json!(null);
    event["body"] = json!(null);
    assert_eq!(handler.http(&event).await.status, 404);
}

async fn an_answer_has_everything_in_it(architecture: Architecture) {
    let mut handler = Handler::start(architecture).await;
    let first = handler.direct(QUICK).await.unwrap();
    let answer = handler.http(&handler.post(QUICK)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], json!(["application/json"]));
    let second: Response = serde_json::from_value(answer.body).unwrap();

    for response in [&first, &second] {
        assert_eq!(response.schema, SCHEMA);
        assert!(response.complete && response.remaining_ms > 0);
        assert_eq!(response.function.architecture, architecture);
        assert_eq!((response.function.memory_mb, response.function.version.as_str()), (1769, "$LATEST"));
        assert_eq!(response.build.version, env!("CARGO_PKG_VERSION"));
        assert!(response.build.target.starts_with(if architecture == Architecture::Arm64 {
            "aarch64"
        } else {
            "x86_64"
        }));
        assert_eq!(response.build.target_cpu, target_cpu(architecture));
        assert_eq!(response.host.emulated, architecture != NATIVE, "{:?}", response.host);
        assert!(response.host.vcpus > 0 && !response.host.cpu_model.is_empty());
        let names: Vec<_> = response.results.iter().map(|sample| sample.workload.as_str()).collect();
        let selected = workload::ALL.iter().filter(|it| it.category() != "math").map(|it| it.name);
        assert_eq!(names, selected.collect::<Vec<_>>());
        for sample in &response.results {
            assert_eq!((sample.status, sample.size, sample.elements), (Status::Completed, Size::Elements(300), 300));
            assert_eq!((sample.wall_ns.len(), sample.cpu_ns.len()), (4, 4));
            assert!(sample.wall_ns.iter().all(|&wall| wall > 0.0));
            let summary = sample.summary.unwrap();
            assert!(summary.min <= summary.median && summary.median <= summary.p95);
            let heap = sample.memory.heap.unwrap();
            assert!(heap.peak_heap_bytes >= 300 && heap.allocated_bytes >= heap.peak_heap_bytes);
        }
    }
    let checksums = |response: &Response| response.results.iter().map(|it| it.checksum.clone()).collect::<Vec<_>>();
    assert_eq!(checksums(&first), checksums(&second));
    assert!(first.environment.cold_start && !second.environment.cold_start);
    assert_eq!(second.environment.invocation_index, 1);
    assert_eq!(first.environment.id, second.environment.id);
    assert_ne!(first.request_id, second.request_id);
}

async fn a_census_runs_nothing_and_is_held(architecture: Architecture) {
    let mut handler = Handler::start(architecture).await;
    let plain = handler.direct(QUICK).await.unwrap();
    let (begin, busy) = (Instant::now(), cpu_time(&handler));
    let census = handler.direct(r#"{"hold_ms":700}"#).await.unwrap();
    let (took, busy) = (begin.elapsed(), cpu_time(&handler) - busy);
    assert!(census.held_ms >= Some(700) && took >= Duration::from_millis(700), "{took:?}: {census:?}");
    assert!(busy < Duration::from_millis(350), "{busy:?} of CPU time");
    assert!(census.complete && census.results.is_empty());
    assert_eq!((plain.held_ms, &plain.host, plain.environment.id), (None, &census.host, census.environment.id));

    let answer = handler.http(&handler.post(r#"{"hold_ms":1}"#)).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body["held_ms"].as_u64() >= Some(1) && answer.body["results"] == json!([]), "{answer:?}");
    let answer = handler.http(&handler.post(r#"{"hold_ms":28001}"#)).await;
    assert_eq!((answer.status, &answer.body["field"]), (400, &json!("hold_ms")));
    assert!(answer.body["detail"].as_str().unwrap().contains("invoke the function directly"), "{answer:?}");
}

async fn a_deadline_cuts_a_hold_short(architecture: Architecture) {
    let mut handler = Handler::start(architecture).await;
    let within = Duration::from_secs(2);
    let Ok(payload) = handler.outcome_in_time(r#"{"hold_ms":60000}"#, within, Clock::WithoutWaiting).await else {
        panic!("a census ended in an error")
    };
    let census: Response = serde_json::from_slice(&payload).unwrap();
    assert!(!census.complete && (1000..2000).contains(&census.held_ms.unwrap()), "{census:?}");
}

/// The CPU time that the handler has used so far.
fn cpu_time(handler: &Handler) -> Duration {
    const TICK: Duration = Duration::from_millis(10);
    let process = handler.environment.process_id().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u32 = fields[11..=12].iter().map(|ticks| ticks.parse::<u32>().unwrap()).sum();
    TICK * ticks
}

#[tokio::test]
async fn an_empty_request_has_the_defaults_and_heap_can_be_left_out() {
    // Natively only: the defaults are calibrated for a real core, not for an emulated one.
    let mut handler = Handler::start(NATIVE).await;
    let response = handler.direct("").await.unwrap();
    assert!(response.complete);
    assert_eq!(response.results.len(), workload::ALL.len());
    assert!(response.results.iter().all(|sample| sample.size == Size::Named(SizeName::Medium)));
    assert!(response.results.iter().all(|sample| sample.wall_ns.len() == 10));
    let response = handler.direct(r#"{"workloads":["math"],"size":50,"heap":false}"#).await.unwrap();
    assert!(response.results.iter().all(|sample| sample.memory.heap.is_none()));
}

async fn the_catalogue_lists_every_workload(architecture: Architecture) {
    let mut handler = Handler::start(architecture).await;
    let answer = handler.http(&handler.event("apigw-workloads")).await;
    assert_eq!(answer.status, 200);
    let catalogue: Catalogue = serde_json::from_value(answer.body).unwrap();
    assert_eq!(catalogue, workload::catalogue(&workload::ALL));
}
