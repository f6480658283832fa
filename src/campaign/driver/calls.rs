//! The calls of a step while they are under way.

use crate::campaign::{
    call_to_row::Returned,
    caller::Caller,
    failure::{Failure, FailureKind},
    schedule::Call,
    unix_ms,
};
use hyper::body::Bytes;
use std::{
    collections::VecDeque,
    future::Future,
    panic::resume_unwind,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::timeout};

/// The campaign's own time, as if it had never been interrupted.
#[derive(Clone, Copy, Debug)]
pub(in crate::campaign) struct CampaignClock {
    begin: Instant,
    before: Duration,
}

impl CampaignClock {
    /// The time of a campaign that has lasted so many milliseconds before.
    pub(in crate::campaign) fn begun(before_ms: u64) -> Self {
        Self { begin: Instant::now(), before: Duration::from_millis(before_ms) }
    }

    pub(in crate::campaign) fn elapsed(self) -> Duration {
        self.before + self.begin.elapsed()
    }
}

/// Makes a call, for which at most `time` is waited, by the campaign's clock and after the `begin` of its step.
pub(in crate::campaign) async fn made(
    caller: Arc<Caller>,
    call: Call,
    payload: Bytes,
    time: Duration,
    (clock, begin): (CampaignClock, Instant),
) -> Returned {
    let (start, elapsed, started_unix_ms) = (Instant::now(), clock.elapsed(), unix_ms());
    let answer = timeout(time, caller.call(call.slot, payload)).await.unwrap_or_else(|_| {
        Failure::new(FailureKind::Timeout, format!("no answer within {}", humantime::format_duration(time))).into()
    });
    // What was before the request that was answered does not count.
    let before = answer.sent.map_or(Duration::ZERO, |sent| sent - start);
    let (latency, delay) = (start.elapsed() - before, start + before - begin);
    let started_unix_ms = started_unix_ms + before.as_millis() as u64;
    Returned { call, started_unix_ms, elapsed: elapsed + before, delay, latency, answer }
}

/// Calls that are released all together, or one after the other.
pub(in crate::campaign) struct Calls {
    waiting: VecDeque<Call>,
    running: JoinSet<Returned>,
    is_concurrent: bool,
}

impl Calls {
    pub(in crate::campaign) fn new(calls: impl IntoIterator<Item = Call>, is_concurrent: bool) -> Self {
        Self { waiting: calls.into_iter().collect(), running: JoinSet::new(), is_concurrent }
    }

    /// Starts waiting calls: all of them if they are concurrent, else the next one if none is running.
    pub(in crate::campaign) fn release<F>(&mut self, make: impl Fn(Call, Instant) -> F)
    where
        F: Future<Output = Returned> + Send + 'static,
    {
        let begin = Instant::now();
        while self.is_concurrent || self.running.is_empty() {
            let Some(call) = self.waiting.pop_front() else { return };
            self.running.spawn(make(call, begin));
        }
    }

    /// The calls that have returned by now, at least one; `None` if none are running.
    pub(in crate::campaign) async fn returned(&mut self) -> Option<Vec<Returned>> {
        let first = self.running.join_next().await?;
        let others = std::iter::from_fn(|| self.running.try_join_next());
        let returned = std::iter::once(first).chain(others);
        Some(returned.map(|call| call.unwrap_or_else(|error| resume_unwind(error.into_panic()))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::variants::VariantIndex;

    /// The slots of calls that take 10, 20 and 30 ms, batch by batch as they come back, and how many ms that takes.
    async fn made(is_concurrent: bool) -> (Vec<Vec<u32>>, u128) {
        let call = |slot| Call { variant: VariantIndex::default(), cell: 0, slot };
        let mut calls = Calls::new([3, 1, 2].map(call), is_concurrent);
        let answer = |call: Call, _| async move {
            tokio::time::sleep(Duration::from_millis(10 * u64::from(call.slot))).await;
            let answer = Failure::new(FailureKind::Timeout, "none").into();
            let (zero, latency) = (Duration::ZERO, Duration::ZERO);
            Returned { call, started_unix_ms: 0, elapsed: zero, delay: zero, latency, answer }
        };
        let begin = tokio::time::Instant::now();
        calls.release(answer);
        let mut batches = Vec::new();
        while let Some(returned) = calls.returned().await {
            batches.push(returned.iter().map(|returned| returned.call.slot).collect());
            calls.release(answer);
        }
        (batches, begin.elapsed().as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn calls_are_made_together_or_one_after_the_other() {
        assert_eq!(made(true).await, (vec![vec![1], vec![2], vec![3]], 30));
        assert_eq!(made(false).await, (vec![vec![3], vec![1], vec![2]], 60));
    }
}
