//! The Lambda function: one binary for both architectures.

use lambda_duet::{lambda, measure::heap::CountingAllocator};
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// One thread is enough: an environment serves one invocation at a time, and a workload that is
/// being timed has the core to itself.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda::run(Instant::now()).await
}
