//! Why calls fail.

use crate::protocol::control_characters;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// The most bytes of a message that are kept: a function may put anything into its errors.
const MAX_MESSAGE_BYTES: usize = 2048;

/// The most attempts at a call that is throttled or meets a transient failure.
pub const ATTEMPTS: u32 = 8;

/// The reason why a call gave no usable answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
#[serde(deny_unknown_fields)]
pub struct Failure {
    pub kind: FailureKind,
    /// What happened, in words.
    pub message: String,
    /// Lambda's reason for throttling the call, such as `ConcurrentInvocationLimitExceeded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the function cannot have run, so that nothing is billed.
    #[serde(skip)]
    pub has_not_run: bool,
}

/// The kinds of failures that a campaign tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// There were too many calls: the call is made again.
    Throttled,
    /// A passing failure of the service in front of the function: the call is made again.
    Transient,
    /// There was no answer in time.
    Timeout,
    /// The function answered with an error, or ended.
    Function,
    /// The service in front of the function refused the call.
    Refused,
    /// The call or its answer was lost.
    Network,
    /// The answer is not one of the function, or not of the expected kind.
    Answer,
}

impl Failure {
    /// A failure of this kind. A very long message is cut; characters that would control a terminal are escaped.
    pub fn new(kind: FailureKind, message: impl AsRef<str>) -> Self {
        Self { kind, message: readable(message.as_ref()), reason: None, has_not_run: false }
    }

    /// A refusal, by a service or by this program before the call.
    pub fn refused(message: impl AsRef<str>) -> Self {
        Self::new(FailureKind::Refused, message)
    }
}

impl FailureKind {
    /// Whether the call is made again, because it may succeed a moment later.
    pub fn is_repeated(self) -> bool {
        matches!(self, Self::Throttled | Self::Transient)
    }
}

crate::protocol::display_as_serialized!(FailureKind);

/// The beginning of a text, on one line, with control characters escaped.
pub(super) fn readable(text: &str) -> String {
    let mut readable = String::new();
    for character in text.chars() {
        if readable.len() >= MAX_MESSAGE_BYTES {
            // Writing to a string cannot fail.
            let _ = write!(readable, "… ({} bytes in all)", text.len());
            break;
        }
        control_characters::push(&mut readable, character);
    }
    readable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_and_its_control_characters_are_escaped() {
        assert_eq!(readable("Zürich\n\u{1b}[2J"), "Zürich\\n\\u{1b}[2J");
        assert_eq!(readable(&"x".repeat(2048)), "x".repeat(2048));
        assert_eq!(readable(&"x".repeat(1 << 20)), format!("{}… (1048576 bytes in all)", "x".repeat(2048)));
        // No character is cut in two.
        assert_eq!(readable(&"ü".repeat(1025)).chars().filter(|character| *character == 'ü').count(), 1024);
    }
}
