//! Batches of runs, for workloads that are too short for the clocks.

use super::clock;
use crate::workload::{Params, Routine, Workload};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    hint::black_box,
    time::{Duration, Instant},
};

/// The most runs in a batch: even an empty run takes a nanosecond or two.
const MAX_SIZE: u32 = 10_000;

/// The longest time that making copies may take: a batch that would need more copies stays smaller.
pub const MAX_PREPARATION: Duration = Duration::from_millis(200);

thread_local! {
    /// The batch that took long enough when a workload ran last, so that the next invocation need not look for it again.
    static LAST: RefCell<BTreeMap<&'static str, (Params, u32)>> = const { RefCell::new(BTreeMap::new()) };
}

/// What is timed at once: usually one run of one routine.
///
/// A workload that does not change its input is run again and again; one that destroys it has a copy for each run, and
/// all copies are restored beforehand.
pub struct Batch {
    copies: Vec<Box<dyn Routine>>,
    runs_of_each: u32,
    max_size: u32,
    /// How long making one copy takes.
    pub preparation: Duration,
}

impl Batch {
    /// One run.
    pub fn of_one(workload: &Workload, params: &Params) -> Self {
        let start = Instant::now();
        let copies = vec![(workload.prepare)(params)];
        let preparation = start.elapsed();
        let affordable = MAX_PREPARATION.as_nanos() / preparation.as_nanos().max(1);
        let max_size = if workload.in_place { affordable.clamp(1, MAX_SIZE.into()) as u32 } else { MAX_SIZE };
        Self { copies, runs_of_each: 1, max_size, preparation }
    }

    /// The number of runs.
    pub fn size(&self) -> u32 {
        self.copies.len() as u32 * self.runs_of_each
    }

    /// Whether the batch, which took `wall_ns`, should be larger and may be.
    pub fn is_too_short(&self, wall_ns: u64) -> bool {
        wall_ns < clock::shortest_ns() && self.size() < self.max_size
    }

    /// The size that takes long enough, plus a quarter, if this one takes `wall_ns`.
    fn larger_for(&self, wall_ns: u64) -> u32 {
        let wanted = clock::shortest_ns() * 5 / 4 * u64::from(self.size()) / wall_ns.max(1) + 1;
        u32::try_from(wanted).unwrap_or(MAX_SIZE).clamp(self.size() + 1, self.max_size)
    }

    /// Grows to the size that takes long enough, if it may.
    pub fn grow(&mut self, wall_ns: u64, workload: &Workload, params: &Params) {
        self.grow_to(self.larger_for(wall_ns), workload, params);
        LAST.with_borrow_mut(|last| last.insert(workload.name, (*params, self.size())));
    }

    /// Grows to the size that the same work had when it was last measured, if it had one and may have it now.
    pub fn grow_as_last(&mut self, workload: &Workload, params: &Params) {
        let last = LAST.with_borrow(|last| last.get(workload.name).copied());
        if let Some((_, size)) = last.filter(|(of, size)| of == params && *size > self.size()) {
            self.grow_to(size.min(self.max_size), workload, params);
        }
    }

    fn grow_to(&mut self, size: u32, workload: &Workload, params: &Params) {
        if workload.in_place {
            self.copies.resize_with(size as usize, || (workload.prepare)(params));
        } else {
            self.runs_of_each = size;
        }
    }

    /// Restores all inputs.
    pub fn restore(&mut self) {
        self.copies.iter_mut().for_each(|routine| routine.restore());
    }

    /// Does all runs.
    pub fn run(&mut self) {
        for _ in 0..self.runs_of_each {
            for routine in &mut self.copies {
                black_box(&mut **routine).run();
            }
        }
    }

    /// The checksum of each routine.
    pub fn checksums(&self) -> impl Iterator<Item = u64> {
        self.copies.iter().map(|routine| routine.checksum())
    }

    /// The number of routines, each with memory of its own.
    pub fn copies(&self) -> usize {
        self.copies.len()
    }

    /// The instructions that the workload's library has chosen, if it chooses any.
    pub fn code_path(&self) -> Option<&'static str> {
        self.copies[0].code_path()
    }
}
