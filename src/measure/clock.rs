//! The two clocks: wall (monotonic) and CPU (of this thread).

use crate::protocol::{Clock, whole_ns};
use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};
use std::{sync::OnceLock, time::Instant};

/// CPU time that this thread has used, in nanoseconds.
pub fn cpu_ns() -> u64 {
    timespec_ns(clock_gettime(ClockId::ThreadCPUTime))
}

/// The monotonic clock, which times `wall_ns`; measured once a process.
pub fn monotonic() -> Clock {
    static CLOCK: OnceLock<Clock> = OnceLock::new();
    *CLOCK.get_or_init(|| describe(ClockId::Monotonic, Instant::now))
}

/// The CPU clock of a thread, which times `cpu_ns`; measured once a process.
pub fn cpu() -> Clock {
    static CLOCK: OnceLock<Clock> = OnceLock::new();
    *CLOCK.get_or_init(|| describe(ClockId::ThreadCPUTime, cpu_ns))
}

/// The shortest time that both clocks measure within 0.1%: 1000 times the higher cost of a reading, or the coarser
/// resolution.
pub fn shortest_ns() -> u64 {
    let finest = |clock: Clock| clock.cost_ns.max(clock.resolution_ns);
    1000 * finest(monotonic()).max(finest(cpu()))
}

fn describe<T>(id: ClockId, read: impl Fn() -> T) -> Clock {
    Clock { resolution_ns: timespec_ns(clock_getres(id)), cost_ns: cost_of_reading(read) }
}

/// The smallest mean of several batches, because interruptions of a batch are not the clock's cost.
fn cost_of_reading<T>(read: impl Fn() -> T) -> u64 {
    const BATCHES: u32 = 16;
    const READINGS: u32 = 64;
    let batch = || {
        let start = Instant::now();
        for _ in 0..READINGS {
            std::hint::black_box(read());
        }
        start.elapsed()
    };
    let least = (0..BATCHES).map(|_| batch()).min().expect("there is a batch");
    whole_ns(least / READINGS)
}

fn timespec_ns(time: Timespec) -> u64 {
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn cpu_time_passes_while_working_and_not_while_sleeping() {
        let before_sleep = cpu_ns();
        std::thread::sleep(Duration::from_millis(50));
        let before_work = cpu_ns();
        let wall = Instant::now();
        while wall.elapsed() < Duration::from_millis(50) {
            std::hint::black_box(0);
        }
        let after_work = cpu_ns();
        assert!(before_work - before_sleep < after_work - before_work);
        assert!(after_work > before_work);
    }

    #[test]
    fn the_clocks_are_described() {
        for clock in [monotonic, cpu] {
            assert!(clock().resolution_ns >= 1);
            assert_eq!(clock(), clock());
        }
        assert!(shortest_ns() >= 1000 * monotonic().cost_ns);
    }
}
