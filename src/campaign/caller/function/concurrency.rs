//! How many calls of a function may be open at the same time.

use super::{DENIED, Failure, FunctionCaller, failure};
use crate::campaign::pauses;
use aws_sdk_lambda::{
    error::{ProvideErrorMetadata, SdkError},
    types::AccountLimit,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

impl FunctionCaller {
    /// How many calls of the function may be open at the same time, other functions being idle: its reserved concurrency,
    /// or else what the account has left for functions without one. `None` if the credentials do not allow reading it.
    ///
    /// # Errors
    /// When the endpoint does not tell.
    pub async fn concurrency(&self) -> Result<Option<u32>, Failure> {
        pauses::repeated(async || self.read_concurrency().await).await
    }

    async fn read_concurrency(&self) -> Result<Option<u32>, Failure> {
        let reserved = self
            .lambda
            .request(async |client| client.get_function_concurrency().function_name(&self.name).send().await);
        let Some(reserved) = unless_denied(reserved.await)? else { return Ok(None) };
        if let Some(reserved) = reserved.reserved_concurrent_executions {
            return Ok(Some(u32::try_from(reserved).unwrap_or(0)));
        }
        let settings = self.lambda.request(async |client| client.get_account_settings().send().await);
        let Some(settings) = unless_denied(settings.await)? else { return Ok(None) };
        match settings.account_limit().and_then(AccountLimit::unreserved_concurrent_executions) {
            Some(unreserved) => Ok(Some(u32::try_from(unreserved).unwrap_or(0))),
            None => Err(Failure::refused("Lambda does not tell the account's unreserved concurrency")),
        }
    }
}

/// The answer; `None` if the credentials do not allow the request.
fn unless_denied<T, E>(answer: Result<T, SdkError<E, HttpResponse>>) -> Result<Option<T>, Failure>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match answer {
        Err(error) if error.code().is_some_and(|code| DENIED.contains(&code)) => Ok(None),
        answer => answer.map(Some).map_err(|error| failure(&error)),
    }
}
