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
    protocol::{HeapUse, Memory, Request, Sample, Size, Status},
    workload::{Params, Routine, Workload},
};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

/// How each workload of a request is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    size: Size,
    iterations: u32,
    warmup: u32,
    seed: u64,
    heap: bool,
}

impl From<&Request> for Plan {
    fn from(request: &Request) -> Self {
        let Request { size, iterations, warmup, seed, heap, .. } = *request;
        Self { size, iterations, warmup, seed, heap }
    }
}

/// Measures the workloads one after the other until the budget is spent.
///
/// There is one sample a workload, also where no iteration fitted ([`Status::Skipped`]) or the
/// workload panicked ([`Status::Failed`]).
pub fn run(workloads: &[&'static Workload], plan: &Plan, budget: &Budget) -> Vec<Sample> {
    workloads.iter().map(|workload| measure(workload, plan, budget)).collect()
}

fn measure(workload: &Workload, plan: &Plan, budget: &Budget) -> Sample {
    let params = Params { elements: workload.elements(plan.size), seed: plan.seed };
    let measured = catch_unwind(AssertUnwindSafe(|| {
        let timings = time(workload, &params, plan, budget);
        let heap = timings.heap_pass_fits(plan, budget).then(|| heap_pass(workload, &params));
        (timings, heap)
    }));
    let (timings, heap) = measured.unwrap_or_else(|panic| (Timings::failed(panic_message(&*panic)), None));
    sample(workload, &params, plan, timings, heap)
}

fn sample(workload: &Workload, params: &Params, plan: &Plan, timings: Timings, heap: Option<HeapUse>) -> Sample {
    let Timings { wall_ns, cpu_ns, checksum, error, .. } = timings;
    let status = match wall_ns.len() {
        _ if error.is_some() => Status::Failed,
        0 => Status::Skipped,
        done if done < plan.iterations as usize => Status::Truncated,
        _ => Status::Completed,
    };
    Sample {
        workload: workload.name.to_owned(),
        category: workload.category.to_string(),
        size: plan.size,
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

    fn heap_pass_fits(&self, plan: &Plan, budget: &Budget) -> bool {
        let completed = self.error.is_none() && self.wall_ns.len() == plan.iterations as usize;
        plan.heap && completed && budget.fits(self.preparation + self.longest_turn)
    }
}

fn time(workload: &Workload, params: &Params, plan: &Plan, budget: &Budget) -> Timings {
    if !budget.fits(Duration::ZERO) {
        return Timings::default();
    }
    let start = Instant::now();
    let mut routine = (workload.prepare)(params);
    let mut timings = Timings {
        wall_ns: Vec::with_capacity(plan.iterations as usize),
        cpu_ns: Vec::with_capacity(plan.iterations as usize),
        preparation: start.elapsed(),
        ..Timings::default()
    };
    for turn in 0..plan.warmup + plan.iterations {
        if !budget.fits(timings.longest_turn) {
            break;
        }
        let turn_start = Instant::now();
        let (wall_ns, cpu_ns) = iterate(&mut *routine);
        if turn >= plan.warmup {
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
