//! The two sides of a comparison.

use serde::{Deserialize, Serialize};
use std::{
    fmt,
    ops::{Index, IndexMut},
};

/// A side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The function in use: x86_64, unless the user says otherwise.
    Baseline,
    /// The function that might replace it: arm64, unless the user says otherwise.
    Candidate,
}

impl Side {
    /// Both, the baseline first.
    pub const BOTH: [Self; 2] = [Self::Baseline, Self::Candidate];

    /// Its name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Candidate => "candidate",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A value for each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sides<T> {
    pub baseline: T,
    pub candidate: T,
}

impl<T> Sides<T> {
    /// Maps the value of each side.
    pub fn map<'a, U>(&'a self, mut make: impl FnMut(Side, &'a T) -> U) -> Sides<U> {
        Sides { baseline: make(Side::Baseline, &self.baseline), candidate: make(Side::Candidate, &self.candidate) }
    }

    /// Both, the baseline first.
    pub fn iter(&self) -> impl Iterator<Item = (Side, &T)> {
        Side::BOTH.into_iter().map(|side| (side, &self[side]))
    }
}

impl<T> Index<Side> for Sides<T> {
    type Output = T;

    fn index(&self, side: Side) -> &T {
        match side {
            Side::Baseline => &self.baseline,
            Side::Candidate => &self.candidate,
        }
    }
}

impl<T> IndexMut<Side> for Sides<T> {
    fn index_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Baseline => &mut self.baseline,
            Side::Candidate => &mut self.candidate,
        }
    }
}
