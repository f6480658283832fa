//! The time that an invocation may spend on measuring.

use crate::workload::limits::Limits;
use std::time::{Duration, Instant};

/// The deadline for measuring.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    end: Instant,
    cpu_share: f64,
}

impl Budget {
    /// A budget of `time` from now, on this many virtual CPUs (more than one are of no use here).
    pub fn new(time: Duration, vcpus: f64) -> Self {
        Self { end: Instant::now() + time, cpu_share: vcpus.min(1.0) }
    }

    /// Whether something that takes `time` would end within the budget, with a quarter to spare:
    /// the next iteration may be slower than the slowest so far.
    pub fn fits(&self, time: Duration) -> bool {
        Instant::now() + time + time / 4 < self.end
    }

    /// The limits of a workload of `bytes`, which must end early enough to free its memory.
    pub fn limits(&self, bytes: u64) -> Limits {
        // The kernel takes back 8 to 12 bytes a nanosecond, or half of that beside others.
        const BYTES_A_NANOSECOND: u64 = 4;
        let release = Duration::from_nanos(bytes / BYTES_A_NANOSECOND).div_f64(self.cpu_share);
        Limits { end: self.end.checked_sub(release).unwrap_or(self.end), cpu_share: self.cpu_share }
    }
}
