//! Measurements for people.

pub mod calibration;
pub mod overview;
pub mod terminal;
pub mod words;
