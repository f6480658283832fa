//! Requests to CloudFormation, by its query protocol: forms in, XML out.

use super::{
    aws::{self, AwsService, Session, percent_encoded},
    failure::ATTEMPTS,
    pauses::Pauses,
    row::{Failure, FailureKind},
};
use roxmltree::{Document, Node};
use std::time::Duration;
use tokio::time::sleep;

/// The version of the interface.
const VERSION: &str = "2010-05-15";

/// The longest pause between two attempts at a request.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The name and the value of a member of a request; those of lists have names such as `Tags.member.1.Key`.
pub type Parameter = (String, String);

/// Why a request is not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// CloudFormation has answered with an error.
    #[error("HTTP {status}: {reason}")]
    Error { status: u16, code: String, reason: String },
    /// It cannot be asked, or its answer was lost.
    #[error(transparent)]
    Lost(#[from] Failure),
}

impl Refusal {
    /// Whether it may answer the same request a moment later.
    fn is_passing(&self) -> bool {
        match self {
            Self::Error { status, code, .. } => *status == 429 || *status >= 500 || code.contains("Throttl"),
            Self::Lost(failure) => failure.kind == FailureKind::Network,
        }
    }

    /// Whether this is an error of that name.
    pub fn is(&self, name: &str) -> bool {
        matches!(self, Self::Error { code, .. } if code == name)
    }

    /// Whether the stack or the change set is not there.
    pub fn is_absence(&self) -> bool {
        // A stack that is not there has no error of its own.
        matches!(self, Self::Error { code, reason, .. } if code.starts_with("ChangeSetNotFound")
            || code == "ValidationError" && reason.contains("does not exist"))
    }
}

/// A member of a request.
pub fn parameter(name: impl Into<String>, value: impl Into<String>) -> Parameter {
    (name.into(), value.into())
}

/// Makes a request, and gives the XML of the answer.
///
/// # Errors
/// When there is none, or an error.
pub async fn ask(session: &Session, action: &str, parameters: &[Parameter]) -> Result<String, Refusal> {
    let mut form = format!("Action={action}&Version={VERSION}");
    for (name, value) in parameters {
        // ARNs stay readable.
        form += &format!("&{name}={}", percent_encoded(value, ":/"));
    }
    let head = [("content-type", "application/x-www-form-urlencoded")];
    let (status, body) = aws::post(session, AwsService::CLOUD_FORMATION, &head, form).await?;
    let text = String::from_utf8_lossy(&body).into_owned();
    if status.is_success() {
        return Ok(text);
    }
    let (code, message) = error(&text).unwrap_or_default();
    let reason = if message.is_empty() { text } else { message };
    Err(Refusal::Error { status: status.as_u16(), code, reason })
}

/// The same, again after failures that pass.
///
/// # Errors
/// With the last of them.
pub async fn ask_again(session: &Session, action: &str, parameters: &[Parameter]) -> Result<String, Refusal> {
    let mut attempts = 0;
    ask_counting(session, action, parameters, &mut attempts).await
}

/// Requests something once: where an answer may have been lost, and the next one is one of these errors, it was taken.
///
/// # Errors
/// With the last of the attempts.
pub async fn request_once(
    session: &Session,
    action: &str,
    parameters: &[Parameter],
    taken: &[&str],
) -> Result<(), Refusal> {
    let mut attempts = 0;
    match ask_counting(session, action, parameters, &mut attempts).await {
        Err(refusal) if attempts > 1 && taken.iter().any(|name| refusal.is(name)) => Ok(()),
        answer => answer.map(drop),
    }
}

async fn ask_counting(
    session: &Session,
    action: &str,
    parameters: &[Parameter],
    attempts: &mut u32,
) -> Result<String, Refusal> {
    let mut pauses = Pauses::new();
    loop {
        *attempts += 1;
        match ask(session, action, parameters).await {
            Err(refusal) if refusal.is_passing() && *attempts < ATTEMPTS => sleep(pauses.next(LONGEST_PAUSE)).await,
            answer => return answer,
        }
    }
}

/// What is in the pages of an answer, each of which names the next one: `read` takes what it wants from a page.
///
/// # Errors
/// When a page is refused, or cannot be read.
pub async fn pages(
    session: &Session,
    action: &str,
    parameters: &[Parameter],
    mut read: impl FnMut(&Document<'_>) -> bool,
) -> Result<(), Refusal> {
    let mut next: Option<String> = None;
    loop {
        let token = next.map(|token| parameter("NextToken", token));
        let parameters: Vec<Parameter> = parameters.iter().cloned().chain(token).collect();
        let text = ask_again(session, action, &parameters).await?;
        let document = document(&text, action)?;
        let goes_on = read(&document);
        let token = document.descendants().find(|node| node.tag_name().name() == "NextToken");
        next = token.and_then(|node| node.text()).map(str::to_owned);
        if next.is_none() || !goes_on {
            return Ok(());
        }
    }
}

/// An answer as XML.
///
/// # Errors
/// When it is none.
pub fn document<'a>(text: &'a str, action: &str) -> Result<Document<'a>, Failure> {
    Document::parse(text)
        .map_err(|error| Failure::refused(format!("CloudFormation's answer to {action} cannot be read: {error}")))
}

/// The members of the first list of this name, wherever it is.
pub fn members<'a, 'input>(document: &'a Document<'input>, list: &str) -> impl Iterator<Item = Node<'a, 'input>> {
    let list = document.descendants().find(|node| node.tag_name().name() == list);
    list.into_iter().flat_map(|list| list.children().filter(Node::is_element))
}

/// The text of a child.
pub fn text(node: Node<'_, '_>, name: &str) -> Option<String> {
    Some(child(node, name)?.text()?.trim().to_owned())
}

/// A child.
pub fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.tag_name().name() == name)
}

/// The code and the message of an error response.
fn error(xml: &str) -> Option<(String, String)> {
    let document = Document::parse(xml).ok()?;
    let error = document.descendants().find(|node| node.tag_name().name() == "Error")?;
    Some((text(error, "Code").unwrap_or_default(), text(error, "Message").unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, code: &str, reason: &str) -> Refusal {
        Refusal::Error { status, code: code.to_owned(), reason: reason.to_owned() }
    }

    #[test]
    fn errors_are_read_and_told_apart() {
        let xml = "<ErrorResponse><Error><Code>V</Code><Message>no such stack</Message></Error></ErrorResponse>";
        assert_eq!(error(xml), Some(("V".to_owned(), "no such stack".to_owned())));
        assert!(error("<html>").is_none() && error("").is_none());
        let absent = refusal(400, "ValidationError", "Stack with id duet does not exist");
        assert!(absent.is_absence() && !absent.is_passing());
        assert_eq!(absent.to_string(), "HTTP 400: Stack with id duet does not exist");
        assert!(refusal(404, "ChangeSetNotFound", "").is_absence());
        assert!(!refusal(400, "ValidationError", "No updates are to be performed.").is_absence());
        assert!(refusal(400, "Throttling", "Rate exceeded").is_passing());
        assert!(refusal(503, "", "<html>").is_passing());
        assert!(Refusal::Lost(Failure::new(FailureKind::Network, "")).is_passing());
        assert!(!Refusal::Lost(Failure::refused("no region")).is_passing());
    }
}
