//! Measurements for people.

pub mod calibration;
pub mod overview;
pub mod prices;
pub mod terminal;
pub mod words;
