//! `duet gate` and `duet compare` as processes, and the published shape of a report.

use crate::{
    campaign::{Scratch, assert_code},
    cli::{PRICES, duet, stderr, stdout},
    fabricated::{Fabricated, run_directory},
    handler::root,
};
use serde_json::{Value, json};
use std::{fs, process::Output};

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn gate(arguments: &[&str]) -> Output {
    duet(&[&["gate"], arguments].concat())
}

#[test]
fn the_exit_code_is_the_decision() {
    let scratch = Scratch::new();
    for (name, environments, ratio, code, word) in [
        ("faster", 40, 0.8, 0, "Pass: arm64 is not more than 5% slower than x86_64."),
        ("slower", 40, 1.3, 6, "Fail: arm64 is more than 5% slower than x86_64."),
        ("at-the-limit", 40, 1.05, 7, "Inconclusive: whether arm64 is more than 5% slower than x86_64 is open; about "),
        ("few", 7, 0.5, 7, "Withheld: no verdict is given."),
    ] {
        let run = scratch.path(name);
        run_directory(&run, environments, 3, ratio);
        let output = gate(&[&run, "--max-slowdown", "5%"]);
        assert_code(&output, code);
        assert!(text(&output).starts_with(word), "{name}: {}", text(&output));
        assert!(!text(&output).contains('\u{1b}'), "there are colours, and no terminal");
    }
}

#[test]
fn costs_and_times_have_limits_too() {
    let scratch = Scratch::new();
    let [cheap, dear] = ["cheap", "dear"].map(|name| scratch.path(name));
    run_directory(&cheap, 40, 3, 0.8);
    run_directory(&dear, 40, 3, 1.6);
    for (run, arguments, code, word) in [
        (&cheap, ["--max-cost-increase", "0%"], 0, "Pass: arm64 costs no more than x86_64."),
        (&dear, ["--max-cost-increase", "0%"], 6, "Fail: arm64 costs more than x86_64 (--max-cost-increase)."),
        (&dear, ["--max-cost-increase", "30%"], 0, "Pass: arm64 costs at most 30% more than x86_64."),
        (&cheap, ["--max-latency", "20ms"], 0, "Pass: arm64 takes at most 20 ms (mean of wall time)."),
        (
            &dear,
            ["--max-latency", "mean=20ms"],
            6,
            "Fail: arm64 takes more than 20 ms (--max-latency, mean of wall time).",
        ),
        (&cheap, ["--max-latency", "p90=20ms"], 0, "Pass: arm64 takes at most 20 ms (p90 of wall time)."),
        (
            &dear,
            ["--max-latency", "p50=20ms"],
            6,
            "Fail: arm64 takes more than 20 ms (--max-latency, p50 of wall time).",
        ),
        // None of 120 calls takes longer, and of all calls one in thirty may.
        (
            &cheap,
            ["--max-latency", "p99=20ms"],
            7,
            "Inconclusive: whether arm64 takes more than 20 ms is open (--max-latency, ",
        ),
    ] {
        let output = gate(&[&[run.as_str()], arguments.as_slice()].concat());
        assert_code(&output, code);
        assert!(text(&output).starts_with(word), "{arguments:?}: {}", text(&output));
    }
    let few = scratch.path("few");
    run_directory(&few, 7, 3, 0.5);
    let output = gate(&[&few, "--max-cost-increase", "0%", "--max-latency", "p99=20ms"]);
    assert_code(&output, 7);
    let text = text(&output);
    let first = "Withheld: no verdict is given on the bill (--max-cost-increase) and on the p99 of wall time\n(--max-latency).\n";
    assert!(text.starts_with(first) && text.contains("7 of the 8 environments"), "{text}");
}

#[test]
fn as_many_environments_as_a_percentile_needs_are_enough() {
    let scratch = Scratch::new();
    let [some, enough] = ["some", "enough"].map(|name| scratch.path(name));
    run_directory(&some, 40, 3, 0.8);
    let decision = gate(&[&some, "--max-latency", "p99=20ms", "--json"]);
    let decision: Value = serde_json::from_str(&text(&decision)).unwrap();
    let cell = &decision["comparisons"][0]["conditions"][0]["cells"][0];
    assert_eq!((&cell["decision"], &cell["proportion_above"]["estimate"]), (&json!("inconclusive"), &json!(0.0)));
    let needed = cell["environments_needed"].as_u64().unwrap();
    assert!((120..300).contains(&needed), "{cell}");
    run_directory(&enough, needed as u32 + 8, 3, 0.8);
    assert_code(&gate(&[&enough, "--max-latency", "p99=20ms"]), 0);
}

