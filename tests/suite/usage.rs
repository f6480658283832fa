//! How a function was used: what CloudWatch is asked, and what it may answer.

use crate::scripted::{Call, Reply, Scripted};
use lambda_duet::campaign::{aws::Session, usage};
use serde_json::{Value, json};
use std::{
    env,
    process::{Command, Output},
};

/// The time of the question.
const NOW_MS: u64 = 1_795_746_689_500;

/// The usage of the function `orders`, by the AWS of the environment.
#[test]
#[ignore = "run by the others, with an AWS in its environment"]
fn usage_of_orders() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let before = env::var("DUET_TEST_BEFORE_MS").unwrap().parse().unwrap();
    let usage = runtime.block_on(async { usage::read(&Session::new().unwrap(), "orders", before).await });
    match usage {
        Ok(usage) => println!("usage: {}", serde_json::to_string(&usage).unwrap()),
        Err(failure) => panic!("{}: {}", failure.kind, failure.message),
    }
}

/// The usage that a process reads which has `endpoint` as all of AWS.
fn read(endpoint: &str) -> (Option<Value>, Output) {
    let output = Command::new(env::current_exe().unwrap())
        .args(["usage::usage_of_orders", "--exact", "--ignored", "--nocapture"])
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("no_proxy", "*")
        .env("DUET_TEST_BEFORE_MS", NOW_MS.to_string())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let usage = text.lines().find_map(|line| line.split_once("usage: ")).map(|(_, usage)| usage.to_owned());
    (usage.map(|usage| serde_json::from_str(&usage).unwrap()), output)
}

fn page(results: &Value, next_token: Option<&str>) -> Reply {
    let mut body = json!({ "MetricDataResults": results, "Messages": [] });
    if let Some(token) = next_token {
        body["NextToken"] = json!(token);
    }
    Reply::ok(body.to_string()).header("content-type", "application/x-amz-json-1.0")
}

fn data(id: &str, values: &[f64], status: &str) -> Value {
    let timestamps: Vec<u64> = (0..values.len()).map(|hour| 1_795_741_200 - 3600 * hour as u64).collect();
    json!({ "Id": id, "Label": id, "Timestamps": timestamps, "Values": values, "StatusCode": status })
}

#[test]
fn metrics_are_asked_for_page_by_page_as_cloudwatch_takes_it() {
    let cloudwatch = Scripted::aws(|call: &Call, number| match number {
        0 => Reply::status(400, r#"{"__type": "Throttling", "message": "Rate exceeded"}"#),
        1 => page(
            &json!([data("invocations", &[900.0, 60.0], "PartialData"), data("duration", &[72_000.0], "PartialData")]),
            Some("next"),
        ),
        _ => {
            assert!(call.body.contains(r#""NextToken":"next""#), "{}", call.body);
            page(&json!([data("invocations", &[40.0], "Complete"), data("duration", &[8000.5], "Complete")]), None)
        }
    });
    let (usage, output) = read(&cloudwatch.url);
    let expected = json!({ "days": 14, "invocations": 1000, "mean_duration_ms": 80.0005, "cold_share": null });
    let mut usage = usage.unwrap_or_else(|| panic!("{output:?}"));
    usage.as_object_mut().unwrap().entry("cold_share").or_insert(Value::Null);
    assert_eq!(usage, expected);
    let calls = cloudwatch.calls();
    assert_eq!(calls.len(), 3);
    for call in &calls {
        assert_eq!(call.headers["x-amz-target"], "GraniteServiceVersion20100801.GetMetricData");
        assert!(call.headers["authorization"].to_str().unwrap().contains("/eu-west-1/monitoring/aws4_request"));
    }
}

#[test]
fn a_missing_permission_is_named() {
    let refusal = r#"{"__type": "AccessDeniedException", "Message": "not authorized"}"#;
    let cloudwatch = Scripted::aws(move |_, _| Reply::status(400, refusal));
    let (usage, output) = read(&cloudwatch.url);
    assert_eq!(usage, None);
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let part = "refused: reading metrics: AccessDeniedException: not authorized; allow cloudwatch:GetMetricData";
    assert!(text.contains(part), "{text}");
    assert_eq!(cloudwatch.count(), 1);
}
