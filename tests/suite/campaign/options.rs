//! Each option does what its help says.

use super::{Scratch, assert_code, both, run, run_plain, samples};
use crate::{
    cli::{duet, stderr, stdout},
    scripted::{Reply, Scripted},
};
use lambda_duet::campaign::row::Row;
use std::time::Duration;

fn target() -> Scripted {
    Scripted::start(|_, _| Reply::ok("{}"))
}

#[test]
fn payloads_are_sent_by_weight_and_byte_for_byte_in_the_order_of_the_seed() {
    let order = |seed: &str| {
        let (scratch, target) = (Scratch::new(), target());
        let one = scratch.file("one.json", "{ \"a\" :1.0,\"a\":2}");
        let two = format!("{}:3", scratch.file("two.json", "[2]"));
        let out = scratch.path("run");
        let arguments = [
            ["--targets", &target.url, &target.url, "--no-auth", "--payload", &one, "--payload", &two].as_slice(),
            &["--seed", seed, "--environments", "2", "--invocations", "33", "--out", &out],
        ]
        .concat();
        assert_code(&run("", &arguments), 0);
        let (manifest, rows) = samples(&out);
        // Two whole blocks of 2 sides × (1 + 3) payloads × 2 environments fit.
        assert_eq!((manifest.calls_of_block(), rows.len()), (16, 32));
        let sent = |payload: &str| target.calls().iter().filter(|call| call.body == payload).count();
        assert_eq!((sent("{ \"a\" :1.0,\"a\":2}"), sent("[2]")), (8, 24));
        rows.iter().map(|row| (row.variant, row.cell.ends_with("one.json"))).collect::<Vec<_>>()
    };
    assert_eq!(order("5"), order("5"));
    assert_ne!(order("5"), order("6"));
}

#[test]
fn a_step_holds_one_call_open_for_each_environment() {
    let scratch = Scratch::new();
    // None of a step is answered before all of it have come.
    let slow = Scripted::start(|_, number| Reply::ok("{}").after_calls(number / 6 * 6 + 6));
    assert_code(&run_plain(&scratch, &slow, &["--environments", "6", "--invocations", "12"]), 0);
    let (_, rows) = samples(&scratch.path("run"));
    for side in both() {
        assert_eq!(rows.iter().filter(|row| row.variant == side && row.failure.is_none()).count(), 6);
    }
}

#[test]
fn a_campaign_ends_with_its_time_and_keeps_its_pace() {
    let scratch = Scratch::new();
    let output = run_plain(&scratch, &target(), &["--environments", "1", "--duration", "1s", "--pace", "100ms"]);
    assert_code(&output, 0);
    assert!(stderr(&output).contains("--duration 1s"), "{}", stderr(&output));
    let (_, rows) = samples(&scratch.path("run"));
    let starts: Vec<u64> =
        rows.chunk_by(|one, other| one.block == other.block).map(|block| block[0].elapsed_ms).collect();
    // A block's first call may be sent late, which makes the next one's look early; over all blocks the pace shows.
    let (first, last) = (starts[0], starts[starts.len() - 1]);
    assert!(last - first + 50 >= 100 * (starts.len() as u64 - 1), "{starts:?}");
    // Slow machines begin fewer blocks; with no pace there would be hundreds.
    assert!((2..=11).contains(&starts.len()), "{starts:?}");
}

#[test]
fn limits_too_small_for_a_verdict_are_warned_about_beforehand() {
    let scratch = Scratch::new();
    let warned = |limits: &[&str]| {
        let output =
            run_plain(&scratch, &target(), &[["--environments", "2", "--dry-run"].as_slice(), limits].concat());
        assert_code(&output, 0);
        let text = stderr(&output);
        text.lines().find(|line| line.contains("a verdict takes 5")).map(str::to_owned)
    };
    let warning = |text: &str| Some(format!("Warning: {text}"));
    assert_eq!(warned(&["--invocations", "24"]), None);
    assert_eq!(
        warned(&["--invocations", "23"]),
        warning(
            "--invocations leaves 5 blocks of 4 calls, and a verdict takes 5 blocks besides the first, in which environments \
             start: raise it, or let blocks have fewer calls"
        )
    );
    assert_eq!(warned(&["--pace", "2s", "--duration", "12s"]), None);
    assert_eq!(
        warned(&["--pace", "6s", "--duration", "10s"]),
        warning(
            "--duration leaves 2 blocks of 4 calls, and a verdict takes 5 blocks besides the first, in which environments \
             start: raise it, or lower --pace"
        )
    );
}

