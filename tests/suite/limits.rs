//! Where time or memory runs out, every invocation is answered all the same.

use crate::{
    handler::{BOTH, Handler, TIMEOUT, largest_size},
    load::BusyLoops,
};
use lambda_duet::{
    campaign::runtime_api::Outcome,
    protocol::{Architecture, Response, Status},
    workload::{ALL, Workload},
};
use std::time::Duration;
use tokio::sync::Mutex;

const SECOND: Duration = Duration::from_secs(1);

/// Asks for more of `workloads` than any timeout allows. The environment has to answer before `timeout`,
/// with the iterations that fitted or by saying that none did.
async fn assert_answered(handler: &mut Handler, workloads: &str, size: &str, timeout: Duration) {
    let request = format!(r#"{{"workloads":[{workloads}],"size":{size},"iterations":1000,"warmup":0}}"#);
    let case = format!("{request} within {timeout:?} on {}", handler.architecture);
    let outcome = handler.environment.invoke(request, timeout).await;
    match outcome.unwrap_or_else(|error| panic!("{case}: {error}")) {
        Outcome::Response(payload) => {
            let response: Response = serde_json::from_slice(&payload).unwrap();
            for sample in response.results {
                assert!(sample.status != Status::Failed, "{case}: {sample:?}");
                assert_eq!(sample.checksum.is_none(), sample.status == Status::Skipped, "{case}: {sample:?}");
            }
        }
        Outcome::Error(error) => assert_eq!(error.error_type, "DeadlineTooShort", "{case}: {error:?}"),
    }
}

fn quoted(workload: &Workload) -> String {
    format!("\"{}\"", workload.name)
}

async fn assert_large_ones_answered(architecture: Architecture, timeout: Duration) {
    let mut handler = Handler::start(architecture).await;
    for workload in &ALL {
        assert_answered(&mut handler, &quoted(workload), "\"large\"", timeout).await;
    }
}

/// Held by each test of deadlines, so that none has more beside it than it asks for.
static ALONE: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn large_workloads_are_answered_within_a_second_on_arm64() {
    let _alone = ALONE.lock().await;
    assert_large_ones_answered(Architecture::Arm64, SECOND).await;
}

#[tokio::test]
async fn large_workloads_are_answered_within_a_second_on_x86_64() {
    let _alone = ALONE.lock().await;
    assert_large_ones_answered(Architecture::X86_64, SECOND).await;
}

#[tokio::test]
async fn large_workloads_are_answered_within_a_second_beside_busy_loops() {
    let _alone = ALONE.lock().await;
    let _busy = BusyLoops::start(2);
    assert_large_ones_answered(Architecture::OF_BINARY, SECOND).await;
}

#[tokio::test]
async fn all_workloads_together_are_answered_within_3_and_29_seconds() {
    let _alone = ALONE.lock().await;
    for timeout in [3 * SECOND, 29 * SECOND] {
        let together = BOTH.map(|architecture| async move {
            let mut handler = Handler::start(architecture).await;
            assert_answered(&mut handler, r#""sorting","math","string""#, "\"large\"", timeout).await;
        });
        let [arm64, x86_64] = together;
        tokio::join!(arm64, x86_64);
    }
}

/// Every timeout with every workload, alone and beside busy loops: half an hour.
#[tokio::test]
#[ignore = "takes half an hour; `make deadlines` runs it"]
async fn every_large_workload_is_answered_within_every_timeout() {
    let _alone = ALONE.lock().await;
    for busy_loops in [0, 2] {
        let _busy = BusyLoops::start(busy_loops);
        for timeout in [SECOND, 3 * SECOND, 29 * SECOND] {
            assert_large_ones_answered(Architecture::OF_BINARY, timeout).await;
            println!("{} workloads answered within {timeout:?} beside {busy_loops} busy loops", ALL.len());
        }
    }
}

/// The largest size that the memory check lets through, be it one that takes days.
#[tokio::test]
async fn no_size_passes_the_deadline() {
    let _alone = ALONE.lock().await;
    for architecture in BOTH {
        let mut handler = Handler::start(architecture).await;
        for workload in &ALL {
            let size = largest_size(&mut handler, workload).await.to_string();
            assert_answered(&mut handler, &quoted(workload), &size, SECOND).await;
        }
    }
}

/// With an address space of no more than the function's memory: what is accepted runs, to its end or to the
/// deadline, and the environment lives on. (An emulator needs more address space than that for itself.)
#[tokio::test]
async fn no_size_takes_more_memory_than_there_is() {
    for memory_mb in [128, 256, 512] {
        let mut handler = Handler::start_limited(memory_mb).await;
        for workload in &ALL {
            let size = largest_size(&mut handler, workload).await;
            if size == u64::MAX {
                continue;
            }
            let request = format!(r#"{{"workloads":["{}"],"size":{size},"iterations":1,"warmup":0}}"#, workload.name);
            let case = format!("{request} with {memory_mb} MB");
            match handler.outcome(&*request, 5 * SECOND).await {
                Outcome::Response(payload) => {
                    let response: Response = serde_json::from_slice(&payload).unwrap();
                    let sample = &response.results[0];
                    assert!(sample.status != Status::Failed, "{case}: {sample:?}");
                    assert!(sample.memory.max_rss_bytes <= memory_mb << 20, "{case}: {sample:?}");
                }
                Outcome::Error(error) => assert_eq!(error.error_type, "DeadlineTooShort", "{case}: {error:?}"),
            }
        }
        let small = handler.outcome(r#"{"workloads":["sorting"],"size":"small","iterations":1}"#, TIMEOUT).await;
        assert!(matches!(small, Outcome::Response(_)), "{small:?}");
    }
}
