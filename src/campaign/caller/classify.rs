//! The classification of outcomes: what is the function's answer, and which kind of failure everything else is.

use super::super::{
    accepted_status::AcceptedStatus,
    aws::is_expired,
    failure::{Failure, FailureKind},
    runtime_api::FunctionError,
};
use crate::{
    protocol::Problem,
    transport::{MAX_ANSWER, has_no_connection, with_causes},
};
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use http_body_util::LengthLimitError;
use hyper::{
    HeaderMap, StatusCode,
    header::{CONTENT_TYPE, LOCATION},
};
use serde_json::Value;
use std::{error::Error, iter, time::Duration};

/// The header in which AWS's services name an error.
const ERROR_TYPE: &str = "x-amzn-errortype";

/// Lambda's passing errors, without those that last until the function, its network or a quota is changed.
const TRANSIENT: [&str; 12] = [
    "CodeArtifactUserPendingException",
    "EC2UnexpectedException",
    "EFSIOException",
    "EFSMountConnectivityException",
    "EFSMountTimeoutException",
    "ENINotReadyException",
    "ResourceConflictException",
    "ResourceNotReadyException",
    "S3FilesMountConnectivityException",
    "S3FilesMountTimeoutException",
    "SnapStartNotReadyException",
    "SnapStartTimeoutException",
];

/// Passing errors of a service itself, after which the function may have run.
const INTERNAL: [&str; 5] = [
    "InternalFailure",
    "InternalServerError",
    "InternalServerErrorException",
    "ServiceException",
    "ServiceUnavailableException",
];

/// Errors that last, although their HTTP status is that of a passing one.
const LASTING: [&str; 13] = [
    "CodeArtifactUserDeletedException",
    "CodeArtifactUserFailedException",
    "EC2AccessDeniedException",
    "ENILimitReachedException",
    "InvalidRuntimeException",
    "InvalidSecurityGroupIDException",
    "InvalidSubnetIDException",
    "InvalidZipFileException",
    "KMSAccessDeniedException",
    "KMSDisabledException",
    "KMSInvalidStateException",
    "KMSNotFoundException",
    "SubnetIPAddressLimitReachedException",
];

/// Classifies an error of the SDK.
pub(in crate::campaign) fn failure<E>(error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let kind = match error {
        SdkError::ServiceError(refused) => return of_service(refused.err(), refused.raw()),
        SdkError::TimeoutError(_) => FailureKind::Timeout,
        SdkError::DispatchFailure(dispatch) if dispatch.is_timeout() => FailureKind::Timeout,
        SdkError::ConstructionFailure(_) => FailureKind::Refused,
        _ => return lost(error),
    };
    Failure::new(kind, with_causes(error))
}