#[test]
fn all_conditions_must_pass() {
    let scratch = Scratch::new();
    let (run, comment) = (scratch.path("run"), scratch.path("comment.md"));
    Fabricated { cells: vec![("string/json", 0.8), ("math/fft", 1.02)], ..Fabricated::default() }.write(&run);
    let limits = |latency| [&run, "--max-slowdown", "5%", "--max-cost-increase", "0%", "--max-latency", latency];
    let passed = gate(&limits("p90=22ms"));
    assert_code(&passed, 0);
    let first = "Pass: arm64 is not more than 5% slower than x86_64, costs no more than x86_64 and takes at most 22\nms (p90 \
                 of wall time).\n";
    assert!(text(&passed).starts_with(first), "{}", text(&passed));
    assert!(text(&passed).lines().all(|line| line.chars().count() <= 100), "{}", text(&passed));
    let failed = gate(&[&limits("18ms")[..], &["--json", "--markdown", &comment]].concat());
    assert_code(&failed, 6);
    let decision: Value = serde_json::from_str(&text(&failed)).unwrap();
    let conditions = decision["comparisons"][0]["conditions"].as_array().unwrap();
    let decisions: Vec<&Value> = conditions.iter().map(|judged| &judged["decision"]).collect();
    assert_eq!(decisions, ["pass", "pass", "fail"]);
    let comment = fs::read_to_string(comment).unwrap();
    let first = "❌ **Fail: arm64 takes more than 18 ms in 1 of 2 cells (--max-latency, mean of wall time).**";
    assert!(comment.starts_with(first) && comment.contains("| all | cost increase ≤ 0% | −"), "{comment}");
}

#[test]
fn a_limit_of_the_bill_is_held_to_the_savings_of_the_report() {
    let scratch = Scratch::new();
    let run = scratch.path("run");
    Fabricated { cells: vec![("string/json", 1.5), ("math/fft", 1.3)], disturbed: 0.02, ..Fabricated::default() }
        .write(&run);
    let report: Value = serde_json::from_str(&stdout(&duet(&["report", &run, "--format", "json"]))).unwrap();
    let money = &report["comparisons"][0]["money"];
    let [savings, low, high] =
        [&money["savings"], &money["savings_interval"]["low"], &money["savings_interval"]["high"]]
            .map(|value| value.as_f64().unwrap());
    assert!(low < savings - 0.005 && savings + 0.005 < high && high < 0.0, "{money}");
    let at = |limit: f64| gate(&[&run, "--max-cost-increase", &format!("{:.4}%", limit * 100.0), "--json"]);
    let open = at(-savings);
    let decision: Value = serde_json::from_str(&text(&open)).unwrap();
    let ratio = &decision["comparisons"][0]["conditions"][0]["cells"][0]["ratio"];
    let expected = [1.0 - savings, 1.0 - high, 1.0 - low];
    let found = [&ratio["estimate"], &ratio["interval"]["low"], &ratio["interval"]["high"]];
    for (found, expected) in found.into_iter().zip(expected) {
        assert!((found.as_f64().unwrap() - expected).abs() < 1e-9, "{ratio} {expected}");
    }
    // The whole interval is below its upper end and above its lower end, and no further.
    for (limit, code) in [(-low + 1e-4, 0), (-low - 1e-4, 7), (-high + 1e-4, 7), (-high - 1e-4, 6)] {
        assert_code(&at(limit), code);
    }
}

#[test]
fn the_options_of_the_bill_hold_for_its_limit() {
    let scratch = Scratch::new();
    let run = scratch.path("run");
    run_directory(&run, 40, 3, 1.6);
    let limit = ["gate", &run, "--max-cost-increase", "0%"];
    assert_code(&duet(&limit), 6);
    // Both are free.
    assert_code(&duet(&[&limit[..], &["--free-tier", "--monthly-invocations", "1k"]].concat()), 0);
    let ours = PRICES.replace("eu-central-1", "us-east-1").replace("0.000009", "0.000003");
    let prices = scratch.file("prices.toml", &ours);
    assert_code(&duet(&[&limit[..], &["--prices", &prices, "--cold-share", "0%"]].concat()), 0);
    let processes = scratch.path("processes");
    Fabricated { waiting: Some(0.0), ..Fabricated::default() }.write(&processes);
    let unknown = gate(&[&processes, "--max-cost-increase", "0%"]);
    assert_code(&unknown, 7);
    assert!(text(&unknown).contains("all: programs on this machine have no bill"), "{}", text(&unknown));
}

#[test]
fn emulation_does_not_pass() {
    let scratch = Scratch::new();
    let run = scratch.path("run");
    Fabricated { emulated: true, ..Fabricated::default() }.write(&run);
    let output = gate(&[&run, "--max-slowdown", "5%"]);
    assert_code(&output, 7);
    assert!(text(&output).starts_with("Withheld: the campaign gives no verdict.\nemulated: "), "{}", text(&output));
}

