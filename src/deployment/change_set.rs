//! Change sets: what CloudFormation would do, before it does it.

use super::{
    code_stack::random_digits,
    stack::{Condition, Stack, account, delete, refused, token},
};
use crate::campaign::{
    aws::Session,
    cloud_formation::{Parameter, ask_again, child, document, members, pages, parameter, request_once, text},
    failure::{Failure, FailureKind},
    pauses::Pauses,
};
use roxmltree::Node;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long CloudFormation may think about a change set: it runs SAM's transform.
const LIMIT: Duration = Duration::from_secs(300);

/// The longest pause between two looks at a change set.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// What the template may do: make roles, and be expanded by SAM's transform.
const CAPABILITIES: [&str; 2] = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"];

/// What the names of this program's change sets begin with.
pub const NAMES: &str = "duet-";

/// How CloudFormation says that a template with a transform, and one without, brings no change.
const NO_CHANGES: [&str; 2] = ["didn't contain changes", "No updates are to be performed"];

/// What a stack is to become.
#[derive(Clone, Debug)]
pub struct StackRequest<'a> {
    pub name: &'a str,
    /// The stack as it is.
    pub present: Option<&'a Stack>,
    pub template: &'a str,
    /// Parameters with other values than they have, or than their defaults.
    pub parameters: Vec<(String, String)>,
    /// All parameters of the template.
    pub known: Vec<&'a str>,
    /// Tags that are added to those that it has, or take the place of them.
    pub tags: &'a [(String, String)],
}

/// What CloudFormation would do about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposal {
    Changes(ChangeSet),
    Nothing,
}

/// A change set that can be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSet {
    id: String,
    pub stack_name: String,
    pub stack_id: String,
    /// Whether the stack was made for it, and is nothing without it.
    is_first: bool,
    pub changes: Vec<Change>,
}

/// A change of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub action: Action,
    /// Its name in the template.
    pub logical_id: String,
    pub kind: String,
    /// The properties that change.
    pub properties: Vec<String>,
}

/// What is done with a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Add,
    Modify(Replacement),
    /// It leaves the stack; whether it stays in the account.
    Remove {
        is_kept: bool,
    },
    /// Anything else, in CloudFormation's words.
    Other(String),
}

/// Whether another resource takes the place of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    No,
    /// That depends on what other changes bring.
    Perhaps,
    Yes,
}

