//! What a campaign changes in the user's account is changed back, whatever ends it. Every test that changes a function
//! compares both functions before and after.

mod ends;
mod kill;
mod output;

use super::{
    Scratch, assert_code, command,
    control_plane::{Act, Control, Lambda, VARIABLE},
    subcommand,
};
use crate::{cli::stderr, scripted::Reply};
use serde_json::{Value, json};
use std::{
    process::{Child, Command, Output},
    sync::{Mutex, Once},
};
use tokio::signal::unix::{self, SignalKind};

/// A campaign of one call a side and step.
pub fn campaign(scratch: &Scratch, lambda: &Lambda, arguments: &[&str]) -> Command {
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let all = [
        ["--targets", "lambda:x", "lambda:a", "--payload", &payload, "--out", &out, "--environments", "1"].as_slice(),
        arguments,
    ]
    .concat();
    command(&lambda.server.url, &all)
}

/// A cold one of one block.
fn cold(scratch: &Scratch, lambda: &Lambda, arguments: &[&str]) -> Command {
    campaign(scratch, lambda, &[["--cold", "--invocations", "2"].as_slice(), arguments].concat())
}

/// Has what is started from here on end by a hangup, also where these tests were started by `nohup`, which has it ignored:
/// what is caught here is none of theirs.
fn end_by_hangup() {
    static CAUGHT: Once = Once::new();
    CAUGHT.call_once(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _guard = runtime.enter();
        let _ = unix::signal(SignalKind::hangup()).unwrap();
    });
}

/// A cold campaign that is between two blocks for a long time, its functions changed.
fn paused(scratch: &Scratch, lambda: &Lambda, arguments: &[&str]) -> Child {
    let arguments =
        [["--cold", "--invocations", "4", "--pace", "1h", "--duration", "1d"].as_slice(), arguments].concat();
    end_by_hangup();
    let process = campaign(scratch, lambda, &arguments).spawn().unwrap();
    lambda.wait_until(|lambda| lambda.invocations() == 2);
    process
}

fn clean_up(lambda: &Lambda, arguments: &[&str]) -> Output {
    subcommand(&lambda.server.url, "clean-up").args(arguments).output().unwrap()
}

