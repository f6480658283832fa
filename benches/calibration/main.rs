//! How long the workloads take at their three sizes in the function as it is deployed, and how long the
//! default request takes: what the sizes are chosen by, and what the catalogue promises.
//!
//! Aims, on one ordinary core: about 1 ms at `small`, 10 to 100 ms at `medium`, about 1 s at `large`;
//! `{}` within 25 s. Runs the binary of this machine's architecture that `make build` made, or the one
//! that is named as the argument.

#[path = "../common/effort.rs"]
mod effort;
#[path = "../common/function.rs"]
mod function;

use effort::rounds;
use lambda_duet::{
    campaign::local::LocalEnvironment,
    protocol::{Response, SizeName},
};
use std::{
    collections::BTreeMap,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

const TIMEOUT: Duration = Duration::from_secs(900);

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(calibrate(&function::binary()));
}

async fn calibrate(binary: &Path) {
    let mut environment = LocalEnvironment::start(binary, [("METRICS_SINK", "none")], Stdio::null())
        .await
        .expect("the function starts; `make build` builds it");
    let mut medians: BTreeMap<String, Vec<(f64, u64)>> = BTreeMap::new();
    for (size, iterations) in [(SizeName::Small, 100), (SizeName::Medium, 10), (SizeName::Large, 3)] {
        let iterations = rounds(iterations);
        let request = format!(r#"{{"size":"{size}","iterations":{iterations},"warmup":1}}"#);
        let (response, _) = call(&mut environment, request).await;
        for sample in response.results {
            let median = sample.summary.expect("every iteration ran").median / 1e6;
            let heap = sample.memory.heap.map_or(0, |heap| heap.peak_heap_bytes);
            medians.entry(sample.workload).or_default().push((median, heap));
        }
    }
    println!("{:<27} {:>10} {:>10} {:>10} {:>12}", "median, ms", "small", "medium", "large", "MiB at large");
    for (workload, sizes) in &medians {
        let heap = sizes[2].1 as f64 / 1024.0 / 1024.0;
        println!("{workload:<27} {:>10.3} {:>10.2} {:>10.1} {heap:>12.1}", sizes[0].0, sizes[1].0, sizes[2].0);
    }
    let (response, time) = call(&mut environment, "{}".to_owned()).await;
    println!("the request {{}} took {:.2} s on {}", time.as_secs_f64(), response.host.cpu_model);
}

async fn call(environment: &mut LocalEnvironment, request: String) -> (Response, Duration) {
    let start = Instant::now();
    let outcome = environment.invoke(request, TIMEOUT, TIMEOUT).await.expect("the function answers");
    let Ok(payload) = outcome else {
        panic!("the function refused: {outcome:?}");
    };
    let response: Response = serde_json::from_slice(&payload).expect("the answer is a response");
    assert!(response.complete);
    (response, start.elapsed())
}