impl StackRequest<'_> {
    /// Whether there is no stack yet to update.
    fn is_new(&self) -> bool {
        self.present.is_none_or(|stack| stack.condition() == Condition::Empty)
    }

    /// Lets CloudFormation say what it would do. A change set that brings nothing is deleted.
    ///
    /// # Errors
    /// When it refuses, or cannot say.
    pub async fn propose(&self, session: &Session) -> Result<Proposal, Failure> {
        let answer = ask_again(session, "CreateChangeSet", &self.form()).await;
        let answer = answer.map_err(|refusal| refused("make a change set for", self.name, refusal))?;
        let document = document(&answer, "CreateChangeSet")?;
        let id = |name: &str| document.descendants().find_map(|node| text(node, name));
        let (Some(id), Some(stack_id)) = (id("Id"), id("StackId")) else {
            return Err(Failure::refused("CloudFormation's answer to CreateChangeSet names no change set"));
        };
        let mut set = ChangeSet {
            id,
            stack_name: self.name.to_owned(),
            stack_id,
            is_first: self.present.is_none(),
            changes: Vec::new(),
        };
        match set.read(session).await {
            Ok(true) => Ok(Proposal::Changes(set)),
            Ok(false) => set.discard(session).await.map(|()| Proposal::Nothing),
            Err(failure) => {
                // The first failure tells more.
                let _ = set.discard(session).await;
                Err(failure)
            }
        }
    }

    fn form(&self) -> Vec<Parameter> {
        let kind = if self.is_new() { "CREATE" } else { "UPDATE" };
        let digits = random_digits();
        let mut form = vec![
            parameter("StackName", self.name),
            parameter("ChangeSetName", format!("{NAMES}{digits}")),
            parameter("ChangeSetType", kind),
            parameter("ClientToken", digits),
            parameter("TemplateBody", self.template),
        ];
        for (number, capability) in (1..).zip(CAPABILITIES) {
            form.push(parameter(format!("Capabilities.member.{number}"), capability));
        }
        for (number, (name, value)) in (1..).zip(self.values()) {
            let of = |member: &str| format!("Parameters.member.{number}.{member}");
            form.push(parameter(of("ParameterKey"), name));
            form.push(match value {
                Some(value) => parameter(of("ParameterValue"), value),
                None => parameter(of("UsePreviousValue"), "true"),
            });
        }
        for (number, (key, value)) in (1..).zip(self.all_tags()) {
            form.push(parameter(format!("Tags.member.{number}.Key"), key));
            form.push(parameter(format!("Tags.member.{number}.Value"), value));
        }
        form
    }

    /// All tags that the stack is to have: CloudFormation removes those that a request leaves out, but for one without any.
    fn all_tags(&self) -> Vec<&(String, String)> {
        if self.tags.is_empty() {
            return Vec::new();
        }
        let is_kept = |(key, _): &&(String, String)| !self.tags.iter().any(|(given, _)| given == key);
        let present = self.present.iter().flat_map(|stack| &stack.tags);
        present.filter(is_kept).chain(self.tags).collect()
    }

    /// The parameters that are given, and none for those that keep the value they have. Others have their default.
    fn values(&self) -> Vec<(&str, Option<&str>)> {
        let given = self.parameters.iter().map(|(name, value)| (name.as_str(), Some(value.as_str())));
        let present = self.present.filter(|_| !self.is_new());
        let has = |name: &&str| present.is_some_and(|stack| stack.parameters.iter().any(|known| known == name));
        let is_given = |name: &&str| self.parameters.iter().any(|(given, _)| given == name);
        let kept = self.known.iter().copied().filter(|name| has(name) && !is_given(name));
        given.chain(kept.map(|name| (name, None))).collect()
    }
}

impl ChangeSet {
    /// One with these changes.
    #[cfg(test)]
    pub fn example(changes: Vec<Change>) -> Self {
        Self { id: String::new(), stack_name: String::new(), stack_id: String::new(), is_first: false, changes }
    }

    /// The account of its stack.
    pub fn account(&self) -> Option<&str> {
        account(&self.stack_id)
    }

    /// The members that say which one it is. Permissions are given for the stack, which its ARN alone does not tell.
    fn named(&self) -> [Parameter; 2] {
        [parameter("ChangeSetName", self.id.as_str()), parameter("StackName", self.stack_name.as_str())]
    }

    /// Waits until it is made, and reads its changes; false if there are none.
    async fn read(&mut self, session: &Session) -> Result<bool, Failure> {
        let (end, mut pauses) = (Instant::now() + LIMIT, Pauses::new());
        let named = self.named();
        loop {
            let (mut status, mut reason) = (String::new(), String::new());
            self.changes.clear();
            let read = pages(session, "DescribeChangeSet", &named, |page| {
                let result = page.root_element().children().find(|node| child(*node, "Status").is_some());
                let of = |name: &str| result.and_then(|node| text(node, name)).unwrap_or_default();
                (status, reason) = (of("Status"), of("StatusReason"));
                self.changes.extend(members(page, "Changes").filter_map(Change::read));
                status == "CREATE_COMPLETE"
            });
            read.await.map_err(|refusal| refused("describe the change set of", &self.stack_id, refusal))?;
            match status.as_str() {
                "CREATE_COMPLETE" => return Ok(true),
                "CREATE_PENDING" | "CREATE_IN_PROGRESS" if Instant::now() < end => {}
                "CREATE_PENDING" | "CREATE_IN_PROGRESS" => {
                    let limit = humantime::format_duration(LIMIT);
                    let message = format!("CloudFormation has not made the change set within {limit}");
                    return Err(Failure::new(FailureKind::Timeout, message));
                }
                "FAILED" if NO_CHANGES.iter().any(|text| reason.contains(text)) => return Ok(false),
                _ => {
                    let message = format!("CloudFormation has made no change set for the stack: {status}: {reason}");
                    return Err(Failure::refused(message));
                }
            }
            sleep(pauses.next(LONGEST_PAUSE)).await;
        }
    }

