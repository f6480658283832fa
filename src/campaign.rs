//! Calls of functions, wherever they run; and campaigns, which call variants of a function in an order that cancels
//! drift and keep every sample.

pub(crate) mod accepted_status;
pub(crate) mod answer_comparison;
pub mod aws;
mod call_to_row;
pub mod caller;
pub(crate) mod cell_names;
pub(crate) mod census;
pub(crate) mod clones;
pub(crate) mod cloud_formation;
mod cloudwatch_logs;
pub(crate) mod cold_start_variable;
pub(crate) mod configuration;
mod control_call;
pub mod driver;
pub(crate) mod environment_source;
pub(crate) mod failure;
pub(crate) mod forced_cold_starts;
pub(crate) mod function_arn;
pub(crate) mod function_features;
mod function_variables;
pub(crate) mod hooks;
pub(crate) mod import;
pub(crate) mod insights;
pub(crate) mod inspection;
pub(crate) mod later_configurations;
pub mod local;
pub(crate) mod log_streams;
pub mod manifest;
pub(crate) mod memory_change;
mod open_list;
mod operating_system;
pub(crate) mod owner;
pub(crate) mod pauses;
pub(crate) mod payload;
pub mod platform_report;
mod pointer_check;
pub(crate) mod position;
pub mod prices;
pub mod program;
pub(crate) mod region;
pub(crate) mod request_header;
pub mod row;
pub mod run_directory;
pub mod runtime_api;
pub(crate) mod samconfig;
pub mod schedule;
pub(crate) mod shell_quoting;
pub(crate) mod stack;
pub(crate) mod stop_request;
pub(crate) mod stopping_rules;
mod target;
pub(crate) mod totals;
pub mod trial;
pub(crate) mod unmeasured_models;
pub mod usage;
pub mod variants;

pub use target::{Auth, FunctionName, Target, TargetError};

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

/// The last millisecond of the year 9999, since 1970-01-01 UTC: no later date can be formatted.
pub(crate) const LAST_UNIX_MS: u64 = 253_402_300_799_999;

/// Milliseconds since 1970-01-01 UTC.
pub(crate) fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

/// Bytes as hexadecimal digits.
pub(crate) fn lowercase_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Locks a mutex, even if a thread has panicked with it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
