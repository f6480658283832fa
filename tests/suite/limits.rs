//! Where time or memory runs out, every invocation is answered all the same.

use crate::{
    architectures::{FOREIGN, NATIVE, on_both},
    handler::{Clock, Handler, TIMEOUT, largest_size},
    load::BusyLoops,
    sample::sample,
};
use lambda_duet::{
    protocol::{Architecture, Response, Status},
    workload::{ALL, Workload},
};
use std::time::Duration;
use tokio::sync::Mutex;

on_both!(
    large_workloads_are_answered_within_a_second,
    no_size_passes_the_deadline;
    all_workloads_together_are_answered_within_3_seconds
);

const SECOND: Duration = Duration::from_secs(1);

/// How many of the workloads a test of deadlines takes that uses up one second for each.
const SAMPLE: usize = 9;

/// Asks for more of `workloads` than any timeout allows. The environment has to answer before `timeout`,
/// with the iterations that fitted or by saying that none did.
async fn assert_answered(handler: &mut Handler, workloads: &str, size: &str, timeout: Duration, clock: Clock) {
    let request = format!(r#"{{"workloads":[{workloads}],"size":{size},"iterations":1000,"warmup":0}}"#);
    let case = format!("{request} within {timeout:?} on {}", handler.architecture);
    match handler.outcome_in_time(request, timeout, clock).await {
        Ok(payload) => {
            let response: Response = serde_json::from_slice(&payload).unwrap();
            for sample in response.results {
                assert!(sample.status != Status::Failed, "{case}: {sample:?}");
                assert_eq!(sample.checksum.is_none(), sample.status == Status::Skipped, "{case}: {sample:?}");
            }
        }
        Err(error) => assert_eq!(error.error_type, "DeadlineTooShort", "{case}: {error:?}"),
    }
}

fn quoted(workload: &Workload) -> String {
    format!("\"{}\"", workload.name)
}

async fn assert_large_ones_answered(
    architecture: Architecture,
    workloads: impl IntoIterator<Item = &Workload>,
    timeout: Duration,
    clock: Clock,
) {
    let mut handler = Handler::start(architecture).await;
    for workload in workloads {
        assert_answered(&mut handler, &quoted(workload), "\"large\"", timeout, clock).await;
    }
}

/// Held by each test of deadlines, so that none has more beside it than it asks for.
static ALONE: Mutex<()> = Mutex::const_new(());

async fn large_workloads_are_answered_within_a_second(architecture: Architecture) {
    let _alone = ALONE.lock().await;
    let workloads = sample(&format!("within a second on {architecture}"), &ALL, SAMPLE);
    assert_large_ones_answered(architecture, workloads, SECOND, Clock::WithoutWaiting).await;
}

#[tokio::test]
async fn large_workloads_are_answered_within_a_second_beside_busy_loops() {
    let _alone = ALONE.lock().await;
    let _busy = BusyLoops::start(2);
    let workloads = sample("beside busy loops", &ALL, SAMPLE);
    assert_large_ones_answered(NATIVE, workloads, SECOND, Clock::WithoutWaiting).await;
}

async fn assert_all_together_are_answered(timeout: Duration, clock: Clock) {
    let _alone = ALONE.lock().await;
    let together = [FOREIGN, NATIVE].map(|architecture| async move {
        let mut handler = Handler::start(architecture).await;
        assert_answered(&mut handler, r#""sorting","math","string""#, "\"large\"", timeout, clock).await;
    });
    let [foreign, native] = together;
    tokio::join!(foreign, native);
}

async fn all_workloads_together_are_answered_within_3_seconds() {
    assert_all_together_are_answered(3 * SECOND, Clock::WithoutWaiting).await;
}

#[tokio::test]
#[ignore = "takes 29 s; `make deadlines` runs it"]
async fn all_workloads_together_are_answered_within_29_seconds() {
    assert_all_together_are_answered(29 * SECOND, Clock::Wall).await;
}

/// Every timeout with every workload, alone and beside busy loops: half an hour.
#[tokio::test]
#[ignore = "takes half an hour; `make deadlines` runs it"]
async fn every_large_workload_is_answered_within_every_timeout() {
    let _alone = ALONE.lock().await;
    for busy_loops in [0, 2] {
        let _busy = BusyLoops::start(busy_loops);
        for timeout in [SECOND, 3 * SECOND, 29 * SECOND] {
            assert_large_ones_answered(NATIVE, &ALL, timeout, Clock::Wall).await;
            println!("{} workloads answered within {timeout:?} beside {busy_loops} busy loops", ALL.len());
        }
    }
}

/// The largest size that the memory check lets through, be it one that takes days.
async fn no_size_passes_the_deadline(architecture: Architecture) {
    let _alone = ALONE.lock().await;
    let mut handler = Handler::start(architecture).await;
    for workload in sample(&format!("largest size on {architecture}"), &ALL, SAMPLE) {
        let size = largest_size(&mut handler, workload).await.to_string();
        assert_answered(&mut handler, &quoted(workload), &size, SECOND, Clock::WithoutWaiting).await;
    }
}

/// With an address space of no more than the function's memory: what is accepted runs, to its end or to the
/// deadline, and the environment lives on. (An emulator needs more address space than that for itself.)
#[tokio::test]
async fn no_size_takes_more_memory_than_there_is() {
    for memory_mb in [128, 256, 512] {
        let mut handler = Handler::start_limited(memory_mb).await;
        let growing = ALL.iter().filter(|workload| workload.memory != "constant");
        for workload in sample(&format!("largest size in {memory_mb} MB"), growing, 3) {
            let size = largest_size(&mut handler, workload).await;
            let request = format!(r#"{{"workloads":["{}"],"size":{size},"iterations":1,"warmup":0}}"#, workload.name);
            let case = format!("{request} with {memory_mb} MB");
            match handler.outcome(&*request, 5 * SECOND).await {
                Ok(payload) => {
                    let response: Response = serde_json::from_slice(&payload).unwrap();
                    let sample = &response.results[0];
                    assert!(sample.status != Status::Failed, "{case}: {sample:?}");
                    assert!(sample.memory.max_rss_bytes <= memory_mb << 20, "{case}: {sample:?}");
                }
                Err(error) => assert_eq!(error.error_type, "DeadlineTooShort", "{case}: {error:?}"),
            }
        }
        let small = handler.outcome(r#"{"workloads":["sorting"],"size":"small","iterations":1}"#, TIMEOUT).await;
        assert!(small.is_ok(), "{small:?}");
    }
}
