//! Waiting for a function that cannot be invoked yet.

use super::{Bytes, Configured, Failure, FunctionCaller};
use crate::campaign::pauses::Pauses;
use aws_sdk_lambda::types::{LastUpdateStatus, State};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long to wait for Lambda, as long as AWS's own waiter.
const LIMIT: Duration = Duration::from_secs(300);

/// The longest pause between two looks at a function.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Whether a function can be invoked.
#[derive(Debug, PartialEq, Eq)]
enum Readiness {
    Ready,
    /// Only after a call, which fails.
    Asleep,
    /// Soon; until then it is in this state.
    Later(&'static str),
    /// Never, for this reason.
    Never(String),
}

impl FunctionCaller {
    /// Waits until the function can be invoked, and its last change has taken effect. A function that is inactive,
    /// because it was not called for weeks, is woken with `payload`: Lambda fails that call and does not run the
    /// function.
    ///
    /// # Errors
    /// When its state is a final one, or it takes too long. A function whose state cannot be read is assumed to be
    /// ready.
    pub async fn wait_until_ready(&self, payload: &str) -> Result<(), Failure> {
        let (end, mut pauses, mut is_woken) = (Instant::now() + LIMIT, Pauses::new(), false);
        loop {
            let Ok(configured) = self.configured().await else { return Ok(()) };
            let state = match readiness(&configured) {
                Readiness::Ready => return Ok(()),
                Readiness::Never(reason) => return Err(Failure::refused(reason)),
                Readiness::Asleep if !is_woken => {
                    is_woken = true;
                    self.call(Bytes::from(payload.to_owned())).await;
                    continue;
                }
                Readiness::Asleep => "Inactive, although it was called to wake it",
                Readiness::Later(state) => state,
            };
            if Instant::now() >= end {
                return Err(Failure::refused(format!("after {} s it is still {state}", LIMIT.as_secs())));
            }
            sleep(pauses.next(LONGEST_PAUSE)).await;
        }
    }
}

fn readiness(configured: &Configured) -> Readiness {
    let never = |state: &State| {
        let reason = configured.state_reason().unwrap_or("Lambda gives no reason");
        let code = configured.state_reason_code().map_or_else(String::new, |code| format!(" ({})", code.as_str()));
        Readiness::Never(format!("its state is {}, in which it cannot be invoked: {reason}{code}", state.as_str()))
    };
    match configured.state() {
        Some(State::Pending) => Readiness::Later("Pending"),
        Some(State::Inactive) => Readiness::Asleep,
        Some(state @ (State::Failed | State::Deleting | State::Deactivating | State::Deactivated)) => never(state),
        Some(state @ State::ActiveNonInvocable) => never(state),
        _ if configured.last_update_status() == Some(&LastUpdateStatus::InProgress) => {
            Readiness::Later("taking a change of its configuration")
        }
        _ => Readiness::Ready,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_determines_whether_a_function_can_be_invoked() {
        let of = |state: &str| readiness(&Configured::builder().state(State::from(state)).build());
        assert_eq!(of("Active"), Readiness::Ready);
        assert_eq!(of("SomethingNew"), Readiness::Ready);
        assert_eq!(of("Pending"), Readiness::Later("Pending"));
        assert_eq!(of("Inactive"), Readiness::Asleep);
        assert_eq!(readiness(&Configured::builder().build()), Readiness::Ready);
        let failed = Configured::builder().state(State::Failed).state_reason("the image is gone").build();
        assert!(
            matches!(readiness(&failed), Readiness::Never(reason) if reason.ends_with("Failed, in which it cannot be invoked: the image is gone"))
        );
        let changing =
            Configured::builder().state(State::Active).last_update_status(LastUpdateStatus::InProgress).build();
        assert_eq!(readiness(&changing), Readiness::Later("taking a change of its configuration"));
    }
}
