//! A client of Lambda whose credentials can be fetched again.

use super::{super::row::Failure, Session};
use aws_sdk_lambda::Client;
use std::sync::{Mutex, PoisonError};

/// A client of Lambda. What has a clone of it shares its credentials.
#[derive(Debug)]
pub struct Lambda {
    /// Where credentials come from; none in tests.
    session: Option<Session>,
    client: Mutex<Client>,
}

impl Lambda {
    /// A client in the session's region.
    ///
    /// # Errors
    /// When there is no configuration, no region, or no usable endpoint.
    pub async fn new(session: &Session) -> Result<Self, Failure> {
        let client = session.lambda().await?.into();
        Ok(Self { session: Some(session.with(None, None)), client })
    }

    /// The client as it is now.
    pub fn client(&self) -> Client {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fetches the credentials again, from files too: whoever keeps them there may have replaced them. Where there are
    /// none any more the old ones stay, with which the next call says what is wrong.
    pub async fn renew(&self) {
        let Some(session) = &self.session else { return };
        if let Ok(client) = session.renewed().lambda().await {
            *self.client.lock().unwrap_or_else(PoisonError::into_inner) = client;
        }
    }
}

#[cfg(test)]
impl From<Client> for Lambda {
    fn from(client: Client) -> Self {
        Self { session: None, client: client.into() }
    }
}
