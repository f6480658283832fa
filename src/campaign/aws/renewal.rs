//! Credentials that are fetched again once for all calls that find them expired.

use std::{
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What signs with credentials, and how often they have been fetched again.
#[derive(Debug)]
pub(super) struct Renewable<T> {
    current: Mutex<(u64, T)>,
    is_busy: tokio::sync::Mutex<()>,
}

impl<T: Clone> Renewable<T> {
    pub(super) fn new(first: T) -> Self {
        Self { current: Mutex::new((0, first)), is_busy: tokio::sync::Mutex::default() }
    }

    /// As it is now.
    pub(super) fn get(&self) -> T {
        self.current().1.clone()
    }

    /// How often it has been renewed.
    pub(super) fn count(&self) -> u64 {
        self.current().0
    }

    /// Puts what `fetch` gives in its place, unless that has been done since it was done `count` times. Where it gives
    /// nothing the old one stays, with which the next call says what is wrong.
    pub(super) async fn renew(&self, count: u64, fetch: impl Future<Output = Option<T>>) {
        let _busy = self.is_busy.lock().await;
        if self.count() != count {
            return;
        }
        let new = fetch.await;
        let mut current = self.current();
        current.0 += 1;
        if let Some(new) = new {
            current.1 = new;
        }
    }

    fn current(&self) -> MutexGuard<'_, (u64, T)> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn of_many_who_find_it_expired_one_fetches_it() {
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
