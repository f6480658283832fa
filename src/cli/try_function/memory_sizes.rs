//! `--memory`

use std::{ops::RangeInclusive, str::FromStr};

/// The memory sizes that Lambda has, in MiB.
const SIZES: RangeInclusive<u32> = 128..=10_240;

/// What `--memory` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemorySize {
    /// The sizes that a search finds.
    Auto,
    /// One, in MiB.
    Mb(u32),
}

/// The text names no size.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no memory size: give MB from {min} to {max} without a unit, such as 512, or auto", min = SIZES.start(), max = SIZES.end())]
pub(super) struct NoMemorySize(String);

impl FromStr for MemorySize {
    type Err = NoMemorySize;

    fn from_str(text: &str) -> Result<Self, NoMemorySize> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let size = text.parse().ok().filter(|size| SIZES.contains(size));
        size.map(Self::Mb).ok_or_else(|| NoMemorySize(text.to_owned()))
    }
}
