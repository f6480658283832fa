//! `duet try --census`: counting the CPUs of clones.

use super::{Account, Act, Control, fleet::Manner, instead, text};
use crate::{
    campaign::{Scratch, assert_code, samples, subcommand},
    cli::stderr,
    handler::root,
    scripted::Reply,
};
use serde_json::{Value, json};
use std::{fs, process::Command};

/// Ten environments of a clone live on between two changes.
const TEN: Manner = Manner { warm: 10, is_loud: false, is_stream_per_call: false, is_unreadable: false };

fn account(manner: Manner) -> Account {
    let account = Account::start(|_| Act::Answer);
    account.has_fleet(manner);
    account
}

/// `duet try orders --census 40` of two clones, ten blocks of four calls of each.
fn counting(account: &Account, scratch: &Scratch, options: &[&str]) -> Command {
    let payload = scratch.file("event.json", r#"{"order": 1}"#);
    let mut command = subcommand(&account.server.url, "try");
    command.args(["orders", "--payload", &payload, "--environments", "4", "--invocations", "80"]);
    command.args(["--census", "40", "--seed", "1", "--out", &scratch.path("run"), "--yes"]).args(options);
    command
}

/// The calls of the census, after they were held to their schema.
fn census(scratch: &Scratch) -> Vec<Value> {
    let schema = fs::read_to_string(root().join("docs/schema/census-row.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let text = fs::read_to_string(scratch.path("run/census.jsonl")).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    rows.iter().for_each(|row| schema.validate(row).unwrap_or_else(|error| panic!("{error}: {row}")));
    rows
}

fn report(scratch: &Scratch) -> Value {
    let mut command = subcommand("http://127.0.0.1:9", "report");
    let output = command.args([&scratch.path("run"), "--format", "json"]).output().unwrap();
    assert_code(&output, 0);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// How many environments of each CPU model were called, and how many are known with the census.
fn cpus(variant: &Value) -> Vec<(&str, Value, Value)> {
    let of = |cpu: &Value, name: &str| cpu[name]["environments"].clone();
    let cpus = variant["cpus"].as_array().unwrap().iter();
    cpus.map(|cpu| (cpu["model"].as_str().unwrap(), cpu["environments"].clone(), of(cpu, "counted"))).collect()
}

/// The census of both variants, as the report has it.
fn censuses(report: &Value) -> [&Value; 2] {
    [0, 1].map(|variant| &report["variants"][variant]["census"])
}

#[test]
fn the_probe_counts_what_log_streams_name_and_the_report_uses_it() {
    let (account, scratch) = (account(TEN), Scratch::new());
    let before = account.things();
    let output = counting(&account, &scratch, &[]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(account.things(), before);
    let rows = census(&scratch);
    assert!(rows.iter().all(|row| row["request_id"].is_string() && row["cold"] == true));
    assert!(rows.iter().all(|row| row["environment"] == row["request_id"] && !row["cpu_model"].is_null()));
    // The clones start anew for each round of calls, six of each, and are deleted as they are.
    assert_eq!((rows.len(), account.updates().len()), (80, 12));
    assert!(!scratch.has("run/changed.json") && !stderr(&output).contains("changed"), "{}", stderr(&output));
    // Calls of the campaign are warm from the first in environments that the census has started.
    let (manifest, samples) = samples(&scratch.path("run"));
    let cold = samples.iter().filter(|row| row.cold == Some(true)).count();
    assert_eq!((samples.len(), cold, manifest.plan.census.map(|census| census.environments)), (80, 22, Some(40)));

    let report = report(&scratch);
    let census = json!({"environments": 40, "rounds": 6, "has_drifted": false});
    assert_eq!(censuses(&report), [&census, &census]);
    // Of 51 environments, 40 counted ones and 11 that calls have started, every fourth is a slow one.
    assert_eq!(cpus(&report["variants"][0]), [("Intel(R) Xeon(R) Processor @ 2.50GHz", json!(40), json!(51))]);
    let of_arm64 = [("Neoverse-V2", json!(31), json!(39)), ("Neoverse-N1", json!(9), json!(12))];
    assert_eq!(cpus(&report["variants"][1]), of_arm64);
    let comparison = &report["comparisons"][0];
    let warnings = comparison["warnings"].as_array().unwrap().iter();
    assert_eq!(warnings.map(|warning| &warning["kind"]).collect::<Vec<_>>(), ["untypical-payload"]);
    let headline = &comparison["headline"];
    let width = |ratio: &Value| {
        let [low, high] = ["low", "high"].map(|end| ratio["interval"][end].as_f64().unwrap());
        high - low
    };
    let (with, without) = (width(&headline["ratio"]), width(&headline["without_census"]));
    assert!(with < without, "{with} {without}");
    // (0.71 / 0.51) to the power of 12/51.
    let ratio = headline["ratio"]["estimate"].as_f64().unwrap();
    assert!((ratio - 1.081).abs() < 0.002 && headline["verdict"] == "slower", "{headline}");
    assert!(!comparison["mix_scenarios"].as_array().unwrap().is_empty());
}

#[test]
fn without_log_streams_of_environments_each_cold_start_counts_for_itself() {
    for manner in [Manner { is_unreadable: true, ..TEN }, Manner { is_stream_per_call: true, ..TEN }] {
        let (account, scratch) = (account(manner), Scratch::new());
        assert_code(&counting(&account, &scratch, &[]).output().unwrap(), 0);
        let report = report(&scratch);
        assert_eq!(censuses(&report).map(|census| &census["environments"]), [40, 40]);
        let warnings = report["comparisons"][0]["warnings"].to_string();
        assert!(warnings.contains("environments-unknown"), "{warnings}");
    }
}

#[test]
fn a_log_that_is_too_long_for_the_probe_ends_the_census_with_the_reason() {
    let (account, scratch) = (account(Manner { is_loud: true, ..TEN }), Scratch::new());
    let output = counting(&account, &scratch, &[]).output().unwrap();
    assert_code(&output, 0);
    let said = stderr(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    for variant in ["x86_64", "arm64"] {
        let expected = format!(
            "the census of {variant} ends at 0: three rounds in a row met no new environment: the end of the log"
        );
        assert!(said.contains(&expected) && said.contains("let it print less"), "{said}");
    }
    assert_eq!((census(&scratch).len(), samples(&scratch.path("run")).1.len()), (6, 80));
    assert_eq!(censuses(&report(&scratch)), [&Value::Null, &Value::Null]);
}

#[test]
fn a_trial_whose_probe_cannot_be_made_goes_on_without_a_census() {
    let is_denied = |control: &Control| control.line.starts_with("POST /2018-10-31/layers/");
    let denial = Reply::lambda_error("AccessDeniedException", "not authorized: lambda:PublishLayerVersion");
    let account = Account::start(instead(is_denied, denial));
    account.has_fleet(TEN);
    let (before, scratch) = (account.things(), Scratch::new());
    let output = counting(&account, &scratch, &[]).output().unwrap();
    assert_code(&output, 0);
    assert!(stderr(&output).contains("Warning: there will be no census: without the probe"), "{}", stderr(&output));
    assert_eq!((account.things(), account.updates().len()), (before, 0));
    let (manifest, samples) = samples(&scratch.path("run"));
    assert_eq!((manifest.plan.census, samples.len(), scratch.has("run/census.jsonl")), (None, 80, false));
}

#[test]
fn after_a_search_the_campaign_alone_counts_and_answers_may_name_environments() {
    let (account, scratch) = (Account::start(|_| Act::Answer), Scratch::new());
    account.takes(super::search::single_thread);
    let before = account.things();
    let output = super::search::search(&account, &scratch, 384, &["--census", "5"]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(account.things(), before);
    let (of_search, of_campaign) = (samples(&scratch.path("run/search-1")).0, samples(&scratch.path("run")).0);
    assert!(of_search.plan.census.is_none() && !scratch.has("run/search-1/census.jsonl"));
    assert_eq!(of_campaign.plan.census.map(|census| census.environments), Some(5));
    let rows = census(&scratch);
    assert!(rows.iter().all(|row| row["environment"].as_str().unwrap().starts_with("duet-")), "{rows:?}");
    assert_eq!(rows.len(), 5 * of_campaign.variants.count());
    assert_eq!(account.invocations(), 384 + rows.len());
}

#[test]
fn a_plan_says_what_the_census_calls_and_costs() {
    let (account, scratch) = (account(TEN), Scratch::new());
    let payload = scratch.file("event.json", "{}");
    let plan = |more: &[&str]| {
        let mut command = subcommand(&account.server.url, "try");
        let output = command.args(["orders", "--payload", &payload, "--census", "40", "--dry-run"]).args(more).output();
        assert_code(output.as_ref().unwrap(), 0);
        text(&output.unwrap())
    };
    let told = plan(&["--environments", "4", "--invocations", "80"]);
    let expected = format!(
        "\nCensus: 40 environments of each variant in 5 rounds, spread over 10 blocks: $0.000076 by the guess. Its calls send \
         {payload}, as many at the same time as half of the free concurrency allows. Each round changes a variable of the \
         clones, so that new environments start\n"
    );
    assert!(told.contains(&expected), "{told}");
    assert!(told.ends_with("by the guess\n"), "{told}");
    // Answers may tell what a probe does not.
    let own = plan(&["--no-probe", "--environment", "/environment", "--cpu-model", "/cpu"]);
    assert!(own.contains("Census: 40 environments of each variant in 5 rounds"), "{own}");
    assert!(account.made().is_empty() && account.invocations() == 0);
}

#[test]
fn a_census_that_a_trial_cannot_take_is_refused_with_the_fix() {
    let (account, scratch) = (account(TEN), Scratch::new());
    let payload = scratch.file("event.json", "{}");
    let refused = |options: &[&str], part: &str| {
        let mut command = subcommand(&account.server.url, "try");
        command.args([
            "orders",
            "--payload",
            &payload,
            "--architectures",
            "x86_64",
            "--memory",
            "1024",
            "--census",
            "9",
        ]);
        let output = command.args(options).output().unwrap();
        assert_code(&output, 2);
        assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
    };
    const POINTERS: &str =
        "say where answers name environments and CPU models (--environment POINTER --cpu-model POINTER)";
    let no_probe =
        "the clones have no probe to tell their CPUs (--no-probe leaves it out): leave out --no-probe if it is given";
    refused(&["--no-probe", "--environment", "/id"], &format!("{no_probe}, or {POINTERS}"));
    refused(&["--census-rounds", "4"], "5..=100");
    refused(&["--cold"], "unexpected argument '--cold'");
    refused(&["--inspect"], "cannot be used with");
    refused(&["--max-cost", "0.00001"], "--max-cost 0.00001 is less than the census and one block");
    refused(
        &["--memory", "auto", "--max-cost", "0.0015"],
        "too little for a search, which has half of it, and a census",
    );
    account.change(|things| {
        things.functions.get_mut("orders").unwrap().configuration["Runtime"] = json!("provided.al2023");
    });
    refused(&[], &format!("(its runtime takes no wrapper script): leave out --no-probe if it is given, or {POINTERS}"));
    assert!(account.made().is_empty());
}
