//! Measurements for people.

pub mod calibration;
pub mod change;
pub mod csv;
mod facts;
#[cfg(test)]
mod fixture;
pub mod gate;
pub mod html;
pub mod markdown;
pub mod plan;
pub mod prices;
#[cfg(test)]
mod schema;
pub mod table;
pub mod terminal;
pub mod words;
