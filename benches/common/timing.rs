//! One run of a routine, timed as the handler times it.

use lambda_duet::workload::Routine;
use std::{hint::black_box, time::Instant};

/// The nanoseconds of a run; restoring the input is not part of it.
pub fn time(routine: &mut dyn Routine) -> f64 {
    routine.restore();
    let start = Instant::now();
    black_box(&mut *routine).run();
    start.elapsed().as_nanos() as f64
}
