//! One invocation, as `samples.jsonl` keeps it.

pub use super::failure::{Failure, FailureKind};

use super::{failure::ATTEMPTS, platform_report::PlatformReport, variants::VariantIndex};
use crate::protocol::Response;
use serde::{Deserialize, Serialize};

/// How long Lambda waits for an init, in milliseconds. An init that takes longer is begun again within the call, whose
/// report then has no `Init Duration`: the init is part of its duration.
const INIT_LIMIT_MS: f64 = 10_000.0;

/// The outcome of one invocation: a measurement or a failure, never a gap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The number of the block.
    pub block: u64,
    /// The index of the step in the block.
    pub step: u32,
    /// The index of the environment of its variant.
    pub slot: u32,
    /// The number of earlier attempts at this call, which were throttled or met a transient failure.
    #[serde(default, skip_serializing_if = "is_default")]
    pub attempt: u32,
    /// The variant that was called; rows of schema 1 have a side.
    #[serde(alias = "side")]
    pub variant: VariantIndex,
    /// The name of the cell whose payload was sent.
    pub cell: String,
    /// When the call was sent, in milliseconds since 1970-01-01 UTC.
    pub started_unix_ms: u64,
    /// When the call was sent, in milliseconds since the campaign began, without pauses between two starts of the
    /// program.
    pub elapsed_ms: u64,
    /// The delay of the call after the start of its step, in nanoseconds.
    pub delay_ns: u64,
    /// From sending the call to having the whole answer, in nanoseconds: the client's time; 0 if it is not known.
    pub latency_ns: u64,
    /// Whether the environment's cold start is part of this call; `None` if that is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cold: Option<bool>,
    /// The estimated bill for this call, in US dollars; 0 if Lambda does not run it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cost_usd: f64,
    /// Lambda's report of the invocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<PlatformReport>,
    /// Lambda's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The version of the function that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executed_version: Option<String>,
    /// The answer of the benchmark service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Box<Response>>,
    /// The environment that answered, if it is not the benchmark service, whose response names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The model of the processor, if it is not the benchmark service that answered, whose response names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_model: Option<String>,
    /// The SHA-256 of any other answer, without its ignored parts, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_sha256: Option<String>,
    /// The reason why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl Row {
    /// Lambda's report, if it is credible: no call takes longer in the function than its client waited, or than is
    /// billed.
    pub fn believed_report(&self) -> Option<&PlatformReport> {
        self.report.as_ref().filter(|report| !self.is_shorter_than(report.duration_ms) && !report.contradicts_itself())
    }

    /// Whether the environment had started before it was called, as with provisioned concurrency: the reported init and
    /// the duration together are longer than the client waited.
    pub fn has_earlier_init(&self) -> bool {
        let Some(PlatformReport { init_ms: Some(init), duration_ms, .. }) = self.believed_report() else {
            return false;
        };
        self.is_shorter_than(Some(init + duration_ms.unwrap_or_default()))
    }

    /// Whether the environment's cold start is part of the call; `None` if that is unknown: without a credible report,
    /// and for the first call of an environment that may have started before the campaign.
    pub(super) fn cold_start(&self, is_first: bool, is_forced: bool) -> Option<bool> {
        if self.has_earlier_init() {
            return None;
        }
        if let Some(response) = &self.response {
            return Some(response.environment.cold_start);
        }
        let report = self.report.as_ref()?;
        let longest_ms = self.latency_ms().max(report.duration_ms.unwrap_or_default());
        if report.init_ms.is_none() && (is_first || is_forced) && longest_ms >= INIT_LIMIT_MS {
            return Some(true);
        }
        match self.believed_report()?.init_ms {
            Some(_) => Some(true),
            None if is_first => None,
            None => Some(false),
        }
    }

    /// Whether the client waited for less than `reported_ms`, by more than clocks may differ. Nothing tells if its time is
    /// not known, as that of imported measurements.
    fn is_shorter_than(&self, reported_ms: Option<f64>) -> bool {
        const TOLERANCE_MS: f64 = 1.0;
        self.latency_ns > 0 && reported_ms.is_some_and(|reported| reported > self.latency_ms() + TOLERANCE_MS)
    }

    /// When the whole answer was there, in milliseconds since the campaign began.
    pub fn end_ms(&self) -> u64 {
        self.elapsed_ms.saturating_add(self.latency_ns / 1_000_000)
    }

    /// The client's time in milliseconds.
    pub fn latency_ms(&self) -> f64 {
        self.latency_ns as f64 / 1e6
    }

    /// Whether the call failed and is made again.
    pub fn is_made_again(&self) -> bool {
        self.attempt + 1 < ATTEMPTS && self.failure.as_ref().is_some_and(|failure| failure.kind.is_repeated())
    }

    /// The id of the environment that answered, if it is known. In a cold campaign each call has an environment of its
    /// own, even if no id is known.
    pub fn environment(&self) -> Option<&str> {
        self.response.as_ref().map(|response| response.environment.id.as_str()).or(self.environment.as_deref())
    }

    /// The model of the processor that answered, if it is known.
    pub fn cpu_model(&self) -> Option<&str> {
        self.response.as_ref().map(|response| response.host.cpu_model.as_str()).or(self.cpu_model.as_deref())
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
impl Row {
    /// A successful first call of the first variant.
    pub(crate) fn example() -> Self {
        serde_json::from_value(serde_json::json!({
            "block": 0, "step": 0, "slot": 0, "variant": 0, "cell": "a", "started_unix_ms": 1, "elapsed_ms": 0,
            "delay_ns": 0, "latency_ns": 1_000_000
        }))
        .unwrap()
    }
}
