//! What to know before using the numbers of a campaign.

use crate::campaign::sides::Side;
use serde::Serialize;

/// Something to know, with advice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Warning {
    /// Which it is.
    pub kind: WarningKind,
    /// The side that it is about, where it is about one.
    pub side: Option<Side>,
    /// What was found, and what to do about it.
    pub text: String,
}

/// The warnings there are, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarningKind {
    /// Equal work gave different results: no verdict is given.
    ChecksumMismatch,
    /// Another instruction set was emulated: no verdict is given.
    Emulated,
    /// A side has no sample that can be used: no verdict is given.
    NoSamples,
    /// Nothing tells environments apart: no verdict is given.
    EnvironmentsUnknown,
    /// Too few environments answered: no verdict is given.
    TooFewEnvironments,
    /// The sides have unequal memory.
    UnequalMemory,
    /// The sides run different builds of the handler.
    DifferentBuilds,
    /// Both sides have the same architecture, and one got the slower CPUs.
    UnbalancedCpus,
    /// CPU models that have not been seen may have a large share.
    UnseenCpus,
    /// All samples are of one block, so that nothing cancels drift.
    SingleBlock,
    /// Below 1769 MB a function has less than one vCPU.
    LessThanOneVcpu,
    /// Calls failed.
    Failures,
    /// Calls were throttled.
    Throttled,
    /// Answers whose deadline came before all their iterations.
    Truncated,
    /// Iterations too short for the clock, or a clock that is too coarse.
    CoarseClock,
    /// No billed durations are known, so that there is no bill.
    NoBill,
}

impl WarningKind {
    /// Whether no verdict is given on any cell because of it.
    pub fn withholds(self) -> bool {
        self <= Self::EnvironmentsUnknown
    }

    /// Its name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChecksumMismatch => "checksum-mismatch",
            Self::Emulated => "emulated",
            Self::NoSamples => "no-samples",
            Self::EnvironmentsUnknown => "environments-unknown",
            Self::TooFewEnvironments => "too-few-environments",
            Self::UnequalMemory => "unequal-memory",
            Self::DifferentBuilds => "different-builds",
            Self::UnbalancedCpus => "unbalanced-cpus",
            Self::UnseenCpus => "unseen-cpus",
            Self::SingleBlock => "single-block",
            Self::LessThanOneVcpu => "less-than-one-vcpu",
            Self::Failures => "failures",
            Self::Throttled => "throttled",
            Self::Truncated => "truncated",
            Self::CoarseClock => "coarse-clock",
            Self::NoBill => "no-bill",
        }
    }
}
