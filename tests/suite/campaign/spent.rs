//! What counts against `--max-cost`: what may have been billed.

use super::{Scratch, assert_code, both, run, samples};
use crate::{
    cli::{duet, stdout},
    scripted::{Call, Reply, Scripted},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use lambda_duet::campaign::row::Row;
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// The timeout of the functions, and what a second and a request cost on x86_64.
const TIMEOUT_S: f64 = 30.0;
const SECOND_USD: f64 = 0.000_016_666_7 * 1769.0 / 1024.0;
const REQUEST_USD: f64 = 0.000_000_2;

/// A Lambda with two x86_64 functions that answers invocations like this.
fn lambda(answer: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Scripted {
    lambda_of_two(move |_, number| answer(number))
}

/// The same where it matters whether it is the candidate, `a`, that is called.
fn lambda_of_two(answer: impl Fn(bool, usize) -> Reply + Send + Sync + 'static) -> Scripted {
    Scripted::aws(move |call: &Call, number| {
        if call.line.contains("/invocations") {
            return answer(call.line.contains("/functions/a/"), number);
        }
        let configuration = json!({
            "FunctionName": "x", "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:x",
            "Architectures": ["x86_64"], "MemorySize": 1769, "Timeout": TIMEOUT_S as u32, "Runtime": "provided.al2023",
            "State": "Active", "LastUpdateStatus": "Successful",
        });
        Reply::ok(configuration.to_string()).header("content-type", "application/json")
    })
}

fn invoked(log: &str) -> Reply {
    Reply::ok("{}")
        .header("x-amzn-requestid", "1")
        .header("x-amz-executed-version", "$LATEST")
        .header("x-amz-log-result", BASE64_STANDARD.encode(log))
}

/// The rows of a campaign on `targets`, and how it ended.
fn rows(endpoint: &str, target: &str, arguments: &[&str]) -> Vec<Row> {
    let scratch = Scratch::new();
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let all = [
        ["--targets", target, target, "--payload", &payload, "--out", &out, "--environments", "1"].as_slice(),
        &["--invocations", "2"],
        arguments,
    ]
    .concat();
    run(endpoint, &all);
    samples(&out).1.into_iter().filter(|row| row.variant == both()[0]).collect()
}

/// What a call costs that is billed for so many seconds.
fn cost(seconds: f64) -> f64 {
    REQUEST_USD + SECOND_USD * seconds
}

fn assert_cost(row: &Row, usd: f64) {
    assert!((row.cost_usd / usd - 1.0).abs() < 1e-9, "{} where {usd} is due: {row:?}", row.cost_usd);
}

/// The client's time, as Lambda would round it.
fn waited(row: &Row) -> f64 {
    (row.latency_ns as f64 / 1e6).ceil() / 1000.0
}

#[test]
fn costs_follow_lambdas_report_with_the_restore_of_a_snapshot() {
    let report =
        "REPORT RequestId: 1\tDuration: 0.10 ms\tBilled Duration: 7 ms\tMemory Size: 1769 MB\tMax Memory Used: 30 MB";
    let restored = format!("{report}\tRestore Duration: 0.20 ms\tBilled Restore Duration: 65 ms\t\n");
    for (log, seconds) in [(format!("{report}\t\n"), 0.007), (restored, 0.072)] {
        let lambda = lambda(move |_| invoked(&log));
        let rows = rows(&lambda.url, "lambda:x", &[]);
        assert_cost(&rows[0], cost(seconds));
    }
}

#[test]
fn costs_follow_the_memory_that_lambda_reports() {
    let log = "REPORT RequestId: 1\tDuration: 0.10 ms\tBilled Duration: 1000 ms\tMemory Size: 512 MB\tMax Memory Used: 30 MB\t\n";
    let lambda = lambda(move |_| invoked(log));
    let scratch = Scratch::new();
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let arguments = [
        ["--targets", "lambda:x", "lambda:x", "--payload", &payload, "--out", &out, "--environments", "1"].as_slice(),
        &["--invocations", "2"],
    ]
    .concat();
    assert_code(&run(&lambda.url, &arguments), 0);
    // Configured are 1769 MB.
    let expected = REQUEST_USD + 0.000_016_666_7 * 512.0 / 1024.0;
    assert_cost(&samples(&out).1[0], expected);
    let analysis: Value = crate::report::pair(&stdout(&duet(&["report", &out, "--format", "json"])));
    let million = analysis["money"]["per_million"]["baseline"]["total_usd"].as_f64().unwrap();
    assert!((million / (expected * 1e6) - 1.0).abs() < 1e-9, "{million}");
    let kinds = analysis["warnings"].as_array().unwrap().iter().map(|warning| warning["kind"].as_str().unwrap());
    assert!(kinds.into_iter().any(|kind| kind == "other-memory"), "{analysis}");
}

#[test]
fn without_a_report_costs_follow_the_time_that_the_client_waited() {
    let lambda = lambda(|_| invoked("no report").after(Duration::from_millis(30)));
    let rows = rows(&lambda.url, "lambda:x", &[]);
    assert!(waited(&rows[0]) >= 0.03);
    assert_cost(&rows[0], cost(waited(&rows[0])));
}

#[test]
fn a_call_that_may_still_run_costs_up_to_the_timeout_of_the_function() {
    for (reply, arguments) in [
        // The client gives up on a function that goes on.
        (invoked("").after(Duration::from_secs(3600)), ["--timeout", "100ms"].as_slice()),
        (Reply::lost(), &[]),
        (Reply::lambda_error("ServiceException", "an internal error"), &[]),
        (Reply::status(503, "Service Unavailable").breaking_the_model("that of a load balancer before Lambda"), &[]),
    ] {
        let lambda = lambda(move |_| reply.clone());
        let rows = rows(&lambda.url, "lambda:x", arguments);
        assert!(rows[0].failure.is_some());
        assert_cost(&rows[0], cost(TIMEOUT_S));
    }
}

#[test]
fn a_call_that_lambda_refuses_costs_nothing() {
    for code in [
        "TooManyRequestsException",
        "AccessDeniedException",
        "ResourceNotFoundException",
        "InvalidRequestContentException",
        "ResourceConflictException",
        "RequestTooLargeException",
        "ENILimitReachedException",
        "EC2ThrottledException",
    ] {
        let lambda = lambda(move |_| Reply::lambda_error(code, "no"));
        let rows = rows(&lambda.url, "lambda:x", &[]);
        assert!(rows[0].failure.is_some() && rows[0].cost_usd == 0.0, "{code}: {rows:?}");
    }
}

#[test]
fn a_call_that_an_endpoint_gives_up_costs_up_to_lambdas_longest_timeout() {
    let endpoint = |reply: Reply| Scripted::start(move |_, _| reply.clone());
    // Of an endpoint the function's timeout is not known: it may be Lambda's longest.
    for reply in [Reply::status(503, "Service Unavailable"), Reply::status(504, "too late"), Reply::lost()] {
        let target = endpoint(reply.after(Duration::from_millis(20)));
        assert_cost(&rows("", &target.url, &["--no-auth"])[0], cost(900.0));
    }
    let slow = endpoint(Reply::ok("{}").after(Duration::from_secs(3600)));
    assert_cost(&rows("", &slow.url, &["--no-auth", "--timeout", "100ms"])[0], cost(900.0));
    // Where the function, or what is before it, has answered, it runs no more.
    for status in [500, 502, 403, 404, 200] {
        let target = endpoint(Reply::status(status, "{}").after(Duration::from_millis(20)));
        let rows = rows("", &target.url, &["--no-auth"]);
        assert_cost(&rows[0], cost(waited(&rows[0])));
    }
    // No function ran, because nothing was reached.
    assert_eq!(rows("", "http://127.0.0.1:1/", &["--no-auth"])[0].cost_usd, 0.0);
}

#[test]
fn a_campaign_ends_before_its_possible_bill_exceeds_the_limit() {
    // One call of each block fails, of either side in turns, so that neither is given up.
    let answered = AtomicUsize::new(0);
    let lambda = lambda_of_two(move |is_candidate, _| {
        let block = answered.fetch_add(1, Ordering::SeqCst) / 2;
        if is_candidate == block.is_multiple_of(2) { invoked("").after(Duration::from_secs(3600)) } else { invoked("") }
    });
    let scratch = Scratch::new();
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let arguments = [
        ["--targets", "lambda:x", "lambda:a", "--payload", &payload, "--out", &out, "--environments", "1"].as_slice(),
        // Half of the calls are to come back within it, on a busy machine too.
        &["--timeout", "250ms", "--max-cost", "0.005"],
    ]
    .concat();
    let output = run(&lambda.url, &arguments);
    let message = crate::cli::stderr(&output);
    assert!(message.contains("the money is spent (--max-cost 0.005)"), "{message}");
    let (_, rows) = samples(&out);
    assert!(rows.iter().map(|row| row.cost_usd).sum::<f64>() <= 0.005, "{rows:?}");
}

#[test]
fn retries_do_not_exceed_the_cost_limit() {
    // Every call fails after the first block, and may be billed for the function's whole timeout, 30 s.
    let answered = AtomicUsize::new(0);
    let lambda = lambda(move |_| match answered.fetch_add(1, Ordering::SeqCst) {
        0..2 => invoked(""),
        _ => Reply::lambda_error("ServiceException", "again"),
    });
    let scratch = Scratch::new();
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let arguments = [
        ["--targets", "lambda:x", "lambda:x", "--payload", &payload, "--out", &out, "--environments", "1"].as_slice(),
        &["--max-cost", "0.004"],
    ]
    .concat();
    let output = run(&lambda.url, &arguments);
    let message = crate::cli::stderr(&output);
    assert!(message.contains("the money is spent (--max-cost 0.004)"), "{message}");
    let (_, rows) = samples(&out);
    // A block has two calls; the eight attempts at the first that fails would have cost more than all.
    let failed = rows.iter().filter(|row| row.failure.is_some()).count();
    assert!((1..8).contains(&failed), "{rows:?}");
    assert!(rows.iter().map(|row| row.cost_usd).sum::<f64>() <= 0.004, "{rows:?}");
    // It has not got more money by being continued.
    assert_code(&run(&lambda.url, &["--resume", &out]), 0);
    assert_eq!(samples(&out).1.len(), rows.len());
}

#[test]
fn no_pause_is_made_before_a_block_that_would_begin_too_late() {
    let lambda = lambda(|_| invoked(""));
    let scratch = Scratch::new();
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let arguments = [
        ["--targets", "lambda:x", "lambda:x", "--payload", &payload, "--out", &out, "--environments", "1"].as_slice(),
        &["--pace", "700ms", "--duration", "1s"],
    ]
    .concat();
    let output = run(&lambda.url, &arguments);
    assert_code(&output, 0);
    assert!(crate::cli::stderr(&output).contains("the time is over (--duration 1s)"));
    let (_, rows) = samples(&out);
    assert!(rows.iter().filter(|row| row.step == 0).all(|row| row.elapsed_ms < 1000), "{rows:?}");
}
