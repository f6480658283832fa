//! Measurements for people.

pub mod calibration;
#[cfg(test)]
mod fixture;
pub mod html;
pub mod plan;
pub mod prices;
pub mod terminal;
pub mod words;