#[test]
fn a_campaign_ends_before_it_costs_too_much() {
    let scratch = Scratch::new();
    // Without a report the client's time is billed: 1769 MB for 100 ms are some $0.0000029 or 0.0000023.
    let slow = Scripted::start(|_, _| Reply::ok("{}").after(Duration::from_millis(100)));
    let output = run_plain(&scratch, &slow, &["--environments", "2", "--max-cost", "0.0001"]);
    assert_code(&output, 0);
    assert!(stderr(&output).contains("--max-cost 0.0001"), "{}", stderr(&output));
    let (_, rows) = samples(&scratch.path("run"));
    let cost = |rows: &[Row]| rows.iter().map(|row| row.cost_usd).sum::<f64>();
    assert!(cost(&rows) > 0.00003, "{rows:?}");
    // On a busy machine the last block may take longer than those that it was judged by.
    let last = rows.last().unwrap().block;
    let before: Vec<Row> = rows.into_iter().filter(|row| row.block < last).collect();
    assert!(cost(&before) < 0.0001, "{before:?}");

    let output = run_plain(&Scratch::new(), &slow, &["--max-cost", "0.000001"]);
    assert_code(&output, 2);
    assert!(stderr(&output).contains("--max-cost 0.000001 is less than one block"), "{}", stderr(&output));
}

