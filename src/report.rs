//! Measurements for people.

pub mod calibration;
#[cfg(test)]
pub mod fixture;
pub mod html;
pub mod overview;
pub mod prices;
pub mod terminal;
pub mod words;
