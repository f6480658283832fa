//! What a deployment would change, has made, or could not.

use super::document::{Block, Table, Tone, Value, words};
use crate::deployment::{Action, Change, ChangeSet, FailedResource, Operation, Replacement, Resource, Stack};

/// The most characters of a cell with the names of properties: the column of the resources has the rest of the line.
const LONGEST_LIST: usize = 40;

/// The changes of a change set of a stack.
pub fn changes(stack: &str, set: &ChangeSet) -> Vec<Block> {
    if set.changes.is_empty() {
        return vec![Block::Paragraph(format!("The stack {stack} changes, and none of its resources."))];
    }
    let row = |change: &Change| {
        let (tone, text) = action(&change.action);
        vec![
            Value::text(&change.logical_id),
            Value::Verdict(tone, text, None),
            Value::text(short(&change.kind)),
            Value::text(list(&change.properties)),
        ]
    };
    let columns = ["resource", "", "type", "changes in"].map(words);
    let table = Table::new(format!("Changes of the stack {stack}"), columns, set.changes.iter().map(row));
    let mut blocks = vec![Block::Table(table)];
    let lost = [
        ("Replaced by new ones", named(set, |action| *action == Action::Modify(Replacement::Yes))),
        ("Replaced perhaps", named(set, |action| *action == Action::Modify(Replacement::Perhaps))),
        ("Deleted", named(set, |action| *action == Action::Remove { is_kept: false })),
    ];
    let lost = lost.into_iter().filter(|(_, names)| !names.is_empty());
    blocks.extend(lost.map(|(what, names)| Block::Item(format!("{what}: {}", names.join(", ")))));
    if set.changes.iter().any(is_of_account) {
        blocks.push(Block::Item(FOR_ALL_APIS.to_owned()));
    }
    blocks
}

/// What reaches beyond the stack.
const FOR_ALL_APIS: &str = "This sets the role by which API Gateway logs, for all APIs of the account in this region. \
                            If one is set already, leave it with --parameter ApiGatewayLogRole=existing";

/// Whether a change makes or changes a setting of the whole account.
fn is_of_account(change: &Change) -> bool {
    change.kind == "AWS::ApiGateway::Account" && matches!(change.action, Action::Add | Action::Modify(_))
}

/// A type without what all of AWS's begin with.
fn short(kind: &str) -> &str {
    kind.strip_prefix("AWS::").unwrap_or(kind)
}

/// As many names as fit.
fn list(names: &[String]) -> String {
    let all = names.join(", ");
    if all.len() <= LONGEST_LIST {
        return all;
    }
    let fits = |count: &usize| names[..*count].join(", ").len() + " and 99 more".len() <= LONGEST_LIST;
    let count = (1..names.len()).rev().find(fits).unwrap_or_default();
    let rest = format!("{} more", names.len() - count);
    if count == 0 { rest } else { format!("{} and {rest}", names[..count].join(", ")) }
}

fn named(set: &ChangeSet, is_meant: impl Fn(&Action) -> bool) -> Vec<&str> {
    let meant = set.changes.iter().filter(|change| is_meant(&change.action));
    meant.map(|change| change.logical_id.as_str()).collect()
}

fn action(action: &Action) -> (Tone, String) {
    let (tone, text) = match action {
        Action::Add => (Tone::Good, "new"),
        Action::Modify(Replacement::No) => (Tone::Neutral, "changed"),
        Action::Modify(Replacement::Perhaps) => (Tone::Open, "replaced?"),
        Action::Modify(Replacement::Yes) => (Tone::Bad, "replaced"),
        Action::Remove { is_kept: false } => (Tone::Bad, "deleted"),
        Action::Remove { is_kept: true } => (Tone::Open, "left out"),
        Action::Other(other) => (Tone::Open, other.as_str()),
    };
    (tone, text.to_owned())
}

/// Why an operation on a stack failed.
pub fn failures(operation: &Operation) -> Vec<Block> {
    let item = |failed: &FailedResource| {
        let FailedResource { logical_id, kind, status, reason } = failed;
        Block::Item(format!("{logical_id} ({}, {status}): {reason}", short(kind)))
    };
    let heading = Block::Heading("What failed, first cause first".to_owned());
    let failed = operation.failed.iter().map(item);
    if operation.failed.is_empty() { Vec::new() } else { [heading].into_iter().chain(failed).collect() }
}

/// What a deployed stack offers.
pub fn outputs(stack: &Stack) -> Vec<Block> {
    let row = |(name, value): &(String, String)| vec![Value::text(name), Value::text(value)];
    let columns = ["output", "value"].map(words);
    vec![Block::Table(Table::new(
        format!("Outputs of the stack {}", stack.name),
        columns,
        stack.outputs.iter().map(row),
    ))]
}

