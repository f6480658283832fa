//! Any valid request through the real binaries: no panic, nothing left undone, the same work on both.

use crate::{
    architectures::{FOREIGN, NATIVE, on_both},
    handler::{Handler, largest_size},
    sample::{everything, sample},
};
use lambda_duet::{
    protocol::{Architecture, Request, Response, Selection, Shape, Size, Status},
    workload::{ALL, Workload},
};
use proptest::{
    prelude::*,
    test_runner::{TestError, TestRunner},
};
use std::cell::RefCell;

on_both!(the_largest_size_that_fits_runs; every_valid_request_is_answered_completely_and_equally);

/// How many requests are made up; others in every run.
fn cases() -> u32 {
    if everything() { 240 } else { 12 }
}

/// Whether a workload's time grows hardly faster than its size.
fn is_linear(workload: &Workload) -> bool {
    ["O(n)", "O(n log"].iter().any(|time| workload.time.starts_with(time))
}

fn requests() -> impl Strategy<Value = Request> {
    let names = prop::sample::subsequence(ALL.iter().collect::<Vec<_>>(), 1..=3);
    let sized = names.prop_flat_map(|workloads| {
        let largest = if workloads.iter().all(|workload| is_linear(workload)) { 20_000u64 } else { 200 };
        (Just(workloads), prop_oneof![1u64..=3, 1u64..=100, 1..=largest])
    });
    let shape = prop::sample::select(&Shape::ALL);
    (sized, shape, 1u32..=3, 0u32..=2, any::<u64>(), any::<bool>()).prop_map(
        |((workloads, elements), shape, iterations, warmup, seed, heap)| Request {
            shape: if workloads.iter().any(|workload| workload.has_shapes()) { shape } else { Shape::Random },
            workloads: Selection::Some(workloads.iter().map(|workload| workload.name.to_owned()).collect()),
            size: Size::Elements(elements),
            iterations,
            warmup,
            seed,
            heap,
            emit_metrics: false,
        },
    )
}

/// What has to hold for an answer to `request`, whatever ran.
fn assert_complete(request: &Request, response: &Response) {
    assert!(response.complete, "{request:?}");
    for sample in &response.results {
        assert_eq!((sample.status, &sample.error), (Status::Completed, &None), "{request:?}");
        assert_eq!(sample.wall_ns.len(), request.iterations as usize, "{request:?}");
        assert!(sample.wall_ns.iter().chain(&*sample.cpu_ns).all(|time| time.is_finite() && *time >= 0.0));
        assert_eq!(sample.memory.heap.is_some(), request.heap, "{request:?}");
        assert_eq!(sample.batch_size > 1, !sample.warnings.is_empty(), "{request:?}");
    }
}

async fn every_valid_request_is_answered_completely_and_equally() {
    // What makes the requests up is not asynchronous and waits for the answers.
    tokio::task::spawn_blocking(assert_answered_completely_and_equally).await.unwrap();
}

fn assert_answered_completely_and_equally() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let [foreign, native] =
        [FOREIGN, NATIVE].map(|architecture| RefCell::new(runtime.block_on(Handler::start(architecture))));
    let mut runner =
        TestRunner::new(ProptestConfig { cases: cases(), failure_persistence: None, ..Default::default() });
    let result = runner.run(&requests(), |request| {
        let text = serde_json::to_string(&request).unwrap();
        let (mut foreign, mut native) = (foreign.borrow_mut(), native.borrow_mut());
        let answers = runtime.block_on(async { tokio::join!(foreign.direct(&*text), native.direct(&*text)) });
        let [on_foreign, on_native] = [answers.0.unwrap(), answers.1.unwrap()];
        assert_complete(&request, &on_foreign);
        assert_complete(&request, &on_native);
        let work = |response: &Response| {
            let of = |sample: &lambda_duet::protocol::Sample| (sample.workload.clone(), sample.checksum.clone());
            response.results.iter().map(of).collect::<Vec<_>>()
        };
        prop_assert_eq!(work(&on_foreign), work(&on_native));
        Ok(())
    });
    if let Err(TestError::Fail(reason, request)) = result {
        panic!("{reason} for {}", serde_json::to_string(&request).unwrap());
    }
    result.unwrap();
}

/// A size that fits is not only accepted: its memory need is true.
async fn the_largest_size_that_fits_runs(architecture: Architecture) {
    let sorting = ALL.iter().filter(|workload| workload.category() == "sorting");
    for workload in sample(&format!("largest sorts on {architecture}"), sorting, 2) {
        // Where the binary is emulated, the emulator's memory counts as the function's.
        let small = [("METRICS_SINK", "none"), ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")];
        let mut handler = Handler::start_with(architecture, small).await;
        let elements = largest_size(&mut handler, workload).await;
        let request = format!(r#"{{"workloads":["{}"],"size":{elements},"iterations":1,"warmup":0}}"#, workload.name);
        let response = handler.direct(request).await.unwrap();
        assert!(response.complete, "{} at {elements} on {architecture}", workload.name);
        let heap = response.results[0].memory.heap.unwrap().peak_heap_bytes;
        assert!(heap <= workload.memory_bytes(elements) && heap > 16 << 20, "{}: {heap} bytes", workload.name);
    }
}

/// A library takes and frees aligned memory in every run: what is resident must not grow with the runs.
#[tokio::test]
async fn memory_that_a_run_frees_serves_the_next_one() {
    // Emulated, the emulator's memory would count too.
    let mut handler = Handler::start(Architecture::OF_BINARY).await;
    let [few, many] = [1, 40].map(|iterations| {
        format!(r#"{{"workloads":["math/matmul-tuned"],"size":600,"iterations":{iterations},"warmup":2,"heap":false}}"#)
    });
    let after_few = handler.direct(few).await.unwrap().results[0].memory.max_rss_bytes;
    let after_many = handler.direct(many).await.unwrap().results[0].memory.max_rss_bytes;
    assert!(after_many < after_few + (4 << 20), "{after_few} bytes, then {after_many}");
}