#[test]
fn a_dry_run_says_what_it_would_do_and_calls_nothing() {
    let (scratch, target) = (Scratch::new(), target());
    let output = run_plain(&scratch, &target, &["--dry-run", "--environments", "3", "--invocations", "20"]);
    let plan = stdout(&output);
    assert!(plan.contains("6 calls a block") && plan.contains("At most 3 blocks, 18 calls, $0.0"), "{plan}");
    assert!(target.calls().is_empty() && !scratch.0.join("run").exists());
    let output = run_plain(&scratch, &target, &["--dry-run", "--until-ci", "7%"]);
    assert!(
        stdout(&output).contains("The campaign ends after 10m, at $0.50, with intervals of ±7%, whichever comes first"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn what_a_guess_allows_is_no_maximum() {
    let (scratch, target) = (Scratch::new(), target());
    let output = run_plain(&scratch, &target, &["--dry-run", "--environments", "1", "--max-cost", "0.00001"]);
    let (plan, warnings) = (stdout(&output), stderr(&output));
    assert!(
        plan.contains("\nAbout ")
            && plan.ends_with(" by the guess, unless the time is over before\n")
            && !plan.contains("At most"),
        "{plan}"
    );
    assert!(warnings.contains("Warning: --max-cost leaves by the guess about "), "{warnings}");
}

#[test]
fn environments_that_nothing_tells_are_null_in_events() {
    let (scratch, target) = (Scratch::new(), target());
    let limits = ["--environments", "1", "--invocations", "4", "--json"];
    let events = stdout(&run_plain(&scratch, &target, &limits));
    let end: serde_json::Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
    assert_eq!(end["variants"][0].get("environments"), Some(&serde_json::Value::Null), "{end}");
}

#[test]
fn pointers_find_the_environment_and_the_processor_in_answers() {
    let scratch = Scratch::new();
    // Every fourth answer says nothing.
    let target = Scripted::start(|_, number| match number % 4 {
        0 => Reply::ok(r#"{"cpu": null}"#),
        1 => Reply::ok(r#"{"at": {"id": 7}, "cpu": "Graviton"}"#),
        _ => Reply::ok(format!(r#"{{"at": {{"id": "env-{number}"}}, "cpu": "Xeon"}}"#)),
    });
    let arguments = ["--environments", "1", "--invocations", "8", "--environment", "/at/id", "--cpu-model", "/cpu"];
    let output = run_plain(&scratch, &target, &arguments);
    assert_code(&output, 0);
    let (manifest, rows) = samples(&scratch.path("run"));
    assert_eq!(manifest.plan.environment.as_deref(), Some("/at/id"));
    let said: Vec<_> = rows.iter().map(|row| (row.environment(), row.cpu_model())).collect();
    let (graviton, xeon) = (Some("Graviton"), Some("Xeon"));
    let expected = [(None, None), (Some("7"), graviton), (Some("env-2"), xeon), (Some("env-3"), xeon)];
    assert_eq!(said[..4], expected);
    assert_eq!(said[5], expected[1]);
    assert!(rows.iter().all(|row| row.failure.is_none()));
    let text = super::report(&scratch.path("run"));
    assert!(text.contains("Graviton") && text.contains("Xeon"), "{text}");
}

#[test]
fn an_api_key_is_sent_and_never_stored() {
    let (scratch, target) = (Scratch::new(), target());
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let arguments = [
        ["--targets", &target.url, &target.url, "--api-key", "s3cret", "--payload", &payload].as_slice(),
        &["--environments", "1", "--invocations", "2", "--out", &out],
    ]
    .concat();
    assert_code(&run("", &arguments), 0);
    assert!(target.calls().iter().all(|call| call.headers["x-api-key"] == "s3cret"));
    assert!(target.calls().iter().all(|call| !call.headers.contains_key("authorization")));
    assert!(!std::fs::read_to_string(scratch.0.join("run/campaign.json")).unwrap().contains("s3cret"));
    let output = run("", &["--resume", &out]);
    assert!(stderr(&output).contains("DUET_API_KEY"), "{}", stderr(&output));
    assert_code(&run("", &["--resume", &out, "--api-key", "s3cret"]), 0);
}

#[test]
fn requests_are_signed_by_default() {
    let (scratch, target) = (Scratch::new(), target());
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let limits = ["--environments", "1", "--invocations", "2", "--payload", &payload, "--out", &out];
    assert_code(&run("", &[["--targets", &target.url, &target.url].as_slice(), &limits].concat()), 0);
    for call in target.calls() {
        let signature = call.headers["authorization"].to_str().unwrap();
        assert!(signature.contains("/us-east-1/execute-api/aws4_request"), "{signature}");
    }
}

#[test]
fn contradictory_options_are_refused_with_the_fix() {
    let scratch = Scratch::new();
    let payload = scratch.file("payload.json", "{}");
    let broken = scratch.file("broken.json", "{");
    let (url, this) = ("https://example.com/", "exec:/bin/true");
    for (arguments, code, part) in [
        (["--targets", url].as_slice(), 2, "a baseline and at least one candidate"),
        (&["--targets", "fast", "slow"], 2, "stack:NAME"),
        (&["--targets", "stack:"], 2, "stack:NAME"),
        (&["--targets", this, this, "--payload", &broken], 2, "broken.json: it is not JSON"),
        (&["--targets", this, this, "--payload", &broken], 2, "at line 1 column 1; correct it there"),
        (&["--targets", this, this, "--payload", "/nowhere.json"], 1, "/nowhere.json"),
        (&["--targets", this, this, "--payload", &payload, "--payload", &payload], 2, "weight"),
        (&["--targets", this, this, "--payload", "a.json:0"], 2, "from 1 to 1000"),
        (&["--targets", this, this, "--payload", &payload, "--workload", "math"], 2, "cannot be used with"),
        (&["--targets", this, this, "--workload", "math/ftf"], 2, "did you mean \"math/fft\"?"),
        (&["--targets", this, this, "--size", "huge"], 2, "small, medium, large"),
        (&["--targets", this, this, "--ignore", "/id"], 2, "--compare-output"),
        (&["--targets", this, this, "--payload", &payload, "--compare-output", "--ignore", "id"], 2, "starts with /"),
        (&["--targets", this, this, "--environment", "/id"], 2, "--payload"),
        (&["--targets", this, this, "--payload", &payload, "--cpu-model", "cpu"], 2, "starts with /"),
        (&["--targets", this, this, "--environments", "0"], 2, "1..=1000"),
        (&["--targets", this, this, "--invocations", "5"], 2, "less than one block, which has 432 calls"),
        (&["--targets", this, this, "--max-cost=-1"], 2, "US dollars"),
        (&["--targets", this, this, "--until-ci", "0.02"], 2, "such as 2%"),
        (&["--targets", this, this, "--until-ci", "50%"], 2, "below 50%"),
        (&["--targets", this, this, "--prices", "/nowhere.toml"], 1, "reading the prices from /nowhere.toml"),
        (&["--targets", this, this, "--prices", &broken], 1, "broken.json: TOML parse error"),
        (&["--targets", this, this, "--duration", "soon"], 2, "--duration"),
        (&["--targets", this, this, "--no-auth"], 2, "--no-auth is for https://"),
        (&["--targets", this, this, "--api-key", "k"], 2, "--api-key is for https://"),
        (&["--targets", url, url, "--cold"], 2, "name the function itself"),
        (&["--targets", "exec:/nowhere", this], 1, "/nowhere"),
        (&["--targets", "exec:/etc/passwd", this], 1, "not a program"),
        (&["--resume", "/nowhere"], 1, "/nowhere holds no campaign"),
        (&["--resume", "/nowhere", "--seed", "1"], 2, "error: --seed cannot be changed: a campaign keeps its plan\n"),
        (
            &["--resume", "/nowhere", "--max-cost", "1"],
            2,
            "error: --max-cost cannot be changed: a campaign keeps its limits\n",
        ),
        (&["--resume", "/nowhere", "--workload", "math", "--out", "x"], 2, "error: --workload cannot be changed"),
        (&["--resume", "/nowhere", "--out", "x"], 2, "error: --out is for a new campaign"),
        (
            &["--targets", this, this, "--payload", "all"],
            2,
            "the name of this payload is all, which is that of all cells together in reports; write ./all",
        ),
        (&["--targets", this, this, "--payload", "starts:2"], 2, "write ./starts"),
        (&["--config-env", "x", "--targets", this, this], 2, "--config-env says which stack"),
        (&["--targets", this, this, "--env", "AA=1", "--env", "AA=2"], 2, "--env names AA twice"),
    ] {
        let output = run("", arguments);
        let message = stderr(&output);
        assert!(output.status.code() == Some(code) && message.contains(part), "{arguments:?}: {message}");
    }
}

#[test]
fn a_run_directory_is_not_used_twice_nor_by_another_version() {
    let (scratch, target) = (Scratch::new(), target());
    let limits = ["--environments", "1", "--invocations", "2"];
    assert_code(&run_plain(&scratch, &target, &limits), 0);
    let output = run_plain(&scratch, &target, &limits);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("holds a campaign already"), "{}", stderr(&output));
    let path = scratch.0.join("run/campaign.json");
    let newer = std::fs::read_to_string(&path).unwrap().replace("\"schema\": 2", "\"schema\": 3");
    std::fs::write(&path, newer).unwrap();
    let output = duet(&["report", &scratch.path("run")]);
    assert!(stderr(&output).contains("schema 3 is not known"), "{}", stderr(&output));
}

#[test]
fn completions_and_manual_pages_are_written() {
    assert!(stdout(&duet(&["completions", "bash"])).contains("_duet()"));
    assert!(stdout(&duet(&["completions", "fish"])).contains("complete -c duet"));
    let scratch = Scratch::new();
    stdout(&duet(&["man", scratch.0.to_str().unwrap()]));
    let page = std::fs::read_to_string(scratch.0.join("duet-run.1")).unwrap();
    assert!(page.contains("max\\-cost") && page.contains("Exit codes"), "{page}");
}
