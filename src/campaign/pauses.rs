//! Pauses between attempts.

use super::failure::{ATTEMPTS, Failure};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use std::{
    process,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::sleep;

/// The first pause.
const FIRST: Duration = Duration::from_millis(100);

/// The longest pause between attempts at a request of which nothing is measured.
const LONGEST: Duration = Duration::from_secs(10);

/// Pauses that grow and are partly random, so that concurrent callers do not try again at the same time.
#[derive(Debug)]
pub(crate) struct Pauses {
    attempt: u32,
    jitter: ChaCha8Rng,
}

impl Pauses {
    pub(crate) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
        // Only pauses depend on this seed, not what is measured.
        Self { attempt: 0, jitter: ChaCha8Rng::seed_from_u64(now ^ u64::from(process::id())) }
    }

    pub(crate) fn next(&mut self, longest: Duration) -> Duration {
        self.attempt += 1;
        self.after(self.attempt - 1, longest)
    }

    /// The pause after an attempt, counted from 0: it doubles with each attempt up to `longest`, and is shortened at
    /// random by up to a half.
    pub(crate) fn after(&mut self, attempt: u32, longest: Duration) -> Duration {
        let whole = FIRST.saturating_mul(1 << attempt.min(16)).min(longest);
        whole.mul_f64(self.jitter.random_range(0.5..=1.0))
    }
}

/// The result of a request that is made again after passing failures.
pub(crate) async fn repeated<T>(attempt: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Failure> {
    let mut pauses = Pauses::new();
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(failure) if failure.kind.is_repeated() => sleep(pauses.next(LONGEST)).await,
            result => return result,
        }
    }
    attempt().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_are_random() {
        let (mut one, longest) = (Pauses::new(), Duration::from_secs(5));
        for whole_ms in [100, 200, 400, 800, 1600, 3200, 5000, 5000] {
            let whole = Duration::from_millis(whole_ms);
            let pause = one.next(longest);
            assert!(whole / 2 <= pause && pause <= whole, "{pause:?} of {whole:?}");
        }
        let many: std::collections::BTreeSet<Duration> = (0..100).map(|_| one.after(u32::MAX, longest)).collect();
        assert!(many.len() > 90);
    }
}
