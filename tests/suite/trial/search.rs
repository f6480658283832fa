//! `--memory auto`

use super::{Account, Act, Control, instead, is_creation, manifest, text};
use crate::{
    campaign::{Scratch, assert_code, samples, subcommand},
    cli::stderr,
    scripted::Reply,
};
use serde_json::{Value, json};
use std::{
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

/// `duet try orders --memory auto`.
pub fn search(account: &Account, scratch: &Scratch, invocations: u32, options: &[&str]) -> Command {
    let payload = scratch.file("event.json", r#"{"order": 1}"#);
    let mut command = subcommand(&account.server.url, "try");
    command.args(["orders", "--payload", &payload, "--environment", "/environment", "--environments", "8"]);
    command.args(["--memory", "auto", "--invocations", &invocations.to_string(), "--out", &scratch.path("run")]);
    command.args(["--seed", "1", "--yes"]).args(options);
    command
}

/// The time of one thread that computes, in milliseconds: it falls until it has a whole CPU.
pub fn single_thread(configuration: &Value) -> f64 {
    40.0 * (1769.0 / configuration["MemorySize"].as_f64().unwrap()).max(1.0)
}

fn variants(manifest: &Value) -> Vec<&str> {
    manifest["variants"].as_array().unwrap().iter().map(|variant| variant["name"].as_str().unwrap()).collect()
}

#[test]
fn a_search_leaves_out_what_is_not_worth_measuring_and_says_what_it_saved() {
    let (account, scratch) = (Account::start(|_| Act::Answer), Scratch::new());
    account.takes(single_thread);
    let before = account.things();
    let output = search(&account, &scratch, 384, &[]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(account.things(), before);
    assert_eq!(account.made().len(), 8);
    assert_eq!(account.invocations(), 384);
    let manifest = manifest(&scratch);
    assert_eq!(variants(&manifest), ["x86_64-512MB", "arm64-512MB", "arm64-1769MB"]);
    let search = &manifest["trial"]["search"];
    assert_eq!((&search["rounds"], &search["calls"]), (&json!(1), &json!(192)));
    let left_out = search["left_out"].as_array().unwrap();
    assert_eq!(left_out.len(), 19);
    assert!(left_out.iter().all(|variant| variant["reason"] == "no-better"));
    assert_eq!(manifest["limits"]["invocations"], 192);
    // Every sample of the search is kept.
    assert_eq!(samples(&scratch.path("run/search-1")).1.len(), 192);
    let shown = text(&output) + &stderr(&output);
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "At most 22 clones of ",
        "A search comes first: rounds of 3 blocks",
        "Search: 1 round took 192 calls; 3 of 22 variants are measured now: x86_64-512MB, arm64-512MB and arm64-1769MB",
        "The search for sizes took 192 calls in 1 round ($0.0",
        "and left out 19 variants that can hardly be faster or cheaper than others.",
        "It saved 1,024 calls, at as many of each variant as of x86_64-512MB.",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let again = self::search(&account, &scratch, 384, &[]).output().unwrap();
    assert!(stderr(&again).contains("holds a campaign already"), "{}", stderr(&again));
}

#[test]
fn sizes_that_are_refused_or_fail_do_not_end_a_search() {
    let refusal = "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 3008";
    let account = Account::start(|_| Act::Answer);
    account.takes(|configuration| if configuration["MemorySize"] == 128 { 0.0 } else { single_thread(configuration) });
    account.refuse_memory_above(3008, Reply::lambda_error("InvalidParameterValueException", refusal));
    let (before, scratch) = (account.things(), Scratch::new());
    let output = search(&account, &scratch, 500, &[]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(account.things(), before);
    let manifest = manifest(&scratch);
    assert_eq!(variants(&manifest), ["x86_64-512MB", "arm64-512MB", "arm64-1769MB"]);
    let sizes = |list: &Value, architecture: &str| -> Vec<u64> {
        let of = list.as_array().unwrap().iter().filter(|one| one["architecture"] == architecture);
        of.map(|one| one["memory_mb"].as_u64().unwrap()).collect()
    };
    assert_eq!(sizes(&manifest["trial"]["not_made"], "arm64"), [10_240, 5307]);
    let left_out = &manifest["trial"]["search"]["left_out"];
    let failed = left_out.as_array().unwrap().iter().find(|one| one["memory_mb"] == 128).unwrap();
    assert_eq!(failed["reason"], "failed");
}

#[test]
fn limits_that_do_not_allow_a_first_round_are_refused() {
    let (account, scratch) = (Account::start(|_| Act::Answer), Scratch::new());
    for (options, reason) in [
        (["--invocations", "383"], "its first round makes 192 calls. Give 384 at least"),
        (["--max-cost", "0.0015"], "its first round might cost $0."),
    ] {
        let payload = scratch.file("event.json", "{}");
        let mut command = subcommand(&account.server.url, "try");
        command.args(["orders", "--payload", &payload, "--memory", "auto", "--yes"]).args(options);
        let output = command.output().unwrap();
        assert_code(&output, 2);
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
    }
    assert!(account.made().is_empty());
}

/// Each step of memory makes it faster.
#[test]
fn a_search_ends_where_half_of_the_limits_is_used() {
    let (account, scratch) = (Account::start(|_| Act::Answer), Scratch::new());
    account.takes(|configuration| 20.0 + 10_000.0 / configuration["MemorySize"].as_f64().unwrap());
    let before = account.things();
    let output = search(&account, &scratch, 400, &[]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(account.things(), before);
    assert_eq!(account.invocations() % 8, 0);
    assert!(account.invocations() <= 400);
    let manifest = manifest(&scratch);
    let search = &manifest["trial"]["search"];
    assert_eq!((&search["rounds"], &search["calls"]), (&json!(1), &json!(192)));
    let left_out = search["left_out"].as_array().unwrap();
    assert!(left_out.iter().any(|variant| variant["reason"] == "not-measured"), "{left_out:?}");
    let said = stderr(&output);
    assert!(said.contains("Search: the next round would take more than half of what"), "{said}");
}

#[test]
fn a_search_of_one_environment_is_refused() {
    let (account, scratch) = (Account::start(|_| Act::Answer), Scratch::new());
    let payload = scratch.file("event.json", "{}");
    let mut command = subcommand(&account.server.url, "try");
    command.args(["orders", "--payload", &payload, "--memory", "auto", "--environments", "1", "--yes"]);
    let output = command.output().unwrap();
    assert_code(&output, 2);
    assert!(stderr(&output).contains("--memory auto takes 2 --environments at least"), "{}", stderr(&output));
    assert!(account.made().is_empty());
}

#[test]
fn clones_that_cannot_be_made_any_more_are_left_out() {
    let denial = Reply::lambda_error("AccessDeniedException", "not authorized: lambda:CreateFunction");
    let creations = AtomicUsize::new(0);
    let is_late = move |control: &Control| is_creation(control) && creations.fetch_add(1, Ordering::Relaxed) >= 3;
    let account = Account::start(instead(is_late, denial));
    account.takes(single_thread);
    let (before, scratch) = (account.things(), Scratch::new());
    let output = search(&account, &scratch, 500, &[]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(account.things(), before);
    assert_eq!(account.made().len(), 3);
    assert!(stderr(&output).contains("Not made: arm64-512MB: "), "{}", stderr(&output));
}
