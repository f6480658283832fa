//! Credentials that are renewed once for all concurrent calls that find them expired.

use super::super::lock;
use std::{future::Future, sync::Mutex};

/// A value that depends on credentials, and how many times it has been renewed.
#[derive(Debug)]
pub(super) struct Renewable<T> {
    current: Mutex<(u64, T)>,
    is_busy: tokio::sync::Mutex<()>,
}

impl<T: Clone> Renewable<T> {
    pub(super) fn new(first: T) -> Self {
        Self { current: Mutex::new((0, first)), is_busy: tokio::sync::Mutex::default() }
    }

    /// The current value.
    pub(super) fn get(&self) -> T {
        lock(&self.current).1.clone()
    }

    /// How many times it has been renewed.
    pub(super) fn count(&self) -> u64 {
        lock(&self.current).0
    }

    /// Replaces the value by that of `fetch`, unless it has been renewed more than `count` times already. If `fetch`
    /// gives `None`, the old value remains, and the next call with it reports what is wrong.
    pub(super) async fn renew(&self, count: u64, fetch: impl Future<Output = Option<T>>) {
        let _busy = self.is_busy.lock().await;
        if self.count() != count {
            return;
        }
        let new = fetch.await;
        let mut current = lock(&self.current);
        current.0 += 1;
        if let Some(new) = new {
            current.1 = new;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn concurrent_renewals_fetch_once() {
        let renewable = Renewable::new("old");
        let fetches = Mutex::new(0);
        let fetch = async |new| {
            *fetches.lock().unwrap() += 1;
            tokio::task::yield_now().await;
            new
        };
        tokio::join!(renewable.renew(0, fetch(Some("new"))), renewable.renew(0, fetch(Some("newer"))));
        assert_eq!((renewable.get(), renewable.count(), *fetches.lock().unwrap()), ("new", 1, 1));
        renewable.renew(0, fetch(Some("late"))).await;
        assert_eq!((renewable.get(), renewable.count()), ("new", 1));
        renewable.renew(1, fetch(None)).await;
        assert_eq!((renewable.get(), renewable.count()), ("new", 2));
    }
}
