//! What samples say: pure functions of rows, without clocks, files or chance.

pub mod bill;
pub mod overview;