/// What goes with a stack.
pub fn resources(stack: &str, resources: &[Resource]) -> Vec<Block> {
    let row = |resource: &Resource| {
        let texts = [&resource.physical_id, &resource.logical_id, short(&resource.kind)];
        texts.into_iter().map(Value::text).collect()
    };
    let columns = ["name", "resource", "type"].map(words);
    vec![Block::Table(Table::new(format!("Resources of the stack {stack}"), columns, resources.iter().map(row)))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::plain;

    #[test]
    fn what_is_lost_is_said_plainly() {
        let change = |action: Action, name: &str, properties: &[&str]| Change {
            action,
            logical_id: name.to_owned(),
            kind: "AWS::Lambda::Function".to_owned(),
            properties: properties.iter().map(|&name| name.to_owned()).collect(),
        };
        let set = ChangeSet::example(vec![
            change(Action::Add, "New", &[]),
            change(Action::Modify(Replacement::No), "Same", &["Code", "MemorySize"]),
            change(Action::Modify(Replacement::Perhaps), "Unsure", &["Role"]),
            change(Action::Modify(Replacement::Yes), "Other", &["Name"]),
            change(Action::Remove { is_kept: true }, "Kept", &[]),
            change(Action::Remove { is_kept: false }, "Gone", &[]),
        ]);
        let text = plain(&changes("duet", &set));
        for row in [
            "New new Lambda::Function",
            "Same changed Lambda::Function Code, MemorySize",
            "Unsure replaced? Lambda::Function Role",
            "Other replaced Lambda::Function Name",
            "Kept left out Lambda::Function",
            "Gone deleted Lambda::Function",
        ] {
            let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.lines().any(|line| words(line) == row), "{row}: {text}");
        }
        for line in ["- Replaced by new ones: Other", "- Replaced perhaps: Unsure", "- Deleted: Gone"] {
            assert!(text.lines().any(|said| said == line), "{text}");
        }
        assert!(!text.contains("Kept,") && !text.contains(": Kept"), "{text}");
    }

    #[test]
    fn what_reaches_beyond_the_stack_is_said() {
        let change = |action: Action| Change {
            action,
            logical_id: "ApiGatewayAccount".to_owned(),
            kind: "AWS::ApiGateway::Account".to_owned(),
            properties: Vec::new(),
        };
        let is_said = |action| {
            let text = plain(&changes("duet", &ChangeSet::example(vec![change(action)])));
            text.contains("for all APIs of the account in this region") && text.contains("ApiGatewayLogRole=existing")
        };
        assert!(is_said(Action::Add) && is_said(Action::Modify(Replacement::No)));
        assert!(!is_said(Action::Remove { is_kept: true }));
    }

    #[test]
    fn long_names_and_reasons_fit() {
        let names = ["AccessLogSetting", "DeploymentId", "MethodSettings", "RestApiId"].map(str::to_owned);
        assert_eq!(list(&names), "AccessLogSetting and 3 more");
        assert_eq!(list(&names[1..3]), "DeploymentId, MethodSettings");
        assert_eq!(list(&["x".repeat(41)]), "1 more");
        let change = Change {
            action: Action::Modify(Replacement::Perhaps),
            logical_id: "Arm64FunctionBenchmarkPermissionv1".to_owned(),
            kind: "AWS::ApiGateway::RequestValidator".to_owned(),
            properties: names.to_vec(),
        };
        let text = plain(&changes("duet", &ChangeSet::example(vec![change])));
        // Of a long row the name is broken.
        assert_eq!(text.lines().count(), 6, "{text}");
        let failed = FailedResource {
            logical_id: "X86Function".to_owned(),
            kind: "AWS::Lambda::Function".to_owned(),
            status: "CREATE_FAILED".to_owned(),
            reason: "one word after the other ".repeat(20),
        };
        let text = plain(&failures(&Operation { failed: vec![failed], kept: Vec::new() }));
        assert!(text.contains("- X86Function (Lambda::Function, CREATE_FAILED): one word"), "{text}");
        let resource = Resource {
            logical_id: "Arm64FunctionBenchmarkPermissionv1".to_owned(),
            physical_id: "lambda-duet-Arm64FunctionBenchmarkPermissionv1-0123456789".to_owned(),
            kind: "AWS::Lambda::Permission".to_owned(),
            status: "CREATE_COMPLETE".to_owned(),
        };
        plain(&resources("duet", &[resource]));
        assert_eq!(plain(&changes("duet", &ChangeSet::example(Vec::new()))).lines().count(), 1);
    }
}
