//! Counting heap use: an allocator that costs one thread-local flag while it is not counting.
//!
//! A program that wants heap figures names [`CountingAllocator`] as its `#[global_allocator]`.
//! Only the thread that calls [`count`] is counted; memory is counted as it was asked for, without
//! the allocator's own overhead.
//!
//! Unsafe code is here because [`GlobalAlloc`] cannot be implemented, nor the C library called, without.

#![allow(unsafe_code)]

mod aligned;

use crate::protocol::HeapUse;
use aligned::AlignedSystem;
use std::{
    alloc::{GlobalAlloc, Layout},
    cell::Cell,
};

/// The system allocator, counting while [`count`] runs.
#[derive(Debug)]
pub struct CountingAllocator;

/// Counters of one pass. `live` is signed, because the pass may free earlier allocations.
#[derive(Clone, Copy)]
struct Counters {
    live: i64,
    peak: i64,
    allocations: u64,
    allocated: u64,
}

const NONE: Counters = Counters { live: 0, peak: 0, allocations: 0, allocated: 0 };

thread_local! {
    static COUNTING: Cell<bool> = const { Cell::new(false) };
    static COUNTERS: Cell<Counters> = const { Cell::new(NONE) };
}

/// Runs `work` and counts what this thread takes from the heap meanwhile.
///
/// All figures are 0 in a program whose global allocator is not [`CountingAllocator`]. Counting
/// stops when `work` panics.
pub fn count<T>(work: impl FnOnce() -> T) -> (T, HeapUse) {
    struct Stop;
    impl Drop for Stop {
        fn drop(&mut self) {
            COUNTING.set(false);
        }
    }
    COUNTERS.set(NONE);
    let stop = Stop;
    COUNTING.set(true);
    let result = work();
    drop(stop);
    let Counters { peak, allocations, allocated, .. } = COUNTERS.get();
    (result, HeapUse { peak_heap_bytes: peak.unsigned_abs(), allocations, allocated_bytes: allocated })
}

/// The freed memory that the process may keep: what glibc keeps by itself at the end of the heap. To return and take it again
/// would cost every call of a small workload system calls and page faults.
pub const KEPT_BYTES: u64 = 128 << 10;

/// Returns freed memory to the system. glibc keeps freed buffers of up to 32 MiB for reuse, and they count as resident.
pub fn release() {
    // SAFETY: it takes no pointer, and may be called at any time.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cold]
fn resized(freed: usize, taken: usize) {
    let mut counters = COUNTERS.get();
    counters.live += taken as i64 - freed as i64;
    counters.peak = counters.peak.max(counters.live);
    if taken > freed {
        counters.allocations += 1;
        counters.allocated += (taken - freed) as u64;
    }
    COUNTERS.set(counters);
}

// SAFETY: every call is passed on to `AlignedSystem` unchanged, so its guarantees are that one's. The
// counters are thread-local `Cell`s with constant initializers and no destructor: touching them
// neither allocates nor unwinds.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTING.get() {
            resized(0, layout.size());
        }
        unsafe { AlignedSystem.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if COUNTING.get() {
            resized(0, layout.size());
        }
        unsafe { AlignedSystem.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if COUNTING.get() {
            resized(layout.size(), new_size);
        }
        unsafe { AlignedSystem.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if COUNTING.get() {
            resized(layout.size(), 0);
        }
        unsafe { AlignedSystem.dealloc(pointer, layout) }
    }
}
