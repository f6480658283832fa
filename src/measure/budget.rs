//! The time that an invocation may spend on measuring.

use std::time::{Duration, Instant};

/// A moment by which measuring has to end.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    end: Instant,
}

impl Budget {
    /// A budget of `time` from now.
    pub fn of(time: Duration) -> Self {
        Self { end: Instant::now() + time }
    }

    /// Whether something that takes `time` would end within the budget, with a quarter to spare:
    /// the next iteration may be slower than the slowest so far.
    pub fn fits(&self, time: Duration) -> bool {
        Instant::now() + time + time / 4 < self.end
    }
}
