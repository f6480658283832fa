//! Running workloads and measuring them: wall clock, CPU clock, heap.
//!
//! A timed region holds one call of [`Routine::run`](crate::workload::Routine::run) and nothing
//! else: the input is restored and the checksum taken outside of it, nothing is logged, and the heap
//! is not counted. The heap pass comes last, on its own, and is not timed.
//!
//! Where a run is too short for the clocks, an iteration is a batch of runs.

mod batch;
mod budget;
pub mod clock;
pub mod heap;
mod throttling;

pub use budget::Budget;

use crate::{
    host,
    protocol::{
        HeapUse, Memory, Nanoseconds, Request, Sample, SampleWarning, SampleWarningKind, Status, Summary, whole_ns,
    },
    workload::{
        Params, Workload,
        limits::{self, Stopped},
    },
};
use batch::Batch;
use std::{
    any::Any,
    time::{Duration, Instant},
};

/// Measures `workloads` one after the other, as `request` says, until the budget is spent.
///
/// There is one sample per workload, even if no iteration fitted ([`Status::Skipped`]) or the workload panicked
/// ([`Status::Failed`]).
pub fn run(workloads: &[&'static Workload], request: &Request, budget: &Budget) -> Vec<Sample> {
    workloads.iter().map(|workload| measure(workload, request, budget)).collect()
}

fn measure(workload: &Workload, request: &Request, budget: &Budget) -> Sample {
    let params = Params { elements: workload.elements(request.size), seed: request.seed, shape: request.shape };
    let mut timings = Timings::none();
    let mut heap = None;
    let stopped = limits::within(budget.limits(workload.memory_bytes(params.elements)), || {
        time(&mut timings, workload, &params, request, budget);
        if timings.heap_pass_fits(request, budget) {
            heap = Some(heap_pass(workload, &params));
        }
    });
    if stopped.is_err() || timings.bytes > heap::KEPT_BYTES {
        heap::release();
    }
    match stopped {
        // When the time is over, the completed iterations count.
        Ok(()) | Err(Stopped::Time) => {}
        Err(Stopped::Memory(bytes)) => {
            timings = Timings::failed(format!("the system has no {bytes} bytes for a buffer"));
        }
        Err(Stopped::Panic(panic)) => timings = Timings::failed(panic_message(&*panic)),
    }
    sample(workload, &params, request, timings, heap)
}

fn sample(workload: &Workload, params: &Params, request: &Request, timings: Timings, heap: Option<HeapUse>) -> Sample {
    let Timings { wall_ns, cpu_ns, batch_size, code_path, error, .. } = timings;
    let checksum = timings.checksum.filter(|_| !wall_ns.is_empty());
    let status = match wall_ns.len() {
        _ if error.is_some() => Status::Failed,
        0 => Status::Skipped,
        done if done < request.iterations as usize => Status::Truncated,
        _ => Status::Completed,
    };
    Sample {
        workload: workload.name.to_owned(),
        category: workload.category().to_owned(),
        size: request.size,
        elements: params.elements,
        shape: workload.has_shapes().then_some(params.shape),
        code_path: code_path.map(str::to_owned),
        checksum: checksum.map(|checksum| format!("{checksum:016x}")),
        status,
        error,
        summary: Summary::from_times(&wall_ns),
        throttled_fraction: throttling::throttled_fraction(&wall_ns, &cpu_ns),
        batch_size,
        wall_ns,
        cpu_ns,
        memory: Memory { heap, max_rss_bytes: host::max_rss_bytes() },
        warnings: (batch_size > 1).then(|| short_iterations(batch_size)).into_iter().collect(),
    }
}

fn short_iterations(batch_size: u32) -> SampleWarning {
    let shortest = clock::shortest_ns();
    let detail = format!(
        "one run takes less than {shortest} ns, 1000 times what reading the clocks costs: each time is the mean of \
         {batch_size} runs at a stretch, whose spread is smaller than that of single runs; ask for a larger size"
    );
    SampleWarning { kind: SampleWarningKind::ShortIterations, detail }
}

/// The results of the timed iterations of one workload.
#[derive(Default)]
struct Timings {
    wall_ns: Nanoseconds,
    cpu_ns: Nanoseconds,
    batch_size: u32,
    checksum: Option<u64>,
    code_path: Option<&'static str>,
    error: Option<String>,
    /// The longest time of a whole turn: restoring, running, taking the checksum.
    longest_turn: Duration,
    preparation: Duration,
    /// The memory of the largest batch.
    bytes: u64,
}

impl Timings {
    fn none() -> Self {
        Self { batch_size: 1, ..Self::default() }
    }

    fn failed(error: String) -> Self {
        Self { error: Some(error), ..Self::none() }
    }

    /// The times of a batch that has grown begin anew.
    fn begin(&mut self, batch: &Batch, bytes_of_each: u64) {
        self.batch_size = batch.size();
        self.bytes = bytes_of_each.saturating_mul(batch.copies() as u64);
        self.wall_ns = Nanoseconds::default();
        self.cpu_ns = Nanoseconds::default();
    }

    fn heap_pass_fits(&self, request: &Request, budget: &Budget) -> bool {
        let completed = self.error.is_none() && self.wall_ns.len() == request.iterations as usize;
        request.heap && completed && budget.fits(self.preparation + self.longest_turn)
    }
}

fn time(timings: &mut Timings, workload: &Workload, params: &Params, request: &Request, budget: &Budget) {
    limits::checkpoint();
    let mut batch = Batch::of_one(workload, params);
    timings.preparation = batch.preparation;
    timings.code_path = batch.code_path();
    if budget.fits(batch::MAX_PREPARATION) {
        batch.grow_as_last(workload, params);
    }
    let bytes_of_each = workload.memory_bytes(params.elements);
    timings.begin(&batch, bytes_of_each);
    let mut turn = 0;
    while turn < request.warmup + request.iterations && budget.fits(timings.longest_turn) {
        let turn_start = Instant::now();
        let (wall_ns, cpu_ns) = iterate(&mut batch);
        if let Err(error) = agree(&mut timings.checksum, batch.checksums()) {
            timings.error = Some(error);
            return;
        }
        timings.longest_turn = timings.longest_turn.max(turn_start.elapsed());
        if batch.is_too_short(wall_ns) && budget.fits(batch::MAX_PREPARATION) {
            batch.grow(wall_ns, workload, params);
            timings.begin(&batch, bytes_of_each);
            turn = 0;
            continue;
        }
        if turn >= request.warmup {
            timings.wall_ns.push_mean(wall_ns, batch.size());
            timings.cpu_ns.push_mean(cpu_ns, batch.size());
        }
        turn += 1;
    }
}

/// One timed iteration: its wall-clock and CPU time in nanoseconds.
fn iterate(batch: &mut Batch) -> (u64, u64) {
    batch.restore();
    let cpu_start = clock::cpu_ns();
    let wall_start = Instant::now();
    batch.run();
    let wall = wall_start.elapsed();
    let cpu_ns = clock::cpu_ns() - cpu_start;
    (whole_ns(wall), cpu_ns)
}

/// Stores the first checksum; all others must be the same.
fn agree(first: &mut Option<u64>, checksums: impl Iterator<Item = u64>) -> Result<(), String> {
    for checksum in checksums {
        let first = *first.get_or_insert(checksum);
        if checksum != first {
            return Err(format!("the checksum changed between iterations: {first:016x}, then {checksum:016x}"));
        }
    }
    Ok(())
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
