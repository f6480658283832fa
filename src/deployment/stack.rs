//! Stacks as CloudFormation describes them, and what can be done with them.

use super::{change_set::is_own_draft, code_stack::random_digits, events::latest_of, template};
use crate::campaign::{
    aws::Session,
    cloud_formation::{Refusal, ask_again, document, members, pages, parameter, request_once, text},
    failure::{Failure, FailureKind},
    pauses::Pauses,
};
use roxmltree::Node;
use std::{fmt, str::FromStr, time::Duration};
use tokio::time::{Instant, sleep};

/// The longest pause between two looks at a stack.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long CloudFormation may describe a stack as it was before it was asked to change it.
const STALE: Duration = Duration::from_secs(60);

/// What the name of a stack ends with that holds the code of another one.
const CODE: &str = "-code";

/// The most characters of a stack's name.
const MAX_NAME: usize = 128 - CODE.len();

/// The name of a stack of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackName(String);

impl StackName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the stack of its bucket.
    pub fn of_code(&self) -> String {
        format!("{}{CODE}", self.0)
    }
}

impl fmt::Display for StackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StackName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.bytes().all(is_plain)
            && text.len() <= MAX_NAME
        {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("it must be letters, digits and hyphens, a letter first, {MAX_NAME} at most, such as lambda-duet"))
    }
}

/// A stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// Its ARN, which is its own even if another stack takes its name.
    pub id: String,
    pub name: String,
    pub status: String,
    /// Why it has that status.
    pub reason: Option<String>,
    pub description: String,
    /// The names of its parameters.
    pub parameters: Vec<String>,
    /// Names and values.
    pub outputs: Vec<(String, String)>,
    /// Keys and values, without those of AWS's own.
    pub tags: Vec<(String, String)>,
    /// Whether it may not be deleted.
    pub is_protected: bool,
}

/// What the status of a stack means for a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// There is only a change set that would create it.
    Empty,
    /// It can be updated.
    Settled,
    /// CloudFormation is at work on it.
    Busy,
    /// It can only be deleted.
    Broken,
    /// An update could not be rolled back.
    Stuck,
    Deleted,
}

impl Stack {
    /// The stack of this name, or with this ARN; none if there is none.
    ///
    /// # Errors
    /// When CloudFormation does not describe it.
    pub async fn find(session: &Session, name: &str) -> Result<Option<Self>, Failure> {
        let answer = ask_again(session, "DescribeStacks", &[parameter("StackName", name)]).await;
        let answer = match answer {
            Err(refusal) if refusal.is_absence() => return Ok(None),
            answer => answer.map_err(|refusal| refused("describe", name, refusal))?,
        };
        let document = document(&answer, "DescribeStacks")?;
        let stack = members(&document, "Stacks").next().map(Self::read);
        stack.map(Some).ok_or_else(|| Failure::refused(format!("CloudFormation does not describe the stack {name}")))
    }

    fn read(node: Node<'_, '_>) -> Self {
        let list = |of: &str, name: &str, value: &str| -> Vec<(String, String)> {
            let list = node.children().find(|child| child.tag_name().name() == of);
            let members = list.into_iter().flat_map(|list| list.children());
            members.filter_map(|member| Some((text(member, name)?, text(member, value).unwrap_or_default()))).collect()
        };
        let of = |name: &str| text(node, name).unwrap_or_default();
        Self {
            id: of("StackId"),
            name: of("StackName"),
            status: of("StackStatus"),
            reason: text(node, "StackStatusReason"),
            description: of("Description"),
            parameters: list("Parameters", "ParameterKey", "").into_iter().map(|(name, _)| name).collect(),
            outputs: list("Outputs", "OutputKey", "OutputValue"),
            tags: list("Tags", "Key", "Value").into_iter().filter(|(key, _)| !key.starts_with("aws:")).collect(),
            is_protected: of("EnableTerminationProtection") == "true",
        }
    }

