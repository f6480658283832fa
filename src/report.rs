//! Measurements for people.

pub(crate) mod calibration;
pub mod campaign;
pub(crate) mod census;
pub(crate) mod change;
mod choice;
mod counted_fleets;
pub mod csv;
pub(crate) mod deployment;
pub(crate) mod document;
pub(crate) mod export;
mod facts;
#[cfg(test)]
pub(crate) mod fixture;
pub(crate) mod gate;
pub mod html;
mod imported;
pub mod markdown;
mod mix_scenarios;
pub mod plan;
pub mod prices;
pub(crate) mod response;
#[cfg(test)]
mod schema;
mod sentences;
pub(crate) mod settings;
mod tables;
pub mod terminal;
mod variants;
mod visualizer;
pub(crate) mod words;
