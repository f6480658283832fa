//! Calls of a control plane, which are repeated until they are done.

use super::{
    aws::is_expired,
    caller::classify::failure,
    pauses::Pauses,
    row::{Failure, FailureKind},
};
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use std::{future::Future, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(20);

/// The longest pause between two requests: while an update is in progress, and after an error.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE_AFTER_ERROR: Duration = Duration::from_secs(5);

/// The reason why a change has not been made yet.
pub(super) enum Obstacle {
    /// Lambda is working on it.
    Pending(String),
    /// It may succeed the next time.
    Passing(String),
    /// It will not succeed.
    Final(Failure),
}

/// Repeats `attempt` after growing pauses until it succeeds or fails for good. It is stopped only during a pause,
/// never during a request.
pub(super) async fn until_done(
    mut attempt: impl AsyncFnMut() -> Result<(), Obstacle>,
    within: Duration,
    stopped: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let end = Instant::now() + within;
    let mut stopped = std::pin::pin!(stopped);
    let mut pauses = Pauses::new();
    loop {
        let (reason, longest) = match attempt().await {
            Ok(()) => return Ok(()),
            Err(Obstacle::Final(failure)) => return Err(failure),
            Err(Obstacle::Pending(reason)) => (reason, LONGEST_PAUSE),
            Err(Obstacle::Passing(reason)) => (reason, LONGEST_PAUSE_AFTER_ERROR),
        };
        if Instant::now() >= end {
            let within = humantime::format_duration(within);
            let message = format!("Lambda has not taken the change within {within}; last status: {reason}");
            return Err(Failure::new(FailureKind::Timeout, message));
        }
        tokio::select! {
            () = sleep(pauses.next(longest)) => {}
            () = &mut stopped => return Ok(()),
        }
    }
}

pub(super) fn refused(reason: impl AsRef<str>) -> Obstacle {
    Obstacle::Final(Failure::refused(reason))
}

/// The answer to a request, within [`REQUEST`].
pub(super) async fn in_time<T, E>(
    request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, SdkError<E, HttpResponse>> {
    in_time_of(REQUEST, request).await
}

/// The answer to a request, within `limit`.
pub(super) async fn in_time_of<T, E>(
    limit: Duration,
    request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, SdkError<E, HttpResponse>> {
    match timeout(limit, request).await {
        Ok(answer) => answer,
        Err(elapsed) => Err(SdkError::timeout_error(elapsed)),
    }
}

/// The obstacle that an error is for a change; `shown` filters its message.
pub(super) fn obstacle<E>(error: &SdkError<E, HttpResponse>, shown: impl FnOnce(String) -> String) -> Obstacle
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let is_passing = match error {
        SdkError::TimeoutError(_) => return Obstacle::Passing("there was no answer in time".to_owned()),
        SdkError::ServiceError(refused) => {
            let code = refused.err().code().unwrap_or_default();
            // 409: another update is in progress. 412: the function has been changed since it was read.
            matches!(refused.raw().status().as_u16(), 409 | 412 | 429 | 500..)
                || code.contains("Throttl")
                || is_expired(code)
        }
        SdkError::ConstructionFailure(_) => false,
        _ => true,
    };
    let failure = failure(error);
    let message = shown(failure.message);
    if is_passing { Obstacle::Passing(message) } else { Obstacle::Final(Failure { message, ..failure }) }
}

/// Whether what a request is about is not there.
pub(super) fn is_not_found<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    error.code() == Some("ResourceNotFoundException")
}

/// Whether a request is done or refused for good: one whose answer was lost may still be done.
pub(super) fn is_settled<T, E>(answer: &Result<T, SdkError<E, HttpResponse>>) -> bool {
    match answer {
        Ok(_) => true,
        Err(SdkError::ServiceError(refused)) => refused.raw().status().as_u16() < 500,
        Err(_) => false,
    }
}
