//! A program that is killed, or that panics, at any control call.

use super::{
    super::{Scratch, assert_code},
    Act, Lambda, campaign, clean_up, cold,
};
use crate::{cli::stdout, scripted::Reply};
use std::time::Duration;

/// Never, as far as a test is concerned.
const NEVER: Duration = Duration::from_secs(3600);

#[test]
fn functions_can_be_restored_after_a_kill_at_any_control_call() {
    let mut kills = 0;
    for number in 0.. {
        // The call it is killed at has come through, or has not.
        for is_done in [true, false] {
            let hanging = Reply::lost().after(NEVER);
            let act = if is_done { Act::DoneBut(hanging) } else { Act::Instead(hanging) };
            let lambda = Lambda::start(move |control| if control.number == number { act.clone() } else { Act::Answer });
            let (scratch, before) = (Scratch::new(), lambda.functions());
            let mut process = cold(&scratch, &lambda, &[]).spawn().unwrap();
            while lambda.controls().len() <= number {
                if process.try_wait().unwrap().is_some() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            if lambda.controls().len() <= number {
                // It makes no more of them.
                assert_code(&process.wait_with_output().unwrap(), 0);
                assert_eq!(lambda.functions(), before);
                // Two that look at each function, two that change it and change it back, and what sees to these.
                assert!(kills > 2 * 12, "{kills}");
                return;
            }
            process.kill().unwrap();
            process.wait().unwrap();
            kills += 1;
            let is_changed = lambda.is_changed();
            let names_it = scratch.0.join("run/changed.json").exists();
            assert!(names_it || !is_changed, "call {number}: a change that is not written down");
            let has_begun = scratch.0.join("run/campaign.json").exists();
            let out = scratch.path("run");
            if has_begun && kills % 2 == 0 {
                stdout(&clean_up(&lambda, &[&out]));
                assert!(!scratch.0.join("run/changed.json").exists());
            } else {
                let next = Scratch::new();
                assert_code(&campaign(&next, &lambda, &["--invocations", "2"]).output().unwrap(), 0);
            }
            assert_eq!(lambda.functions(), before, "call {number}");
        }
    }
}

#[test]
fn clean_up_finds_changes_that_are_left_behind() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    let before = lambda.functions();
    let out = scratch.path("duet-runs/one two");
    let payload = scratch.file("payload.json", "{}");
    let arguments = [
        ["--targets", "lambda:x", "lambda:a", "--payload", &payload, "--out", &out, "--environments", "1"].as_slice(),
        &["--cold", "--invocations", "4", "--pace", "1h", "--duration", "1d"],
    ]
    .concat();
    let mut process = super::command(&lambda.server.url, &arguments).spawn().unwrap();
    lambda.wait_until(|lambda| lambda.invocations() == 2);
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(lambda.is_changed());
    let clean_up = || {
        let output = super::subcommand(&lambda.server.url, "clean-up").current_dir(&scratch.0).output();
        stdout(&output.unwrap())
    };
    assert_eq!(clean_up(), "lambda:a is changed back\nlambda:x is changed back\n");
    assert_eq!(lambda.functions(), before);
    assert!(clean_up().starts_with("Nothing is left"));
}
