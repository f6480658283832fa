//! Environments of functions whose answers do not name them: campaigns, `duet collect` and reports, on a Lambda with
//! logs.

mod double;

use super::{Scratch, assert_code, command, samples, subcommand};
use crate::{
    cli::{duet, stderr, stdout},
    scripted::{Scripted, is_for_events},
};
use double::{Logged, Manner};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Output,
    sync::atomic::Ordering,
    thread::sleep,
    time::Duration,
};

/// `environments.jsonl`.
fn lines(scratch: &Scratch) -> Vec<Value> {
    let text = fs::read_to_string(scratch.path("run/environments.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The stream of each request that was found.
fn found(scratch: &Scratch) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    lines(scratch).iter().map(|line| (text(&line["request_id"]), text(&line["log_stream"]))).collect()
}

fn analysis(scratch: &Scratch) -> Value {
    crate::report::pair(&stdout(&duet(&["report", &scratch.path("run"), "--format", "json"])))
}

/// The texts of the warnings of one kind.
fn warnings(analysis: &Value, kind: &str) -> Vec<String> {
    let warnings = analysis["warnings"].as_array().unwrap().iter();
    warnings.filter(|it| it["kind"] == kind).map(|it| it["text"].as_str().unwrap().to_owned()).collect()
}

fn collect(logged: &Logged, scratch: &Scratch, arguments: &[&str]) -> Output {
    subcommand(&logged.aws.url, "collect").arg(scratch.path("run")).args(arguments).output().unwrap()
}

/// Rewrites the run directory: the manifest, and each sample.
fn rewrite(scratch: &Scratch, manifest: impl Fn(&mut Value), sample: impl Fn(&mut Value)) {
    let read = |name: &str| fs::read_to_string(scratch.path(name)).unwrap();
    let mut whole: Value = serde_json::from_str(&read("run/campaign.json")).unwrap();
    manifest(&mut whole);
    scratch.file("run/campaign.json", &whole.to_string());
    let rewritten = |line: &str| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        sample(&mut row);
        // Rows begin with their block.
        let text = row.to_string();
        let block = format!("{{\"block\":{},", row["block"]);
        block.clone() + &text[1..].replace(&format!("\"block\":{},", row["block"]), "") + "\n"
    };
    let samples: String = read("run/samples.jsonl").lines().map(rewritten).collect();
    scratch.file("run/samples.jsonl", &samples);
}

#[test]
fn log_streams_tell_the_same_environments_as_answers() {
    for format in ["Text", "JSON"] {
        let (scratch, logged) = (Scratch::new(), Logged::start(Manner { format, ..Manner::default() }));
        assert_code(&logged.run(&scratch, &["--environment", "/id"]), 0);
        assert!(logged.queries().is_empty(), "answers name them");
        let named = samples(&scratch.path("run")).1;
        let truth = logged.truth();
        assert!(
            named
                .iter()
                .all(|row| row.environment() == truth.get(row.request_id.as_ref().unwrap()).map(String::as_str))
        );
        let by_answers = analysis(&scratch);

        // The same campaign as it is where answers name nothing.
        let unnamed = |row: &mut Value| {
            row.as_object_mut().unwrap().remove("environment");
            row["cold"] = json!(row["report"].get("init_ms").is_some());
        };
        rewrite(&scratch, |manifest| manifest["plan"]["environment"] = Value::Null, unnamed);
        let before = analysis(&scratch);
        assert_eq!(
            (warnings(&before, "environments-unknown").len(), &before["headline"]["verdict"]),
            (2, &json!("withheld"))
        );
        let output = collect(&logged, &scratch, &[]);
        assert_code(&output, 0);
        assert_eq!(found(&scratch), truth);
        let by_logs = analysis(&scratch);
        for part in ["headline", "cells", "sides", "money", "warnings"] {
            assert_eq!(by_logs[part], by_answers[part], "{part}");
        }
        assert_eq!(by_logs["headline"]["verdict"], "equivalent");
    }
}

#[test]
fn a_campaign_reads_log_streams_at_its_end() {
    // The last calls' events are not there yet when it ends, and pages are throttled.
    let late = Duration::from_millis(1500);
    let (scratch, logged) =
        (Scratch::new(), Logged::start(Manner { page: 7, late, throttled: 2, ..Manner::default() }));
    let output = logged.run(&scratch, &[]);
    assert_code(&output, 0);
    let message = stderr(&output);
    for part in [
        "environments: log streams of /aws/lambda/x in us-east-1, read at the end",
        "Looking for the environments of 56 calls in the log streams of /aws/lambda/a in us-east-1",
        "Found the environments of 56 of 56 calls in the log streams of /aws/lambda/x in us-east-1",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(message.find("Found the").unwrap() < message.find("Complete: ").unwrap(), "{message}");
    samples(&scratch.path("run"));
    assert_eq!(found(&scratch), logged.truth());
    // The samples have reports already.
    assert!(lines(&scratch).iter().all(|line| line.get("report").is_none() && line["has_init"].is_boolean()));
    let queries = logged.queries();
    assert!(queries.iter().any(|(_, query)| query["nextToken"].is_string()));
    assert!(queries.iter().all(|(_, query)| query["filterPattern"] == r#""REPORT RequestId""#));
    let analysis = analysis(&scratch);
    assert_eq!(analysis["headline"]["verdict"], "equivalent", "{analysis}");
    let streams: BTreeSet<String> = logged.truth().into_values().collect();
    let environments = ["baseline", "candidate"].map(|side| analysis["sides"][side]["environments"].as_u64().unwrap());
    assert_eq!(environments.iter().sum::<u64>(), streams.len() as u64, "{}", analysis["sides"]);
}

#[test]
fn a_missing_permission_is_said_with_the_statement_and_the_samples_are_kept() {
    let (scratch, logged) = (Scratch::new(), Logged::start(Manner::default()));
    logged.may_read.store(false, Ordering::SeqCst);
    let output = logged.run(&scratch, &[]);
    // The campaign itself is complete.
    assert_code(&output, 0);
    let message = stderr(&output);
    let statement = |group: &str| {
        let resource = format!("arn:aws:logs:us-east-1:123456789012:log-group:{group}:*");
        json!({ "Effect": "Allow", "Action": "logs:FilterLogEvents", "Resource": resource })
    };
    let said: Vec<Value> = message.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(said, ["/aws/lambda/x", "/aws/lambda/a"].map(statement), "{message}");
    let again = format!("duet collect {}", scratch.path("run"));
    assert!(message.contains(&again) && message.contains("is not authorized to perform"), "{message}");
    let unknown = warnings(&analysis(&scratch), "environments-unknown");
    assert!(unknown.len() == 2 && unknown[0].contains("`duet collect`"), "{unknown:?}");

    let output = collect(&logged, &scratch, &["--json"]);
    assert_code(&output, 3);
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&outcome["logs"][0]["problem"], &outcome["logs"][0]["found"]), (&json!("denied"), &json!(0)));
    assert_eq!(outcome["logs"][1]["policy_statement"], statement("/aws/lambda/a"));

    let rows = fs::read(scratch.path("run/samples.jsonl")).unwrap();
    logged.may_read.store(true, Ordering::SeqCst);
    assert_code(&collect(&logged, &scratch, &[]), 0);
    assert_eq!(found(&scratch), logged.truth());
    assert_eq!(analysis(&scratch)["headline"]["verdict"], "equivalent");
    // What is known is not asked for again.
    let (count, lines) = (logged.queries().len(), lines(&scratch).len());
    let output = collect(&logged, &scratch, &["--json"]);
    assert_code(&output, 0);
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected =
        |group: &str| json!({ "log_group": group, "region": "us-east-1", "wanted": 0, "found": 0, "unidentified": 0 });
    let logs = ["/aws/lambda/x", "/aws/lambda/a"].map(expected);
    assert_eq!(outcome, json!({ "streams_of": "environments", "logs": logs }));
    assert!(stdout(&collect(&logged, &scratch, &[])).contains("The environments of all calls in /aws/lambda/x"));
    assert_eq!((logged.queries().len(), self::lines(&scratch).len()), (count, lines));
    assert_eq!(fs::read(scratch.path("run/samples.jsonl")).unwrap(), rows);
}

#[test]
fn a_shared_group_is_asked_once() {
    let manner = Manner { shared_group: Some("/shared/all"), ..Manner::default() };
    let (scratch, logged) = (Scratch::new(), Logged::start(manner));
    let output = logged.run(&scratch, &["--json"]);
    assert_code(&output, 0);
    let events = String::from_utf8(output.stdout).unwrap();
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let logs =
        json!([{ "log_group": "/shared/all", "region": "us-east-1", "wanted": 112, "found": 112, "unidentified": 0 }]);
    // The last event is the campaign's end.
    let collected = &events[events.len() - 2];
    assert_eq!(*collected, json!({ "event": "collect", "streams_of": "environments", "logs": logs }));
    let told = "log streams of /shared/all in us-east-1, read at the end";
    assert_eq!(
        events[0]["environments"],
        json!([{ "name": "x86_64", "told_by": told }, { "name": "arm64", "told_by": told }])
    );
    // The campaign itself cannot know.
    let end = &events[events.len() - 1]["variants"];
    assert!((0..2).all(|variant| end[variant].get("environments") == Some(&Value::Null)), "{end}");
    assert_eq!((logged.queries().len(), found(&scratch)), (1, logged.truth()));
    assert_eq!(analysis(&scratch)["headline"]["verdict"], "equivalent");
}

#[test]
fn each_region_is_asked_for_its_own_function() {
    let (scratch, logged) = (Scratch::new(), Logged::start(Manner::default()));
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let arn = "lambda:arn:aws:lambda:eu-west-1:123456789012:function:a";
    let arguments = ["--targets", "lambda:x", arn, "--payload", &payload, "--out", &out, "--invocations", "112"];
    let output = command(&logged.aws.url, &arguments).output().unwrap();
    assert_code(&output, 0);
    assert!(stderr(&output).contains("/aws/lambda/a in eu-west-1, read at the end"), "{}", stderr(&output));
    assert_eq!(found(&scratch), logged.truth());
    let asked: Vec<(String, String)> = logged
        .queries()
        .into_iter()
        .map(|(region, query)| (region, query["logGroupName"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [("us-east-1", "/aws/lambda/x"), ("eu-west-1", "/aws/lambda/a")];
    assert_eq!(asked, expected.map(|(region, group)| (region.to_owned(), group.to_owned())));
}

#[test]
fn a_stream_for_each_call_tells_nothing() {
    let manner = Manner { is_stream_per_call: true, has_tail: false, ..Manner::default() };
    let (scratch, logged) = (Scratch::new(), Logged::start(manner));
    let output = logged.run(&scratch, &[]);
    assert_code(&output, 0);
    assert!(stderr(&output).contains("Each call has a log stream of its own"), "{}", stderr(&output));
    let analysis = analysis(&scratch);
    let unknown = warnings(&analysis, "environments-unknown");
    assert!(unknown.len() == 2 && unknown[0].contains("as where an emulator writes them"), "{unknown:?}");
    assert!(warnings(&analysis, "implausible-environments").is_empty());
    assert_eq!(analysis["headline"]["verdict"], "withheld");
    // Its reports are right nevertheless.
    assert!(analysis["money"]["monthly"].is_object() && warnings(&analysis, "no-bill").is_empty(), "{analysis}");
    assert_code(&collect(&logged, &scratch, &[]), 3);
}

#[test]
fn an_emulator_with_other_ids_in_its_log_is_not_waited_for() {
    // As MiniStack behaves.
    let manner = Manner { is_stream_per_call: true, has_other_ids: true, ..Manner::default() };
    let (scratch, logged) = (Scratch::new(), Logged::start(manner));
    let output = logged.run(&scratch, &[]);
    assert_code(&output, 0);
    assert!(stderr(&output).contains("another request id than its answer"), "{}", stderr(&output));
    assert_eq!(logged.queries().len(), 2);
    let unknown = warnings(&analysis(&scratch), "environments-unknown");
    assert!(unknown.len() == 2 && unknown[0].contains("gives them other ids"), "{unknown:?}");
    let output = collect(&logged, &scratch, &["--json"]);
    assert_code(&output, 3);
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&outcome["streams_of"], &outcome["logs"][0]["problem"]),
        (&json!("unknown"), &json!("stream-per-call"))
    );
}

#[test]
fn reports_come_from_the_log_where_answers_have_no_end_of_it() {
    for format in ["Text", "JSON"] {
        let manner = Manner { format, has_tail: false, ..Manner::default() };
        let (scratch, logged) = (Scratch::new(), Logged::start(manner));
        let output = logged.run(&scratch, &[]);
        assert_code(&output, 0);
        let rows = samples(&scratch.path("run")).1;
        assert!(rows.iter().all(|row| row.report.is_none() && row.cold.is_none()));
        let expected = json!({ "duration_ms": 19.0, "billed_ms": 20.0, "memory_mb": 1769, "max_memory_mb": 30 });
        let lines = lines(&scratch);
        let warm = lines.iter().filter(|line| line["has_init"] == false);
        assert!(warm.clone().count() > 80 && warm.into_iter().all(|line| line["report"] == expected), "{lines:?}");
        let analysis = analysis(&scratch);
        assert_eq!(analysis["headline"]["verdict"], "equivalent");
        assert!(analysis["money"]["monthly"].is_object() && warnings(&analysis, "no-bill").is_empty(), "{analysis}");
    }
}

#[test]
fn a_log_without_lambdas_own_lines_is_read_by_the_functions() {
    let manner = Manner { format: "JSON", level: "WARN", ..Manner::default() };
    let (scratch, logged) = (Scratch::new(), Logged::start(manner));
    assert_code(&logged.run(&scratch, &[]), 0);
    assert_eq!(found(&scratch), logged.truth());
    assert!(logged.queries().iter().all(|(_, query)| query.get("filterPattern").is_none()));
    // The function's own lines say nothing of cold starts.
    assert!(lines(&scratch).iter().all(|line| line.get("has_init").is_none()));
}

#[test]
fn an_interrupted_campaign_says_how_to_read_them() {
    let (scratch, logged) = (Scratch::new(), Logged::start(Manner::default()));
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let arguments = ["--targets", "lambda:x", "lambda:a", "--payload", &payload, "--out", &out];
    let process = command(&logged.aws.url, &arguments).spawn().unwrap();
    while logged.aws.count() < 100 {
        sleep(Duration::from_millis(5));
    }
    let interrupt = ["-INT", &process.id().to_string()];
    assert!(std::process::Command::new("kill").args(interrupt).status().unwrap().success());
    let output = process.wait_with_output().unwrap();
    assert_code(&output, 130);
    assert!(stderr(&output).contains(&format!("`duet collect {out}`")), "{}", stderr(&output));
    assert!(!scratch.0.join("run/environments.jsonl").exists());
    assert_code(&collect(&logged, &scratch, &[]), 0);
    assert_eq!(found(&scratch).len(), samples(&out).1.len());
    // A campaign that goes on reads what is new.
    let resumed = command(&logged.aws.url, &["--resume", &out]).spawn().unwrap();
    while logged.aws.count() < 300 {
        sleep(Duration::from_millis(5));
    }
    assert_code(&collect(&logged, &scratch, &[]), 1);
    let interrupt = ["-INT", &resumed.id().to_string()];
    assert!(std::process::Command::new("kill").args(interrupt).status().unwrap().success());
    assert_code(&resumed.wait_with_output().unwrap(), 130);
    assert_code(&collect(&logged, &scratch, &[]), 0);
    assert_eq!(found(&scratch).len(), samples(&out).1.len());
}

#[test]
fn what_is_not_in_the_log_is_counted() {
    let (scratch, logged) = (Scratch::new(), Logged::start(Manner { lost: Some(50), ..Manner::default() }));
    logged.may_read.store(false, Ordering::SeqCst);
    assert_code(&logged.run(&scratch, &[]), 0);
    logged.may_read.store(true, Ordering::SeqCst);
    // Nothing comes late any more: the campaign was an hour ago.
    logged.ignores_time.store(true, Ordering::SeqCst);
    let earlier =
        |row: &mut Value| row["started_unix_ms"] = json!(row["started_unix_ms"].as_u64().unwrap() - 3_600_000);
    rewrite(&scratch, |_| {}, earlier);
    let output = collect(&logged, &scratch, &[]);
    assert_code(&output, 3);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Found the environments of 55 of 56 calls") && text.contains("not yet"), "{text}");
    assert_eq!(found(&scratch).len(), 111);
    // The verdict does without it.
    let analysis = analysis(&scratch);
    let missing = warnings(&analysis, "missing-log-streams");
    assert!(missing.len() == 1 && missing[0].starts_with("1 answers of ") && missing[0].contains("duet collect"));
    assert_eq!(analysis["headline"]["verdict"], "equivalent");
}

#[test]
fn a_handler_in_python_that_names_nothing_gets_a_verdict() {
    const HANDLER: &str = "\
calls = 0

def handler(event, context):
    global calls
    calls += 1
    return {'statusCode': 200, 'body': json.dumps({'total': sum(event['items'])})}
";
    let manner = Manner { python: Some(HANDLER), format: "JSON", ..Manner::default() };
    let (scratch, logged) = (Scratch::new(), Logged::start(manner));
    assert_code(&logged.run(&scratch, &["--compare-output"]), 0);
    let answer = fs::read_to_string(scratch.path("run/answer-0")).unwrap();
    assert!(answer.contains(r#"\"total\": 6"#), "{answer}");
    assert_eq!(found(&scratch), logged.truth());
    let text = stdout(&duet(&["report", &scratch.path("run"), "--details"]));
    assert!(!text.contains("No verdict") && text.contains("environments"), "{text}");
    assert_eq!(analysis(&scratch)["headline"]["verdict"], "equivalent");
}

#[test]
fn how_environments_will_be_told_is_said_before_the_first_call() {
    let scratch = Scratch::new();
    let logged = Logged::start(Manner::default());
    let plan = |arguments: &[&str]| {
        let output = logged.run(&scratch, &[&["--dry-run"], arguments].concat());
        assert_code(&output, 0);
        (stdout(&output), stderr(&output))
    };
    let (text, message) = plan(&[]);
    for function in ["x", "a"] {
        let line = format!("environments: log streams of /aws/lambda/{function} in us-east-1, read at the end");
        assert!(text.contains(&line) && !message.contains("nothing will tell"), "{text} {message}");
    }
    assert_eq!(plan(&["--environment", "/id"]).0.matches("environments: answers name them at /id").count(), 2);
    assert_eq!(plan(&["--cold"]).0.matches("environments: each call has its own").count(), 2);
    let output = logged.run(&scratch, &["--dry-run", "--until-ci", "5%"]);
    assert_code(&output, 2);
    let message = stderr(&output);
    assert!(message.contains("--until-ci takes") && message.contains("--environment POINTER"), "{message}");
    plan(&["--until-ci", "5%", "--environment", "/id"]);
    assert!(logged.aws.calls().iter().all(|call| call.line.starts_with("GET ")), "nothing is called");

    let endpoint = Scripted::start(|_, _| panic!("nothing is called"));
    let output = super::run_plain(&scratch, &endpoint, &["--dry-run"]);
    assert_eq!(stdout(&output).matches("environments: nothing tells them").count(), 2);
    let message = stderr(&output);
    assert!(message.contains("nothing will tell which environment") && message.contains("lambda:NAME"), "{message}");
}

#[test]
fn where_nothing_is_to_be_collected_it_is_said_why() {
    let (scratch, logged) = (Scratch::new(), Logged::start(Manner::default()));
    assert_code(&logged.run(&scratch, &["--environment", "/id"]), 0);
    let output = collect(&logged, &scratch, &[]);
    assert_code(&output, 0);
    let text = stdout(&output);
    assert!(text.contains("nothing to collect") && text.contains("arm64: answers name them at /id"), "{text}");
    assert!(!logged.aws.calls().iter().any(is_for_events));
    let output = subcommand("", "collect").arg(scratch.path("nowhere")).output().unwrap();
    assert_code(&output, 1);
    assert!(stderr(&output).contains("holds no campaign"), "{}", stderr(&output));
}

#[test]
fn calls_without_a_request_id_are_not_said_to_be_known() {
    let (scratch, logged) = (Scratch::new(), Logged::start(Manner::default()));
    assert_code(&logged.run(&scratch, &["--environment", "/id"]), 0);
    let unidentified = |row: &mut Value| {
        let row = row.as_object_mut().unwrap();
        row.remove("environment");
        row.remove("request_id");
    };
    rewrite(&scratch, |manifest| manifest["plan"]["environment"] = Value::Null, unidentified);
    let output = collect(&logged, &scratch, &[]);
    assert_code(&output, 3);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("calls have no request id") && !text.contains("are known"), "{text}");
    assert!(logged.queries().is_empty() && !fs::exists(scratch.path("run/environments.jsonl")).unwrap());
}
