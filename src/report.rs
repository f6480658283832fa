//! Measurements for people.

pub mod terminal;
