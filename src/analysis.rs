//! What samples say: pure functions of rows, without clocks, files or chance that is not seeded.

pub mod analyse;
mod analyzer;
pub(crate) mod bill;
pub(crate) mod calibration;
mod cells;
pub(crate) mod change;
mod cpu_models;
pub(crate) mod decision;
pub(crate) mod estimate;
pub(crate) mod gate;
pub(crate) mod interval;
mod measure;
pub(crate) mod money;
mod plot_data;
pub mod proportion;
pub(crate) mod quality;
mod ratio;
#[cfg(test)]
mod reference;
pub(crate) mod result;
pub mod samples;
pub(crate) mod stopping;
mod summary_statistics;
mod verdict;
pub(crate) mod warning;
mod warnings;
