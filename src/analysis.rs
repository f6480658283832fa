//! What samples say: pure functions of rows, without clocks, files or chance that is not seeded.

pub mod calibration;
pub mod change;
pub mod decision;
pub mod estimate;
pub mod gate;
pub mod interval;
pub mod overview;
pub mod result;
pub mod share;
pub mod warning;
