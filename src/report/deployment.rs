//! What a deployment would change, has made, or could not.

use super::document::{Block, Table, Tone, Value, words};
use crate::deployment::{Action, Change, ChangeSet, FailedResource, Operation, Replacement, Resource, Stack};

/// The changes of a change set of a stack.
pub fn changes(stack: &str, set: &ChangeSet) -> Vec<Block> {
    let row = |change: &Change| {
        let (tone, text) = action(&change.action);
        vec![
            Value::Verdict(tone, text, None),
            Value::text(&change.logical_id),
            Value::text(&change.kind),
            Value::text(change.properties.join(", ")),
        ]
    };
    let columns = ["", "resource", "type", "changes in"].map(words);
    let table = Table::new(format!("Changes of the stack {stack}"), columns, set.changes.iter().map(row));
    let mut blocks = vec![Block::Table(table)];
    let lost = [
        ("Replaced by new ones", named(set, |action| *action == Action::Modify(Replacement::Yes))),
        ("Replaced perhaps", named(set, |action| *action == Action::Modify(Replacement::Perhaps))),
        ("Deleted", named(set, |action| *action == Action::Remove { is_kept: false })),
    ];
    let lost = lost.into_iter().filter(|(_, names)| !names.is_empty());
    blocks.extend(lost.map(|(what, names)| Block::Item(format!("{what}: {}", names.join(", ")))));
    blocks
}

fn named(set: &ChangeSet, is_meant: impl Fn(&Action) -> bool) -> Vec<&str> {
    let meant = set.changes.iter().filter(|change| is_meant(&change.action));
    meant.map(|change| change.logical_id.as_str()).collect()
}

fn action(action: &Action) -> (Tone, String) {
    let (tone, text) = match action {
        Action::Add => (Tone::Good, "new"),
        Action::Modify(Replacement::No) => (Tone::Neutral, "changed"),
        Action::Modify(Replacement::Perhaps) => (Tone::Open, "changed or replaced"),
        Action::Modify(Replacement::Yes) => (Tone::Bad, "replaced"),
        Action::Remove { is_kept: false } => (Tone::Bad, "deleted"),
        Action::Remove { is_kept: true } => (Tone::Open, "left out, and kept"),
        Action::Other(other) => (Tone::Open, other.as_str()),
    };
    (tone, text.to_owned())
}

/// Why an operation on a stack failed.
pub fn failures(operation: &Operation) -> Vec<Block> {
    let row = |failed: &FailedResource| {
        let texts = [&failed.logical_id, &failed.kind, &failed.status, &failed.reason];
        texts.into_iter().map(Value::text).collect()
    };
    let columns = ["resource", "type", "status", "reason"].map(words);
    vec![Block::Table(Table::new("What failed, first cause first", columns, operation.failed.iter().map(row)))]
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
        let texts = [&resource.logical_id, &resource.kind, &resource.physical_id];
        texts.into_iter().map(Value::text).collect()
    };
    let columns = ["resource", "type", "name"].map(words);
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
            "new New AWS::Lambda::Function",
            "changed Same AWS::Lambda::Function Code, MemorySize",
            "changed or replaced Unsure AWS::Lambda::Function Role",
            "replaced Other AWS::Lambda::Function Name",
            "left out, and kept Kept AWS::Lambda::Function",
            "deleted Gone AWS::Lambda::Function",
        ] {
            let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.lines().any(|line| words(line) == row), "{row}: {text}");
        }
        for line in ["- Replaced by new ones: Other", "- Replaced perhaps: Unsure", "- Deleted: Gone"] {
            assert!(text.lines().any(|said| said == line), "{text}");
        }
        assert!(!text.contains("Kept,") && !text.contains(": Kept"), "{text}");
    }
}
