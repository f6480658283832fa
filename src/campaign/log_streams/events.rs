//! Asking CloudWatch Logs for events.

use super::super::{
    aws::{self, AwsService, JsonError, Session},
    row::{Failure, FailureKind},
};
use hyper::{StatusCode, body::Bytes};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The most events that a page has, of which it holds 1 MB at most.
const MAX_EVENTS: u32 = 10_000;

/// A request for a page of events.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Query {
    pub(super) log_group_name: String,
    /// Both in milliseconds since 1970-01-01 UTC.
    pub(super) start_time: u64,
    pub(super) end_time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filter_pattern: Option<&'static str>,
    pub(super) limit: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_token: Option<String>,
}

impl Query {
    /// The first page of a time.
    pub(super) fn new(group: &str, (start_time, end_time): (u64, u64), filter_pattern: Option<&'static str>) -> Self {
        let log_group_name = group.to_owned();
        Self { log_group_name, start_time, end_time, filter_pattern, limit: MAX_EVENTS, next_token: None }
    }
}

/// A page of events.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<'a> {
    #[serde(borrow, default)]
    pub(super) events: Vec<Event<'a>>,
    #[serde(default)]
    pub(super) next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event<'a> {
    #[serde(borrow)]
    pub(super) log_stream_name: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) message: Cow<'a, str>,
}

impl<'a> Page<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Refusal> {
        serde_json::from_slice(body).map_err(|error| {
            let start = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
            Refusal::Lasting(Failure::refused(format!("this is no answer of CloudWatch Logs ({error}): {start}")))
        })
    }
}

/// The reason why there is no page.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It may be there a moment later.
    Passing(Failure),
    /// The permission is missing.
    Denied(Failure),
    /// There is no such log group, or none yet: the first call makes it.
    NoGroup,
    /// Anything else.
    Lasting(Failure),
}

/// Asks for a page.
pub(super) async fn ask(session: &Session, query: &Query) -> Result<Bytes, Refusal> {
    let head = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "Logs_20140328.FilterLogEvents")];
    let body = serde_json::to_string(query).expect("a query is JSON");
    let (status, body) = aws::post(session, AwsService::CLOUD_WATCH_LOGS, &head, body).await.map_err(lost)?;
    if status.is_success() { Ok(body) } else { Err(refusal(status, &body)) }
}

fn lost(failure: Failure) -> Refusal {
    match failure.kind {
        FailureKind::Network => Refusal::Passing(failure),
        _ => Refusal::Lasting(failure),
    }
}

fn refusal(status: StatusCode, body: &[u8]) -> Refusal {
    let error = JsonError::read(status, body);
    let failure = Failure::refused(error.to_string());
    match error.code.as_str() {
        _ if error.is_denial() => Refusal::Denied(failure),
        "ResourceNotFoundException" => Refusal::NoGroup,
        _ if error.is_throttling() => Refusal::Passing(failure),
        _ if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => Refusal::Passing(failure),
        _ => Refusal::Lasting(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_the_members_of_the_service() {
        let first = Query::new("/aws/lambda/f", (1, 2), Some("\"REPORT RequestId\""));
        assert_eq!(
            serde_json::to_value(&first).unwrap(),
            serde_json::json!({
                "logGroupName": "/aws/lambda/f", "startTime": 1, "endTime": 2, "limit": 10_000,
                "filterPattern": "\"REPORT RequestId\"",
            })
        );
        let next = Query { next_token: Some("t".to_owned()), filter_pattern: None, ..first };
        assert_eq!(serde_json::to_value(&next).unwrap()["nextToken"], "t");
    }

    #[test]
    fn refusals_are_told_apart() {
        let of = |status: u16, body: &str| refusal(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        for (status, body) in [
            (400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#),
            (503, r#"{"__type":"ServiceUnavailableException"}"#),
            (429, ""),
            (502, "<html>"),
        ] {
            assert!(matches!(of(status, body), Refusal::Passing(_)), "{body}");
        }
        let denied = r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"not authorized"}"#;
        let Refusal::Denied(failure) = of(400, denied) else { panic!("not denied") };
        assert_eq!(failure.message, "AccessDeniedException: not authorized");
        assert!(matches!(of(400, r#"{"__type":"ResourceNotFoundException"}"#), Refusal::NoGroup));
        let Refusal::Lasting(failure) = of(404, "no such page") else { panic!("not lasting") };
        assert_eq!(failure.message, "HTTP 404: no such page");
        assert!(matches!(of(400, r#"{"__type":"InvalidParameterException"}"#), Refusal::Lasting(_)));
    }
}
