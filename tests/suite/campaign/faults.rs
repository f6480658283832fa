//! What goes wrong is a row, and ends a campaign only where it must.

use super::{Scratch, assert_code, report, run_plain, samples};
use crate::{
    cli::stderr,
    scripted::{Reply, Scripted},
};
use lambda_duet::campaign::row::FailureKind;
use std::time::Duration;

#[test]
fn a_throttled_call_is_made_again_after_a_pause() {
    let scratch = Scratch::new();
    let target = Scripted::start(|_, number| match number {
        2 | 3 => Reply::status(429, "slow down"),
        _ => Reply::ok("{}"),
    });
    let output = run_plain(&scratch, &target, &["--environments", "2", "--invocations", "8", "--json"]);
    assert_code(&output, 0);
    let (_, rows) = samples(&scratch.path("run"));
    let throttled: Vec<_> = rows.iter().filter(|row| row.failure.is_some()).collect();
    assert_eq!(throttled.len(), 2);
    assert!(throttled.iter().all(|row| row.failure.as_ref().unwrap().kind == FailureKind::Throttled));
    assert_eq!(rows.iter().filter(|row| row.attempt == 1).count(), 2);
    assert_eq!((rows.len(), target.calls().len()), (10, 10));
    let events = String::from_utf8(output.stdout).unwrap();
    assert!(events.contains(r#""event":"backoff""#) && events.contains(r#""event":"end""#), "{events}");
    for line in events.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    let text = report(&scratch.path("run"));
    assert!(text.contains("throttled and made again") && !text.contains("failed"), "{text}");
}

#[test]
fn every_kind_of_failure_is_a_row_with_its_kind() {
    let scratch = Scratch::new();
    let target = Scripted::start(|_, number| match number {
        1 => Reply::status(502, "bad gateway"),
        2 => Reply::status(504, "too late"),
        3 => Reply::status(403, "not you"),
        4 => Reply::ok("{}").after(Duration::from_secs(60)),
        _ => Reply::ok("{}"),
    });
    let output = run_plain(&scratch, &target, &["--environments", "1", "--invocations", "8", "--timeout", "2s"]);
    assert_code(&output, 0);
    let (_, rows) = samples(&scratch.path("run"));
    let kinds: Vec<_> = rows.iter().filter_map(|row| row.failure.as_ref().map(|failure| failure.kind)).collect();
    use FailureKind::{Function, Refused, Timeout};
    assert_eq!(kinds, [Function, Timeout, Refused, Timeout]);
    assert_eq!(rows.len(), 8);
    assert!(stderr(&output).contains("HTTP 403: not you"), "{}", stderr(&output));
}

#[test]
fn a_side_that_only_fails_stops_the_campaign_and_can_be_continued() {
    let scratch = Scratch::new();
    let target = Scripted::start(|_, number| if number < 40 { Reply::status(500, "broken") } else { Reply::ok("{}") });
    let output = run_plain(&scratch, &target, &["--environments", "20", "--invocations", "80"]);
    assert_code(&output, 3);
    let message = stderr(&output);
    assert!(message.contains("the last 20 calls") && message.contains("HTTP 500: broken"), "{message}");
    assert!(message.contains("--resume"), "{message}");
    let run = scratch.path("run");
    let before = samples(&run).1.len();
    // What failed stays failed; the rest of the schedule follows.
    let mut code = 3;
    for _ in 0..3 {
        let output = super::run("", &["--resume", &run]);
        code = output.status.code().unwrap();
    }
    assert_eq!(code, 0);
    let (_, rows) = samples(&run);
    assert!(rows.len() == 80 && before < 80);
}

#[test]
fn different_answers_are_reported_first_and_have_their_own_exit_code() {
    let answer = |number: usize| Reply::ok(format!(r#"{{"sum": 7, "id": {number}}}"#));
    let arguments = ["--environments", "1", "--invocations", "4", "--compare-output"];
    let scratch = Scratch::new();
    let output = run_plain(&scratch, &Scripted::start(move |_, number| answer(number)), &arguments);
    assert_code(&output, 4);
    let message = stderr(&output);
    assert!(message.contains("Mismatch: "), "{message}");
    // Which two of the four come first is open.
    let difference = "payload.json differ: /id is ";
    assert_eq!(message.matches(difference).count(), 1, "{message}");
    let kept =
        ["difference-0-1", "difference-0-2"].map(|name| std::fs::read_to_string(scratch.0.join("run").join(name)));
    assert!(kept.iter().all(|answer| answer.as_ref().is_ok_and(|it| it.contains(r#""sum": 7"#))), "{kept:?}");
    assert!(
        report(&scratch.path("run")).starts_with("No verdict: equal work gave different results.\nchecksum-mismatch: "),
        "{}",
        report(&scratch.path("run"))
    );

    let scratch = Scratch::new();
    let ignoring = [arguments.as_slice(), &["--ignore", "/id"]].concat();
    let output = run_plain(&scratch, &Scripted::start(move |_, number| answer(number)), &ignoring);
    assert_code(&output, 0);
}

#[test]
fn an_answer_of_another_service_is_a_failure() {
    let scratch = Scratch::new();
    let target = Scripted::start(|_, _| Reply::ok(r#"{"hello": "world"}"#));
    let out = scratch.path("run");
    let output = super::run(
        "",
        &[
            "--targets",
            &target.url,
            &target.url,
            "--no-auth",
            "--workload",
            "math/fft",
            "--environments",
            "5",
            "--out",
            &out,
        ],
    );
    assert_code(&output, 3);
    let (_, rows) = samples(&out);
    let failure = rows[0].failure.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::Answer);
    assert!(failure.message.contains("hello"), "{failure}");
}

#[test]
fn an_unreachable_endpoint_is_a_network_failure() {
    let scratch = Scratch::new();
    let payload = scratch.file("payload.json", "{}");
    let (unreachable, out) = ("http://127.0.0.1:1/", scratch.path("run"));
    let arguments = ["--targets", unreachable, unreachable, "--no-auth", "--payload", &payload, "--out", &out];
    assert_code(&super::run("", &arguments), 3);
    let (_, rows) = samples(&out);
    assert!(rows.iter().all(|row| row.failure.as_ref().unwrap().kind == FailureKind::Network));
}

#[test]
fn numbers_may_differ_within_the_tolerance_also_after_a_pause() {
    let answer = |number: usize| Reply::ok(format!(r#"{{"body": "{{\"sum\": 7.00000000{number}}}"}}"#));
    let arguments = ["--environments", "1", "--invocations", "4", "--compare-output"];
    let target = Scripted::start(move |_, number| answer(number));
    let run = |tolerance: &[&str]| {
        let scratch = Scratch::new();
        let output = run_plain(&scratch, &target, &[arguments.as_slice(), tolerance].concat());
        (scratch, output)
    };
    let (_, output) = run(&[]);
    assert_code(&output, 4);
    let (_, output) = run(&["--tolerance", "1e-10"]);
    assert_code(&output, 4);
    let (scratch, output) = run(&["--tolerance", "1e-6"]);
    assert_code(&output, 0);
    assert!(!stderr(&output).contains("differ"), "{}", stderr(&output));
    let (manifest, rows) = samples(&scratch.path("run"));
    assert_eq!(manifest.plan.tolerance, Some(1e-6));
    assert!(rows.iter().all(|row| row.output_sha256 == rows[0].output_sha256), "{rows:?}");

    // The first answer is kept: the rest of a campaign that was cut short is compared with it.
    let path = scratch.0.join("run/samples.jsonl");
    let whole = std::fs::read_to_string(&path).unwrap();
    let cut: String = whole.split_inclusive('\n').take(2).collect();
    std::fs::write(&path, cut).unwrap();
    assert_code(&super::run("", &["--resume", &scratch.path("run")]), 0);
    assert!(samples(&scratch.path("run")).1.iter().all(|row| row.output_sha256 == rows[0].output_sha256));
}

#[test]
fn an_answer_after_a_pause_that_differs_is_shown_beside_the_first_one() {
    let scratch = Scratch::new();
    let target = Scripted::start(|_, number| Reply::ok(format!(r#"{{"sum": {}}}"#, if number < 4 { 7 } else { 8 })));
    let arguments = ["--environments", "1", "--invocations", "4", "--compare-output"];
    assert_code(&run_plain(&scratch, &target, &arguments), 0);
    let path = scratch.0.join("run/samples.jsonl");
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, whole.split_inclusive('\n').take(2).collect::<String>()).unwrap();
    let output = super::run("", &["--resume", &scratch.path("run")]);
    assert_code(&output, 4);
    assert!(stderr(&output).contains("/sum is 7 in one and 8 in another"), "{}", stderr(&output));
}

#[test]
fn a_tolerance_is_a_small_number_and_belongs_to_a_comparison() {
    let (scratch, target) = (Scratch::new(), Scripted::start(|_, _| Reply::ok("{}")));
    for (arguments, part) in [
        (["--compare-output", "--tolerance", "1"].as_slice(), "such as 1e-9"),
        (&["--compare-output", "--tolerance", "0"], "such as 1e-9"),
        (&["--compare-output", "--tolerance", "NaN"], "such as 1e-9"),
        (&["--tolerance", "1e-9"], "--compare-output"),
    ] {
        let output = run_plain(&scratch, &target, arguments);
        assert_code(&output, 2);
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    assert!(target.calls().is_empty());
}
