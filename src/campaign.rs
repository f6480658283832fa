//! Calling functions: wherever they run, one way to ask and one way to be told; and campaigns, which call
//! two of them in an order that cancels drift and keep every sample.

pub mod aws;
pub mod caller;
pub mod check;
pub mod comparison;
pub mod configuration;
pub mod driver;
pub mod failure;
pub mod journal;
pub mod local;
pub mod manifest;
pub mod payload;
pub mod platform_report;
mod pointers;
pub mod position;
pub mod prices;
pub mod region;
pub mod row;
pub mod runtime_api;
mod sample;
pub mod schedule;
pub mod sides;
pub mod stack;
pub mod status;
pub mod stopping;
mod target;
pub mod totals;

pub use target::{Auth, Target, TargetError};
