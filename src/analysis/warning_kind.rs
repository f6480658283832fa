//! A warning, and its kinds.

use crate::analysis::sides::Side;
use serde::Serialize;

/// A warning, with advice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Warning {
    pub kind: WarningKind,
    /// The side that it is about. None if it is about both.
    pub side: Option<Side>,
    /// What was found, and what to do about it.
    pub text: String,
}

/// The kinds of warnings, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[serde(rename_all = "kebab-case")]
pub enum WarningKind {
    /// Equal work gave different results: no verdict is given.
    ChecksumMismatch,
    /// Another instruction set was emulated: no verdict is given.
    Emulated,
    /// A side has no sample that can be used: no verdict is given.
    NoSamples,
    /// A function was changed during the campaign: no verdict is given.
    FunctionChanged,
    /// One request is said to have given several answers: no verdict is given.
    RepeatedRequests,
    /// The ids of environments cannot be theirs: no verdict is given.
    ImplausibleEnvironments,
    /// Nothing tells environments apart: no verdict is given.
    EnvironmentsUnknown,
    /// Too few environments answered: no verdict is given.
    TooFewEnvironments,
    /// Too few blocks have samples of both sides, in some cell at least: no verdict is given on it.
    TooFewBlocks,
    /// Cells have samples of one side alone, and so no part in the verdict.
    MissingCells,
    /// A function was changed during the campaign, which the user wants, or in a way that cannot be told.
    FunctionRevised,
    /// Several versions of a function answered.
    SeveralVersions,
    /// Another version of a function answered than was called.
    OtherVersion,
    /// Lambda reports another memory size than was configured.
    OtherMemory,
    /// Reports cannot be those of their calls.
    ImpossibleReports,
    /// Reports of calls are missing.
    MissingReports,
    /// Log streams of calls are missing.
    MissingLogStreams,
    /// Init durations were reported that were no part of the calls.
    EarlierInits,
    /// The baseline takes another time than the function did before: the payload may not be typical.
    UntypicalPayload,
    /// The sides have unequal memory.
    UnequalMemory,
    /// The sides run different builds of the handler.
    DifferentBuilds,
    /// Both sides have the same architecture, and one got the slower CPUs.
    UnbalancedCpus,
    /// CPU models that have not been seen may have a large share.
    UnseenCpus,
    /// The mix of CPU models has changed between the census and the calls: the census is not used.
    CensusDrifted,
    /// CPU models that the census has seen were hardly measured: it is not used, or intervals are wider.
    UnmeasuredCpus,
    /// Most of the uncertainty comes from what disturbed several environments at once.
    Disturbed,
    /// Processes on this machine had to wait for a processor.
    BusyMachine,
    /// Below 1769 MB a function has less than one vCPU.
    LessThanOneVcpu,
    /// A variant was given up before the campaign's end.
    GivenUp,
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

    /// Whether times are not those of one function at its work, or not of single calls, so that not even a mean of them can be
    /// used elsewhere.
    pub fn spoils_times(self) -> bool {
        self <= Self::ImplausibleEnvironments
    }
}

crate::protocol::display_as_serialized!(WarningKind);
