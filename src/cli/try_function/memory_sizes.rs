//! `--memory`

use crate::cli::value_parsers;
use std::str::FromStr;

/// What `--memory` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemorySize {
    /// The sizes that a search finds.
    Auto,
    /// One, in MiB.
    Mb(u32),
}

impl FromStr for MemorySize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" { Ok(Self::Auto) } else { value_parsers::memory_mb(text).map(Self::Mb) }
    }
}
