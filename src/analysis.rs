//! What samples say: pure functions of rows, without clocks, files or chance that is not seeded.

pub mod analyse;
pub mod bill;
pub mod calibration;
pub mod change;
pub mod decision;
pub mod estimate;
pub mod gate;
pub mod interval;
mod levels;
pub mod money;
mod pictures;
pub mod quality;
#[cfg(test)]
mod reference;
pub mod result;
pub mod samples;
pub mod share;
pub mod stopping;
mod subject;
pub mod warning;
