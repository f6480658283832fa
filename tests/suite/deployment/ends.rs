//! Operations that fail, or are not waited for.

use super::{
    account::{Account, Act, State, error, event},
    code, delete, deploy, deployed, text,
};
use crate::{campaign::assert_code, cli::stderr, trial::killed::signal};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

#[test]
fn what_failed_is_told_with_the_first_cause_first() {
    let events = event("duet", "duet", "ROLLBACK_COMPLETE", "")
        + &event("duet", "X86Function", "CREATE_FAILED", "Resource creation cancelled")
        + &event("duet", "Arm64Function", "CREATE_FAILED", "the account has no more of it")
        + &event("duet", "duet", "CREATE_IN_PROGRESS", "User Initiated")
        + &event("duet", "Older", "CREATE_FAILED", "long ago");
    let state = State { failing: Some("duet".to_owned()), events, ..State::default() };
    let account = Account::start(state, |_, _| Act::Answer);
    let output = deployed(&account, &code(), &[]);
    assert_code(&output, 1);
    let said = text(&output);
    let (_, table) = said.split_once("What failed, first cause first\n").unwrap();
    let first = "- Arm64Function (Lambda::Function, CREATE_FAILED): the account has no more of it";
    assert_eq!(table.lines().next(), Some(first), "{table}");
    assert!(!table.contains("X86Function") && !table.contains("Older"), "{table}");
    let said = stderr(&output);
    assert!(said.contains("the stack duet ended as ROLLBACK_COMPLETE"), "{said}");
    assert!(said.contains("before the next attempt: duet delete --stack duet\n"), "{said}");
}

#[test]
fn an_update_that_failed_leaves_the_stack_as_it_was() {
    let (account, code) = (super::account(), code());
    assert_code(&deployed(&account, &code, &[]), 0);
    let before = account.state().stacks["duet"].parameters.clone();
    account.state().failing = Some("duet".to_owned());
    account.state().events = event("duet", "X86Function", "UPDATE_FAILED", "too much memory")
        + &event("duet", "duet", "UPDATE_IN_PROGRESS", "User Initiated");
    let output = deployed(&account, &code, &["--parameter", "MemorySize=10240"]);
    assert_code(&output, 1);
    assert!(text(&output).contains("too much memory"), "{}", text(&output));
    assert!(stderr(&output).contains("UPDATE_ROLLBACK_COMPLETE; it is as it was before"), "{}", stderr(&output));
    assert_eq!(account.state().stacks["duet"].parameters, before);
    // Of a stack that is in use no deletion is advised.
    account.state().end = Some("UPDATE_ROLLBACK_FAILED".to_owned());
    let output = deployed(&account, &code, &["--parameter", "MemorySize=10240"]);
    assert_code(&output, 1);
    let said = stderr(&output);
    let advice =
        "before the next attempt: aws cloudformation continue-update-rollback --region us-east-1 --stack-name duet\n";
    assert!(said.contains(advice) && !said.contains("duet delete"), "{said}");
    account.state().stacks.get_mut("duet").unwrap().status = "UPDATE_COMPLETE".to_owned();
    account.state().end = Some("UPDATE_FAILED".to_owned());
    let output = deployed(&account, &code, &["--parameter", "MemorySize=10240"]);
    assert_code(&output, 1);
    assert!(stderr(&output).ends_with("the stack duet ended as UPDATE_FAILED\n"), "{}", stderr(&output));
}

#[test]
fn a_change_set_that_is_not_executed_is_taken_back() {
    let account = Account::start(State::default(), |request, _| {
        if request.action == "ExecuteChangeSet" && request.get("StackName") == "duet" {
            return Act::Instead(error(403, "AccessDenied", "not authorized"));
        }
        Act::Answer
    });
    let output = deployed(&account, &code(), &[]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("CloudFormation does not execute the change set"), "{}", stderr(&output));
    let stacks: Vec<String> = account.state().stacks.keys().cloned().collect();
    assert_eq!(stacks, ["duet-code"]);
}

#[test]
fn a_stack_that_another_deployment_uses_by_now_stays() {
    let state = State { joining: Some("duet-0123456789ab".to_owned()), ..State::default() };
    let account = Account::start(state, |_, _| Act::Answer);
    assert_code(&deploy(&account, &code(), &["--dry-run"]).output().unwrap(), 0);
    let stacks: Vec<String> = account.state().stacks.keys().cloned().collect();
    assert_eq!(stacks, ["duet-code"]);
    assert_eq!(account.state().stacks["duet-code"].set, None);
}

