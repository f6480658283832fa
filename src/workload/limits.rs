//! The time and the memory that a workload may take.
//!
//! Everything that may take long, timed or not, passes a [`checkpoint`] at least every millisecond, so that even the
//! largest size ends in time; buffers that grow with the size are allocated with [`vec_with_capacity`] and similar
//! functions. When a limit is exceeded, the workload is unwound, as by a panic but without its message, and [`within`]
//! returns which limit it was.

use std::{
    any::Any,
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::{Duration, Instant},
};

/// The deadline of a workload, and its share of a CPU until then.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The time after which the next checkpoint ends it.
    pub end: Instant,
    /// The number of its virtual CPUs, at most 1: below 1 the scheduler interrupts it, so that work takes longer than a
    /// short measurement suggests.
    pub cpu_share: f64,
}

/// The reason why a workload was stopped.
#[derive(Debug)]
pub enum Stopped {
    /// It ran out of time.
    Time,
    /// A buffer of this many bytes could not be allocated.
    Memory(usize),
    /// It panicked, with this payload.
    Panic(Box<dyn Any + Send>),
}

thread_local! {
    static LIMITS: Cell<Option<Limits>> = const { Cell::new(None) };
}

/// Runs `work`, on this thread, within limits.
///
/// # Errors
/// [`Stopped`] if it was stopped.
pub fn within<T>(limits: Limits, work: impl FnOnce() -> T) -> Result<T, Stopped> {
    LIMITS.set(Some(limits));
    let outcome = catch_unwind(AssertUnwindSafe(work));
    LIMITS.set(None);
    outcome.map_err(|payload| payload.downcast().map_or_else(Stopped::Panic, |stopped| *stopped))
}

/// Ends the workload if its time is over. This costs a reading of the clock. Cold, so that surrounding loops keep the
/// registers.
#[cold]
pub fn checkpoint() {
    if LIMITS.get().is_some_and(|limits| limits.end <= Instant::now()) {
        stop(Stopped::Time);
    }
}

/// Ends the workload unless there is time for work that no checkpoint can interrupt, and that takes `time` on a CPU of
/// its own. Twice that time must be left.
pub fn reserve(time: Duration) {
    let fits = |limits: Limits| time.as_secs_f64() * 2.0 / limits.cpu_share < remaining(limits).as_secs_f64();
    if !LIMITS.get().is_none_or(fits) {
        stop(Stopped::Time);
    }
}

fn remaining(limits: Limits) -> Duration {
    limits.end.saturating_duration_since(Instant::now())
}

#[cold]
fn stop(why: Stopped) -> ! {
    resume_unwind(Box::new(why))
}

/// A checkpoint every so many steps, for loops of short steps.
pub struct Pace {
    every: u32,
    left: u32,
}

impl Pace {
    /// A checkpoint at the first of each `every` steps.
    pub fn every(every: u32) -> Self {
        Self { every, left: 0 }
    }

    /// Before a step.
    #[inline]
    pub fn step(&mut self) {
        if self.left == 0 {
            self.left = self.every;
            checkpoint();
        }
        self.left -= 1;
    }
}

/// The number of elements of a slice between two checkpoints: 256 KiB of words.
pub const BLOCK: usize = 1 << 15;

/// An empty vector with room for `capacity` elements; the workload ends if there is not enough memory.
pub fn vec_with_capacity<T>(capacity: usize) -> Vec<T> {
    let mut vec = Vec::new();
    if vec.try_reserve_exact(capacity).is_err() {
        stop(Stopped::Memory(capacity.saturating_mul(size_of::<T>())));
    }
    vec
}

/// An empty text with room for `capacity` bytes; the workload ends if there is not enough memory.
pub fn string_with_capacity(capacity: usize) -> String {
    String::from_utf8(vec_with_capacity(capacity)).expect("an empty text is UTF-8")
}

