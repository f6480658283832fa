//! Credentials that are cached while they are valid, and checked before they are used.

use super::super::row::Failure;
use crate::transport::with_causes;
use aws_config::SdkConfig;
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;

/// How long before their expiry credentials are renewed.
const MARGIN: Duration = Duration::from_secs(300);

/// A cache of the last credentials: getting new ones may take a call to another service, or a program that asks for a
/// code.
#[derive(Debug)]
struct Kept {
    provider: SharedCredentialsProvider,
    last: Mutex<Option<Credentials>>,
}

/// A provider that caches the credentials of `provider` until they are about to expire.
pub(super) fn kept(provider: SharedCredentialsProvider) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Kept { provider, last: Mutex::default() })
}

impl Kept {
    async fn get(&self) -> Result<Credentials, CredentialsError> {
        let mut last = self.last.lock().await;
        if let Some(kept) = &*last
            && kept.expiry().is_none_or(|expiry| expiry > SystemTime::now() + MARGIN)
        {
            return Ok(kept.clone());
        }
        let new = self.provider.provide_credentials().await?;
        check(&new).map_err(CredentialsError::invalid_configuration)?;
        Ok(last.insert(new).clone())
    }
}

impl ProvideCredentials for Kept {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.get())
    }
}

/// Refuses keys with white space, such as a line end that was copied with them: the SDK would panic, or sign with a
/// wrong key.
fn check(credentials: &Credentials) -> Result<(), String> {
    let parts = [
        ("access key ID", "AWS_ACCESS_KEY_ID", credentials.access_key_id()),
        ("secret access key", "AWS_SECRET_ACCESS_KEY", credentials.secret_access_key()),
        ("session token", "AWS_SESSION_TOKEN", credentials.session_token().unwrap_or_default()),
    ];
    let wrong = parts.iter().find(|(.., value)| !value.bytes().all(|byte| byte.is_ascii_graphic()));
    let Some((name, variable, _)) = wrong else { return Ok(()) };
    let lower = variable.to_lowercase();
    Err(format!(
        "the {name} has white space or other characters that none has, perhaps the end of a line: remove them \
         ({variable}, or {lower} in the AWS configuration files)"
    ))
}

/// The credentials of a configuration.
///
/// # Errors
/// When there are none, with advice on what to do.
pub(super) async fn get(config: &SdkConfig) -> Result<Credentials, Failure> {
    let missing = "there are no AWS credentials: sign in with `aws login` or `aws sso login`, or set AWS_PROFILE, or \
                   AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    let provider = config.credentials_provider().ok_or_else(|| Failure::refused(missing))?;
    provider.provide_credentials().await.map_err(|error| match &error {
        CredentialsError::CredentialsNotLoaded(_) => Failure::refused(missing),
        CredentialsError::InvalidConfiguration(_) => {
            Failure::refused(format!("the AWS credentials cannot be used: {}", with_causes(&error)))
        }
        _ => Failure::refused(format!(
            "the AWS credentials cannot be had: {}; sign in again (`aws sso login`, `aws login`) or name another profile",
            with_causes(&error)
        )),
    })
}
