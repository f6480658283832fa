//! Measurements for people.

pub mod overview;
pub mod terminal;