#[test]
fn comparing_with_an_earlier_campaign_cancels_the_drift_of_the_fleet() {
    let scratch = Scratch::new();
    let [before, same, worse] = ["before", "same", "worse"].map(|it| scratch.path(it));
    let campaign =
        |ratio, drift, seed| Fabricated { cells: vec![("string/json", ratio)], drift, seed, ..Fabricated::default() };
    campaign(1.3, 1.0, 1).write(&before);
    // All got slower by a quarter, the candidate no more than its baseline.
    campaign(1.3, 1.25, 2).write(&same);
    campaign(1.5, 1.0, 3).write(&worse);
    assert_code(&gate(&[&same, "--max-slowdown", "5%"]), 6);
    assert_code(&gate(&[&same, "--baseline", &before, "--max-slowdown", "5%"]), 0);
    assert_code(&gate(&[&worse, "--baseline", &before, "--max-slowdown", "5%"]), 6);

    let output = duet(&["compare", &before, &worse]);
    assert!(stdout(&output).contains("1 lost"), "{}", stdout(&output));
    let changes: Value = serde_json::from_str(&stdout(&duet(&["compare", &before, &same, "--json"]))).unwrap();
    let drift = changes["comparisons"][0]["cells"][0]["means"]["baseline"]["ratio"].as_f64().unwrap();
    assert!((drift - 1.25).abs() < 0.05, "{changes}");
}

#[test]
fn a_gate_writes_markdown_and_prints_json() {
    let scratch = Scratch::new();
    let (run, comment) = (scratch.path("run"), scratch.path("comment.md"));
    let cells = vec![("string/json", 0.8), ("math/fft", 1.3)];
    Fabricated { cells, ..Fabricated::default() }.write(&run);
    let output = gate(&[&run, "--max-slowdown", "5%", "--json", "--markdown", &comment]);
    assert_code(&output, 6);
    let decision: Value = serde_json::from_str(&text(&output)).unwrap();
    let condition = json!({"condition": "max-slowdown", "limit": 0.05});
    assert_eq!((&decision["decision"], &decision["conditions"]), (&json!("fail"), &json!([condition])));
    assert_eq!(decision["comparisons"][0]["conditions"][0]["cells"].as_array().unwrap().len(), 2);
    let comment = fs::read_to_string(comment).unwrap();
    assert!(comment.starts_with("❌ **Fail: ") && comment.contains("| math/fft | +"), "{comment}");
}

#[test]
fn reports_keep_to_their_schema() {
    let scratch = Scratch::new();
    let schema = fs::read_to_string(root().join("docs/schema/report.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let mixed = Fabricated { cpus: vec!["Neoverse-N1", "Neoverse-V1"], ..Fabricated::default() };
    let emulated = Fabricated { emulated: true, ..Fabricated::default() };
    let few = Fabricated { environments: 1, calls: 1, ..Fabricated::default() };
    for (index, campaign) in [mixed, emulated, few].iter().enumerate() {
        let run = scratch.path(&index.to_string());
        campaign.write(&run);
        let report: Value = serde_json::from_str(&stdout(&duet(&["report", &run, "--format", "json"]))).unwrap();
        schema.validate(&report).unwrap_or_else(|error| panic!("{} at {}", error, error.instance_path()));
    }
}

#[test]
fn an_undecidable_gate_is_explained() {
    let nowhere = "/nowhere/run";
    for (arguments, code, part) in [
        (["gate", nowhere].as_slice(), 2, "--max-slowdown <PERCENT>|--max-cost-increase <PERCENT>|--max-latency <"),
        (&["gate", nowhere, "--max-latency", "0"], 2, "the time must be above 0"),
        (&["gate", nowhere, "--max-latency", "fast"], 2, "such as 300ms"),
        (&["gate", nowhere, "--max-latency", "p100=3ms"], 2, "\"p100\" is no statistic; write mean=, p50="),
        (&["gate", nowhere, "--max-latency", "p99="], 2, "such as 300ms or p99=300ms"),
        (&["gate", nowhere, "--max-cost-increase", "-1%"], 2, "--max-cost-increase"),
        (&["gate", nowhere, "--max-cost-increase", "free"], 2, "such as 5%"),
        (&["gate", nowhere, "--max-latency", "1ms", "--free-tier"], 2, "--max-cost-increase <PERCENT>"),
        (&["gate", nowhere, "--max-latency", "1ms", "--cold-share", "2%"], 2, "--max-cost-increase <PERCENT>"),
        (&["gate", nowhere, "--max-latency", "1ms", "--baseline", nowhere], 2, "--max-slowdown <PERCENT>"),
        (
            &["gate", nowhere, "--max-slowdown", "5%", "--max-cost-increase", "0%", "--baseline", nowhere],
            2,
            "cannot be used with",
        ),
        (&["gate", nowhere, "--max-slowdown", "fast"], 2, "such as 5%"),
        (&["gate", nowhere, "--max-slowdown", "-5%"], 2, "--max-slowdown"),
        (&["gate", nowhere, "--max-slowdown", "5%"], 1, "/nowhere/run holds no campaign"),
        (&["compare", nowhere], 2, "RUN_B"),
        (&["compare", nowhere, nowhere], 1, "/nowhere/run holds no campaign"),
    ] {
        let output = duet(arguments);
        assert_code(&output, code);
        assert!(output.stdout.is_empty() && stderr(&output).contains(part), "{}", stderr(&output));
    }
}