#[test]
fn a_status_of_before_the_request_is_not_its_end() {
    let (account, code) = (super::account(), code());
    assert_code(&deployed(&account, &code, &[]), 0);
    assert_code(&deployed(&account, &code, &["--parameter", "MemorySize=512"]), 0);
    // It was waited for.
    let stack = account.state().stacks["duet"].clone();
    assert_eq!((stack.status.as_str(), stack.next), ("UPDATE_COMPLETE", None));
}

#[test]
fn a_deletion_that_failed_is_told_and_can_be_tried_again() {
    let (account, code) = (super::account(), code());
    assert_code(&deployed(&account, &code, &[]), 0);
    account.state().failing = Some("duet".to_owned());
    account.state().events = event("duet", "Api", "DELETE_FAILED", "it is in use")
        + &event("duet", "duet", "DELETE_IN_PROGRESS", "User Initiated");
    let output = delete(&account, &[]);
    assert_code(&output, 1);
    assert!(text(&output).contains("it is in use") && stderr(&output).contains("ended as DELETE_FAILED"));
    // The code is not touched before the stack is gone.
    assert_eq!(account.state().buckets.values().next().unwrap().len(), 2);
    account.state().failing = None;
    assert_code(&delete(&account, &[]), 0);
    assert!(account.state().stacks.is_empty() && account.state().buckets.is_empty());
}

#[test]
fn a_template_that_cloudformation_refuses_leaves_nothing() {
    let account = Account::start(State::default(), |request, _| {
        if request.action == "CreateChangeSet" && request.get("StackName") == "duet" {
            let message = "Parameter MemorySize failed to satisfy constraint: must be at most 10240";
            return Act::Instead(error(400, "ValidationError", message));
        }
        Act::Answer
    });
    let output = deployed(&account, &code(), &["--parameter", "MemorySize=99999"]);
    assert_code(&output, 1);
    let part = "CloudFormation does not make a change set for the stack duet: HTTP 400: Parameter MemorySize failed";
    assert!(stderr(&output).contains(part), "{}", stderr(&output));
    assert!(account.state().stacks.is_empty());
}

#[test]
fn code_that_cannot_be_put_leaves_no_stack_of_the_service() {
    let account = Account::start(State::default(), |request, _| {
        let is_put = request.action.starts_with("PUT ");
        if is_put { Act::Instead(super::account::s3_error(403, "AccessDenied")) } else { Act::Answer }
    });
    let output = deployed(&account, &code(), &[]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("HTTP 403: AccessDenied: because"), "{}", stderr(&output));
    let stacks: Vec<String> = account.state().stacks.keys().cloned().collect();
    assert_eq!(stacks, ["duet-code"]);
    // The bucket is used at the next attempt.
    assert_code(&delete(&account, &[]), 0);
    assert!(account.state().stacks.is_empty());
}

#[test]
fn ctrl_c_leaves_cloudformation_at_work_and_says_how_to_look() {
    for waiting_for in ["duet-code", "duet"] {
        let process = Arc::new(AtomicU32::new(0));
        let interrupted = Arc::clone(&process);
        let (executed, is_signalled) = (AtomicU32::new(0), AtomicBool::new(false));
        let expected = if waiting_for == "duet" { 2 } else { 1 };
        let state = State { endless: Some(waiting_for.to_owned()), ..State::default() };
        let account = Account::start(state, move |request, _| {
            let executed = match request.action.as_str() {
                "ExecuteChangeSet" => executed.fetch_add(1, Ordering::SeqCst),
                _ => executed.load(Ordering::SeqCst),
            };
            let is_look = request.action == "DescribeStacks" && executed == expected;
            if is_look && !is_signalled.swap(true, Ordering::SeqCst) {
                signal(&interrupted, "INT");
            }
            Act::Answer
        });
        let code = code();
        let child = deploy(&account, &code, &["--yes"]).spawn().unwrap();
        process.store(child.id(), Ordering::SeqCst);
        let output = child.wait_with_output().unwrap();
        assert_code(&output, 130);
        let said = stderr(&output);
        let part = format!("describe-stacks --region us-east-1 --stack-name {}\n", super::account::id(waiting_for));
        assert!(
            said.contains("Interrupted: CloudFormation goes on without this program") && said.contains(&part),
            "{said}"
        );
        let stacks: Vec<String> = account.state().stacks.keys().cloned().collect();
        let expected = if waiting_for == "duet" { ["duet", "duet-code"].as_slice() } else { &["duet-code"] };
        assert_eq!(stacks, expected);
    }
}
