//! A workload in the loops of Criterion.

use criterion::{BatchSize, BenchmarkGroup, measurement::WallTime};
use lambda_duet::workload::{Params, Workload};
use std::{
    cell::{LazyCell, RefCell},
    hint::black_box,
};

/// Has Criterion time a workload's runs: one after the other where they leave the input alone; where
/// they destroy it, each on its own, with the input restored in between.
///
/// One routine serves all samples, as in the handler, so that its memory stays where it is. It is not
/// prepared where Criterion filters the benchmark out.
pub fn bench(group: &mut BenchmarkGroup<WallTime>, id: &str, workload: &Workload, params: &Params) {
    let routine = LazyCell::new(|| RefCell::new((workload.prepare)(params)));
    let run = || black_box(&mut **routine.borrow_mut()).run();
    group.bench_function(id, |bencher| {
        if workload.in_place {
            bencher.iter_batched(|| routine.borrow_mut().restore(), |()| run(), BatchSize::PerIteration);
        } else {
            bencher.iter(run);
        }
    });
}
