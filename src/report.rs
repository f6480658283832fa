//! Measurements for people.

pub mod calibration;
pub mod plan;
pub mod prices;
pub mod terminal;
