//! Trials on the emulated AWS that are killed at any call of the control plane.

use super::{
    NAMED, PYTHON,
    emulated::{deploy, forward, things, zip},
    try_function,
};
use crate::{
    campaign::{Scratch, assert_code, subcommand},
    cli::stderr,
    inspection::zipped,
    scripted::{Call, Reply, Scripted, is_for_events},
    trial::killed::signal,
};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    thread,
};

fn is_control(call: &Call) -> bool {
    !call.line.contains("/invocations") && !is_for_events(call)
}

/// Runs a trial that is killed at the control call of this number, after it was done or before, and cleans up after it. False
/// if there are not so many calls.
fn killed_at(number: usize, is_done: bool, options: &[&str]) -> bool {
    let (process, controls) = (Arc::new(AtomicU32::new(0)), AtomicUsize::new(0));
    let killed = Arc::clone(&process);
    let server = Scripted::start(move |call, _| {
        if !is_control(call) || controls.fetch_add(1, Ordering::SeqCst) != number {
            return forward(call);
        }
        if is_done {
            forward(call);
        }
        signal(&killed, "KILL");
        Reply::lost()
    });
    let scratch = Scratch::new();
    let child = try_function(&server.url, "killed", "{}", &scratch, options).spawn().unwrap();
    process.store(child.id(), Ordering::SeqCst);
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        return false;
    }
    assert_eq!(output.status.code(), None, "call {number}: {}", stderr(&output));
    if scratch.has("run") {
        let cleaned = subcommand(&server.url, "clean-up").args([&scratch.path("run"), "--yes"]).output().unwrap();
        assert_code(&cleaned, 0);
    }
    true
}

/// How many trials run at the same time: they wait most of theirs.
const AT_ONCE: usize = 4;

/// Kills trials at each control call in turn, and gives how many calls there are.
fn kills(is_done: bool, options: &[&str]) -> usize {
    let mut kills = 0;
    loop {
        let before = things();
        let numbers = kills..kills + AT_ONCE;
        let killed = thread::scope(|scope| {
            let trial = |number| scope.spawn(move || killed_at(number, is_done, options));
            let trials: Vec<_> = numbers.clone().map(trial).collect();
            trials.into_iter().map(|trial| trial.join().unwrap()).filter(|was_killed| *was_killed).count()
        });
        assert_eq!(things(), before, "calls {numbers:?}, done: {is_done}");
        kills += killed;
        if killed < AT_ONCE {
            return kills;
        }
    }
}

#[test]
#[ignore = "needs a deployed stack: run by `make test`"]
fn whatever_call_a_trial_is_killed_at_clean_up_leaves_the_account_as_it_was() {
    let code = zip(&zipped(&[("app.py", PYTHON.as_bytes())]));
    deploy("killed", &code, json!({ "Runtime": "python3.13", "Handler": "app.handler" }));
    // Reading the function, making and looking at two clones, deleting them and their log groups; a layer made and deleted.
    let without_probe = kills(false, &[&NAMED[..], &["--no-probe"]].concat());
    let with_probe = kills(true, &NAMED);
    assert!(without_probe >= 10 && with_probe >= 12, "{without_probe} {with_probe}");
}
