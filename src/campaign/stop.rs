//! The wish for an end, which may come at any time.

use std::future::{Future, pending};
use tokio::sync::watch;

/// Waits until an end is asked for; for ever where nobody is left who could ask.
pub async fn asked(stop: &watch::Receiver<bool>) {
    if stop.clone().wait_for(|stop| *stop).await.is_err() {
        pending::<()>().await;
    }
}

/// What comes of `work`; none where an end is asked for before it is done.
pub async fn unless_asked<T>(stop: &watch::Receiver<bool>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = asked(stop) => None,
    }
}
