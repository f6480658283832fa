//! Measurements for people.

pub mod calibration;
pub mod csv;
mod facts;
#[cfg(test)]
pub mod fixture;
pub mod markdown;
pub mod overview;
pub mod table;
pub mod terminal;
pub mod words;