    /// Whether it is a stack of the service.
    ///
    /// # Errors
    /// When CloudFormation does not give its template.
    pub async fn is_of_service(&self, session: &Session) -> Result<bool, Failure> {
        self.is_own(session, template::DESCRIPTION).await
    }

    /// Whether it is one of this project's, whose description begins so, or that of its template where it has none of its own:
    /// one that was never deployed may have none. One that only change sets have made is told by those.
    pub(super) async fn is_own(&self, session: &Session, beginning: &str) -> Result<bool, Failure> {
        if self.condition() == Condition::Empty {
            return is_own_draft(self, session).await;
        }
        if !self.description.is_empty() {
            return Ok(self.description.starts_with(beginning));
        }
        let template = template_of(session, &self.id).await?;
        Ok(template.is_some_and(|template| template.contains(beginning)))
    }

    pub fn output(&self, name: &str) -> Option<&str> {
        self.outputs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn condition(&self) -> Condition {
        match self.status.as_str() {
            "REVIEW_IN_PROGRESS" => Condition::Empty,
            "DELETE_COMPLETE" => Condition::Deleted,
            "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" | "DELETE_FAILED" => Condition::Broken,
            "UPDATE_ROLLBACK_FAILED" | "IMPORT_ROLLBACK_FAILED" => Condition::Stuck,
            status if status.ends_with("_IN_PROGRESS") => Condition::Busy,
            _ => Condition::Settled,
        }
    }
}

/// The account of a stack with this ARN.
pub fn account(id: &str) -> Option<&str> {
    id.split(':').nth(4).filter(|account| !account.is_empty())
}

/// A resource of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its name in the template.
    pub logical_id: String,
    pub physical_id: String,
    pub kind: String,
    pub status: String,
}

/// The resources of a stack that are there.
///
/// # Errors
/// When CloudFormation does not list them.
pub async fn resources(session: &Session, id: &str) -> Result<Vec<Resource>, Failure> {
    let mut resources = Vec::new();
    let of_stack = [parameter("StackName", id)];
    let read = pages(session, "ListStackResources", &of_stack, |page| {
        let resource = |node| {
            let of = |name: &str| text(node, name).unwrap_or_default();
            Resource {
                logical_id: of("LogicalResourceId"),
                physical_id: of("PhysicalResourceId"),
                kind: of("ResourceType"),
                status: of("ResourceStatus"),
            }
        };
        resources.extend(members(page, "StackResourceSummaries").map(resource));
        true
    });
    read.await.map_err(|refusal| refused("list the resources of", id, refusal))?;
    resources.retain(|resource| resource.status != "DELETE_COMPLETE");
    Ok(resources)
}

/// The template with which a stack was deployed last; none if it has none.
///
/// # Errors
/// When CloudFormation does not give it.
pub async fn template_of(session: &Session, id: &str) -> Result<Option<String>, Failure> {
    let parameters = [parameter("StackName", id), parameter("TemplateStage", "Original")];
    let answer = ask_again(session, "GetTemplate", &parameters).await;
    let answer = match answer {
        Err(refusal) if refusal.is_absence() => return Ok(None),
        answer => answer.map_err(|refusal| refused("give the template of", id, refusal))?,
    };
    let document = document(&answer, "GetTemplate")?;
    let body = document.descendants().find(|node| node.tag_name().name() == "TemplateBody");
    Ok(body.and_then(|body| body.text()).map(str::to_owned))
}

/// Requests the deletion of a stack. Gives the token of the request.
///
/// # Errors
/// When CloudFormation refuses it.
pub async fn delete(session: &Session, id: &str) -> Result<String, Failure> {
    let token = token();
    let parameters = [parameter("StackName", id), parameter("ClientRequestToken", token.as_str())];
    let requested = request_once(session, "DeleteStack", &parameters, &["TokenAlreadyExistsException"]).await;
    requested.map_err(|refusal| refused("delete", id, refusal))?;
    Ok(token)
}

/// How long to wait for CloudFormation.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    pub within: Duration,
}

