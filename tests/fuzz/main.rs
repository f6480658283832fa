//! libFuzzer's side: it makes up events, and ends at the first that panics, hangs or is answered wrongly.

#![no_main]

mod check;

use check::Checker;
use lambda_duet::measure::heap::CountingAllocator;
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

thread_local! {
    static CHECKER: Checker = Checker::new();
}

fuzz_target!(|event: &[u8]| CHECKER.with(|checker| checker.check(event)));
