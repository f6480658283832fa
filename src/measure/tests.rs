//! Measuring, against workloads whose behaviour is known.

use super::*;
use crate::{
    protocol::{Shape, Size, SizeName, Sizes},
    workload::{ALL, Params, Routine},
};
use std::panic::catch_unwind;

#[global_allocator]
static ALLOCATOR: heap::CountingAllocator = heap::CountingAllocator;

const HOUR: Duration = Duration::from_secs(3600);

fn request(size: Size, iterations: u32, warmup: u32) -> Request {
    Request { size, iterations, warmup, ..Request::default() }
}

fn stub(prepare: fn(&Params) -> Box<dyn Routine>) -> Workload {
    Workload {
        name: "math/stub",
        sizes: Sizes { small: 1, medium: 2, large: 3 },
        buffer_bytes: |elements| elements,
        prepare,
        ..ALL[0]
    }
}

/// Sleeps for as many milliseconds as it has elements.
struct Sleeper(u64);

impl Routine for Sleeper {
    fn run(&mut self) {
        std::thread::sleep(Duration::from_millis(self.0));
    }

    fn checksum(&self) -> u64 {
        self.0
    }
}

/// Counts its own calls, and lets them show in the checksum.
#[derive(Default)]
struct Drifter(u64);

impl Routine for Drifter {
    fn run(&mut self) {
        self.0 += 1;
    }

    fn checksum(&self) -> u64 {
        self.0
    }
}

/// Adds up what it was restored to: a second run without restoring it gives another sum.
struct Consumer(Option<u64>, u64);

impl Routine for Consumer {
    fn restore(&mut self) {
        self.0 = Some(5);
    }

    fn run(&mut self) {
        self.1 = self.0.take().expect("it was restored");
    }

    fn checksum(&self) -> u64 {
        self.1
    }
}

struct Bomb;

impl Routine for Bomb {
    fn run(&mut self) {
        panic!("boom at element {}", 7);
    }

    fn checksum(&self) -> u64 {
        0
    }
}

#[test]
fn every_iteration_is_kept_and_warm_up_is_not() {
    let workloads: Vec<_> = ALL.iter().collect();
    for sample in run(&workloads, &request(Size::Elements(300), 5, 3), &Budget::new(HOUR, 1.0)) {
        assert_eq!(sample.status, Status::Completed, "{sample:?}");
        assert_eq!((sample.wall_ns.len(), sample.cpu_ns.len()), (5, 5));
        assert_eq!(sample.checksum.as_ref().unwrap().len(), 16);
        assert_eq!(sample.elements, 300);
        assert!(sample.memory.max_rss_bytes > 0);
    }
}

#[test]
fn sleeping_is_wall_time_but_not_cpu_time() {
    let sample = measure(
        &stub(|params| Box::new(Sleeper(params.elements))),
        &request(Size::Elements(20), 3, 0),
        &Budget::new(HOUR, 1.0),
    );
    assert!(sample.wall_ns.iter().all(|&wall| wall >= 20_000_000.0));
    assert!(sample.throttled_fraction.unwrap() > 0.5);
}

#[test]
fn a_spent_budget_truncates_and_an_empty_one_skips() {
    let sleeper = stub(|params| Box::new(Sleeper(params.elements)));
    let truncated =
        measure(&sleeper, &request(Size::Elements(20), 1000, 0), &Budget::new(Duration::from_millis(200), 1.0));
    assert_eq!(truncated.status, Status::Truncated);
    assert!((1..1000).contains(&truncated.wall_ns.len()));
    assert_eq!(truncated.memory.heap, None);
    let skipped = measure(&sleeper, &request(Size::Elements(20), 10, 2), &Budget::new(Duration::ZERO, 1.0));
    assert_eq!(skipped.status, Status::Skipped);
    assert_eq!((skipped.checksum, skipped.summary), (None, None));
}

