//! Requests to CloudWatch Logs, by its JSON protocol.

use super::{
    aws::{self, AwsService, JsonError, Session},
    row::{Failure, FailureKind},
};
use hyper::{StatusCode, body::Bytes};
use serde::Serialize;

/// The reason why a request is not answered.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It may be answered a moment later.
    Passing(Failure),
    /// The permission is missing.
    Denied(Failure),
    /// There is no such log group, or none yet: the first invocation makes it.
    NoGroup,
    /// Anything else.
    Lasting(Failure),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Passing(failure) | Refusal::Denied(failure) | Refusal::Lasting(failure) => failure,
            Refusal::NoGroup => Self::refused("there is no such log group"),
        }
    }
}

/// Makes a request, and gives the body of the answer.
pub(super) async fn ask(session: &Session, action: &str, body: &impl Serialize) -> Result<Bytes, Refusal> {
    let target = format!("Logs_20140328.{action}");
    let head = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
    let body = serde_json::to_string(body).expect("a request is JSON");
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