/// Waits until CloudFormation has done with a stack what it was asked to do with this token.
///
/// # Errors
/// When that takes too long, or cannot be seen.
pub async fn settled(session: &Session, id: &str, token: &str, waiting: Waiting) -> Result<Stack, Failure> {
    let look = async || Stack::find(session, id).await;
    // Without events, time tells.
    let latest = async || latest_of(session, id, token).await.ok().flatten();
    until_settled(look, latest, id, waiting).await
}

/// CloudFormation may describe a stack as it was a moment ago, so that a status is the end only if the latest event of the
/// stack tells the same.
async fn until_settled(
    look: impl AsyncFn() -> Result<Option<Stack>, Failure>,
    latest: impl AsyncFn() -> Option<String>,
    id: &str,
    Waiting { within }: Waiting,
) -> Result<Stack, Failure> {
    let end = Instant::now() + within;
    let mut pauses = Pauses::new();
    let mut unchanged_since = None;
    loop {
        let stack = look().await?.ok_or_else(|| Failure::refused(format!("the stack {id} is gone")))?;
        match stack.condition() {
            Condition::Deleted => return Ok(stack),
            Condition::Busy | Condition::Empty => unchanged_since = None,
            Condition::Settled | Condition::Broken | Condition::Stuck => {
                let since = *unchanged_since.get_or_insert_with(Instant::now);
                if latest().await.as_ref() == Some(&stack.status) || since.elapsed() >= STALE {
                    return Ok(stack);
                }
            }
        }
        if Instant::now() >= end {
            let within = humantime::format_duration(within);
            let message = format!("CloudFormation is not done with {} after {within}: {}", stack.name, stack.status);
            return Err(Failure::new(FailureKind::Timeout, message));
        }
        sleep(pauses.next(LONGEST_PAUSE)).await;
    }
}

/// A token by which CloudFormation knows a request that is made again, and which the events carry that it leads to.
pub(super) fn token() -> String {
    format!("duet-{}", random_digits())
}

