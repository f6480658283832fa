//! A client of Lambda whose credentials can be renewed.

use super::{super::row::Failure, Session, is_expired, renewal::Renewable};
use aws_sdk_lambda::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

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

    /// Makes a request. If its credentials have expired, they are renewed for the next one, also from files, which may
    /// have changed.
    pub async fn request<T, E: ProvideErrorMetadata>(
        &self,
        request: impl AsyncFnOnce(Client) -> Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<T, SdkError<E, HttpResponse>> {
        let renewals = self.client.count();
        let answer = request(self.client.get()).await;
        let code = answer.as_ref().err().and_then(ProvideErrorMetadata::code);
        if let Some(session) = &self.session
            && code.is_some_and(is_expired)
        {
            self.client.renew(renewals, async { session.renewed().lambda().await.ok() }).await;
        }
        answer
    }
}

#[cfg(test)]
impl From<Client> for Lambda {
    fn from(client: Client) -> Self {
        Self { session: None, client: Renewable::new(client) }
    }
}
