//! The measures by which sides are compared.

use crate::campaign::import::ImportedMeasure;
use serde::Serialize;
use std::fmt;

/// A measure by which sides are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// The wall-clock time of one iteration, measured in the handler: geometric means.
    Wall,
    /// The CPU time of one iteration, measured in the handler: geometric means.
    Cpu,
    /// The function's time as Lambda reports it: geometric means.
    Duration,
    /// What Lambda bills: arithmetic means, because bills add up.
    Billed,
    /// The client's time: geometric means.
    Latency,
    /// How long environments took to start, as Lambda reports it: geometric means.
    Init,
}

impl Measure {
    /// All of them, in the order in which reports show them, which is that of their declaration.
    pub const ALL: [Self; 6] = [Self::Wall, Self::Cpu, Self::Duration, Self::Billed, Self::Latency, Self::Init];

    /// Its name for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wall => "wall time",
            Self::Cpu => "CPU time",
            Self::Duration => "duration",
            Self::Billed => "billed duration",
            Self::Latency => "client latency",
            Self::Init => "init duration",
        }
    }
}

impl From<ImportedMeasure> for Measure {
    fn from(measure: ImportedMeasure) -> Self {
        match measure {
            ImportedMeasure::Duration => Self::Duration,
            ImportedMeasure::Billed => Self::Billed,
            ImportedMeasure::Latency => Self::Latency,
            ImportedMeasure::Init => Self::Init,
        }
    }
}

/// Samples are stored by measure in this order.
const _: () = {
    let mut index = 0;
    while index < Measure::ALL.len() {
        assert!(Measure::ALL[index] as usize == index);
        index += 1;
    }
};

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
