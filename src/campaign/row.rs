//! One invocation, as `samples.jsonl` keeps it.

use super::{platform_report::PlatformReport, sides::Side};
use crate::protocol::Response;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What became of one invocation: a measurement or a failure, never a gap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The number of the block.
    pub block: u64,
    /// The place of the step in the block.
    pub step: u32,
    /// Which of the calls of that step it is.
    pub slot: u32,
    /// How many times this call has been made before, because it was throttled.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u32,
    /// Who was called.
    pub side: Side,
    /// With which cell's payload.
    pub cell: String,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub started_unix_ms: u64,
    /// When, in milliseconds since the campaign began, pauses between two starts of the program left out.
    pub elapsed_ms: u64,
    /// How much later than its step the call was sent, in nanoseconds.
    pub delay_ns: u64,
    /// From sending the call to having the whole answer, in nanoseconds: the client's time.
    pub latency_ns: u64,
    /// Whether the environment's start is part of this call, where anybody says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cold: Option<bool>,
    /// The bill for this call as estimated, in US dollars; nothing where Lambda does not run it.
    #[serde(default, skip_serializing_if = "is_free")]
    pub cost_usd: f64,
    /// What Lambda reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<PlatformReport>,
    /// The answer of the benchmark service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Box<Response>>,
    /// The environment that answered, where the answer of the benchmark service does not name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The model of the processor that answered, where the answer of the benchmark service does not name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_model: Option<String>,
    /// The SHA-256 of any other answer, in hexadecimal digits; what was to be ignored left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_sha256: Option<String>,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Why a call gave no answer that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Which kind of failure it is.
    pub kind: FailureKind,
    /// What happened, for people.
    pub message: String,
}

/// The kinds of failures that a campaign tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// There were too many calls (HTTP 429): it is tried again.
    Throttled,
    /// There was no answer in time, from the function or from the network.
    Timeout,
    /// The function answered with an error, or ended.
    Function,
    /// The service before the function refused the call, or failed.
    Refused,
    /// The call did not arrive, or its answer did not.
    Network,
    /// The answer is not what was asked for.
    Answer,
}

impl Row {
    /// The id of the environment that answered, where anybody says so. A cold campaign of functions that do not say
    /// so has none either, though each of its calls meets an environment of its own.
    pub fn environment(&self) -> Option<&str> {
        self.response.as_ref().map(|it| it.environment.id.as_str()).or(self.environment.as_deref())
    }

    /// The model of the processor that answered, where anybody says so.
    pub fn cpu_model(&self) -> Option<&str> {
        self.response.as_ref().map(|it| it.host.cpu_model.as_str()).or(self.cpu_model.as_deref())
    }
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl FailureKind {
    /// Its name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Function => "function",
            Self::Refused => "refused",
            Self::Network => "network",
            Self::Answer => "answer",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn is_free(cost: &f64) -> bool {
    *cost == 0.0
}
