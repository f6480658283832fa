//! What a comparison comes to.

use serde::Serialize;
use std::fmt;

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The candidate takes less time: the interval excludes that there is no difference.
    Faster,
    /// The candidate takes more time.
    Slower,
    /// The whole interval lies within the margin.
    Equivalent,
    /// None of these, with the environments so far.
    Inconclusive,
    /// No verdict is given; the warnings say why.
    Withheld,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::Equivalent => "equivalent",
            Self::Inconclusive => "inconclusive",
            Self::Withheld => "withheld",
        })
    }
}
