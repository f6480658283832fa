//! Calling functions: wherever they run, one way to ask and one way to be told; and campaigns, which call
//! two of them in an order that cancels drift and keep every sample.

pub mod aws;
pub mod caller;
pub mod check;
pub mod cold;
pub mod comparison;
pub mod configuration;
pub mod driver;
pub mod failure;
pub mod feature;
pub mod header;
pub mod insights;
pub mod journal;
pub mod local;
pub mod manifest;
mod pauses;
pub mod payload;
pub mod platform_report;
mod pointers;
pub mod position;
pub mod prices;
pub mod readings;
pub mod region;
pub mod row;
pub mod runtime_api;
pub mod samconfig;
mod sample;
pub mod schedule;
pub mod shell;
pub mod sides;
pub mod stack;
pub mod status;
pub mod stop;
pub mod stopping;
mod target;
pub mod totals;
pub mod visible;

pub use target::{Auth, Target, TargetError};

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01 UTC.
pub(crate) fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
