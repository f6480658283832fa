//! Measurements for people.

pub mod calibration;
pub mod campaign;
pub mod change;
pub mod csv;
pub mod document;
#[cfg(test)]
mod fixture;
pub mod gate;
pub mod html;
pub mod markdown;
pub mod plan;
pub mod prices;
pub mod response;
#[cfg(test)]
mod schema;
mod sentences;
mod tables;
pub mod terminal;
pub mod words;
