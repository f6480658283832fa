//! Calling functions: wherever they run, one way to ask and one way to be told.

pub mod aws;
pub mod local;
pub mod runtime_api;
mod target;

pub use target::{Auth, CallError, Target, TargetError};