pub fn signal(process: &Child, signal: &str) {
    let sent = Command::new("kill").args([&format!("-{signal}"), &process.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

fn has_panicked(output: &Output) -> bool {
    stderr(output).contains("panicked")
}

/// Refuses updates like this from the third on: those that change the functions back, in a campaign of one block.
fn no_undoing(reply: &Reply) -> impl Fn(Control) -> Act + Send + use<> {
    let (reply, updates) = (reply.clone(), Mutex::new(0));
    move |control| {
        let mut updates = updates.lock().unwrap();
        *updates += u32::from(control.is_update);
        if control.is_update && *updates > 2 { Act::Instead(reply.clone()) } else { Act::Answer }
    }
}

#[test]
fn a_cold_campaign_leaves_both_functions_as_they_were() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    let before = lambda.functions();
    let output = campaign(&scratch, &lambda, &["--cold", "--invocations", "6"]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(lambda.functions(), before);
    // Three blocks, and the undoing.
    assert_eq!(lambda.updates(), 2 * (3 + 1));
    assert!(!scratch.0.join("run/changed.json").exists());
}

#[test]
fn the_function_and_the_run_directory_name_the_owner_of_a_change() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    let before = lambda.functions();
    let process = paused(&scratch, &lambda, &[]);
    let mark = lambda.functions()[0]["Environment"]["Variables"][VARIABLE].clone();
    let mark = mark.as_str().unwrap();
    let (process_id, host) = (process.id().to_string(), std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap());
    for part in ["campaign=run ", &format!("process={process_id}/"), &format!("host={}", host.trim()), " at=20"] {
        assert!(mark.contains(part), "{part}: {mark}");
    }
    let changed = std::fs::read_to_string(scratch.0.join("run/changed.json")).unwrap();
    let changed: Value = serde_json::from_str(&changed).unwrap();
    let schema = std::fs::read_to_string(crate::handler::root().join("docs/schema/changed.schema.json")).unwrap();
    assert!(jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap().is_valid(&changed));
    assert_eq!(changed["functions"], json!(["lambda:a", "lambda:x"]));
    assert!(changed["owner"].as_str().unwrap().contains(&process_id) && !changed.to_string().contains("hunter2"));
    signal(&process, "TERM");
    assert_code(&process.wait_with_output().unwrap(), 130);
    assert_eq!(lambda.functions(), before);
}

#[test]
fn a_function_on_both_sides_is_changed_back_once() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    let before = lambda.functions();
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let arguments = [
        ["--targets", "lambda:x", "lambda:x", "--payload", &payload, "--out", &out, "--environments", "1"].as_slice(),
        &["--cold", "--invocations", "2"],
    ]
    .concat();
    assert_code(&command(&lambda.server.url, &arguments).output().unwrap(), 0);
    assert_eq!(lambda.functions(), before);
}

#[test]
fn variables_that_cannot_be_read_are_not_replaced() {
    let denied = json!({"Error": {"ErrorCode": "AccessDeniedException", "Message": "Lambda was unable to decrypt"}});
    let partly =
        json!({"Variables": {"KEEP": "hunter2"}, "Error": {"ErrorCode": "KMSDisabledException", "Message": "off"}});
    for (environment, part) in [
        (denied, "AccessDeniedException: Lambda was unable to decrypt"),
        (partly, "KMSDisabledException: off"),
        (json!({}), "does not tell its variables"),
    ] {
        let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
        lambda.set("/Environment", &environment);
        lambda.set("/KMSKeyArn", &json!("arn:aws:kms:us-east-1:123456789012:key/k"));
        let before = lambda.functions();
        let output = cold(&scratch, &lambda, &[]).output().unwrap();
        assert_code(&output, 1);
        let message = stderr(&output);
        assert!(message.contains("lambda:x") && message.contains(part) && !message.contains("hunter2"), "{message}");
        let has_fix = message.contains("allow kms:Decrypt on arn:aws:kms:us-east-1:123456789012:key/k");
        assert_eq!(has_fix, environment.get("Error").is_some(), "{message}");
        assert_eq!((lambda.functions(), lambda.updates(), lambda.invocations()), (before, 0, 0));
        assert!(!scratch.0.join("run").exists());
    }
}

#[test]
fn overlong_variables_are_not_sent_and_no_values_are_shown() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    lambda.set("/Environment/Variables/LONG", &json!("hunter2".repeat(570)));
    let before = lambda.functions();
    let output = cold(&scratch, &lambda, &[]).output().unwrap();
    assert_code(&output, 1);
    let message = stderr(&output);
    assert!(message.contains("Lambda allows 4096") && !message.contains("hunter2"), "{message}");
    assert_eq!((lambda.functions(), lambda.updates()), (before, 0));

    // Lambda's own message repeats what it was sent.
    let measured = r#"Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: {"KEEP":"hunter2-of-the-user"}"#;
    let refusal = Reply::lambda_error("InvalidParameterValueException", measured);
    let lambda =
        Lambda::start(move |control| if control.is_update { Act::Instead(refusal.clone()) } else { Act::Answer });
    let before = lambda.functions();
    let output = cold(&scratch, &lambda, &[]).output().unwrap();
    assert_code(&output, 1);
    let message = stderr(&output);
    assert!(message.contains("exceeded the 4KB limit") && !message.contains("hunter2"), "{message}");
    assert_eq!(lambda.functions(), before);
    for entry in std::fs::read_dir(scratch.0.join("run")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_published_version_of_a_changed_function_is_left_alone() {
    let (scratch, lambda) = (Scratch::new(), Lambda::start(|_| Act::Answer));
    lambda.set("/Environment/Variables/LAMBDA_DUET_COLD", &json!("as it was published"));
    let (before, payload, out) = (lambda.functions(), scratch.file("payload.json", "{}"), scratch.path("run"));
    let arguments =
        ["--targets", "lambda:x:3", "lambda:a:3", "--payload", &payload, "--out", &out, "--invocations", "16"];
    assert_code(&command(&lambda.server.url, &arguments).output().unwrap(), 0);
    assert_eq!((lambda.functions(), lambda.updates()), (before, 0));
}
