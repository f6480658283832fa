//! Waiting for a request to end the campaign.

use std::future::{Future, pending};
use tokio::sync::watch;

/// Waits until an end is requested; for ever if the sender is gone.
pub async fn asked(stop: &watch::Receiver<bool>) {
    if stop.clone().wait_for(|stop| *stop).await.is_err() {
        pending::<()>().await;
    }
}

/// The result of `work`; `None` if an end is requested before it is done.
pub async fn unless_asked<T>(stop: &watch::Receiver<bool>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = asked(stop) => None,
    }
}
