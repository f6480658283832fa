//! `duet try --apply`: sets the memory of the function, and nothing else of it, where that is decided.

use super::{
    account::{Account, Act, Control, ENVIRONMENTS, instead},
    at_a_terminal, started_at_a_terminal, text,
};
use crate::{
    campaign::{Scratch, assert_code, subcommand},
    cli::stderr,
    scripted::Reply,
};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    process::{Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    thread::sleep,
    time::Duration,
};

/// Enough blocks for a verdict.
const BLOCKS: usize = 6;

const SET_BACK: &str =
    "aws lambda update-function-configuration --region us-east-1 --function-name orders --memory-size 512";

/// `duet try orders` with 512 and 1,024 MB on x86_64.
pub fn try_and_apply(account: &Account, scratch: &Scratch, options: &[&str]) -> Command {
    try_on(account, scratch, 2, &[&["--architectures", "x86_64", "--memory", "1024"], options].concat())
}

fn try_on(account: &Account, scratch: &Scratch, clones: usize, options: &[&str]) -> Command {
    let payload = scratch.file("event.json", r#"{"order": 1}"#);
    let mut command = subcommand(&account.server.url, "try");
    let (environments, calls) = (ENVIRONMENTS.to_string(), (BLOCKS * ENVIRONMENTS * clones).to_string());
    command.args(["orders", "--payload", &payload, "--environment", "/environment", "--environments", &environments]);
    command.args(["--invocations", &calls, "--out", &scratch.path("run"), "--seed", "1"]).args(options);
    command
}

fn is_large(configuration: &Value) -> bool {
    configuration["MemorySize"] == 1024
}

/// A clone of 1,024 MB takes a quarter of the time.
fn by_memory(configuration: &Value) -> f64 {
    if is_large(configuration) { 5.0 } else { 20.0 }
}

/// An account whose control calls go as `script` says.
fn account(duration_ms: fn(&Value) -> f64, script: impl Fn(&Control) -> Act + Send + 'static) -> Account {
    let account = Account::start(script);
    account.takes(duration_ms);
    account
}

pub fn more_memory_is_better() -> Account {
    account(by_memory, |_| Act::Answer)
}

fn is_update(control: &Control) -> bool {
    control.line.starts_with("PUT ")
}

/// The memory of the function, and whether all else of the account is as it was.
fn memory(account: &Account, before: &super::account::Things) -> Value {
    let mut now = account.things();
    let configuration = &mut now.functions.get_mut("orders").unwrap().configuration;
    let memory = configuration["MemorySize"].clone();
    for member in ["MemorySize", "RevisionId"] {
        configuration[member] = before.functions["orders"].configuration[member].clone();
    }
    assert_eq!(now, *before);
    memory
}

/// The last event of a trial with `--json`.
fn last_event(output: &Output) -> Value {
    serde_json::from_str(text(output).lines().last().unwrap()).unwrap()
}

#[test]
fn memory_is_set_and_nothing_else() {
    let (account, scratch) = (more_memory_is_better(), Scratch::new());
    let before = account.things();
    let output = try_and_apply(&account, &scratch, &["--apply", "--yes", "--json"]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(memory(&account, &before), 1024);
    assert_eq!(account.updates(), [json!({"MemorySize": 1024, "RevisionId": "1"})]);
    let said = stderr(&output);
    assert!(said.contains("--apply may change the memory of the function, after the answer"), "{said}");
    assert!(said.contains(&format!("is set to 1024 MB. To set it back to 512 MB: {SET_BACK}\n")), "{said}");
    assert!(said.contains("(SAM, CDK, Terraform)"), "{said}");
    let event = last_event(&output);
    assert_eq!((&event["event"], &event["memory_mb"]), (&json!("applied"), &json!(1024)));
    assert_eq!((&event["memory_mb_before"], &event["remark"]), (&json!(512), &Value::Null));
}

#[test]
fn it_is_asked_again_before_the_memory_is_set() {
    let (account, scratch) = (more_memory_is_better(), Scratch::new());
    let before = account.things();
    let declined = at_a_terminal(&try_and_apply(&account, &scratch, &["--apply"]), "y\nn\n");
    assert_code(&declined, 0);
    assert!(text(&declined).contains("Set the memory of orders from 512 to 1024 MB? [y/N]"), "{}", text(&declined));
    assert!(text(&declined).contains("Nothing is changed by --apply: that was not wanted"), "{}", text(&declined));
    assert!(account.updates().is_empty() && account.things() == before);
    let scratch = Scratch::new();
    assert_code(&at_a_terminal(&try_and_apply(&account, &scratch, &["--apply", "fastest"]), "y\ny\n"), 0);
    assert_eq!(memory(&account, &before), 1024);
}

#[test]
fn ctrl_c_at_the_question_changes_nothing() {
    let (account, scratch) = (more_memory_is_better(), Scratch::new());
    let before = account.things();
    let mut terminal = started_at_a_terminal(&try_and_apply(&account, &scratch, &["--apply"]));
    let mut keyboard = terminal.stdin.take().unwrap();
    keyboard.write_all(b"y\n").unwrap();
    let mut screen = terminal.stdout.take().unwrap();
    let (mut shown, mut part) = (Vec::new(), [0; 1024]);
    while !String::from_utf8_lossy(&shown).contains("Set the memory") {
        let length = screen.read(&mut part).unwrap();
        assert!(length > 0, "{}", String::from_utf8_lossy(&shown));
        shown.extend_from_slice(&part[..length]);
    }
    keyboard.write_all(b"\x03").unwrap();
    screen.read_to_end(&mut shown).unwrap();
    assert_code(&terminal.wait_with_output().unwrap(), 130);
    let said = String::from_utf8_lossy(&shown);
    assert!(said.contains("Nothing is changed by --apply: the question was interrupted"), "{said}");
    assert!(account.updates().is_empty() && account.things() == before);
}

#[test]
fn nothing_is_applied_after_ctrl_c_while_clones_are_deleted() {
    let process = Arc::new(AtomicU32::new(0));
    let interrupted = Arc::clone(&process);
    let account = account(by_memory, move |control| {
        if control.line.starts_with("DELETE ") {
            super::killed::signal(&interrupted, "INT");
        }
        Act::Answer
    });
    let (before, scratch) = (account.things(), Scratch::new());
    let mut command = try_and_apply(&account, &scratch, &["--apply", "--yes"]);
    let child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    process.store(child.id(), Ordering::SeqCst);
    let output = child.wait_with_output().unwrap();
    assert_code(&output, 130);
    assert!(account.updates().is_empty());
    assert_eq!(account.things().functions["orders"], before.functions["orders"]);
    assert!(
        stderr(&output).contains("Nothing is changed by --apply: the trial was interrupted"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_function_that_was_changed_meanwhile_is_left_alone() {
    // By the time it is read again, and between that and the request.
    let refusal = Reply::lambda_error("PreconditionFailedException", "The Revision Id provided does not match");
    let overtaken = account(by_memory, instead(is_update, refusal));
    let (before, scratch) = (overtaken.things(), Scratch::new());
    let output = try_and_apply(&overtaken, &scratch, &["--apply", "--yes", "--json"]).output().unwrap();
    assert_code(&output, 1);
    assert!(overtaken.things() == before);
    assert_eq!(last_event(&output)["event"], "not_applied");
    let said = stderr(&output);
    assert!(said.contains("Nothing is changed by --apply: it was changed by somebody else at the same time"), "{said}");
    assert!(said.contains("; by hand: aws lambda update-function-configuration --region us-east-1"), "{said}");
    assert_eq!(overtaken.controls().iter().filter(|control| is_update(control)).count(), 1);

    for (member, value, change) in [
        ("CodeSha256", json!("other"), "SHA-256 of the code: other, was "),
        ("MemorySize", json!(2048), "memory: 2048 MB, was 512 MB"),
        ("Environment", json!({"Variables": {"TABLE": "x", "SECRET": "y"}}), "environment variables: SECRET, TABLE"),
    ] {
        let (changed, scratch) = (more_memory_is_better(), Scratch::new());
        let mut command = try_and_apply(&changed, &scratch, &["--apply", "--yes"]);
        let child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        while changed.invocations() == 0 {
            sleep(Duration::from_millis(1));
        }
        changed.change(|things| {
            things.functions.get_mut("orders").unwrap().configuration[member] = value;
        });
        let output = child.wait_with_output().unwrap();
        assert_code(&output, 1);
        assert!(stderr(&output).contains(change), "{}", stderr(&output));
        assert!(changed.updates().is_empty());
    }
}

#[test]
fn another_architecture_is_the_users_own_to_change() {
    let arm_is_better = |configuration: &Value| if configuration["Architectures"][0] == "arm64" { 5.0 } else { 20.0 };
    let (account, scratch) = (account(arm_is_better, |_| Act::Answer), Scratch::new());
    let before = account.things();
    let output = try_on(&account, &scratch, 2, &["--apply", "--yes"]).output().unwrap();
    assert_code(&output, 0);
    assert!(account.updates().is_empty() && account.things() == before);
    assert!(text(&output).contains("Architectures: [arm64]"), "{}", text(&output));
    let said = stderr(&output);
    assert!(said.contains("The lines above change the architecture too"), "{said}");
    assert!(said.contains("is of arm64, and --apply changes memory alone"), "{said}");
}

#[test]
fn what_is_not_decided_changes_nothing() {
    let slower: fn(&Value) -> f64 = |configuration| if is_large(configuration) { 20.0 } else { 10.0 };
    // Less than the margin of a verdict.
    let hardly_faster: fn(&Value) -> f64 = |configuration| if is_large(configuration) { 10.0 } else { 10.1 };
    for (duration_ms, role, reason) in [
        (slower, "balanced", "the balanced variant is 512MB, the present configuration"),
        (
            hardly_faster,
            "fastest",
            "the fastest variant, 1024MB, is not distinguishable from 512MB, the present configuration",
        ),
    ] {
        let (account, scratch) = (account(duration_ms, |_| Act::Answer), Scratch::new());
        let before = account.things();
        let output = try_and_apply(&account, &scratch, &["--apply", role, "--yes", "--json"]).output().unwrap();
        assert_code(&output, 0);
        assert!(account.updates().is_empty() && account.things() == before);
        let event = last_event(&output);
        assert_eq!((&event["event"], &event["reason"]), (&json!("not_applied"), &json!(reason)));
    }
}

#[test]
fn a_lost_answer_is_looked_after() {
    // The request comes through or does not; the next look tells.
    for is_done in [true, false] {
        let updates = AtomicUsize::new(0);
        let account = account(by_memory, move |control| {
            if !is_update(control) || updates.fetch_add(1, Ordering::Relaxed) > 0 {
                return Act::Answer;
            }
            if is_done { Act::DoneBut(Reply::lost()) } else { Act::Instead(Reply::lost()) }
        });
        let (before, scratch) = (account.things(), Scratch::new());
        let output = try_and_apply(&account, &scratch, &["--apply", "--yes"]).output().unwrap();
        assert_code(&output, 0);
        assert_eq!(memory(&account, &before), 1024);
        assert_eq!(account.updates().len(), 1);
        assert!(stderr(&output).contains("is set to 1024 MB. To set it back"), "{}", stderr(&output));
    }
}

#[test]
fn what_is_not_known_is_said() {
    // Every answer is lost, and in the end nothing can be read.
    let (sent, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let denial =
        Reply::lambda_error("AccessDeniedException", "not authorized to perform: lambda:GetFunctionConfiguration");
    let account = account(by_memory, move |control| {
        if is_update(control) {
            sent.fetch_add(1, Ordering::Relaxed);
            return Act::Instead(Reply::lost());
        }
        if sent.load(Ordering::Relaxed) > 0 && control.function == "orders" {
            seen.fetch_add(1, Ordering::Relaxed);
            return Act::Instead(denial.clone());
        }
        Act::Answer
    });
    let scratch = Scratch::new();
    let output = try_and_apply(&account, &scratch, &["--apply", "--yes", "--json"]).output().unwrap();
    assert_code(&output, 1);
    assert_eq!(last_event(&output)["event"], "apply_unknown");
    let look = "see it with: aws lambda get-function-configuration --region us-east-1 --function-name orders --query MemorySize";
    let said = stderr(&output);
    assert!(said.contains("Whether the memory of orders is changed is not known (AccessDenied"), "{said}");
    assert!(said.contains(look), "{said}");
}

#[test]
fn an_interrupted_change_is_told_as_it_is() {
    let process = Arc::new(AtomicU32::new(0));
    let interrupted = Arc::clone(&process);
    // It is taken, and Lambda is at work on it for ever.
    let account = account(by_memory, move |control| {
        if is_update(control) {
            super::killed::signal(&interrupted, "INT");
            return Act::DoneBut(Reply::lost());
        }
        Act::Answer
    });
    let (before, scratch) = (account.things(), Scratch::new());
    let mut command = try_and_apply(&account, &scratch, &["--apply", "--yes", "--json"]);
    let child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    process.store(child.id(), Ordering::SeqCst);
    let output = child.wait_with_output().unwrap();
    assert_code(&output, 130);
    assert_eq!(memory(&account, &before), 1024);
    let event = last_event(&output);
    assert_eq!((&event["event"], &event["remark"]), (&json!("applied"), &json!("it was interrupted")));
    let said = stderr(&output);
    assert!(said.contains("Ending: checking whether the memory of orders was changed"), "{said}");
    assert!(said.contains("is set to 1024 MB, but its end was not seen: it was interrupted"), "{said}");
}

#[test]
fn what_cannot_be_applied_is_refused_before_anything_is_made() {
    let (account, scratch) = (more_memory_is_better(), Scratch::new());
    for (options, reason) in [(["--apply", "--dry-run"], "--dry-run"), (["--apply", "--inspect"], "--inspect")] {
        let output = try_and_apply(&account, &scratch, &options).output().unwrap();
        assert_code(&output, 2);
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
    }
    let mut command = subcommand(&account.server.url, "try");
    let payload = scratch.file("event.json", "{}");
    let output = command.args(["orders:live", "--payload", &payload, "--yes", "--apply"]).output().unwrap();
    assert_code(&output, 2);
    assert!(stderr(&output).contains("lambda:orders:live names a version or an alias"), "{}", stderr(&output));
    assert!(account.controls().is_empty());
}
