//! A client of Lambda whose credentials can be renewed.

use super::{super::row::Failure, Session, renewal::Renewable};
use aws_sdk_lambda::Client;

/// A client of Lambda.
#[derive(Debug)]
pub struct Lambda {
    /// The source of credentials; `None` in tests.
    session: Option<Session>,
    client: Renewable<Client>,
}

impl Lambda {
    /// A client in the session's region.
    ///
    /// # Errors
    /// When there is no configuration, no region, or no usable endpoint.
    pub async fn new(session: &Session) -> Result<Self, Failure> {
        let client = Renewable::new(session.lambda().await?);
        Ok(Self { session: Some(session.with(None, None)), client })
    }

    /// The current client.
    pub fn client(&self) -> Client {
        self.client.get()
    }

    /// How many times its credentials have been renewed.
    pub fn renewals(&self) -> u64 {
        self.client.count()
    }

    /// Renews its credentials, also from files, which may have changed; unless they have been renewed more than
    /// `renewals` times already.
    pub async fn renew(&self, renewals: u64) {
        let Some(session) = &self.session else { return };
        self.client.renew(renewals, async { session.renewed().lambda().await.ok() }).await;
    }
}

#[cfg(test)]
impl From<Client> for Lambda {
    fn from(client: Client) -> Self {
        Self { session: None, client: Renewable::new(client) }
    }
}
