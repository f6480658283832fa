//! `duet gate` and `duet compare` as processes, and the published shape of a report.

use crate::{
    campaign::{Scratch, assert_code},
    cli::{duet, stderr, stdout},
    fabricated::{Fabricated, run_directory},
    handler::root,
};
use serde_json::Value;
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
    assert_eq!((&decision["decision"], &decision["max_slowdown"]), (&"fail".into(), &0.05.into()));
    assert_eq!(decision["comparisons"][0]["cells"].as_array().unwrap().len(), 2);
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
        (["gate", nowhere].as_slice(), 2, "--max-slowdown"),
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
