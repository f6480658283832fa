//! Measurements for people.

pub mod calibration;
pub mod csv;
mod facts;
#[cfg(test)]
mod fixture;
pub mod html;
pub mod markdown;
pub mod plan;
pub mod prices;
pub mod table;
pub mod terminal;
pub mod words;