/// The failure of a request without an answer: the request or its answer was lost, or the answer is too long to be read.
pub(super) fn lost(error: &(dyn Error + 'static)) -> Failure {
    if iter::successors(Some(error), |error| (*error).source()).any(<dyn Error>::is::<LengthLimitError>) {
        let message = format!("the answer is longer than {} MB, the most that a function can send", MAX_ANSWER >> 20);
        return Failure::new(FailureKind::Answer, message);
    }
    Failure { has_not_run: has_no_connection(error), ..Failure::new(FailureKind::Network, with_causes(error)) }
}

/// Classifies an error that Lambda, or an emulator, has answered with.
fn of_service(error: &impl ProvideErrorMetadata, response: &HttpResponse) -> Failure {
    let (status, code) = (response.status().as_u16(), error.code());
    let body = response.body().bytes().unwrap_or_default();
    let location = response.headers().get(LOCATION.as_str()).filter(|_| (300..=399).contains(&status));
    let reason = serde_json::from_slice::<Value>(body).ok().and_then(|body| Some(body["Reason"].as_str()?.to_owned()));
    let message = match (code, error.message(), &reason) {
        (Some(code), Some(message), Some(reason)) => format!("{code} ({reason}): {message}"),
        (Some(code), Some(message), None) => format!("{code}: {message}"),
        // It may be the configuration of a function, whose variables have values that are not shown.
        _ if (200..=299).contains(&status) => format!("HTTP {status} with an answer that cannot be read"),
        _ => format!("HTTP {status}{}: {}", to(location), String::from_utf8_lossy(body)),
    };
    let kind = service_kind(status, code.unwrap_or_default());
    // After any other error of Lambda the function has not run.
    let may_have_run = status >= 500 && code.is_none_or(|code| INTERNAL.contains(&code));
    Failure {
        reason: reason.filter(|_| kind == FailureKind::Throttled),
        has_not_run: !may_have_run,
        ..Failure::new(kind, message)
    }
}

fn service_kind(status: u16, code: &str) -> FailureKind {
    match (status, code) {
        (429, _) => FailureKind::Throttled,
        // Services behind Lambda (EC2, KMS) throttle with codes like these.
        (_, code) if code.contains("Throttl") || code.contains("TooManyRequests") => FailureKind::Throttled,
        (_, code) if is_expired(code) || INTERNAL.contains(&code) || TRANSIENT.contains(&code) => {
            FailureKind::Transient
        }
        (_, code) if LASTING.contains(&code) => FailureKind::Refused,
        // The function's own code failed while it was restored from a snapshot.
        (_, "SnapStartException") => FailureKind::Function,
        (504, _) => FailureKind::Timeout,
        (500 | 502 | 503, _) => FailureKind::Transient,
        _ => FailureKind::Refused,
    }
}

/// Whether a response of an HTTP endpoint is the function's answer. Unless the user accepts other statuses, that is any
/// response with a status of success, except 202, which promises an answer for later, and HTML pages, which are login
/// or error pages of something else.
pub(super) fn of_http(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    waited: Duration,
    accepted: &[AcceptedStatus],
) -> Result<(), Failure> {
    let number = status.as_u16();
    if AcceptedStatus::any(accepted, number) {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // A problem's detail says more than its JSON.
    let detail = serde_json::from_slice::<Problem>(body)
        .map_or_else(|_| String::from_utf8_lossy(body).into_owned(), |problem| problem.detail);
    let (kind, message) = match (number, text(CONTENT_TYPE.as_str())) {
        (202, _) => (
            FailureKind::Answer,
            format!(
                "HTTP 202, which promises an answer for later: {detail}; if it is the function's, --accept-status 202"
            ),
        ),
        (_, media_type) if status.is_success() && (media_type.is_some_and(names_page) || is_page(body)) => (
            FailureKind::Answer,
            format!(
                "HTTP {number} with a page ({}) where JSON was sent: {detail}; if the function answers so, \
                 --accept-status {number}",
                media_type.unwrap_or("of no media type")
            ),
        ),
        _ if status.is_success() => return Ok(()),
        (300..=399, _) => (FailureKind::Refused, format!("HTTP {number}{}: {detail}", to(text(LOCATION.as_str())))),
        _ => (http_kind(number, error_type(headers), waited), format!("HTTP {number}: {detail}")),
    };
    Err(Failure::new(kind, message))
}

/// The error's name in a response of API Gateway or of a function URL.
pub(super) fn error_type(headers: &HeaderMap) -> &str {
    let value = headers.get(ERROR_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A URL may follow the name.
    value.split(':').next().unwrap_or_default()
}

fn http_kind(status: u16, error_type: &str, waited: Duration) -> FailureKind {
    /// How long an HTTP API waits for a function before it answers 503.
    const PATIENCE: Duration = Duration::from_secs(29);
    match (status, error_type) {
        _ if is_expired(error_type) => FailureKind::Transient,
        // The quota of a usage plan is used up, for at least a day.
        (429, "LimitExceededException") => FailureKind::Refused,
        (429, _) => FailureKind::Throttled,
        (503, _) if waited < PATIENCE => FailureKind::Transient,
        (503 | 504, _) => FailureKind::Timeout,
        // API Gateway answers so if the function failed.
        (500 | 502, _) => FailureKind::Function,
        _ => FailureKind::Refused,
    }
}

/// The target of a redirect, in words.
fn to(location: Option<&str>) -> String {
    location.map_or_else(String::new, |location| format!(" to {location}"))
}

fn names_page(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    ["text/html", "application/xhtml+xml"].iter().any(|page| essence.eq_ignore_ascii_case(page))
}

/// Whether a body is an HTML page, whatever its headers say.
fn is_page(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    ["<!doctype html", "<html"]
        .iter()
        .any(|tag| body.get(..tag.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tag.as_bytes())))
}

/// Whether a response of Lambda's own endpoint is the function's answer, which is JSON: proxies and portals in its
/// place answer with HTML pages.
pub(super) fn of_lambda(status: i32, payload: &[u8]) -> Result<(), Failure> {
    let text = String::from_utf8_lossy(payload);
    let message = match status {
        200 if is_page(payload) => format!(
            "HTTP 200 with a page where Lambda answers with JSON: {text}; something else than Lambda answers for it"
        ),
        200 => return Ok(()),
        status => format!("HTTP {status}, where Lambda answers 200 with the function's answer: {text}"),
    };
    Err(Failure::new(FailureKind::Answer, message))
}

/// The failure that an answer in API Gateway's format reports: a `statusCode` from 400 on. A direct invocation of the
/// function gets it like any other answer.
pub(in crate::campaign) fn of_api_answer(output: &[u8], accepted: &[AcceptedStatus]) -> Option<Failure> {
    let answer: Value = serde_json::from_slice(output).ok()?;
    // API Gateway takes strings too, and numbers such as 404.0.
    let status = match &answer["statusCode"] {
        Value::Number(number) => number.as_f64()?,
        Value::String(digits) => digits.trim().parse().ok()?,
        _ => return None,
    };
    if !(400.0..=599.0).contains(&status) || status.fract() != 0.0 {
        return None;
    }
    let status = status as u16;
    if AcceptedStatus::any(accepted, status) {
        return None;
    }
    let body = match &answer["body"] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        value => value.to_string(),
    };
    let message = format!(
        "the function answered with statusCode {status}: {body}; if that is a success, --accept-status {status}"
    );
    Some(Failure::new(FailureKind::Function, message))
}

impl From<FunctionError> for Failure {
    fn from(error: FunctionError) -> Self {
        // Lambda ends an invocation that takes too long, and answers in place of the function.
        let timed_out = error.error_type == "Sandbox.Timedout" || error.error_message.contains("Task timed out after");
        let kind = if timed_out { FailureKind::Timeout } else { FailureKind::Function };
        Self::new(kind, format!("the function answered with an error, {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FailureKind::{Answer, Function, Refused, Throttled, Timeout, Transient};
    use aws_smithy_types::error::ErrorMetadata;

    fn statuses(texts: &[&str]) -> Vec<AcceptedStatus> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn an_invocation_that_lambda_timed_out_is_a_timeout() {
        let error = |payload: &str| Failure::from(FunctionError::parse(payload.as_bytes())).kind;
        let timed_out = r#"{"errorMessage":"2026-11-20T10:00:00.000Z 8f50 Task timed out after 3.00 seconds"}"#;
        assert_eq!(error(timed_out), Timeout);
        let newer = r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 8f50 Error: Task timed out after 3.00 seconds"}"#;
        assert_eq!(error(newer), Timeout);
        assert_eq!(error(r#"{"errorType":"Runtime.ExitError","errorMessage":"gone"}"#), Function);
    }

    #[test]
    fn a_function_error_shows_its_type_and_message_if_present() {
        let message = |payload: &str| Failure::from(FunctionError::parse(payload.as_bytes())).message;
        let begin = "the function answered with an error, ";
        assert_eq!(message(r#"{"errorType":"E","errorMessage":"gone"}"#), format!("{begin}E: gone"));
        assert_eq!(message(r#"{"errorMessage":"gone"}"#), format!("{begin}gone"));
        assert_eq!(message(r#"{"errorType":"E"}"#), format!("{begin}E"));
        assert_eq!(message("{}"), format!("{begin}of which it says nothing"));
    }

    /// The errors of `Invoke`, with their statuses.
    #[test]
    fn passing_errors_are_retried_and_lasting_ones_are_not() {
        for (status, code, kind) in [
            (429, "TooManyRequestsException", Throttled),
            (502, "EC2ThrottledException", Throttled),
            (400, "ThrottlingException", Throttled),
            (500, "ServiceException", Transient),
            (502, "EC2UnexpectedException", Transient),
            (502, "ENINotReadyException", Transient),
            (409, "ResourceConflictException", Transient),
            (502, "ResourceNotReadyException", Transient),
            (409, "SnapStartNotReadyException", Transient),
            (409, "CodeArtifactUserPendingException", Transient),
            (410, "EFSIOException", Transient),
            (408, "EFSMountTimeoutException", Transient),
            (403, "ExpiredTokenException", Transient),
            (503, "", Transient),
            (504, "", Timeout),
            (502, "ENILimitReachedException", Refused),
            (502, "SubnetIPAddressLimitReachedException", Refused),
            (502, "KMSDisabledException", Refused),
            (502, "InvalidZipFileException", Refused),
            (403, "EFSMountFailureException", Refused),
            (404, "ResourceNotFoundException", Refused),
            (413, "RequestTooLargeException", Refused),
            (400, "SnapStartException", Function),
        ] {
            assert_eq!(service_kind(status, code), kind, "{code}");
        }
        let body = br#"{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#;
        let error = ErrorMetadata::builder().code("TooManyRequestsException").message("Rate Exceeded.").build();
        let response = HttpResponse::new(StatusCode::TOO_MANY_REQUESTS.into(), body.as_slice().into());
        let throttled = of_service(&error, &response);
        assert_eq!(throttled.reason.as_deref(), Some("ReservedFunctionConcurrentInvocationLimitExceeded"));
        assert!(throttled.message.contains("(ReservedFunctionConcurrentInvocationLimitExceeded): Rate"), "{throttled}");
    }

    #[test]
    fn a_response_that_is_not_the_functions_answer_is_a_failure() {
        let kind = |status: u16, header: Option<(&'static str, &str)>, accepted: &[&str]| {
            let headers =
                header.into_iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            of_http(StatusCode::from_u16(status).unwrap(), &headers, b"", Duration::from_secs(1), &statuses(accepted))
                .err()
                .map(|failure| failure.kind)
        };
        let page = Some(("content-type", "Text/HTML; charset=utf-8"));
        for (status, header, expected) in [
            (200, None, None),
            (201, None, None),
            (204, None, None),
            (200, Some(("content-type", "text/plain")), None),
            (202, None, Some(Answer)),
            (200, page, Some(Answer)),
            (404, page, Some(Refused)),
            (301, None, Some(Refused)),
            (403, None, Some(Refused)),
            (403, Some(("x-amzn-errortype", "ExpiredTokenException:http://internal.amazon.com/")), Some(Transient)),
            (429, None, Some(Throttled)),
            (429, Some(("x-amzn-errortype", "LimitExceededException")), Some(Refused)),
            (500, None, Some(Function)),
            (502, None, Some(Function)),
            (503, None, Some(Transient)),
            (504, None, Some(Timeout)),
        ] {
            assert_eq!(kind(status, header, &[]), expected, "{status} {header:?}");
            assert_eq!(kind(status, header, &[&status.to_string()]), None);
        }
        let waited = |seconds| http_kind(503, "", Duration::from_secs(seconds));
        assert_eq!((waited(28), waited(30)), (Transient, Timeout));
        assert_eq!(kind(404, None, &["4xx"]), None);
        assert_eq!(kind(500, None, &["4xx", "404"]), Some(Function));
    }

    #[test]
    fn an_html_page_is_recognized_by_its_beginning_and_refused() {
        for page in ["<!DOCTYPE html><p>Sign in", "\n <html lang=en>", "<HTML>", "\u{feff}<html>"] {
            let media_type =
                [("text/plain", "content-type")].map(|(value, name)| (name.parse().unwrap(), value.parse().unwrap()));
            let headers = HeaderMap::from_iter(media_type);
            let http = of_http(StatusCode::OK, &headers, page.as_bytes(), Duration::ZERO, &[]).unwrap_err();
            assert!(http.message.starts_with("HTTP 200 with a page (text/plain) where JSON was sent: "), "{http}");
            assert_eq!(of_lambda(200, page.as_bytes()).unwrap_err().kind, Answer);
        }
        for answer in ["", "{}", "\"<html>\"", "<h", "<htm", "no JSON", "<xml/>"] {
            assert!(of_http(StatusCode::OK, &HeaderMap::new(), answer.as_bytes(), Duration::ZERO, &[]).is_ok());
            assert!(of_lambda(200, answer.as_bytes()).is_ok(), "{answer}");
        }
        assert!(of_lambda(202, b"").unwrap_err().message.starts_with("HTTP 202, where Lambda answers 200"));
    }

    #[test]
    fn an_answer_for_api_gateway_may_report_a_failure() {
        let failure = |output: &str, accepted: &[&str]| {
            of_api_answer(output.as_bytes(), &statuses(accepted)).map(|failure| failure.message)
        };
        let message = failure(r#"{"statusCode": 500, "body": "out of stock"}"#, &[]).unwrap();
        assert!(message.contains("statusCode 500: out of stock"), "{message}");
        for status in [r#""404""#, "404.0", "4.04e2", r#"" 404 ""#] {
            assert!(failure(&format!(r#"{{"statusCode": {status}}}"#), &[]).is_some(), "{status}");
        }
        assert!(failure(r#"{"statusCode": 404, "body": {"a": 1}}"#, &["500"]).unwrap().contains(r#"{"a":1}"#));
        assert_eq!(failure(r#"{"statusCode": 404}"#, &["4xx"]), None);
        for answer in [
            r#"{"statusCode": 200}"#,
            r#"{"statusCode": 302}"#,
            r#"{"status": 500}"#,
            "[500]",
            "500",
            "no JSON",
            r#"{"statusCode": 4000}"#,
            r#"{"statusCode": 404.5}"#,
            r#"{"statusCode": "x"}"#,
            r#"{"statusCode": 1e99}"#,
            r#"{"statusCode": null}"#,
        ] {
            assert_eq!(failure(answer, &[]), None, "{answer}");
        }
    }
}
