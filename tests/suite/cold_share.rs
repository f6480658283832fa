//! `duet report --cold-share measured`: cold starts as the functions' logs have them.

use crate::{
    campaign::{Scratch, assert_code, subcommand},
    cli::stderr,
    fabricated::Fabricated,
    scripted::{Call, Reply, Scripted},
};
use lambda_duet::analysis::sides::Sides;
use serde_json::{Value, json};
use std::{fs, process::Output};

const GROUPS: [&str; 2] = ["/aws/lambda/duet-x86_64", "/aws/lambda/duet-arm64"];

/// CloudWatch Logs that has these counts for each group, the queries of which take a while.
fn logs(counts: [Option<(u64, u64)>; 2]) -> Scripted {
    Scripted::aws(move |call: &Call, number| {
        let body: Value = serde_json::from_str(&call.body).unwrap();
        let reply = match body["logGroupName"].as_str() {
            Some(group) => json!({ "queryId": GROUPS.iter().position(|it| *it == group).unwrap().to_string() }),
            None => {
                let id: usize = body["queryId"].as_str().unwrap().parse().unwrap();
                let rows = counts[id].map(|(invocations, cold_starts)| {
                    json!([
                        { "field": "invocations", "value": invocations.to_string() },
                        { "field": "cold_starts", "value": cold_starts.to_string() },
                    ])
                });
                let is_running = number % 3 == 1;
                let status = if is_running { "Running" } else { "Complete" };
                json!({ "status": status, "results": rows.into_iter().filter(|_| !is_running).collect::<Vec<_>>() })
            }
        };
        Reply::ok(reply.to_string()).header("content-type", "application/x-amz-json-1.1")
    })
}

/// A campaign with starts on functions whose ARNs are known.
fn campaign(scratch: &Scratch) -> String {
    let run = scratch.path("run");
    let cold_start_ms = Some(Sides { baseline: 100.0, candidate: 60.0 });
    Fabricated { cold_start_ms, ..Fabricated::default() }.write(&run);
    let path = scratch.path("run/campaign.json");
    let mut manifest: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    for (place, name) in [(0, "duet-x86_64"), (1, "duet-arm64")] {
        let arn = format!("arn:aws:lambda:us-east-1:123456789012:function:{name}");
        manifest["variants"][place]["configuration"]["arn"] = json!(arn);
    }
    fs::write(&path, manifest.to_string()).unwrap();
    run
}

fn report(endpoint: &str, arguments: &[&str]) -> Output {
    subcommand(endpoint, "report").arg("--details").args(arguments).output().unwrap()
}

fn money(endpoint: &str, run: &str, share: &str) -> Value {
    let output = report(endpoint, &[run, "--format", "json", "--cold-share", share]);
    assert_code(&output, 0);
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["comparisons"][0]["money"].clone()
}

#[test]
fn cold_starts_are_counted_in_the_logs_of_both_functions() {
    let (scratch, logs) = (Scratch::new(), logs([Some((9000, 170)), Some((1000, 30))]));
    let run = campaign(&scratch);
    let measured = money(&logs.url, &run, "measured");
    let share = &measured["cold_share"];
    assert_eq!((share["value"].as_f64(), share["source"].as_str()), (Some(0.02), Some("measured")));
    assert_eq!(share["invocations"], 10_000);
    // Wilson's interval of 200 in 10,000, as R's binom package has it.
    for (end, expected) in [("low", 0.017_435), ("high", 0.022_934)] {
        assert!((share["interval"][end].as_f64().unwrap() - expected).abs() < 1e-5, "{share}");
    }
    // The same bill as with that proportion assumed, and a wider interval.
    let assumed = money("", &run, "2%");
    for side in ["baseline", "candidate"] {
        assert_eq!(measured["monthly"][side]["total_usd"], assumed["monthly"][side]["total_usd"]);
        let width = |money: &Value| {
            let interval = &money["monthly"][side]["interval"];
            interval["high"].as_f64().unwrap() - interval["low"].as_f64().unwrap()
        };
        assert!(width(&measured) > width(&assumed), "{side}: {measured} {assumed}");
    }
    let width = |money: &Value| {
        money["savings_interval"]["high"].as_f64().unwrap() - money["savings_interval"]["low"].as_f64().unwrap()
    };
    assert!(width(&measured) > width(&assumed), "{measured} {assumed}");
    let queries: Vec<Value> = logs
        .calls()
        .iter()
        .filter_map(|call| serde_json::from_str(&call.body).ok())
        .filter(|it: &Value| it["startTime"].is_u64())
        .collect();
    // Before the campaign, which must not count itself.
    assert!(
        queries
            .iter()
            .all(|query| query["endTime"] == 1_790_000_000 && query["startTime"] == 1_790_000_000 - 14 * 86_400)
    );

    let output = report(&logs.url, &[&run, "--cold-share", "measured"]);
    let text = String::from_utf8(output.stdout.clone()).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = "2% of invocations are taken to be cold starts (95% interval 1.7% to 2.3%), as in the 10,000 of the 14 days before the campaign.";
    assert!(text.contains(expected), "{text}");
    assert!(
        stderr(&output).contains("Counting cold starts of 14 days in /aws/lambda/duet-x86_64"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn an_empty_or_forbidden_log_is_reported_with_the_alternative() {
    let scratch = Scratch::new();
    let run = campaign(&scratch);
    let empty = logs([None, None]);
    let output = report(&empty.url, &[&run, "--cold-share", "measured"]);
    assert_code(&output, 1);
    assert!(
        stderr(&output).contains("have no reports") && stderr(&output).contains("such as 1%"),
        "{}",
        stderr(&output)
    );

    let denied = Scripted::aws(|_, _| {
        Reply::status(400, r#"{"__type": "AccessDeniedException", "Message": "no logs:StartQuery"}"#)
    });
    let output = report(&denied.url, &[&run, "--cold-share", "measured"]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("no logs:StartQuery"), "{}", stderr(&output));

    let failed = Scripted::aws(|call, _| {
        if call.body.contains("queryId") {
            Reply::ok(r#"{"status": "Failed", "results": []}"#)
        } else {
            Reply::ok(r#"{"queryId": "q"}"#)
        }
    });
    let output = report(&failed.url, &[&run, "--cold-share", "measured"]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("ended with the status Failed"), "{}", stderr(&output));

    let unknown = Scratch::new();
    Fabricated::default().write(&unknown.path("run"));
    let output = report("", &[&unknown.path("run"), "--cold-share", "measured"]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("no variant is a function whose log is known"), "{}", stderr(&output));
}
