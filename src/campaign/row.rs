//! One invocation, as `samples.jsonl` keeps it.

use super::{platform_report::PlatformReport, sides::Side};
use crate::protocol::Response;
use serde::{Deserialize, Serialize};

pub use super::failure::{Failure, FailureKind};

/// How often a call is made that is throttled, or meets a transient failure, each time.
pub const ATTEMPTS: u32 = 8;

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
    /// How many times this call has been made before, because it was throttled or met a transient failure.
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
    /// Whether the environment's cold start is part of this call; none where that cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cold: Option<bool>,
    /// The bill for this call as estimated, in US dollars; nothing where Lambda does not run it.
    #[serde(default, skip_serializing_if = "is_free")]
    pub cost_usd: f64,
    /// What Lambda reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<PlatformReport>,
    /// What Lambda calls the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The version of the function that ran, which an alias does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executed_version: Option<String>,
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

impl Row {
    /// What Lambda reports, if that can be: no call takes longer in the function than its client waited, nor longer than is
    /// billed.
    pub fn believed_report(&self) -> Option<&PlatformReport> {
        self.report.as_ref().filter(|report| !self.is_shorter_than(report.duration_ms) && !report.contradicts_itself())
    }

    /// Whether the report is one of an environment that had started before it was called, as those of provisioned
    /// concurrency: the reported init and the duration together take longer than the client waited.
    pub fn has_earlier_init(&self) -> bool {
        let Some(PlatformReport { init_ms: Some(init), duration_ms, .. }) = self.believed_report() else {
            return false;
        };
        self.is_shorter_than(Some(init + duration_ms.unwrap_or_default()))
    }

    /// Whether the client waited for less than so many milliseconds, by more than clocks may differ.
    fn is_shorter_than(&self, reported_ms: Option<f64>) -> bool {
        const TOLERANCE_MS: f64 = 1.0;
        reported_ms.is_some_and(|reported| reported > self.latency_ms() + TOLERANCE_MS)
    }

    /// The client's time in milliseconds.
    pub fn latency_ms(&self) -> f64 {
        self.latency_ns as f64 / 1e6
    }

    /// Whether the call failed in a way that has it made again.
    pub fn is_made_again(&self) -> bool {
        self.attempt + 1 < ATTEMPTS && self.failure.as_ref().is_some_and(|it| it.kind.is_repeated())
    }

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

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn is_free(cost: &f64) -> bool {
    *cost == 0.0
}
