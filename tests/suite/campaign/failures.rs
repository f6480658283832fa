//! What counts as success, what is tried again, and what ends a campaign.

use super::{
    Scratch,
    answers::{Invocation, configuration, is_candidate, lambda, on_lambda},
    assert_code, both, command, run, run_plain, samples,
};
use crate::{
    cli::stderr,
    scripted::{Call, Reply, Scripted},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use lambda_duet::campaign::row::{FailureKind, Row};
use serde_json::json;
use std::{
    collections::BTreeSet,
    os::unix::fs::PermissionsExt,
    process::Output,
    sync::atomic::{AtomicUsize, Ordering},
};

const TWO: [&str; 4] = ["--environments", "1", "--invocations", "2"];
const EIGHT: [&str; 4] = ["--environments", "1", "--invocations", "8"];

/// The reason of throttling where what is reserved for a function is used up.
pub const RESERVED: &str = "ReservedFunctionConcurrentInvocationLimitExceeded";

pub fn throttled(reason: &str) -> Reply {
    let body = json!({"Reason": reason, "Type": "User", "message": "Rate Exceeded."});
    Reply::status(429, body.to_string())
        .header("content-type", "application/json")
        .header("x-amzn-errortype", "TooManyRequestsException")
}

fn answer(invocation: &Invocation, body: &str) -> Reply {
    invocation.answer(body, &invocation.report(19.5, ""))
}

fn rows(scratch: &Scratch) -> Vec<Row> {
    samples(&scratch.path("run")).1
}

fn kinds(rows: &[Row]) -> BTreeSet<FailureKind> {
    rows.iter().filter_map(|row| row.failure.as_ref().map(|failure| failure.kind)).collect()
}

#[test]
fn an_answer_that_reports_a_failure_is_a_failure_unless_accepted() {
    let lambda = lambda(|it| {
        let body =
            if it.is_candidate { r#"{"statusCode":404,"body":"no such order"}"# } else { r#"{"statusCode":200}"# };
        answer(it, body)
    });
    let scratch = Scratch::new();
    let output = on_lambda(&scratch, &lambda, &EIGHT);
    assert_code(&output, 3);
    let rows_of_failures = rows(&scratch);
    assert_eq!(kinds(&rows_of_failures), BTreeSet::from([FailureKind::Function]));
    assert!(stderr(&output).contains("statusCode 404: no such order"), "{}", stderr(&output));
    // It ran, and is billed.
    assert!(rows_of_failures.iter().all(|row| row.cost_usd > 0.0));
    for accepted in ["404", "500,4xx"] {
        let scratch = Scratch::new();
        assert_code(&on_lambda(&scratch, &lambda, &[TWO.as_slice(), &["--accept-status", accepted]].concat()), 0);
        let (manifest, rows) = samples(&scratch.path("run"));
        assert!(kinds(&rows).is_empty() && !manifest.plan.accept_status.is_empty());
    }
    let output = on_lambda(&Scratch::new(), &lambda, &["--accept-status", "4x"]);
    assert_code(&output, 2);
    assert!(stderr(&output).contains("such as 404, or a class, such as 4xx"), "{}", stderr(&output));
}

#[test]
fn pointers_go_into_a_body_that_is_json() {
    let lambda = lambda(|it| {
        let body = format!(r#"{{"env": {{"id": "e{}"}}, "at": {}.5, "sum": 7}}"#, it.number % 2, it.number);
        answer(it, &json!({"statusCode": 200, "body": body}).to_string())
    });
    let scratch = Scratch::new();
    let arguments = [
        ["--environments", "2", "--invocations", "8", "--environment", "/body/env/id"].as_slice(),
        &["--compare-output", "--ignore", "/body/at", "--ignore", "/body/env"],
    ]
    .concat();
    assert_code(&on_lambda(&scratch, &lambda, &arguments), 0);
    let rows_of_two = rows(&scratch);
    let names: BTreeSet<_> = rows_of_two.iter().filter_map(Row::environment).collect();
    assert_eq!(names, BTreeSet::from(["e0", "e1"]));
    assert_code(&on_lambda(&Scratch::new(), &lambda, &arguments[..9]), 4);
}

#[test]
fn equal_numbers_are_equal_in_every_notation() {
    let lambda = lambda(|it| answer(it, if it.is_candidate { r#"{"sum": 7.0}"# } else { r#"{"sum": 7}"# }));
    assert_code(&on_lambda(&Scratch::new(), &lambda, &[TWO.as_slice(), &["--compare-output"]].concat()), 0);
}

#[test]
fn a_function_without_concurrency_is_given_up_after_a_step_with_the_reason() {
    let lambda = lambda(|_| throttled(RESERVED));
    let scratch = Scratch::new();
    let output = on_lambda(&scratch, &lambda, &["--environments", "4", "--invocations", "80"]);
    assert_code(&output, 3);
    let message = stderr(&output);
    assert!(message.contains(&format!("{RESERVED}): Rate Exceeded.")), "{message}");
    let rows = rows(&scratch);
    assert_eq!((rows.len(), kinds(&rows)), (8, BTreeSet::from([FailureKind::Throttled])));
    let reason = rows[0].failure.as_ref().unwrap().reason.as_deref();
    assert_eq!(reason, Some(RESERVED));
}

#[test]
fn a_function_with_too_little_concurrency_waits_its_turn() {
    let lambda = lambda(|it| match it.number {
        0 | 1 => throttled(RESERVED),
        _ => answer(it, "{}"),
    });
    let scratch = Scratch::new();
    assert_code(&on_lambda(&scratch, &lambda, &["--environments", "4", "--invocations", "8"]), 0);
    assert_eq!(rows(&scratch).iter().filter(|row| row.failure.is_none()).count(), 8);
}

#[test]
fn a_side_without_one_success_is_failing_however_short_the_campaign() {
    let scratch = Scratch::new();
    let lambda = lambda(|it| {
        if it.is_candidate { Reply::lambda_error("AccessDeniedException", "not you") } else { answer(it, "{}") }
    });
    let output = on_lambda(&scratch, &lambda, &EIGHT);
    assert_code(&output, 3);
    assert!(stderr(&output).contains("4 calls of arm64 failed"), "{}", stderr(&output));
    let rows = rows(&scratch);
    assert_eq!((rows.len(), kinds(&rows)), (8, BTreeSet::from([FailureKind::Refused])));
    let failed: Vec<_> = rows.iter().filter(|row| row.failure.is_some()).collect();
    assert!(
        failed.iter().all(|row| row.request_id.as_ref().is_some_and(|id| id.starts_with("00000000-0000-4000-8000-")))
    );
    // It is so still when there is nothing more to call.
    assert_code(&run(&lambda.url, &["--resume", &scratch.path("run")]), 3);
}

#[test]
fn an_answer_that_is_not_the_functions_is_a_failure() {
    let page = "<!DOCTYPE html><title>Sign in</title>";
    let replies: [(Reply, FailureKind, &str, &str); 6] = [
        (Reply::status(202, ""), FailureKind::Answer, "HTTP 202, which promises", "202"),
        (Reply::ok(page).header("content-type", "text/html; charset=utf-8"), FailureKind::Answer, "Sign in", "200"),
        (
            Reply::ok(page).header("content-type", "text/plain"),
            FailureKind::Answer,
            "HTTP 200 with a page (text/plain) where JSON was sent",
            "2xx",
        ),
        (
            Reply::status(301, "").header("location", "https://example.com/login"),
            FailureKind::Refused,
            "HTTP 301 to https://example.com/login",
            "3xx",
        ),
        (Reply::status(404, r#"{"message":"Not Found"}"#), FailureKind::Refused, "HTTP 404: ", "404"),
        (Reply::status(500, "broken"), FailureKind::Function, "HTTP 500: broken", "5xx"),
    ];
    for (reply, kind, part, accepted) in replies {
        let target = Scripted::start(move |_, _| reply.clone());
        let scratch = Scratch::new();
        let output = run_plain(&scratch, &target, &TWO);
        assert_code(&output, 3);
        assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
        assert_eq!(kinds(&rows(&scratch)), BTreeSet::from([kind]));
        let output = run_plain(&Scratch::new(), &target, &[TWO.as_slice(), &["--accept-status", accepted]].concat());
        assert_code(&output, 0);
    }
    for status in [201, 204] {
        let target = Scripted::start(move |_, _| Reply::status(status, ""));
        assert_code(&run_plain(&Scratch::new(), &target, &TWO), 0);
    }
}

#[test]
fn the_answer_of_a_portal_in_lambdas_place_is_a_failure() {
    for (reply, kind, part) in [
        // Lambda's model has answers of any kind.
        (
            Reply::ok("<!DOCTYPE html><title>Sign in</title>").header("content-type", "text/html"),
            FailureKind::Answer,
            "HTTP 200 with a page where Lambda answers with JSON: <!DOCTYPE html>",
        ),
        (
            Reply::status(302, "")
                .header("location", "https://portal.example.com/login")
                .breaking_the_model("as of a portal that asks for a login"),
            FailureKind::Refused,
            "HTTP 302 to https://portal.example.com/login",
        ),
    ] {
        let lambda = lambda(move |_| reply.clone());
        let scratch = Scratch::new();
        let output = on_lambda(&scratch, &lambda, &TWO);
        assert_code(&output, 3);
        assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
        assert_eq!(kinds(&rows(&scratch)), BTreeSet::from([kind]));
    }
}

#[test]
fn an_endless_answer_is_given_up() {
    let endless = || " ".repeat((200 << 20) + 1);
    let scratch = Scratch::new();
    let target = Scripted::start(move |_, _| Reply::ok(endless()));
    assert_code(&run_plain(&scratch, &target, &TWO), 3);
    let lambda = lambda(move |it| answer(it, &endless()));
    let of_lambda = Scratch::new();
    assert_code(&on_lambda(&of_lambda, &lambda, &TWO), 3);
    for row in rows(&scratch).into_iter().chain(rows(&of_lambda)) {
        let failure = row.failure.unwrap();
        assert_eq!(failure.message, "the answer is longer than 200 MB, the most that a function can send");
        assert_eq!(failure.kind, FailureKind::Answer);
    }
}

#[test]
fn one_ctrl_c_ends_a_campaign_before_its_first_call() {
    let pending = in_state("Pending", "The function is being created.", |_, _| false);
    let scratch = Scratch::new();
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let arguments =
        [["--targets", "lambda:x", "lambda:a", "--payload", &payload, "--out", &out, "--json"].as_slice(), &TWO]
            .concat();
    let process = command(&pending.url, &arguments).spawn().unwrap();
    while pending.calls().len() < 8 {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    super::cold::signal(&process, "INT");
    let output = process.wait_with_output().unwrap();
    assert_code(&output, 130);
    let events = String::from_utf8(output.stdout).unwrap();
    let last = events.lines().last().unwrap();
    assert!(last.contains(r#""event":"end""#) && last.contains(r#""reason":"interrupted""#), "{events}");
    assert!(pending.calls().iter().all(|call| !call.line.contains("/invocations")));
}

#[test]
fn a_campaign_that_cannot_continue_ends_its_events() {
    let failed = in_state("Failed", "The image has been deleted.", |_, _| false);
    let output = on_lambda(&Scratch::new(), &failed, &[TWO.as_slice(), &["--json"]].concat());
    assert_code(&output, 1);
    let events = String::from_utf8(output.stdout).unwrap();
    let last: serde_json::Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
    assert_eq!((last["event"].as_str(), last["reason"].as_str()), (Some("end"), Some("failed")));
    assert!(last["detail"].as_str().unwrap().contains("The image has been deleted"), "{last}");
}

#[test]
fn an_asynchronous_invocation_is_a_failure() {
    let lambda =
        lambda(|it| Reply { status: 202, ..answer(it, "") }.breaking_the_model("as if it were not waited for"));
    let scratch = Scratch::new();
    assert_code(&on_lambda(&scratch, &lambda, &TWO), 3);
    assert_eq!(kinds(&rows(&scratch)), BTreeSet::from([FailureKind::Answer]));
}

#[test]
fn a_transient_fault_is_retried() {
    let lambda = lambda(|it| match it.number {
        0 => Reply::lambda_error("EC2ThrottledException", "slow down"),
        1 => Reply::lambda_error("ServiceException", "try later"),
        2 => {
            let state = "The operation cannot be performed at this time. The function is currently in the following state: Pending";
            Reply::lambda_error("ResourceConflictException", state)
        }
        _ => answer(it, "{}"),
    });
    let scratch = Scratch::new();
    let output = on_lambda(&scratch, &lambda, &[TWO.as_slice(), &["--json"]].concat());
    assert_code(&output, 0);
    let rows = rows(&scratch);
    for side in both() {
        let of_side = rows.iter().filter(|row| row.variant == side);
        let attempts: Vec<_> = of_side.map(|row| (row.attempt, row.failure.as_ref().map(|it| it.kind))).collect();
        let expected = [Some(FailureKind::Throttled), Some(FailureKind::Transient), Some(FailureKind::Transient), None];
        assert_eq!(attempts, (0..).zip(expected).collect::<Vec<_>>());
    }
    let events = String::from_utf8(output.stdout).unwrap();
    assert_eq!(events.matches(r#""event":"backoff""#).count(), 6, "{events}");
    let text = super::report(&scratch.path("run"));
    assert!(text.contains("3 calls of x86_64 were throttled, or met passing faults"), "{text}");
    assert!(!text.contains("of x86_64 failed"), "{text}");
}

#[test]
fn a_permanent_fault_is_not_retried() {
    let lambda = lambda(|it| match it.number {
        0 => Reply::lambda_error("ENILimitReachedException", "no more"),
        1 => Reply::lambda_error("KMSDisabledException", "the key"),
        _ => answer(it, "{}"),
    });
    let scratch = Scratch::new();
    assert_code(&on_lambda(&scratch, &lambda, &EIGHT), 0);
    let rows = rows(&scratch);
    assert_eq!((rows.len(), kinds(&rows)), (8, BTreeSet::from([FailureKind::Refused])));
}

/// A program that gives credentials, the first `old` times with a key that has expired.
fn with_credentials(scratch: &Scratch, old: u32, url: &str, arguments: &[&str]) -> Output {
    let count = scratch.path("count");
    let program = format!(
        "#!/bin/sh\nif [ $(cat {count} 2>/dev/null | wc -l) -lt {old} ]; then key=AKIAOLD; else key=AKIANEW; fi\n\
         echo 1 >> {count}\n\
         echo '{{\"Version\": 1, \"AccessKeyId\": \"'$key'\", \"SecretAccessKey\": \"secret\", \"SessionToken\": \"t\"}}'\n"
    );
    let program = scratch.file("credentials.sh", &program);
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = scratch.file("config", &format!("[default]\ncredential_process = {program}\n"));
    command(url, arguments)
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env("AWS_CONFIG_FILE", config)
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .output()
        .unwrap()
}

fn is_signed_by(call: &Call, key: &str) -> bool {
    call.headers["authorization"].to_str().unwrap().contains(key)
}

#[test]
fn credentials_that_expire_are_fetched_again() {
    let expired =
        || Reply::lambda_error("ExpiredTokenException", "The security token included in the request is expired");
    let lambda = Scripted::aws(move |call, number| match call.line.contains("/configuration") {
        true => Reply::ok(configuration(is_candidate(call)).to_string()),
        false if is_signed_by(call, "AKIAOLD") => expired(),
        false => {
            let log = format!("REPORT RequestId: {number}\tDuration: 0.01 ms\tBilled Duration: 1 ms\t\n");
            Reply::ok("{}")
                .header("x-amzn-requestid", number.to_string())
                .header("x-amz-log-result", BASE64_STANDARD.encode(log))
        }
    });
    let scratch = Scratch::new();
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let arguments =
        [["--targets", "lambda:x", "lambda:a", "--payload", &payload, "--out", &out].as_slice(), &EIGHT].concat();
    assert_code(&with_credentials(&scratch, 1, &lambda.url, &arguments), 0);
    let rows_of_lambda = rows(&scratch);
    assert_eq!(rows_of_lambda.iter().filter(|row| row.failure.is_none()).count(), 8);
    assert_eq!(kinds(&rows_of_lambda), BTreeSet::from([FailureKind::Transient]));

    let endpoint =
        Scripted::start(move |call, _| if is_signed_by(call, "AKIAOLD") { expired() } else { Reply::ok("{}") });
    let scratch = Scratch::new();
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let targets = ["--targets", &endpoint.url, &endpoint.url, "--payload", &payload, "--out", &out];
    assert_code(&with_credentials(&scratch, 1, "", &[targets.as_slice(), &EIGHT].concat()), 0);
    assert_eq!(rows(&scratch).iter().filter(|row| row.failure.is_none()).count(), 8);
}

#[test]
fn credentials_are_fetched_again_once_for_all_calls_of_a_step() {
    let expired =
        || Reply::lambda_error("ExpiredTokenException", "The security token included in the request is expired");
    let endpoint =
        Scripted::start(move |call, _| if is_signed_by(call, "AKIAOLD") { expired() } else { Reply::ok("{}") });
    let scratch = Scratch::new();
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let arguments = [
        ["--targets", &endpoint.url, &endpoint.url, "--payload", &payload, "--out", &out].as_slice(),
        &["--environments", "8", "--invocations", "16", "--max-cost", "5"],
    ]
    .concat();
    assert_code(&with_credentials(&scratch, 2, &endpoint.url, &arguments), 0);
    assert_eq!(rows(&scratch).iter().filter(|row| row.failure.is_none()).count(), 16);
    // Once for each side, and once again for all eight calls of each that were signed with the old ones; and once more
    // where one side was so quick that it got the old ones twice.
    let fetched = std::fs::read_to_string(scratch.path("count")).unwrap().lines().count();
    assert!((4..=5).contains(&fetched), "{fetched}");
}

/// A Lambda whose functions are in a state until they have been looked at or called so often.
fn in_state(state: &'static str, reason: &'static str, until: fn(looked: usize, called: usize) -> bool) -> Scripted {
    let (looked, called) = ([AtomicUsize::new(0), AtomicUsize::new(0)], [AtomicUsize::new(0), AtomicUsize::new(0)]);
    Scripted::aws(move |call, _| {
        let function = usize::from(is_candidate(call));
        let is_call = call.line.contains("/invocations");
        let counted = if is_call { &called[function] } else { &looked[function] };
        counted.fetch_add(1, Ordering::SeqCst);
        let is_active = until(looked[function].load(Ordering::SeqCst), called[function].load(Ordering::SeqCst));
        if is_call {
            let message = format!("The function is currently in the following state: {state}");
            return if is_active {
                Reply::ok("{}")
            } else {
                Reply::lambda_error("ResourceConflictException", &message)
            };
        }
        let mut configuration = configuration(function == 1);
        if !is_active {
            configuration["State"] = json!(state);
            configuration["StateReason"] = json!(reason);
            configuration["StateReasonCode"] = json!("ImageDeleted");
        }
        Reply::ok(configuration.to_string())
    })
}

#[test]
fn a_function_that_is_not_active_yet_is_waited_for() {
    let pending = in_state("Pending", "The function is being created.", |looked, _| looked > 4);
    let scratch = Scratch::new();
    assert_code(&on_lambda(&scratch, &pending, &TWO), 0);
    let rows_of_pending = rows(&scratch);
    assert!(rows_of_pending.len() == 2 && kinds(&rows_of_pending).is_empty());
    // Nothing was called before.
    let invocations = pending.calls().iter().filter(|call| call.line.contains("/invocations")).count();
    assert_eq!(invocations, 2);
}

#[test]
fn an_inactive_function_is_woken() {
    let scratch = Scratch::new();
    // The call that wakes it fails, and it takes a while.
    let waking = in_state("Inactive", "The function is idle.", |looked, called| called > 0 && looked > 4);
    assert_code(&on_lambda(&scratch, &waking, &TWO), 0);
    let rows = rows(&scratch);
    assert!(rows.len() == 2 && kinds(&rows).is_empty());
    assert_eq!(waking.calls().iter().filter(|call| call.line.contains("/invocations")).count(), 4);
}

#[test]
fn a_function_that_will_never_be_active_is_refused_with_lambdas_reason() {
    let failed = in_state("Failed", "The image has been deleted.", |_, _| false);
    let output = on_lambda(&Scratch::new(), &failed, &TWO);
    assert_code(&output, 1);
    let message = stderr(&output);
    assert!(
        message.contains("lambda:x") && message.contains("The image has been deleted. (ImageDeleted)"),
        "{message}"
    );
    assert!(failed.calls().iter().all(|call| !call.line.contains("/invocations")));
}

#[test]
fn answers_without_an_environment_are_warned_about_early() {
    let lambda = lambda(|it| answer(it, r#"{"statusCode": 200, "body": "{\"env\": {\"id\": \"a\"}}"}"#));
    let output = on_lambda(&Scratch::new(), &lambda, &[EIGHT.as_slice(), &["--environment", "/env/id"]].concat());
    assert_code(&output, 0);
    let message = stderr(&output);
    assert!(!message.contains("say where answers name it"), "{message}");
    let warning =
        "Warning: --environment /env/id finds no string or number in the answers of x86_64; did you mean /body/env/id?";
    assert_eq!(message.matches(warning).count(), 1, "{message}");
    let output = on_lambda(
        &Scratch::new(),
        &lambda,
        &[EIGHT.as_slice(), &["--environment", "/body/env/id", "--cpu-model", "/zzz", "--json"]].concat(),
    );
    let events = String::from_utf8(output.stdout).unwrap();
    assert_eq!(events.matches(r#""event":"warning""#).count(), 2, "{events}");
    assert!(events.contains("--cpu-model /zzz finds no string or number in the answers of arm64\""), "{events}");
}

#[test]
fn limits_of_nothing_are_refused_before_the_first_call() {
    let lambda = lambda(|it| answer(it, "{}"));
    for (option, value, part) in [
        ("--duration", "0s", "it must be at least 1ms"),
        ("--duration", "100us", "it must be at least 1ms"),
        ("--timeout", "0s", "it must be at least 1ms"),
        ("--max-cost", "0", "US dollars above 0"),
        ("--change-timeout", "0s", "it must be at least 1ms"),
    ] {
        let output = on_lambda(&Scratch::new(), &lambda, &[option, value]);
        assert_code(&output, 2);
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    let output = on_lambda(&Scratch::new(), &lambda, &["--pace", "1h"]);
    assert_code(&output, 2);
    let message = stderr(&output);
    assert!(message.contains("--pace 1h leaves no time for a second block within --duration 10m"), "{message}");
    let scratch = Scratch::new();
    let payload = |bytes: usize| scratch.file(&format!("{bytes}.json"), &format!("\"{}\"", "x".repeat(bytes - 2)));
    let refused = |targets: [&str; 2], bytes: usize| {
        let (payload, out) = (payload(bytes), scratch.path("run"));
        let output = run(
            &lambda.url,
            &[
                ["--targets", targets[0], targets[1], "--payload", &payload, "--out", &out, "--dry-run"].as_slice(),
                &TWO,
            ]
            .concat(),
        );
        (output.status.code(), stderr(&output))
    };
    let (code, message) = refused(["lambda:x", "lambda:a"], 6_291_457);
    assert!(code == Some(1) && message.contains("has 6291457 bytes, and Lambda takes 6291456 at most"), "{message}");
    assert_eq!(refused(["lambda:x", "lambda:a"], 6_291_456).0, Some(0));
    let api = "https://abc.execute-api.us-east-1.amazonaws.com/prod";
    let (code, message) = refused([api, api], 10_485_761);
    assert!(code == Some(1) && message.contains("API Gateway takes 10485760 at most"), "{message}");
    let url = "https://abc.lambda-url.us-east-1.on.aws/";
    assert_eq!((refused([api, api], 6_291_457).0, refused([url, url], 6_291_457).0), (Some(0), Some(1)));
    assert!(lambda.calls().iter().all(|call| !call.line.contains("/invocations")));
}

#[test]
fn a_message_of_a_megabyte_is_cut_escaped_and_shown_once() {
    let lambda = lambda(|it| {
        let message = format!("begin \u{1b}[2J\u{7}\n{}", "x".repeat(1 << 20));
        answer(it, &json!({"errorType": "Error", "errorMessage": message}).to_string())
            .header("x-amz-function-error", "Unhandled")
    });
    let scratch = Scratch::new();
    let output = on_lambda(&scratch, &lambda, &EIGHT);
    assert_code(&output, 3);
    let text = stderr(&output);
    assert_eq!(text.matches(r"begin \u{1b}[2J\u{7}\nxxx").count(), 1, "{text}");
    assert!(text.len() < 8000 && !text.contains('\u{1b}') && !text.contains('\u{7}'), "{text}");
    let rows = rows(&scratch);
    assert!(rows.iter().all(|row| row.failure.as_ref().unwrap().message.len() < 2200));
    assert!(rows.iter().all(|row| row.report.is_some() && row.cost_usd > 0.0));
}
