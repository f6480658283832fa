//! Running workloads and measuring them: wall clock, CPU clock, heap.
//!
//! A timed region holds one call of [`Routine::run`] and nothing else: the input is restored and
//! the checksum taken outside of it, nothing is logged, and the heap is not counted. The heap
//! pass comes last, on its own, and is not timed.

mod budget;
pub mod clock;
pub mod heap;
mod summary;

pub use budget::Budget;

use crate::{
    host,
    protocol::{HeapUse, Memory, Request, Sample, Status},
    workload::{Params, Routine, Workload},
};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

/// Measures `workloads` one after the other, as `request` says, until the budget is spent.
///
/// There is one sample a workload, also where no iteration fitted ([`Status::Skipped`]) or the
/// workload panicked ([`Status::Failed`]).
pub fn run(workloads: &[&'static Workload], request: &Request, budget: &Budget) -> Vec<Sample> {
    workloads.iter().map(|workload| measure(workload, request, budget)).collect()
}

fn measure(workload: &Workload, request: &Request, budget: &Budget) -> Sample {
    let params = Params { elements: workload.elements(request.size), seed: request.seed };
    let measured = catch_unwind(AssertUnwindSafe(|| {
        let timings = time(workload, &params, request, budget);
        let heap = timings.heap_pass_fits(request, budget).then(|| heap_pass(workload, &params));
        (timings, heap)
    }));
    let (timings, heap) = measured.unwrap_or_else(|panic| (Timings::failed(panic_message(&*panic)), None));
    sample(workload, &params, request, timings, heap)
}

fn sample(workload: &Workload, params: &Params, request: &Request, timings: Timings, heap: Option<HeapUse>) -> Sample {
    let Timings { wall_ns, cpu_ns, checksum, error, .. } = timings;
    let status = match wall_ns.len() {
        _ if error.is_some() => Status::Failed,
        0 => Status::Skipped,
        done if done < request.iterations as usize => Status::Truncated,
        _ => Status::Completed,
    };
    Sample {
        workload: workload.name.to_owned(),
        category: workload.category.to_string(),
        size: request.size,
        elements: params.elements,
        checksum: checksum.map(|checksum| format!("{checksum:016x}")),
        status,
        error,
        summary: summary::summarize(&wall_ns),
        throttled_fraction: summary::throttled_fraction(&wall_ns, &cpu_ns),
        wall_ns,
        cpu_ns,
        memory: Memory { heap, max_rss_bytes: host::max_rss_bytes() },
    }
}

/// What the timed iterations of one workload gave.
#[derive(Default)]
struct Timings {
    wall_ns: Vec<u64>,
    cpu_ns: Vec<u64>,
    checksum: Option<u64>,
    error: Option<String>,
    /// The longest that a whole turn took: restoring, running, taking the checksum.
    longest_turn: Duration,
    preparation: Duration,
}

impl Timings {
    fn failed(error: String) -> Self {
        Self { error: Some(error), ..Self::default() }
    }

    fn heap_pass_fits(&self, request: &Request, budget: &Budget) -> bool {
        let completed = self.error.is_none() && self.wall_ns.len() == request.iterations as usize;
        request.heap && completed && budget.fits(self.preparation + self.longest_turn)
    }
}

fn time(workload: &Workload, params: &Params, request: &Request, budget: &Budget) -> Timings {
    if !budget.fits(Duration::ZERO) {
        return Timings::default();
    }
    let start = Instant::now();
    let mut routine = (workload.prepare)(params);
    let mut timings = Timings {
        wall_ns: Vec::with_capacity(request.iterations as usize),
        cpu_ns: Vec::with_capacity(request.iterations as usize),
        preparation: start.elapsed(),
        ..Timings::default()
    };
    for turn in 0..request.warmup + request.iterations {
        if !budget.fits(timings.longest_turn) {
            break;
        }
        let turn_start = Instant::now();
        let (wall_ns, cpu_ns) = iterate(&mut *routine);
        if turn >= request.warmup {
            timings.wall_ns.push(wall_ns);
            timings.cpu_ns.push(cpu_ns);
        }
        let checksum = routine.checksum();
        let first = *timings.checksum.get_or_insert(checksum);
        if checksum != first {
            timings.error =
                Some(format!("the checksum changed between iterations: {first:016x}, then {checksum:016x}"));
            break;
        }
        timings.longest_turn = timings.longest_turn.max(turn_start.elapsed());
    }
    if timings.wall_ns.is_empty() {
        timings.checksum = None;
    }
    timings
}

/// One timed iteration: its wall-clock and CPU time in nanoseconds.
fn iterate(routine: &mut dyn Routine) -> (u64, u64) {
    routine.restore();
    let cpu_start = clock::cpu_ns();
    let wall_start = Instant::now();
    routine.run();
    let wall = wall_start.elapsed();
    let cpu_ns = clock::cpu_ns() - cpu_start;
    (clock::nanoseconds(wall), cpu_ns)
}

fn heap_pass(workload: &Workload, params: &Params) -> HeapUse {
    let ((), heap) = heap::count(|| {
        let mut routine = (workload.prepare)(params);
        routine.restore();
        routine.run();
    });
    heap
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let message = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the workload panicked: {}", message.unwrap_or("no message"))
}

#[cfg(test)]
mod tests;
