//! What the real binary logs, and the queries of docs/logs.md on it.

use crate::{
    architectures::{FOREIGN, NATIVE, on_both},
    cloudwatch,
    handler::{Handler, TIMEOUT, root},
    insights::{Row, query},
};
use lambda_duet::protocol::Architecture;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};
use tokio::time::timeout;

on_both!(
    every_line_has_its_members_and_every_invocation_one_summary,
    the_level_and_the_format_are_those_of_the_function;
    the_documented_queries_answer_their_questions
);

const SUMMARIES: [&str; 4] = ["benchmark", "census", "catalogue", "refused"];

fn rows(log: &str) -> Vec<Row> {
    log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn text<'a>(row: &'a Row, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no {name}: {row:?}"))
}

fn is(row: &Row, message: &str) -> bool {
    row.get("message").is_some_and(|found| found == message)
}

/// What an environment logs that starts, serves one of every kind of invocation, and cannot reach CloudWatch.
/// The count is of its invocations.
async fn logged(architecture: Architecture) -> (Vec<Row>, usize) {
    let unreachable = cloudwatch::unreachable().await;
    let mut handler = Handler::start_with(architecture, cloudwatch::variables(&unreachable)).await;
    let mut ids = BTreeSet::new();
    for emit_metrics in [true, false, false] {
        let request =
            json!({"workloads": ["math/primes"], "size": 1000, "iterations": 3, "emit_metrics": emit_metrics});
        ids.insert(handler.direct(request.to_string()).await.unwrap().request_id);
    }
    let more_than_fits = json!({"workloads": ["math"], "size": "small", "iterations": 1000, "emit_metrics": false});
    let _ = handler.outcome(more_than_fits.to_string(), Duration::from_secs(2)).await;
    handler.direct(r#"{"size":0}"#).await.unwrap_err();
    handler.direct(r#"{"hold_ms":1}"#).await.unwrap();
    assert_eq!(handler.http(&handler.event("apigw-workloads")).await.status, 200);
    timeout(TIMEOUT, handler.environment.api().asked_for_work(8)).await.unwrap();
    let rows = rows(&handler.log());
    let of_benchmarks = rows.iter().filter(|row| is(row, "benchmark"));
    let answered: BTreeSet<&str> = of_benchmarks.map(|row| text(row, "request_id")).collect();
    assert!(ids.iter().all(|id| answered.contains(id.as_str())), "{ids:?}");
    let [census] = &*rows.iter().filter(|row| is(row, "census")).collect::<Vec<_>>() else { panic!("{rows:?}") };
    assert!(
        census["held_ms"].as_u64() >= Some(1) && census["complete"] == true && !text(census, "cpu_model").is_empty()
    );
    (rows, 7)
}

async fn every_line_has_its_members_and_every_invocation_one_summary(architecture: Architecture) {
    let formats = jsonschema::options().should_validate_formats(true);
    let date_time = formats.build(&json!({"format": "date-time"})).unwrap();
    let (rows, invocations) = logged(architecture).await;
    let mut summaries = BTreeMap::<&str, u32>::new();
    for row in rows.iter().filter(|row| !row.contains_key("_aws")) {
        let text = |name| text(row, name);
        assert!(date_time.is_valid(&row["timestamp"]) && text("timestamp").ends_with('Z'), "{row:?}");
        assert!(["ERROR", "WARN", "INFO"].contains(&text("level")), "{row:?}");
        assert!(text("target").starts_with("lambda_duet::") && !text("request_id").is_empty(), "{row:?}");
        let summary = SUMMARIES.contains(&text("message"));
        *summaries.entry(text("request_id")).or_default() += u32::from(summary);
        if summary {
            assert_eq!(text("architecture"), architecture.to_string());
            assert!(row["cold_start"].is_boolean() && row["init_ms"].is_f64() && !text("environment_id").is_empty());
        }
    }
    assert_eq!(summaries.len(), invocations);
    assert!(summaries.values().all(|&count| count == 1), "{summaries:?}");
}

async fn the_level_and_the_format_are_those_of_the_function(architecture: Architecture) {
    let unreachable = cloudwatch::unreachable().await;
    let log = async |variable| {
        let variables = cloudwatch::variables(&unreachable).into_iter().chain([variable]);
        let mut handler = Handler::start_with(architecture, variables).await;
        handler.direct(r#"{"workloads":["math/primes"],"size":100}"#).await.unwrap();
        timeout(TIMEOUT, handler.environment.api().asked_for_work(2)).await.unwrap();
        handler.log()
    };
    let messages = |log: &str| -> BTreeSet<String> {
        rows(log).iter().filter_map(|row| Some(row.get("message")?.as_str()?.to_owned())).collect()
    };
    let fallback = "metrics not delivered, written as log lines";
    let info = BTreeSet::from(["benchmark".to_owned(), fallback.to_owned()]);
    assert_eq!(messages(&log(("AWS_LAMBDA_LOG_LEVEL", "INFO")).await), info);
    assert_eq!(messages(&log(("AWS_LAMBDA_LOG_LEVEL", "WARN")).await), [fallback.to_owned()].into());
    assert_eq!(messages(&log(("AWS_LAMBDA_LOG_LEVEL", "FATAL")).await), [].into());
    assert!(messages(&log(("AWS_LAMBDA_LOG_LEVEL", "DEBUG")).await).is_superset(&info));

    let text = log(("AWS_LAMBDA_LOG_FORMAT", "Text")).await;
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains("\"_aws\"")).collect();
    let [benchmark, warning] = &*lines else { panic!("{text}") };
    assert!(benchmark.contains("  INFO lambda_duet::lambda::logging: benchmark request_id="), "{benchmark}");
    assert!(warning.contains("  WARN ") && warning.contains(fallback), "{warning}");
    assert!(!text.contains('\x1b'));
}

/// The queries of docs/logs.md under the questions they answer.
fn questions() -> BTreeMap<String, String> {
    let page = fs::read_to_string(root().join("docs/logs.md")).unwrap();
    let sections = page.split("\n### ").skip(1);
    let question = |section: &str| {
        let (title, rest) = section.split_once('\n')?;
        let query = rest.split_once("```text\n")?.1.split_once("\n```")?.0;
        Some((title.to_owned(), query.to_owned()))
    };
    sections.map(|section| question(section).unwrap_or_else(|| panic!("no query: {section}"))).collect()
}

async fn the_documented_queries_answer_their_questions() {
    let mut log = Vec::new();
    for architecture in [FOREIGN, NATIVE] {
        log.extend(logged(architecture).await.0);
    }
    let mut questions = questions();
    let mut ask = |question: &str| {
        let text = questions.remove(question).unwrap_or_else(|| panic!("no such question: {question}"));
        let answer = query(&text, &log);
        for row in &answer {
            assert!(row.values().all(|value| !value.is_null()), "{question} {row:?}");
        }
        answer
    };
    let number = |row: &Row, name: &str| row[name].as_f64().unwrap();
    // Of the lines that the test's own requests left.
    let benchmarks = |architecture: &Value, workloads: &Value, cold: Option<&Value>| -> Vec<&Row> {
        let of_group = |row: &&Row| {
            is(row, "benchmark")
                && (&row["architecture"], &row["workloads"]) == (architecture, workloads)
                && cold.is_none_or(|cold| &row["cold_start"] == cold)
        };
        log.iter().filter(of_group).collect()
    };
    let iteration_ms = |rows: &[&Row]| -> Vec<f64> {
        let mut times: Vec<f64> = rows.iter().map(|row| number(row, "wall_ms") / number(row, "iterations")).collect();
        times.sort_by(f64::total_cmp);
        times
    };

    let cold = ask("What does a cold start cost?");
    assert_eq!(cold.len(), 6, "two architectures: cold, warm, and warm with all of math");
    for row in &cold {
        let group = benchmarks(&row["architecture"], &row["workloads"], Some(&row["cold_start"]));
        assert_eq!(number(row, "invocations") as usize, group.len());
        assert_eq!(number(row, "iteration_p50_ms"), iteration_ms(&group)[(group.len() - 1) / 2]);
        assert_eq!(number(row, "init_p50_ms"), number(group[0], "init_ms"));
    }
    for (question, keys) in [("How slow are the slowest, by architecture?", 4), ("And by CPU model?", 4)] {
        let answer = ask(question);
        assert_eq!(answer.len(), keys, "{question}");
        for row in &answer {
            let group = benchmarks(&row["architecture"], &row["workloads"], None);
            assert_eq!(number(row, "invocations") as usize, group.len());
            assert_eq!(number(row, "iteration_p95_ms"), iteration_ms(&group)[group.len() - 1]);
            assert!(row.get("environments").is_none_or(|environments| environments == 1));
        }
    }
    let share = ask("How much of the time had the function the CPU?");
    assert_eq!(share.len(), 2);
    assert!(share.iter().all(|row| (0.1..1.01).contains(&number(row, "cpu_share_p50"))), "{share:?}");
    let cut = ask("What did deadlines cut?");
    assert_eq!(cut.len(), 4);
    let workloads_cut = |row: &Row| number(row, "truncated_workloads") + number(row, "skipped_workloads");
    assert!(cut.iter().all(|row| (row["size"] == "small") == (workloads_cut(row) > 0.0)), "{cut:?}");
    let refused = ask("What was refused?");
    assert_eq!(refused.len(), 2);
    assert!(refused.iter().all(|row| row["error"] == "InvalidRequest" && row["refusals"] == 1), "{refused:?}");
    let fallbacks = ask("Why did metrics go by the log?");
    assert_eq!(fallbacks.iter().map(|row| number(row, "fallbacks")).sum::<f64>(), 6.0);
    assert_eq!(questions, BTreeMap::new(), "queries that no test knows");
}