#[test]
fn short_runs_are_timed_in_batches() {
    let repeated = stub(|_| Box::new(Sleeper(0)));
    let copied = Workload { in_place: true, ..stub(|_| Box::new(Consumer(None, 0))) };
    for workload in [repeated, copied] {
        let sample = measure(&workload, &request(Size::Elements(1), 4, 1), &Budget::new(HOUR, 1.0));
        assert_eq!((sample.status, sample.wall_ns.len()), (Status::Completed, 4), "{sample:?}");
        assert!(sample.batch_size > 1);
        assert_eq!(sample.warnings[0].kind, SampleWarningKind::ShortIterations);
        assert!(sample.wall_ns.iter().all(|&time| time > 0.0), "{sample:?}");
        // A busy machine may interrupt some of them.
        assert!(sample.wall_ns.iter().any(|&time| time < clock::shortest_ns() as f64), "{sample:?}");
    }
}

#[test]
fn the_size_of_a_batch_is_remembered_for_the_same_work() {
    let workload = stub(|_| Box::new(Sleeper(0)));
    let params = Params::random(1, 42);
    let mut found = Batch::of_one(&workload, &params);
    found.grow(clock::shortest_ns() / 100, &workload, &params);
    assert_eq!((found.size(), found.copies()), (126, 1));
    let as_last = |params| {
        let mut batch = Batch::of_one(&workload, &params);
        batch.grow_as_last(&workload, &params);
        batch.size()
    };
    assert_eq!(as_last(params), 126);
    assert_eq!(as_last(Params { elements: 2, ..params }), 1);
    assert_eq!(as_last(Params { seed: 43, ..params }), 1);
}

#[test]
fn long_runs_are_timed_singly() {
    let sample = measure(&stub(|_| Box::new(Sleeper(20))), &request(Size::Elements(1), 2, 0), &Budget::new(HOUR, 1.0));
    assert_eq!((sample.batch_size, sample.warnings.len()), (1, 0));
    assert!(sample.wall_ns.iter().all(|time| time.fract() == 0.0));
}

#[test]
fn a_panic_is_a_failed_sample() {
    let sample = measure(&stub(|_| Box::new(Bomb)), &request(Size::Elements(1), 3, 1), &Budget::new(HOUR, 1.0));
    assert_eq!(sample.status, Status::Failed);
    assert_eq!(sample.error.as_deref(), Some("the workload panicked: boom at element 7"));
}

#[test]
fn work_that_differs_between_iterations_is_a_failed_sample() {
    let sample =
        measure(&stub(|_| Box::new(Drifter::default())), &request(Size::Elements(1), 3, 1), &Budget::new(HOUR, 1.0));
    assert_eq!(sample.status, Status::Failed);
    assert!(sample.error.unwrap().contains("the checksum changed"));
}

#[test]
fn known_allocations_are_counted_exactly() {
    let (kept, heap) = heap::count(|| {
        let first = vec![0u8; 1000];
        drop(Vec::<u8>::with_capacity(500));
        let mut grown = Vec::<u8>::with_capacity(100);
        grown.reserve_exact(300);
        (first, grown)
    });
    assert_eq!(kept.0.len(), 1000);
    assert_eq!(heap, HeapUse { peak_heap_bytes: 1500, allocations: 4, allocated_bytes: 1800 });
    let ((), nothing) = heap::count(|| drop(kept));
    assert_eq!(nothing, HeapUse::default());
}

#[test]
fn counting_ends_with_a_panic() {
    let panicked = catch_unwind(|| heap::count(|| panic!("on purpose")));
    assert!(panicked.is_err());
    let _uncounted = vec![0u8; 1000];
    let ((), heap) = heap::count(|| ());
    assert_eq!(heap, HeapUse::default());
}

#[test]
fn no_workload_uses_more_heap_than_it_declares() {
    for workload in &ALL {
        let used = |elements, shape| heap_pass(workload, &Params { elements, seed: 1, shape }).peak_heap_bytes;
        for shape in Shape::ALL.into_iter().take(if workload.has_shapes() { Shape::ALL.len() } else { 1 }) {
            for elements in [1, 1000, workload.elements(Size::Named(SizeName::Small))] {
                let (used, declared) = (used(elements, shape), workload.memory_bytes(elements));
                assert!(used <= declared, "{} uses {used} bytes of {declared} at {elements} elements", workload.name);
            }
        }
        let elements = workload.elements(Size::Named(SizeName::Medium));
        let (used, declared) = (used(elements, Shape::Random), workload.memory_bytes(elements));
        assert!(used <= declared, "{} uses {used} bytes of {declared} at medium", workload.name);
        assert!(used * 2 > declared || declared <= 4096, "{} uses only {used} bytes of {declared}", workload.name);
    }
}
