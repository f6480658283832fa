//! Campaigns in the formats of other tools: estimates, as reports show them, and samples.

pub(crate) mod bmf;
mod estimates;
pub(crate) mod github_action_benchmark;
pub(crate) mod openmetrics;
pub(crate) mod otava;
pub(crate) mod parquet;

pub(crate) use estimates::Estimates;
