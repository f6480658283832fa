//! `duet try --census`: counting the CPUs of clones.

use super::{Account, Act, fleet::Manner, text};
use crate::{
    campaign::{Scratch, assert_code, samples, subcommand},
    cli::stderr,
    handler::root,
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
fn cpus(variant: &Value) -> Vec<(&str, u64, u64)> {
    let count = |cpu: &Value| (cpu["environments"].as_u64().unwrap(), cpu["counted"]["environments"].as_u64().unwrap());
    let of = |cpu: &'_ Value| count(cpu);
    let cpus = variant["cpus"].as_array().unwrap().iter();
    cpus.map(|cpu| (cpu["model"].as_str().unwrap(), of(cpu).0, of(cpu).1)).collect()
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
    // The clones start anew for each round, and are deleted as they are.
    let rounds = 2 * 6;
    assert_eq!((rows.len(), account.updates().len()), (80, rounds));
    assert!(!scratch.has("run/changed.json") && !stderr(&output).contains("changed"), "{}", stderr(&output));
    // Calls between two rounds meet the environments that the census has started, and are warm from the first.
    let (_, samples) = samples(&scratch.path("run"));
    assert_eq!(samples.len(), 80);
    let report = report(&scratch);
    let variants = report["variants"].as_array().unwrap();
    let census = json!({"environments": 40, "rounds": 6, "has_drifted": false});
    assert_eq!((&variants[0]["census"], &variants[1]["census"]), (&census, &census));
    panic!(
        "{:?} {:?} {} {:?}",
        cpus(&variants[0]),
        cpus(&variants[1]),
        text(&output),
        samples.iter().map(|r| r.cold).collect::<Vec<_>>()
    );
}
