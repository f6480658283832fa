//! A function that a campaign tries as clones of it.

use super::configuration::Configuration;
use crate::protocol::Architecture;
use serde::{Deserialize, Serialize};

/// A function, and how it was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// The function as it is. Its clone is the baseline.
    pub function: Configuration,
    /// The clones that could not be made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_made: Vec<NotMade>,
    /// Why the clones have no probe, which tells the CPU of each execution environment; `None` if they have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_probe: Option<String>,
    /// How sizes were searched, if they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// How it was used before, if that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// A variant that there is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotMade {
    pub architecture: Architecture,
    /// The memory setting, in MiB.
    pub memory_mb: u32,
    /// Why: of one that could not be made in AWS's words, with what would help.
    pub reason: String,
}

/// How the sizes that a campaign measures were found among others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    pub rounds: u32,
    /// The calls of all rounds.
    pub calls: u64,
    /// Their estimated bill, in US dollars.
    pub cost_usd: f64,
    /// The variants that are not in the campaign.
    pub left_out: Vec<LeftOut>,
}

/// A variant that a search has left out of the campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    pub architecture: Architecture,
    /// The memory setting, in MiB.
    pub memory_mb: u32,
    pub reason: LeftOutReason,
}

/// Why a search has left out a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftOutReason {
    /// It can hardly be faster or cheaper than another one.
    NoBetter,
    /// Its calls failed, or those with more memory ran out of it.
    Failed,
    /// It could not be made, or had more memory than one that was too large.
    NotMade,
    /// The search was over before, by the campaign's limits.
    NotMeasured,
}

/// How a function was used in the days before it was tried.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// How many days were looked at.
    pub days: u32,
    /// The invocations in that time.
    pub invocations: u64,
    /// Their mean duration, in milliseconds.
    pub mean_duration_ms: Option<f64>,
    /// The proportion of cold starts.
    pub cold_share: Option<f64>,
}

#[cfg(test)]
impl Trial {
    /// A trial whose clones have a probe.
    pub(crate) fn example() -> Self {
        let function = serde_json::json!({
            "arn": null, "architecture": "x86_64", "memory_mb": 1769, "timeout_s": 30, "tracing": null, "runtime": null,
            "log_format": null, "ephemeral_storage_mb": 512, "layers": [],
        });
        let function = serde_json::from_value(function).expect("it is a configuration");
        Self { function, not_made: Vec::new(), no_probe: None, search: None, usage: None }
    }
}

impl Usage {
    /// The invocations of a month of 30 days at this rate. None if there were none.
    pub fn invocations_per_month(&self) -> Option<f64> {
        (self.days > 0 && self.invocations > 0).then(|| self.invocations as f64 * 30.0 / f64::from(self.days))
    }
}