pub(super) fn refused(doing: &str, stack: &str, refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Lost(failure) => failure,
        Refusal::Error { .. } => {
            Failure::refused(format!("CloudFormation does not {doing} the stack {stack}: {refusal}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn with_status(status: &str) -> Stack {
        Stack { name: "duet".to_owned(), status: status.to_owned(), ..Stack::default() }
    }

    #[test]
    fn a_stack_is_read_as_it_is_own() {
        let xml = "<R xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><Stacks><member>\
                   <StackId>arn:aws:cloudformation:eu-west-1:123456789012:stack/duet/1</StackId>\
                   <StackName>duet</StackName><StackStatus>UPDATE_COMPLETE</StackStatus>\
                   <Description>Lambda Duet: the same benchmark service as two</Description>\
                   <Parameters><member><ParameterKey>XRay</ParameterKey><ParameterValue/></member></Parameters>\
                   <Outputs><member><OutputKey>ApiUrl</OutputKey><OutputValue>https://a</OutputValue></member></Outputs>\
                   <Tags><member><Key>team</Key><Value>shop</Value></member>\
                   <member><Key>aws:of</Key><Value>AWS</Value></member></Tags>\
                   <EnableTerminationProtection>true</EnableTerminationProtection></member></Stacks></R>";
        let document = document(xml, "DescribeStacks").unwrap();
        let stack = Stack::read(members(&document, "Stacks").next().unwrap());
        assert_eq!(
            (stack.output("ApiUrl"), stack.parameters.as_slice()),
            (Some("https://a"), &["XRay".to_owned()][..])
        );
        assert_eq!(account(&stack.id), Some("123456789012"));
        assert_eq!(stack.tags, [("team".to_owned(), "shop".to_owned())]);
        assert!(stack.description.starts_with(template::DESCRIPTION));
        assert!(stack.is_protected && stack.reason.is_none());
    }

    #[test]
    fn each_status_has_its_condition() {
        for (status, condition) in [
            ("REVIEW_IN_PROGRESS", Condition::Empty),
            ("CREATE_COMPLETE", Condition::Settled),
            ("UPDATE_COMPLETE", Condition::Settled),
            ("UPDATE_FAILED", Condition::Settled),
            ("UPDATE_ROLLBACK_COMPLETE", Condition::Settled),
            ("IMPORT_ROLLBACK_COMPLETE", Condition::Settled),
            ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Condition::Busy),
            ("DELETE_IN_PROGRESS", Condition::Busy),
            ("ROLLBACK_COMPLETE", Condition::Broken),
            ("DELETE_FAILED", Condition::Broken),
            ("UPDATE_ROLLBACK_FAILED", Condition::Stuck),
            ("DELETE_COMPLETE", Condition::Deleted),
        ] {
            assert_eq!(with_status(status).condition(), condition, "{status}");
        }
    }

    #[test]
    fn names_are_those_of_stacks() {
        let name: StackName = "Lambda-Duet-2".parse().unwrap();
        assert_eq!(name.of_code(), "Lambda-Duet-2-code");
        assert!("a".repeat(123).parse::<StackName>().is_ok());
        for wrong in ["", "2x", "-x", "a_b", "a b", "arn:aws", &"a".repeat(124)] {
            assert!(wrong.parse::<StackName>().unwrap_err().contains("such as lambda-duet"), "{wrong}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stack_is_waited_for_until_it_settles() {
        let looks = Cell::new(0);
        let statuses = ["REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"];
        let look = async || {
            looks.set(looks.get() + 1);
            Ok(Some(with_status(statuses[looks.get() - 1])))
        };
        let begin = Instant::now();
        let latest = async || Some("CREATE_COMPLETE".to_owned());
        let stack = until_settled(look, latest, "duet", Waiting { within: Duration::from_secs(60) }).await.unwrap();
        assert_eq!((stack.status.as_str(), looks.get()), ("CREATE_COMPLETE", 4));
        assert!(begin.elapsed() <= Duration::from_millis(100 + 200 + 400));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stack_that_does_not_settle_is_given_up_in_time() {
        let begin = Instant::now();
        let look = async || Ok(Some(with_status("UPDATE_IN_PROGRESS")));
        let within = Duration::from_secs(60);
        let failure = until_settled(look, async || None, "duet", Waiting { within }).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Timeout);
        assert_eq!(failure.message, "CloudFormation is not done with duet after 1m: UPDATE_IN_PROGRESS");
        assert!(begin.elapsed() >= Duration::from_secs(60) && begin.elapsed() <= Duration::from_secs(65));
        let gone = until_settled(async || Ok(None), async || None, "duet", Waiting { within }).await;
        assert_eq!(gone.unwrap_err().message, "the stack duet is gone");
    }

    #[tokio::test(start_paused = true)]
    async fn a_status_of_before_is_not_taken_for_the_end() {
        let looks = Cell::new(0);
        let statuses = ["UPDATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"];
        // The events are late too, and then tell more than the description.
        let events = [None, Some("UPDATE_IN_PROGRESS"), None, Some("UPDATE_COMPLETE")];
        let look = async || {
            looks.set(looks.get() + 1);
            Ok(Some(with_status(statuses[looks.get() - 1])))
        };
        let latest = async || events[looks.get() - 1].map(str::to_owned);
        let within = Duration::from_secs(600);
        let stack = until_settled(look, latest, "duet", Waiting { within }).await.unwrap();
        assert_eq!((stack.status.as_str(), looks.get()), ("UPDATE_COMPLETE", 4));
        // Where no event tells it, it has to last.
        let begin = Instant::now();
        let look = async || Ok(Some(with_status("UPDATE_COMPLETE")));
        until_settled(look, async || None, "duet", Waiting { within }).await.unwrap();
        assert!(begin.elapsed() >= STALE && begin.elapsed() <= STALE + LONGEST_PAUSE);
        // Nothing comes after the deletion.
        let begin = Instant::now();
        let look = async || Ok(Some(with_status("DELETE_COMPLETE")));
        until_settled(look, async || None, "duet", Waiting { within }).await.unwrap();
        assert!(begin.elapsed().is_zero());
    }
}
