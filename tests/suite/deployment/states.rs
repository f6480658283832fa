//! Stacks in states in which they cannot be changed.

use super::{
    account::{Account, Act, FakeStack, State, id, service},
    code, delete, deployed, of, text,
};
use crate::{campaign::assert_code, cli::stderr};

/// An account with these stacks.
fn with(stacks: &[(&str, FakeStack)]) -> Account {
    let stacks = stacks.iter().map(|(name, stack)| ((*name).to_owned(), stack.clone())).collect();
    Account::start(State { stacks, ..State::default() }, |_, _| Act::Answer)
}

#[test]
fn a_stack_that_cannot_be_updated_is_left_alone_with_advice() {
    for (status, part) in [
        ("UPDATE_IN_PROGRESS", "CloudFormation is at work on the stack duet (UPDATE_IN_PROGRESS): run this again"),
        ("DELETE_IN_PROGRESS", "CloudFormation is at work on the stack duet (DELETE_IN_PROGRESS)"),
        ("ROLLBACK_COMPLETE", "out of which it can only be deleted: duet delete --stack duet"),
        ("DELETE_FAILED", "out of which it can only be deleted: duet delete --stack duet"),
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --region us-east-1 --stack-name duet"),
    ] {
        let account = with(&[("duet", service("duet", status))]);
        let output = deployed(&account, &code(), &[]);
        assert_code(&output, 1);
        assert!(stderr(&output).contains(part), "{status}: {}", stderr(&output));
        assert_eq!(account.changes(), [""; 0]);
    }
}

#[test]
fn other_stacks_are_neither_changed_nor_deleted() {
    let other = FakeStack { description: "The shop".to_owned(), ..service("duet", "UPDATE_COMPLETE") };
    let account = with(&[("duet", other.clone())]);
    for output in [deployed(&account, &code(), &[]), delete(&account, &[])] {
        assert_code(&output, 1);
        assert!(stderr(&output).contains("the stack duet is not one of Lambda Duet's"), "{}", stderr(&output));
    }
    assert_eq!(account.changes(), [""; 0]);
    // What has no description has its template's.
    let mute =
        FakeStack { description: String::new(), template: "Description: The shop\n".to_owned(), ..other.clone() };
    let account = with(&[("duet", mute)]);
    assert_code(&delete(&account, &[]), 1);
    let of_code = FakeStack { id: id("duet-code"), ..other };
    let account = with(&[("duet-code", of_code)]);
    let output = deployed(&account, &code(), &[]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("name a bucket for the code with --bucket"), "{}", stderr(&output));
    let output = delete(&account, &[]);
    assert_code(&output, 0);
    assert!(text(&output).starts_with("Nothing to delete"), "{}", text(&output));
    assert_eq!(account.changes(), [""; 0]);
}

#[test]
fn what_an_earlier_attempt_has_left_is_no_obstacle() {
    let empty =
        |name: &str| FakeStack { id: id(name), status: "REVIEW_IN_PROGRESS".to_owned(), ..FakeStack::default() };
    let account = with(&[("duet", empty("duet")), ("duet-code", empty("duet-code"))]);
    assert_code(&deployed(&account, &code(), &[]), 0);
    let requests = account.requests();
    assert!(of(&requests, "CreateChangeSet").iter().all(|request| request.get("ChangeSetType") == "CREATE"));
    let account = with(&[("duet", empty("duet"))]);
    assert_code(&delete(&account, &[]), 0);
    assert!(account.state().stacks.is_empty());
}

#[test]
fn what_another_program_prepares_is_neither_changed_nor_deleted() {
    let draft = |name: &str| FakeStack {
        id: id(name),
        status: "REVIEW_IN_PROGRESS".to_owned(),
        other_sets: vec!["samcli-deploy1764000000".to_owned()],
        ..FakeStack::default()
    };
    let account = with(&[("duet", draft("duet"))]);
    for output in [deployed(&account, &code(), &[]), delete(&account, &[])] {
        assert_code(&output, 1);
        assert!(stderr(&output).contains("the stack duet is not one of Lambda Duet's"), "{}", stderr(&output));
    }
    assert_eq!(account.changes(), [""; 0]);
    let account = with(&[("duet-code", draft("duet-code"))]);
    let output = deployed(&account, &code(), &[]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("name a bucket for the code with --bucket"), "{}", stderr(&output));
    assert!(text(&delete(&account, &[])).starts_with("Nothing to delete"));
    assert_eq!(account.changes(), [""; 0]);
}

#[test]
fn advice_on_the_bucket_s_stack_does_not_touch_the_service() {
    for (status, part) in [
        (
            "ROLLBACK_COMPLETE",
            "delete it with aws cloudformation delete-stack --region us-east-1 --stack-name duet-code",
        ),
        ("DELETE_FAILED", "empty the bucket, and delete the stack with aws cloudformation delete-stack"),
        (
            "UPDATE_ROLLBACK_FAILED",
            "aws cloudformation continue-update-rollback --region us-east-1 --stack-name duet-code",
        ),
    ] {
        let description = "Lambda Duet: the bucket for the code of the stack".to_owned();
        let stack = FakeStack { description, ..service("duet-code", status) };
        let account = with(&[("duet-code", stack)]);
        let output = deployed(&account, &code(), &[]);
        assert_code(&output, 1);
        assert!(stderr(&output).contains(part) && !stderr(&output).contains("duet delete"), "{}", stderr(&output));
        assert_eq!(account.changes(), [""; 0]);
    }
}

#[test]
fn a_stack_that_came_to_nothing_is_deleted() {
    let account = with(&[("duet", service("duet", "ROLLBACK_COMPLETE"))]);
    assert_code(&delete(&account, &[]), 0);
    assert_code(&deployed(&account, &code(), &[]), 0);
    assert_eq!(account.state().stacks["duet"].status, "CREATE_COMPLETE");
}

#[test]
fn a_protected_stack_is_not_deleted() {
    let account = with(&[("duet", FakeStack { is_protected: true, ..service("duet", "CREATE_COMPLETE") })]);
    let output = delete(&account, &[]);
    assert_code(&output, 1);
    let part = "update-termination-protection --region us-east-1 --no-enable-termination-protection --stack-name duet";
    assert!(stderr(&output).contains(part), "{}", stderr(&output));
    assert_eq!(account.changes(), [""; 0]);
}
