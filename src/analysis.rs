//! What samples say: pure functions of rows, without clocks, files or chance that is not seeded.

pub mod analyse;
mod analyzer;
pub mod bill;
pub mod calibration;
pub mod change;
pub mod decision;
pub mod estimate;
pub mod gate;
pub mod interval;
pub mod money;
mod plot_data;
pub mod proportion;
pub mod quality;
#[cfg(test)]
mod reference;
pub mod result;
pub mod samples;
pub mod stopping;
mod summary_statistics;
pub mod warning;
