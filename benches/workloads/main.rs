//! Every workload at `small` and `medium` by Criterion: times with confidence intervals, and what has
//! changed since the run before.
//!
//! `cargo bench --bench workloads -- sorting/quicksort` runs a part; without an argument it takes some
//! five minutes. What Criterion times is what the handler times: one call of `Routine::run`.

#[path = "../common/kernel.rs"]
mod kernel;

use criterion::{Criterion, criterion_group, criterion_main};
use lambda_duet::{
    protocol::{Request, Size, SizeName},
    workload::{ALL, Params},
};
use std::time::Duration;

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
    targets = workloads
}
criterion_main!(benches);

fn workloads(criterion: &mut Criterion) {
    let Request { seed, shape, .. } = Request::default();
    for workload in &ALL {
        let mut group = criterion.benchmark_group(workload.name);
        for size in [SizeName::Small, SizeName::Medium] {
            let params = Params { elements: workload.elements(Size::Named(size)), seed, shape };
            kernel::bench(&mut group, &size.to_string(), workload, &params);
        }
        group.finish();
    }
}
