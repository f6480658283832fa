//! What CloudFormation tells about its last operation on a stack.

use super::stack::refused;
use crate::campaign::{
    aws::Session,
    cloud_formation::{members, pages, parameter, text},
    failure::Failure,
};
use roxmltree::Node;

/// What CloudFormation says of resources that it did not go on with because another one had failed.
const CANCELLED: &str = "cancelled";

/// A resource that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedResource {
    pub logical_id: String,
    pub kind: String,
    pub status: String,
    pub reason: String,
}

/// The last operation on a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operation {
    /// What failed, the first cause first.
    pub failed: Vec<FailedResource>,
    /// Types and names of resources that were taken out of the stack and are still there.
    pub kept: Vec<(String, String)>,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Event {
    logical_id: String,
    physical_id: String,
    kind: String,
    status: String,
    reason: String,
}

/// The status that the latest event of the stack itself tells; none before any event of the request with this token is seen.
///
/// # Errors
/// When CloudFormation does not give its events.
pub(super) async fn latest_of(session: &Session, id: &str, token: &str) -> Result<Option<String>, Failure> {
    let mut latest = None;
    let of_stack = [parameter("StackName", id)];
    // The events of a request that was just made are on the first page.
    let read = pages(session, "DescribeStackEvents", &of_stack, |page| {
        let events: Vec<Node<'_, '_>> = members(page, "StackEvents").collect();
        if events.iter().any(|event| text(*event, "ClientRequestToken").as_deref() == Some(token)) {
            let own = events.into_iter().map(Event::read).find(|event| event.physical_id == id);
            latest = own.map(|event| event.status);
        }
        false
    });
    read.await.map_err(|refusal| refused("tell the events of", id, refusal))?;
    Ok(latest)
}

impl Operation {
    /// Reads the last operation on a stack.
    ///
    /// # Errors
    /// When CloudFormation does not give its events.
    pub async fn last(session: &Session, id: &str) -> Result<Self, Failure> {
        let mut events = Vec::new();
        let of_stack = [parameter("StackName", id)];
        let read = pages(session, "DescribeStackEvents", &of_stack, |page| {
            for event in members(page, "StackEvents").map(Event::read) {
                let is_first = event.is_beginning(id);
                events.push(event);
                if is_first {
                    return false;
                }
            }
            true
        });
        read.await.map_err(|refusal| refused("tell the events of", id, refusal))?;
        Ok(Self::of(&events, id))
    }

    /// The operation of these events, the latest of which is first.
    fn of(events: &[Event], id: &str) -> Self {
        let of_resources = || events.iter().rev().filter(|event| event.physical_id != id);
        let failed = || of_resources().filter(|event| event.status.ends_with("_FAILED"));
        let is_cause = |event: &&Event| !event.reason.to_lowercase().contains(CANCELLED);
        let causes: Vec<&Event> = failed().filter(is_cause).collect();
        let causes = if causes.is_empty() { failed().collect() } else { causes };
        let kept = of_resources().filter(|event| event.status == "DELETE_SKIPPED");
        Self {
            failed: causes.into_iter().map(Event::failure).collect(),
            kept: kept.map(|event| (event.kind.clone(), event.physical_id.clone())).collect(),
        }
    }
}

impl Event {
    fn read(node: Node<'_, '_>) -> Self {
        let of = |name: &str| text(node, name).unwrap_or_default();
        Self {
            logical_id: of("LogicalResourceId"),
            physical_id: of("PhysicalResourceId"),
            kind: of("ResourceType"),
            status: of("ResourceStatus"),
            reason: of("ResourceStatusReason"),
        }
    }

    /// Whether an operation on the stack began with it.
    fn is_beginning(&self, id: &str) -> bool {
        const BEGINNINGS: [&str; 3] = ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"];
        self.physical_id == id && BEGINNINGS.contains(&self.status.as_str())
    }

    fn failure(&self) -> FailedResource {
        FailedResource {
            logical_id: self.logical_id.clone(),
            kind: self.kind.clone(),
            status: self.status.clone(),
            reason: self.reason.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/duet/1";

    fn event(logical_id: &str, status: &str, reason: &str) -> Event {
        let physical_id = if logical_id == "duet" { ID.to_owned() } else { format!("duet-{logical_id}") };
        Event {
            logical_id: logical_id.to_owned(),
            physical_id,
            kind: "AWS::X::Y".to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn causes_stand_before_what_follows_from_them() {
        let events = [
            event("duet", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [A, B, C]."),
            event("C", "CREATE_FAILED", "another reason"),
            event("B", "CREATE_FAILED", "Resource creation cancelled"),
            event("A", "CREATE_FAILED", "the first reason"),
            event("A", "CREATE_IN_PROGRESS", ""),
            event("duet", "CREATE_IN_PROGRESS", "User Initiated"),
        ];
        let reasons = |events: &[Event]| -> Vec<String> {
            Operation::of(events, ID).failed.into_iter().map(|failed| failed.reason).collect()
        };
        assert_eq!(reasons(&events), ["the first reason", "another reason"]);
        // Better than nothing.
        assert_eq!(reasons(&events[2..3]), ["Resource creation cancelled"]);
        assert!(events[5].is_beginning(ID) && !events[4].is_beginning(ID) && !events[0].is_beginning(ID));
    }

    #[test]
    fn what_is_kept_is_told_with_its_name() {
        let events = [event("duet", "DELETE_COMPLETE", ""), event("Role", "DELETE_SKIPPED", "")];
        let operation = Operation::of(&events, ID);
        assert_eq!(operation.kept, [("AWS::X::Y".to_owned(), "duet-Role".to_owned())]);
        assert_eq!(operation.failed, []);
    }
}