/// A vector of `len` copies of `value`.
pub fn filled<T: Copy>(value: T, len: usize) -> Vec<T> {
    let mut vec = vec_with_capacity(len);
    while vec.len() < len {
        checkpoint();
        vec.resize(len.min(vec.len() + BLOCK), value);
    }
    vec
}

/// A vector of `len` values of `make`.
pub fn made<T>(len: usize, make: impl FnMut() -> T) -> Vec<T> {
    let mut vec = vec_with_capacity(len);
    let mut pace = Pace::every(BLOCK as u32);
    vec.extend(std::iter::repeat_with(make).take(len).inspect(|_| pace.step()));
    vec
}

/// Sets all of `slice` to `value`.
pub fn fill<T: Copy>(slice: &mut [T], value: T) {
    for block in slice.chunks_mut(BLOCK) {
        checkpoint();
        block.fill(value);
    }
}

/// Copies `from` to `to`, which is of the same length.
pub fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    assert_eq!(from.len(), to.len());
    for (from, to) in from.chunks(BLOCK).zip(to.chunks_mut(BLOCK)) {
        checkpoint();
        to.copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn limits(time: Duration) -> Limits {
        Limits { end: Instant::now() + time, cpu_share: 1.0 }
    }

    #[test]
    fn without_limits_nothing_is_stopped() {
        checkpoint();
        reserve(HOUR);
        assert_eq!(within(limits(HOUR), || 7).unwrap(), 7);
    }

    #[test]
    fn every_loop_ends_with_its_time() {
        let over = || limits(Duration::ZERO);
        assert!(matches!(within(over(), checkpoint), Err(Stopped::Time)));
        assert!(matches!(within(over(), || Pace::every(9).step()), Err(Stopped::Time)));
        assert!(matches!(within(over(), || filled(0u8, 1)), Err(Stopped::Time)));
        assert!(matches!(within(over(), || made(1, || 0u8)), Err(Stopped::Time)));
        assert!(matches!(within(over(), || fill(&mut [1u8], 0)), Err(Stopped::Time)));
        assert!(matches!(within(over(), || copy(&[1u8], &mut [0])), Err(Stopped::Time)));
        // The limits are gone with what they were for.
        checkpoint();
    }

    #[test]
    fn a_loop_without_end_is_ended() {
        let outcome: Result<(), _> = within(limits(Duration::from_millis(20)), || {
            let mut pace = Pace::every(1000);
            loop {
                pace.step();
            }
        });
        assert!(matches!(outcome, Err(Stopped::Time)));
    }

    #[test]
    fn uninterruptible_work_needs_twice_its_time_and_more_on_a_part_of_a_cpu() {
        let reserved = |cpu_share, time| within(Limits { cpu_share, ..limits(HOUR) }, || reserve(time)).is_ok();
        assert!(reserved(1.0, HOUR / 3));
        assert!(!reserved(1.0, HOUR / 2));
        assert!(!reserved(0.25, HOUR / 3));
        assert!(reserved(0.25, HOUR / 9));
    }

    #[test]
    fn missing_memory_and_panics_are_distinguished() {
        let bytes = isize::MAX as usize - 7;
        assert!(
            matches!(within(limits(HOUR), || vec_with_capacity::<u64>(bytes / 8)), Err(Stopped::Memory(n)) if n == bytes)
        );
        let Err(Stopped::Panic(payload)) = within(limits(HOUR), || panic!("on purpose")) else {
            panic!("no panic was seen");
        };
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"on purpose"));
    }

    #[test]
    fn vectors_hold_the_requested_values() {
        let len = 2 * BLOCK + 1;
        let mut numbers = 0..;
        let counted = made(len, || numbers.next().unwrap());
        assert!(counted.iter().copied().eq(0..len));
        let mut copied = filled(9, len);
        assert!(copied.iter().all(|&value| value == 9) && copied.capacity() == len);
        copy(&counted, &mut copied);
        assert_eq!(copied, counted);
        fill(&mut copied, 3);
        assert_eq!(copied, filled(3, len));
    }
}
