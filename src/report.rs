//! Measurements for people.

pub mod overview;
pub mod prices;
pub mod terminal;
