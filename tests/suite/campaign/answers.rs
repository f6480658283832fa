//! Answers whose parts contradict each other, or say less than usual: what a campaign makes of them.

use super::{Scratch, assert_code, both, report, run, samples};
use crate::{
    cli::{duet, stdout},
    scripted::{Call, Reply, Scripted},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use lambda_duet::campaign::row::Row;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    process::Output,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// An invocation, as the script of a Lambda is told of it.
pub struct Invocation {
    /// Whether it is one of the function `a`.
    pub is_candidate: bool,
    /// How many there were of the same function before.
    pub number: usize,
    /// What Lambda calls the request.
    pub id: String,
}

impl Invocation {
    /// Lambda's report in the text format; what it has besides the usual comes last.
    pub fn report(&self, duration_ms: f64, more: &str) -> String {
        let (id, billed) = (&self.id, duration_ms.ceil());
        format!(
            "REPORT RequestId: {id}\tDuration: {duration_ms} ms\tBilled Duration: {billed} ms\tMemory Size: 1769 MB\t\
             Max Memory Used: 30 MB\t{more}\n"
        )
    }

    /// An answer with the end of a log, after the 20 ms that most of them are said to take.
    pub fn answer(&self, body: impl Into<String>, log: &str) -> Reply {
        Reply::ok(body)
            .header("content-type", "application/json")
            .header("x-amzn-requestid", &self.id)
            .header("x-amz-executed-version", "$LATEST")
            .header("x-amz-log-result", BASE64_STANDARD.encode(log))
            .after(Duration::from_millis(20))
    }
}

/// How Lambda has configured a function of the scripted ones.
pub fn configuration(is_candidate: bool) -> Value {
    json!({
        "FunctionName": if is_candidate { "a" } else { "x" },
        "Architectures": [if is_candidate { "arm64" } else { "x86_64" }], "MemorySize": 1769, "Timeout": 30,
        "Runtime": "provided.al2023", "State": "Active", "LastUpdateStatus": "Successful", "RevisionId": "r"
    })
}

pub fn is_candidate(call: &Call) -> bool {
    call.line.contains("/functions/a/")
}

/// A Lambda of two functions, `x` and `a`, whose invocations are answered as `script` says.
pub fn lambda(script: impl Fn(&Invocation) -> Reply + Send + Sync + 'static) -> Scripted {
    let counts = [AtomicUsize::new(0), AtomicUsize::new(0)];
    Scripted::aws(move |call, number| {
        let is_candidate = is_candidate(call);
        if call.line.starts_with("GET ") {
            return Reply::ok(configuration(is_candidate).to_string()).header("content-type", "application/json");
        }
        assert!(call.line.contains("/invocations"), "{}", call.line);
        let id = format!("00000000-0000-4000-8000-{number:012x}");
        let number = counts[usize::from(is_candidate)].fetch_add(1, Ordering::SeqCst);
        script(&Invocation { is_candidate, number, id })
    })
}

/// A campaign on that Lambda.
pub fn on_lambda(scratch: &Scratch, lambda: &Scripted, arguments: &[&str]) -> Output {
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let all =
        [["--targets", "lambda:x", "lambda:a", "--payload", &payload, "--out", &out].as_slice(), arguments].concat();
    run(&lambda.url, &all)
}

fn rows(scratch: &Scratch) -> Vec<Row> {
    samples(&scratch.path("run")).1
}

/// The report of the campaign as JSON.
fn analysis(scratch: &Scratch) -> Value {
    let text = stdout(&duet(&["report", &scratch.path("run"), "--format", "json"]));
    crate::report::pair(&text)
}

/// The texts of the warnings of one kind.
fn warnings(analysis: &Value, kind: &str) -> Vec<String> {
    let warnings = analysis["warnings"].as_array().unwrap().iter();
    warnings.filter(|it| it["kind"] == kind).map(|it| it["text"].as_str().unwrap().to_owned()).collect()
}

/// How many calls of each side the comparison by one measure is made of.
fn calls(analysis: &Value, measure: &str) -> [u64; 2] {
    let comparisons = analysis["cells"][0]["comparisons"].as_array().unwrap();
    let comparison = comparisons.iter().find(|it| it["measure"] == measure).unwrap();
    ["baseline", "candidate"].map(|side| comparison["calls"][side].as_u64().unwrap())
}

const EIGHT: [&str; 4] = ["--environments", "2", "--invocations", "8"];

#[test]
fn a_report_of_another_request_does_not_count() {
    let foreign = "REPORT RequestId: 11111111-0000-4000-8000-000000000000\tDuration: 2.00 ms\tBilled Duration: 2 ms\t\
                   Memory Size: 1769 MB\tMax Memory Used: 30 MB\t\n";
    let event = r#"{"time":"2026-11-20T10:00:00.117Z","type":"platform.report","record":{"requestId":"11111111","metrics":{"durationMs":3.0,"billedDurationMs":3,"memorySizeMB":1769,"maxMemoryUsedMB":34},"status":"success"}}"#;
    // As extensions print what they ship: behind the function's own report, and before it.
    let lambda = lambda(move |invocation| {
        let own = invocation.report(19.5, "");
        let log = match invocation.number % 4 {
            0 => format!("{own}[extension] {foreign}"),
            1 => format!("{own}{event}\n"),
            2 => format!("{foreign}{own}"),
            // Output of the function that looks like a report, without a newline at its end.
            _ => format!("{}{own}", invocation.report(1.0, "Init Duration: 5.00 ms\t").trim_end()),
        };
        invocation.answer("{}", &log)
    });
    let scratch = Scratch::new();
    assert_code(&on_lambda(&scratch, &lambda, &EIGHT), 0);
    let rows = rows(&scratch);
    let ids: BTreeSet<_> = rows.iter().map(|row| row.request_id.clone().unwrap()).collect();
    assert_eq!((rows.len(), ids.len()), (8, 8));
    for row in &rows {
        let report = row.report.as_ref().unwrap();
        assert_eq!((report.duration_ms, report.billed_ms, row.cold), (Some(19.5), Some(20.0), Some(false)), "{row:?}");
        assert_eq!(row.executed_version.as_deref(), Some("$LATEST"));
    }
}

#[test]
fn a_lone_report_of_another_request_is_ignored() {
    let lambda = lambda(|invocation| {
        let foreign = Invocation { id: "11111111".to_owned(), ..*invocation };
        invocation.answer("{}", &foreign.report(2.0, "Init Duration: 5.00 ms\t"))
    });
    let scratch = Scratch::new();
    assert_code(&on_lambda(&scratch, &lambda, &EIGHT), 0);
    assert!(rows(&scratch).iter().all(|row| row.report.is_none() && row.cold.is_none()));
}

#[test]
fn reports_in_the_json_format_keep_their_fields() {
    let event = |kind: &str, record: Value| json!({"time": "2026-11-20T10:00:00.117Z", "type": kind, "record": record});
    let lambda = lambda(move |invocation| {
        let report = |metrics: Value| event("platform.report", json!({"requestId": invocation.id, "metrics": metrics}));
        let started = json!({"initializationType": "on-demand", "phase": "init", "metrics": {"durationMs": 4.5}});
        let log = match invocation.number {
            // As on Managed Instances.
            0 => report(json!({"durationMs": 19.5})),
            1 => report(
                json!({"durationMs": 19, "billedDurationMs": 20.0, "memorySizeMB": 1769.0, "maxMemoryUsedMB": 30.0}),
            ),
            2 => event("platform.initReport", started),
            _ => report(
                json!({"durationMs": 12.5, "billedDurationMs": 13, "restoreDurationMs": 5.5, "billedRestoreDurationMs": 6}),
            ),
        };
        invocation.answer("{}", &format!("{log}\n"))
    });
    let scratch = Scratch::new();
    assert_code(&on_lambda(&scratch, &lambda, &["--environments", "1", "--invocations", "8"]), 0);
    let rows = rows(&scratch);
    for side in both() {
        let reports: Vec<Value> = rows
            .iter()
            .filter(|row| row.variant == side)
            .map(|row| json!([row.report.as_ref().unwrap(), row.cold]))
            .collect();
        let expected = json!([
            [{"duration_ms": 19.5}, false],
            [{"duration_ms": 19.0, "billed_ms": 20.0, "memory_mb": 1769, "max_memory_mb": 30}, false],
            [{"init_ms": 4.5}, true],
            [{"duration_ms": 12.5, "billed_ms": 13.0, "billed_restore_ms": 6.0, "init_ms": 5.5}, true],
        ]);
        assert_eq!(json!(reports), expected);
    }
}

/// The answers of two environments, in turns.
fn of_two(invocation: &Invocation) -> String {
    format!(r#"{{"id": "e{}"}}"#, invocation.number % 2)
}

#[test]
fn a_start_of_more_than_ten_seconds_is_a_cold_start_though_no_report_says_so() {
    let lambda = lambda(|invocation| {
        let duration = if invocation.number < 2 && !invocation.is_candidate { 64754.0 } else { 19.5 };
        invocation.answer(of_two(invocation), &invocation.report(duration, ""))
    });
    let scratch = Scratch::new();
    let arguments = ["--environments", "2", "--invocations", "24", "--environment", "/id"];
    assert_code(&on_lambda(&scratch, &lambda, &arguments), 0);
    let rows = rows(&scratch);
    let cold = |side, is_first| -> BTreeSet<Option<bool>> {
        let of_side = rows.iter().filter(|row| row.variant == side);
        of_side.enumerate().filter(|(number, _)| (*number < 2) == is_first).map(|(_, row)| row.cold).collect()
    };
    assert_eq!(cold(both()[0], true), BTreeSet::from([Some(true)]));
    // Whether these environments existed before is unknown.
    assert_eq!(cold(both()[1], true), BTreeSet::from([None]));
    for side in both() {
        assert_eq!(cold(side, false), BTreeSet::from([Some(false)]));
    }
    let analysis = analysis(&scratch);
    assert_eq!(calls(&analysis, "duration"), [10, 10]);
    let levels = &analysis["cells"][0]["comparisons"][0]["statistics"];
    assert_eq!((&levels["baseline"]["max"], &levels["candidate"]["max"]), (&json!(19.5), &json!(19.5)), "{levels}");
}

#[test]
fn an_environment_that_was_met_before_stays_so_after_a_pause() {
    let lambda = lambda(|invocation| invocation.answer(of_two(invocation), &invocation.report(19.5, "")));
    let scratch = Scratch::new();
    let arguments = [EIGHT.as_slice(), &["--environment", "/id"]].concat();
    assert_code(&on_lambda(&scratch, &lambda, &arguments), 0);
    let cold = |rows: &[Row]| rows.iter().map(|row| row.cold).collect::<Vec<_>>();
    let expected = [vec![None; 4], vec![Some(false); 4]].concat();
    assert_eq!(cold(&rows(&scratch)), expected);
    // The second block is made again.
    let path = scratch.0.join("run/samples.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.split_inclusive('\n').take(4).collect::<String>()).unwrap();
    assert_code(&run(&lambda.url, &["--resume", &scratch.path("run")]), 0);
    assert_eq!(cold(&rows(&scratch)), expected);
}

#[test]
fn a_first_call_that_failed_has_met_its_environment() {
    let lambda = lambda(|invocation| {
        let answer = match invocation.number {
            0 => r#"{"statusCode": 500, "body": "{\"id\": \"e\"}"}"#,
            _ => r#"{"statusCode": 200, "body": "{\"id\": \"e\"}"}"#,
        };
        invocation.answer(answer, &invocation.report(19.5, ""))
    });
    let scratch = Scratch::new();
    let arguments = ["--environments", "1", "--invocations", "6", "--environment", "/body/id"];
    assert_code(&on_lambda(&scratch, &lambda, &arguments), 0);
    let rows = rows(&scratch);
    for side in both() {
        let cold: Vec<_> = rows.iter().filter(|row| row.variant == side).map(|row| row.cold).collect();
        assert_eq!(cold, [None, Some(false), Some(false)]);
    }
    assert_eq!(calls(&analysis(&scratch), "duration"), [2, 2]);
}

#[test]
fn implausible_environment_ids_are_warned_about_and_withhold_the_verdict() {
    let verdict = |id: fn(&Invocation) -> usize| {
        let lambda = lambda(move |invocation| {
            // Longer than calls that are sent together are apart.
            let time = Duration::from_millis(100);
            let side = if invocation.is_candidate { "a" } else { "x" };
            let answer = format!(r#"{{"id": "{side}{}"}}"#, id(invocation));
            invocation.answer(answer, &invocation.report(99.5, "")).after(time)
        });
        let scratch = Scratch::new();
        let arguments = ["--environments", "8", "--invocations", "96", "--environment", "/id"];
        assert_code(&on_lambda(&scratch, &lambda, &arguments), 0);
        let analysis = analysis(&scratch);
        (warnings(&analysis, "implausible-environments"), analysis["headline"]["verdict"].clone())
    };
    let (texts, verdict_of_one) = verdict(|_| 7);
    assert!(texts.len() == 2 && texts[0].contains("calls of x86_64 ran at the same time as others"), "{texts:?}");
    assert_eq!(verdict_of_one, "withheld");
    // Two of each step are of one environment.
    let (texts, verdict_of_half) = verdict(|invocation| invocation.number % 8 / 2);
    assert!(texts.len() == 2 && texts[1].contains("calls of arm64 ran at the same time"), "{texts:?}");
    assert_eq!(verdict_of_half, "withheld");
    let (texts, verdict_of_each) = verdict(|invocation| invocation.number);
    assert!(
        texts.len() == 2 && texts[0].contains("Each of the 48 answers of x86_64 names an environment"),
        "{texts:?}"
    );
    assert_eq!(verdict_of_each, Value::Null);
    // Every second one is new.
    let (texts, verdict_of_every_second) = verdict(|invocation| match invocation.number % 2 {
        0 => invocation.number % 8,
        _ => 1000 + invocation.number,
    });
    assert!(
        texts.len() == 2 && texts[0].contains("of the 40 answers of x86_64 after its first 8 name an environment that"),
        "{texts:?}"
    );
    assert_eq!(verdict_of_every_second, "withheld");
    let (texts, verdict_of_eight) = verdict(|invocation| invocation.number % 8);
    assert_eq!((texts.len(), verdict_of_eight), (0, json!("equivalent")));
}

#[test]
fn one_id_in_simultaneous_answers_is_warned_about_without_reports() {
    let scratch = Scratch::new();
    let target = Scripted::start(|_, number| Reply::ok(r#"{"id": 7}"#).after_calls(number / 4 * 4 + 4));
    let arguments = ["--environments", "4", "--invocations", "16", "--environment", "/id"];
    assert_code(&super::run_plain(&scratch, &target, &arguments), 0);
    let texts = warnings(&analysis(&scratch), "implausible-environments");
    assert!(
        texts.len() == 2 && texts[0].contains("name one environment, though 4 calls were open at once"),
        "{texts:?}"
    );
}

#[test]
fn an_init_before_the_call_is_left_out_of_it() {
    let lambda = lambda(|invocation| {
        let init = if invocation.number < 2 { "Init Duration: 4832.00 ms\t" } else { "" };
        invocation.answer(of_two(invocation), &invocation.report(19.5, init))
    });
    let scratch = Scratch::new();
    let arguments = ["--environments", "2", "--invocations", "16", "--environment", "/id"];
    assert_code(&on_lambda(&scratch, &lambda, &arguments), 0);
    let rows = rows(&scratch);
    let provisioned: Vec<&Row> = rows.iter().filter(|row| row.report.as_ref().unwrap().init_ms.is_some()).collect();
    assert_eq!(provisioned.len(), 4);
    assert!(provisioned.iter().all(|row| row.cold.is_none()), "{provisioned:?}");
    for side in both() {
        let costs: BTreeSet<_> =
            rows.iter().filter(|row| row.variant == side).map(|row| row.cost_usd.to_bits()).collect();
        assert_eq!(costs.len(), 1, "all are billed for 20 ms");
    }
    let analysis = analysis(&scratch);
    let texts = warnings(&analysis, "earlier-inits");
    assert!(
        texts.len() == 2 && texts[0].contains("2 calls of x86_64") && texts[0].contains("an init of 4832 ms"),
        "{texts:?}"
    );
    assert_eq!(analysis["cold_starts"]["init_ms"], json!({"baseline": [], "candidate": []}));
    assert_eq!((calls(&analysis, "duration"), &analysis["sides"]["baseline"]["cold_calls"]), ([6, 6], &json!(0)));
}

#[test]
fn an_init_within_the_call_is_a_cold_start() {
    let lambda = lambda(|invocation| {
        let init = if invocation.number < 2 { "Init Duration: 30.00 ms\t" } else { "" };
        let reply = invocation.answer(of_two(invocation), &invocation.report(19.5, init));
        if init.is_empty() { reply } else { reply.after(Duration::from_millis(50)) }
    });
    let scratch = Scratch::new();
    assert_code(&on_lambda(&scratch, &lambda, &[EIGHT.as_slice(), &["--environment", "/id"]].concat()), 0);
    let cold: Vec<_> = rows(&scratch).iter().map(|row| row.cold).collect();
    assert_eq!(cold, [vec![Some(true); 4], vec![Some(false); 4]].concat());
    assert!(report(&scratch.path("run")).contains("4 calls (2 cold)"), "{}", report(&scratch.path("run")));
}

#[test]
fn calls_whose_report_is_missing_are_counted_and_left_out() {
    // The first call of each function lacks it, before it is known that there are reports.
    let lambda = lambda(|invocation| {
        let shipped = "[extension] shipped 12 records\n".repeat(120);
        let log = if invocation.number % 4 == 0 { shipped } else { invocation.report(19.5, "") };
        invocation.answer("{}", &log)
    });
    let scratch = Scratch::new();
    assert_code(&on_lambda(&scratch, &lambda, &["--environments", "1", "--invocations", "16"]), 0);
    let rows = rows(&scratch);
    let missing: Vec<_> = rows.iter().filter(|row| row.report.is_none()).collect();
    assert!(missing.len() == 4 && missing.iter().all(|row| row.cold.is_none()), "{missing:?}");
    let analysis = analysis(&scratch);
    let texts = warnings(&analysis, "missing-reports");
    assert!(texts.len() == 2 && texts[0].contains("missing in 2 of 8 answers of x86_64"), "{texts:?}");
    assert_eq!((calls(&analysis, "latency"), calls(&analysis, "duration")), ([6, 6], [6, 6]));
}

#[test]
fn without_any_report_none_counts_as_missing() {
    let lambda = lambda(|invocation| Reply::ok(of_two(invocation)).header("x-amzn-requestid", &invocation.id));
    let scratch = Scratch::new();
    assert_code(&on_lambda(&scratch, &lambda, &[EIGHT.as_slice(), &["--environment", "/id"]].concat()), 0);
    let analysis = analysis(&scratch);
    assert_eq!(warnings(&analysis, "missing-reports"), [""; 0]);
    // The first call of each environment may be its cold start.
    assert_eq!(calls(&analysis, "latency"), [2, 2]);
}

#[test]
fn a_report_of_more_time_than_its_client_waited_is_rejected() {
    let lambda = lambda(|invocation| {
        let duration = if invocation.number == 1 { 2000.0 } else { 19.5 };
        invocation.answer("{}", &invocation.report(duration, ""))
    });
    let scratch = Scratch::new();
    assert_code(&on_lambda(&scratch, &lambda, &["--environments", "1", "--invocations", "8"]), 0);
    let rows = rows(&scratch);
    let impossible: Vec<_> = rows.iter().filter(|row| row.cold.is_none()).collect();
    assert_eq!(impossible.len(), 2);
    // It may be billed all the same.
    assert!(impossible.iter().all(|row| row.cost_usd > 10.0 * rows[0].cost_usd), "{rows:?}");
    let analysis = analysis(&scratch);
    let texts = warnings(&analysis, "impossible-reports");
    assert!(texts.len() == 2 && texts[0].contains("1 reports of x86_64") && texts[0].contains("2000 ms"), "{texts:?}");
    assert_eq!(calls(&analysis, "duration"), [3, 3]);
}

#[test]
fn several_memory_sizes_of_a_side_are_several_functions() {
    let lambda = lambda(|invocation| {
        let is_other = invocation.is_candidate && invocation.number % 4 == 1;
        let memory = if is_other { "Memory Size: 512 MB" } else { "Memory Size: 1769 MB" };
        invocation.answer("{}", &invocation.report(19.5, "").replace("Memory Size: 1769 MB", memory))
    });
    let scratch = Scratch::new();
    assert_code(&on_lambda(&scratch, &lambda, &["--environments", "1", "--invocations", "16"]), 0);
    let analysis = analysis(&scratch);
    let texts = warnings(&analysis, "function-changed");
    assert!(texts.len() == 1 && texts[0].contains("arm64 (1769 MB 75%, 512 MB 25%)"), "{texts:?}");
    assert_eq!(analysis["headline"]["verdict"], "withheld");
}

#[test]
fn contradictory_reports_of_one_request_are_both_ignored() {
    let lambda = lambda(|invocation| {
        let own = invocation.report(19.5, "");
        let other = own.replace("Duration: 19.5 ms", "Duration: 2 ms");
        let log = if invocation.is_candidate && invocation.number % 4 == 1 { own + &other } else { own.clone() + &own };
        invocation.answer("{}", &log)
    });
    let scratch = Scratch::new();
    assert_code(&on_lambda(&scratch, &lambda, &["--environments", "1", "--invocations", "16"]), 0);
    let reported: Vec<bool> = rows(&scratch).iter().map(|row| row.report.is_some()).collect();
    assert_eq!(reported.iter().filter(|is_there| !**is_there).count(), 2, "{reported:?}");
    let texts = warnings(&analysis(&scratch), "missing-reports");
    assert!(texts.len() == 1 && texts[0].contains("arm64"), "{texts:?}");
}

#[test]
fn several_versions_and_another_memory_size_are_warned_about() {
    let lambda = lambda(|invocation| {
        let version = if invocation.number % 4 == 0 && invocation.is_candidate { "8" } else { "7" };
        let memory = if invocation.is_candidate { "Memory Size: 1769 MB" } else { "Memory Size: 1024 MB" };
        let log = invocation.report(19.5, "").replace("Memory Size: 1769 MB", memory);
        let mut reply = invocation.answer("{}", &log);
        reply.headers.retain(|(name, _)| *name != "x-amz-executed-version");
        reply.header("x-amz-executed-version", version)
    });
    let scratch = Scratch::new();
    assert_code(&on_lambda(&scratch, &lambda, &["--environments", "1", "--invocations", "16"]), 0);
    let versions: BTreeSet<_> = rows(&scratch).into_iter().map(|row| row.executed_version.unwrap()).collect();
    assert_eq!(versions, BTreeSet::from(["7".to_owned(), "8".to_owned()]));
    let analysis = analysis(&scratch);
    let texts = warnings(&analysis, "several-versions");
    assert!(texts.len() == 1 && texts[0].contains("Several versions of arm64 answered (7 75%, 8 25%)"), "{texts:?}");
    // Both were called without a qualifier.
    let texts = warnings(&analysis, "other-version");
    assert!(
        texts.len() == 2 && texts[0].starts_with("x86_64 was called as version $LATEST, and version 7 answered"),
        "{texts:?}"
    );
    let texts = warnings(&analysis, "other-memory");
    assert!(
        texts.len() == 1 && texts[0].contains("x86_64 was configured with 1769 MB, and Lambda reports 1024 MB 100%")
    );
}

#[test]
fn an_endpoint_whose_answers_name_environments_has_its_first_calls_left_out() {
    let scratch = Scratch::new();
    let counts = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let target = Scripted::start(move |call, _| {
        let number = counts[usize::from(call.line.contains("candidate"))].fetch_add(1, Ordering::SeqCst);
        Reply::ok(format!(r#"{{"id": {}}}"#, number % 2))
    });
    let urls = ["baseline", "candidate"].map(|side| format!("{}/{side}", target.url));
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let arguments = [
        ["--targets", &urls[0], &urls[1], "--no-auth", "--payload", &payload, "--out", &out].as_slice(),
        &["--environments", "2", "--invocations", "16", "--environment", "/id"],
    ]
    .concat();
    assert_code(&run("", &arguments), 0);
    assert_eq!(calls(&analysis(&scratch), "latency"), [6, 6]);
}

#[test]
fn overlong_ids_are_left_out() {
    let lambda = lambda(|invocation| {
        let mut reply = invocation.answer("{}", &invocation.report(19.5, ""));
        reply.headers.retain(|(name, _)| !name.starts_with("x-amzn-requestid") && !name.starts_with("x-amz-executed"));
        let long = "x".repeat(300);
        let reply = reply.header("x-amzn-requestid", long.clone()).header("x-amz-executed-version", long);
        reply.breaking_the_model("a version that is longer than any")
    });
    let scratch = Scratch::new();
    assert_code(&on_lambda(&scratch, &lambda, &["--environments", "1", "--invocations", "2"]), 0);
    assert!(rows(&scratch).iter().all(|row| row.request_id.is_none() && row.executed_version.is_none()));
    assert!(report(&scratch.path("run")).contains(" 1 call ("));
}

#[test]
fn another_version_than_the_called_one_is_warned_about() {
    let said = |target: &str, executed: &'static str| {
        let lambda = lambda(move |invocation| {
            let mut reply = invocation.answer("{}", &invocation.report(19.5, ""));
            reply.headers.retain(|(name, _)| *name != "x-amz-executed-version");
            reply.header("x-amz-executed-version", executed)
        });
        let scratch = Scratch::new();
        let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
        let targets = ["--targets", target, target, "--payload", &payload, "--out", &out];
        assert_code(&run(&lambda.url, &[targets.as_slice(), &EIGHT].concat()), 0);
        warnings(&analysis(&scratch), "other-version").len()
    };
    assert_eq!(said("lambda:x:7", "8"), 2);
    assert_eq!(said("lambda:x:$LATEST", "8"), 2);
    assert_eq!(said("lambda:x:7", "7"), 0);
    assert_eq!(said("lambda:x:$LATEST", "$LATEST"), 0);
    // Where an alias leads is unknown.
    assert_eq!(said("lambda:x:live", "8"), 0);
}

#[test]
fn an_init_report_printed_by_the_function_is_ignored() {
    let printed = "INIT_REPORT Init Duration: 5.00 ms\tPhase: init\tStatus: timeout\n";
    let lambda = lambda(move |invocation| {
        let start = format!("START RequestId: {} Version: $LATEST\n", invocation.id);
        let (before, after) = match invocation.number {
            // Lambda's own comes before the request.
            0 => ("INIT_REPORT Init Duration: 6.00 ms\tPhase: init\tStatus: timeout\n", ""),
            _ => ("", printed),
        };
        invocation.answer("{}", &[before, &start, after, &invocation.report(10.0, "")].concat())
    });
    let scratch = Scratch::new();
    assert_code(&on_lambda(&scratch, &lambda, &["--environments", "1", "--invocations", "8"]), 0);
    let cold: Vec<_> = rows(&scratch).into_iter().filter(|row| row.variant == both()[0]).map(|row| row.cold).collect();
    assert_eq!(cold, [Some(true), Some(false), Some(false), Some(false)]);
}

/// The warnings of one kind, and the verdict, of a campaign of two functions whose answers are as `answer` says.
fn judged(
    kind: &str,
    arguments: &[&str],
    answer: impl Fn(&Invocation) -> Reply + Send + Sync + 'static,
) -> (Vec<String>, Value) {
    let (scratch, lambda) = (Scratch::new(), lambda(answer));
    let all = [["--environments", "8", "--invocations", "96", "--environment", "/id"].as_slice(), arguments].concat();
    assert_code(&on_lambda(&scratch, &lambda, &all), 0);
    let analysis = analysis(&scratch);
    (warnings(&analysis, kind), analysis["headline"]["verdict"].clone())
}

/// An answer of one of eight environments of its function.
fn of_eight(invocation: &Invocation, log: &str) -> Reply {
    let side = if invocation.is_candidate { "a" } else { "x" };
    invocation.answer(format!(r#"{{"id": "{side}{}"}}"#, invocation.number % 8), log)
}

#[test]
fn repeated_answers_have_one_request_id() {
    let (texts, verdict) = judged("repeated-requests", &[], |invocation| {
        let repeated = Invocation { id: "00000000-0000-4000-8000-000000000000".to_owned(), ..*invocation };
        of_eight(&repeated, &repeated.report(19.5, ""))
    });
    assert!(texts.len() == 2 && texts[0].starts_with("47 answers of x86_64 have the request id"), "{texts:?}");
    assert_eq!(verdict, "withheld");
    let (texts, verdict) = judged("repeated-requests", &[], |it| of_eight(it, &it.report(19.5, "")));
    assert_eq!((texts.len(), verdict), (0, json!("equivalent")));
}

#[test]
fn a_report_that_bills_less_than_the_function_took_is_rejected() {
    let (texts, verdict) = judged("impossible-reports", &[], |invocation| {
        let report = invocation.report(15.25, "");
        let billed = if invocation.is_candidate { "Billed Duration: 5 ms" } else { "Billed Duration: 16 ms" };
        of_eight(invocation, &report.replace("Billed Duration: 16 ms", billed))
    });
    assert!(
        texts.len() == 1 && texts[0].starts_with("48 reports of arm64 bill less than the function took"),
        "{texts:?}"
    );
    assert_eq!(verdict, Value::Null);
}

#[test]
fn two_functions_have_no_environment_in_common() {
    let (texts, verdict) = judged("implausible-environments", &[], |invocation| {
        invocation.answer(format!(r#"{{"id": "e{}"}}"#, invocation.number % 8), &invocation.report(19.5, ""))
    });
    assert!(
        texts.len() == 2 && texts[0].starts_with("8 environments of x86_64 have the names of arm64's"),
        "{texts:?}"
    );
    assert_eq!(verdict, "withheld");
}

#[test]
fn an_environment_starts_once() {
    let (texts, verdict) = judged("implausible-environments", &[], |invocation| {
        let start = if invocation.number >= 16 { "Init Duration: 0.20 ms\t" } else { "" };
        of_eight(invocation, &invocation.report(19.5, start))
    });
    assert!(
        texts.len() == 2 && texts[0].starts_with("32 cold starts of x86_64 name an environment that had answered"),
        "{texts:?}"
    );
    assert_eq!(verdict, "withheld");
}
