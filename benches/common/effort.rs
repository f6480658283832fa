//! How much a benchmark does.

/// Whether cargo runs the benchmark as a test (`cargo test --bench NAME`), to see that it works: no number that it
/// prints then means anything.
pub fn is_short() -> bool {
    !std::env::args().any(|argument| argument == "--bench")
}

/// The number of rounds: `thorough`, or one if cargo runs the benchmark as a test.
#[allow(dead_code, reason = "not every benchmark goes in rounds")]
pub fn rounds(thorough: usize) -> usize {
    if is_short() { 1 } else { thorough }
}
