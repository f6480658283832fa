//! What the counting allocator costs while it does not count, which is while workloads are timed: their
//! times with it as a multiple of those with the system's allocator, with the 95% interval.
//!
//! Measured are the workloads that allocate the most, at `small`, and a loop that does nothing else. Aim:
//! at most 1.01 for the workloads.
//!
//! Both allocators serve the same process in turns: a flag routes every call to the one or the other,
//! which costs both the same load and predicted branch. Blocks may go back through the other one, since
//! both take them from the system's.

#![allow(unsafe_code)]

#[path = "../common/effort.rs"]
mod effort;
#[path = "../common/statistics.rs"]
mod statistics;
#[path = "../common/timing.rs"]
mod timing;

use effort::rounds;
use lambda_duet::{
    measure::heap::CountingAllocator,
    protocol::{Request, Selection, Size, SizeName},
    workload::{self, Params, Routine, Workload},
};
use statistics::Pairs;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::RefCell,
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};
use timing::time;

const WARM_UP: usize = 50;
const ROUNDS: usize = 1000;
const WORKLOADS: [&str; 4] = ["sorting/std-stable-strings", "string/csv", "string/json", "string/word-count"];

#[global_allocator]
static ALLOCATOR: Either = Either { counting: AtomicBool::new(false) };

/// The counting allocator or the system's.
struct Either {
    counting: AtomicBool,
}

// SAFETY: every call is passed on unchanged, to `CountingAllocator` or to `System`. The former passes it
// on to `System` too, so all blocks are `System`'s, whichever way they come and go.
unsafe impl GlobalAlloc for Either {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { if self.counting.load(Relaxed) { CountingAllocator.alloc(layout) } else { System.alloc(layout) } }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe {
            if self.counting.load(Relaxed) {
                CountingAllocator.alloc_zeroed(layout)
            } else {
                System.alloc_zeroed(layout)
            }
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe {
            if self.counting.load(Relaxed) {
                CountingAllocator.realloc(pointer, layout, new_size)
            } else {
                System.realloc(pointer, layout, new_size)
            }
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe {
            if self.counting.load(Relaxed) {
                CountingAllocator.dealloc(pointer, layout);
            } else {
                System.dealloc(pointer, layout);
            }
        }
    }
}

fn main() {
    println!("{:<27} {:>10} {:>10}  ratio", "median, µs", "counting", "system");
    let selection = Selection::Some(WORKLOADS.map(str::to_owned).to_vec());
    for workload in workload::select(&selection).expect("they are workloads") {
        compare(workload.name, &mut *prepare(workload));
    }
    compare("a loop of malloc and free", &mut Churn { blocks: vec![Vec::new(); 64] });
}

fn prepare(workload: &Workload) -> Box<dyn Routine> {
    let Request { seed, shape, .. } = Request::default();
    let elements = workload.elements(Size::Named(SizeName::Small));
    (workload.prepare)(&Params { elements, seed, shape })
}

fn compare(name: &str, routine: &mut dyn Routine) {
    // One routine serves both, so that its input has the same place in memory.
    let routine = RefCell::new(routine);
    let time_with = |counting| {
        ALLOCATOR.counting.store(counting, Relaxed);
        time(&mut **routine.borrow_mut())
    };
    let in_turns = |rounds| Pairs::in_turns(rounds, || (), || time_with(true), || time_with(false));
    in_turns(rounds(WARM_UP));
    let pairs = in_turns(rounds(ROUNDS));
    let (counting, system) = pairs.medians();
    println!("{name:<27} {:>10.1} {:>10.1}  {}", counting / 1e3, system / 1e3, pairs.ratio());
}

/// Takes small blocks of changing sizes and frees those that it took 64 blocks before.
struct Churn {
    blocks: Vec<Vec<u8>>,
}

impl Routine for Churn {
    fn run(&mut self) {
        for step in 0..20_000 {
            let block = Vec::with_capacity(16 + step * 48 % 240);
            self.blocks[step % 64] = black_box(block);
        }
    }

    fn checksum(&self) -> u64 {
        0
    }
}
