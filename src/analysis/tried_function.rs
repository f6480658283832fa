//! The function that a campaign tried, as a report shows it.

use crate::{
    campaign::trial::{NotMade, Search, Trial, Usage},
    protocol::Architecture,
};
use serde::Serialize;

/// A user's function, whose present configuration is the baseline's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TriedFunction {
    /// None if it is not known.
    pub arn: Option<String>,
    pub architecture: Architecture,
    /// The memory setting, in MiB.
    pub memory_mb: u32,
    /// How its code is deployed: `Zip` or `Image`.
    pub package_type: Option<String>,
    /// The variants that could not be made.
    pub not_made: Vec<NotMade>,
    /// Why the clones had no probe, which tells the CPU of each execution environment; `None` if they had one.
    pub no_probe: Option<String>,
    /// How sizes were searched; `None` if they were not.
    pub search: Option<Search>,
    /// How it was used before, if that is known.
    pub usage: Option<Usage>,
}

impl From<&Trial> for TriedFunction {
    fn from(Trial { function, not_made, no_probe, search, usage }: &Trial) -> Self {
        Self {
            arn: function.arn.clone(),
            architecture: function.architecture,
            memory_mb: function.memory_mb,
            package_type: function.package_type.clone(),
            not_made: not_made.clone(),
            no_probe: no_probe.clone(),
            search: search.clone(),
            usage: *usage,
        }
    }
}