    /// Lets CloudFormation begin. Gives the token of what it begins.
    ///
    /// # Errors
    /// When it refuses.
    pub async fn execute(&self, session: &Session) -> Result<String, Failure> {
        const TAKEN: [&str; 3] = ["TokenAlreadyExistsException", "InvalidChangeSetStatus", "ChangeSetNotFound"];
        let [set, stack] = self.named();
        let token = token();
        let form = [set, stack, parameter("ClientRequestToken", token.as_str())];
        let requested = request_once(session, "ExecuteChangeSet", &form, &TAKEN).await;
        requested.map_err(|refusal| refused("execute the change set of", &self.stack_id, refusal))?;
        Ok(token)
    }

    /// Deletes it, and the stack that was made for it, unless that has another one by now.
    ///
    /// # Errors
    /// When CloudFormation refuses.
    pub async fn discard(&self, session: &Session) -> Result<(), Failure> {
        let answer = ask_again(session, "DeleteChangeSet", &self.named()).await;
        match answer {
            // It is at work.
            Err(refusal) if refusal.is("InvalidChangeSetStatus") => return Ok(()),
            Err(refusal) if !refusal.is_absence() => {
                return Err(refused("delete the change set of", &self.stack_id, refusal));
            }
            _ => {}
        }
        if !self.is_first {
            return Ok(());
        }
        match Stack::find(session, &self.stack_id).await? {
            Some(stack) if stack.condition() == Condition::Empty => {
                let sets = listed(session, &self.stack_name).await?;
                if sets.iter().all(|(id, _)| *id == self.id) {
                    delete(session, &self.stack_id).await?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Whether a stack that only change sets have made is there for this program's alone, or has none.
///
/// # Errors
/// When CloudFormation does not list its change sets.
pub(super) async fn is_own_draft(stack: &Stack, session: &Session) -> Result<bool, Failure> {
    Ok(listed(session, &stack.name).await?.iter().all(|(_, name)| name.starts_with(NAMES)))
}

/// The ARNs and the names of the change sets of a stack.
async fn listed(session: &Session, stack: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut sets = Vec::new();
    let of_stack = [parameter("StackName", stack)];
    let read = pages(session, "ListChangeSets", &of_stack, |page| {
        let of = |node, name: &str| text(node, name).unwrap_or_default();
        sets.extend(members(page, "Summaries").map(|node| (of(node, "ChangeSetId"), of(node, "ChangeSetName"))));
        true
    });
    match read.await {
        Err(refusal) if !refusal.is_absence() => Err(refused("list the change sets of", stack, refusal)),
        _ => Ok(sets),
    }
}

impl Change {
    fn read(node: Node<'_, '_>) -> Option<Self> {
        let node = child(node, "ResourceChange")?;
        let of = |name: &str| text(node, name).unwrap_or_default();
        let details = child(node, "Details").into_iter().flat_map(|details| details.children());
        let targets = details.filter_map(|detail| child(detail, "Target"));
        let mut properties: Vec<String> =
            targets.filter_map(|target| text(target, "Name").or_else(|| text(target, "Attribute"))).collect();
        properties.sort_unstable();
        properties.dedup();
        let replacement = match of("Replacement").as_str() {
            "True" => Replacement::Yes,
            "Conditional" => Replacement::Perhaps,
            _ => Replacement::No,
        };
        let action = match of("Action").as_str() {
            "Add" => Action::Add,
            "Modify" => Action::Modify(replacement),
            "Remove" => Action::Remove { is_kept: of("PolicyAction") == "Retain" },
            other => Action::Other(other.to_owned()),
        };
        Some(Self { action, logical_id: of("LogicalResourceId"), kind: of("ResourceType"), properties })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(present: Option<&'a Stack>, parameters: &[(&str, &str)]) -> StackRequest<'a> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        StackRequest {
            name: "duet",
            present,
            template: "Resources: {}",
            parameters: parameters.iter().map(owned).collect(),
            known: vec!["MemorySize", "Timeout", "XRay"],
            tags: &[],
        }
    }

    fn stack(status: &str) -> Stack {
        let parameters = ["MemorySize", "Timeout", "Old"].map(str::to_owned).to_vec();
        Stack { status: status.to_owned(), parameters, ..Stack::default() }
    }

    #[test]
    fn parameters_keep_their_values_unless_they_are_given() {
        let present = stack("UPDATE_COMPLETE");
        let update = request(Some(&present), &[("MemorySize", "512")]);
        assert_eq!(update.values(), [("MemorySize", Some("512")), ("Timeout", None)]);
        let form = update.form();
        let has = |name: &str, value: &str| form.contains(&parameter(name, value));
        assert!(has("ChangeSetType", "UPDATE") && has("Parameters.member.1.ParameterValue", "512"), "{form:?}");
        assert!(has("Parameters.member.2.ParameterKey", "Timeout"), "{form:?}");
        assert!(has("Parameters.member.2.UsePreviousValue", "true"), "{form:?}");
        // What only a change set has made has no values to keep.
        let empty = stack("REVIEW_IN_PROGRESS");
        for present in [None, Some(&empty)] {
            let first = request(present, &[]);
            assert_eq!(first.values(), []);
            assert!(first.form().contains(&parameter("ChangeSetType", "CREATE")));
        }
    }

    #[test]
    fn tags_are_added_to_those_that_a_stack_has() {
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let present = Stack { tags: vec![tag("team", "shop"), tag("cost", "7")], ..stack("UPDATE_COMPLETE") };
        let given = [tag("team", "till")];
        let tags =
            |tags| StackRequest { tags, ..request(Some(&present), &[]) }.all_tags().into_iter().cloned().collect();
        let both: Vec<(String, String)> = tags(&given[..]);
        assert_eq!(both, [tag("cost", "7"), tag("team", "till")]);
        let none: Vec<(String, String)> = tags(&[]);
        assert_eq!(none, []);
    }

    #[test]
    fn changes_are_read_with_what_they_mean() {
        let change = |inner: &str| {
            let xml = format!("<R><Changes><member><ResourceChange>{inner}</ResourceChange></member></Changes></R>");
            let document = document(&xml, "DescribeChangeSet").unwrap();
            members(&document, "Changes").filter_map(Change::read).next().unwrap()
        };
        let target = |name: &str| {
            format!("<member><Target><Attribute>Properties</Attribute><Name>{name}</Name></Target></member>")
        };
        let details = format!("<Details>{}{}{}</Details>", target("MemorySize"), target("Code"), target("Code"));
        let modified = change(&format!(
            "<Action>Modify</Action><LogicalResourceId>X86Function</LogicalResourceId>\
             <ResourceType>AWS::Lambda::Function</ResourceType><Replacement>Conditional</Replacement>{details}"
        ));
        let expected = Change {
            action: Action::Modify(Replacement::Perhaps),
            logical_id: "X86Function".to_owned(),
            kind: "AWS::Lambda::Function".to_owned(),
            properties: vec!["Code".to_owned(), "MemorySize".to_owned()],
        };
        assert_eq!(modified, expected);
        assert_eq!(change("<Action>Add</Action>").action, Action::Add);
        assert_eq!(change("<Action>Remove</Action>").action, Action::Remove { is_kept: false });
        let kept = "<Action>Remove</Action><PolicyAction>Retain</PolicyAction>";
        assert_eq!(change(kept).action, Action::Remove { is_kept: true });
        assert_eq!(change("<Action>Import</Action>").action, Action::Other("Import".to_owned()));
    }
}
