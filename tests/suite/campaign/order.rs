//! What is called together, and what in turns.

use super::{
    Scratch, assert_code,
    failures::{RESERVED, throttled},
    run, run_plain, samples,
};
use crate::{
    cli::{duet, stderr},
    fabricated::Fabricated,
    scripted::{Reply, Scripted},
};
use lambda_duet::campaign::manifest::Order;
use serde_json::{Value, json};
use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
};

fn edit_manifest(directory: &str, edit: impl FnOnce(&mut Value)) {
    let path = format!("{directory}/campaign.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    edit(&mut manifest);
    fs::write(&path, serde_json::to_vec(&manifest).unwrap()).unwrap();
}

/// Leaves the first samples alone in a run directory, as if the campaign had been interrupted.
fn keep_samples(directory: &str, count: usize) {
    let path = format!("{directory}/samples.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.split_inclusive('\n').take(count).collect::<String>()).unwrap();
}

#[test]
fn the_calls_of_both_sides_are_open_together() {
    let scratch = Scratch::new();
    // Nothing is answered before all six calls of a step have come.
    let target = Scripted::start(|_, number| Reply::ok("{}").after_calls((number / 6 + 1) * 6));
    let output = run_plain(&scratch, &target, &["--environments", "3", "--invocations", "18", "--timeout", "20s"]);
    assert_code(&output, 0);
    let (manifest, rows) = samples(&scratch.path("run"));
    assert_eq!((manifest.plan.order, manifest.plan.separate_from, rows.len()), (Order::JointSteps, None, 18));
    assert!(rows.iter().all(|row| row.failure.is_none()));
}

#[test]
fn throttled_joint_steps_become_separate_and_stay_so() {
    let scratch = Scratch::new();
    // Two calls at once and no more.
    let target = Scripted::start(|_, number| match number {
        2 | 3 => Reply::status(429, "slow down"),
        _ => Reply::ok("{}"),
    });
    let output = run_plain(&scratch, &target, &["--environments", "2", "--invocations", "12"]);
    assert_code(&output, 0);
    let text = stderr(&output);
    let warning =
        "2 of 4 calls that were made together were throttled: from block 2 on, each variant is called by itself";
    assert_eq!(text.matches(warning).count(), 1, "{text}");
    let run_directory = scratch.path("run");
    let (manifest, rows) = samples(&run_directory);
    assert_eq!((manifest.plan.order, manifest.plan.separate_from), (Order::JointSteps, Some(1)));
    let steps = |block| rows.iter().filter(|row| row.block == block).map(|row| row.step).max().unwrap() + 1;
    assert_eq!((steps(0), steps(1), steps(2)), (1, 2, 2));

    keep_samples(&run_directory, 8);
    let output = run("", &["--resume", &run_directory]);
    assert_code(&output, 0);
    assert!(!stderr(&output).contains("made together"), "{}", stderr(&output));
    let (manifest, rows) = samples(&run_directory);
    assert_eq!((manifest.plan.separate_from, rows.len()), (Some(1), 14));
}

/// How calls were ordered decides how their times are compared.
#[test]
fn another_order_than_that_of_the_samples_is_refused() {
    let scratch = Scratch::new();
    let run_directory = scratch.path("run");
    Fabricated { order: Order::SeparateSteps, ..Fabricated::default() }.write(&run_directory);
    let report = || duet(&["report", &run_directory]);
    assert_code(&report(), 0);
    for order in ["single-calls", "joint-steps"] {
        edit_manifest(&run_directory, |manifest| manifest["plan"]["order"] = order.into());
        assert_code(&report(), 1);
        let text = stderr(&report());
        assert!(text.contains("samples.jsonl, line "), "{order}: {text}");
    }
}

/// Versions of one function share what is reserved for it, two functions do not.
#[test]
fn reserved_concurrency_that_both_sides_share_takes_separate_steps() {
    let separate_from = |targets: [&str; 2]| {
        let calls = AtomicUsize::new(0);
        let lambda = Scripted::aws(move |call, _| {
            let name = if call.line.contains("/functions/a/") { "a" } else { "x" };
            if !call.line.contains("/invocations") {
                let version = if call.line.contains("Qualifier=1") { "1" } else { "2" };
                let arn = format!("arn:aws:lambda:us-east-1:123456789012:function:{name}:{version}");
                let configuration =
                    json!({"FunctionArn": arn, "Architectures": ["x86_64"], "MemorySize": 1769, "Timeout": 3});
                return Reply::ok(configuration.to_string()).header("content-type", "application/json");
            }
            match calls.fetch_add(1, Ordering::SeqCst) {
                3 => throttled(RESERVED),
                _ => Reply::ok("{}"),
            }
        });
        let scratch = Scratch::new();
        let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
        let arguments = ["--payload", &payload, "--environments", "2", "--invocations", "12", "--out", &out];
        let output = run(&lambda.url, &[["--targets"].as_slice(), &targets, &arguments].concat());
        assert_code(&output, 0);
        samples(&out).0.plan.separate_from
    };
    assert_eq!(separate_from(["lambda:x:1", "lambda:x:2"]), Some(1));
    assert_eq!(separate_from(["lambda:x:1", "lambda:us-east-1:123456789012:function:x:2"]), Some(1));
    assert_eq!(separate_from(["lambda:x:1", "lambda:a:1"]), None);
}

#[test]
fn campaigns_of_earlier_versions_keep_their_order() {
    let scratch = Scratch::new();
    let target = Scripted::start(|_, _| Reply::ok("{}"));
    let output = run_plain(&scratch, &target, &["--environments", "2", "--invocations", "12"]);
    assert_code(&output, 0);
    let run_directory = scratch.path("run");
    keep_samples(&run_directory, 0);
    edit_manifest(&run_directory, |manifest| {
        manifest["plan"].as_object_mut().unwrap().remove("order");
    });
    assert_code(&run("", &["--resume", &run_directory]), 0);
    let (manifest, rows) = samples(&run_directory);
    assert_eq!((manifest.plan.order, rows.len()), (Order::SeparateSteps, 12));
    assert_eq!(rows.iter().map(|row| row.step).max(), Some(1));
}
