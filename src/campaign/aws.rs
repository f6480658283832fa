//! AWS from the user's machine: region, credentials and endpoints from the usual chain (environment,
//! profile, SSO, …), and signatures.

use super::row::{Failure, FailureKind};
use crate::transport::Transport;
use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider},
};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_types::body::SdkBody;
use hyper::{Request, header::HeaderValue};
use std::{
    future::Future,
    io,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use tokio::sync::OnceCell;

/// One pool of connections, and the SDK's configuration as soon as somebody needs it.
#[derive(Debug)]
pub struct Session {
    transport: Transport,
    config: OnceCell<SdkConfig>,
}

impl Session {
    /// A session that has asked nobody anything yet.
    ///
    /// # Errors
    /// When no trusted certificate can be read.
    pub fn new() -> io::Result<Self> {
        Ok(Self { transport: Transport::new()?, config: OnceCell::new() })
    }

    /// The pool of connections.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Region, credentials and endpoints.
    ///
    /// Nothing is tried again behind the caller's back: a call that was made twice would be measured,
    /// and paid, twice.
    pub async fn config(&self) -> &SdkConfig {
        self.config
            .get_or_init(async || {
                let config = load(&self.transport).await;
                if config.endpoint_url().is_some_and(str::is_empty) {
                    // An empty AWS_ENDPOINT_URL means that none was set; as a URL it would make the SDK panic.
                    let mut without = config.into_builder();
                    without.set_endpoint_url(None);
                    return without.build();
                }
                config
            })
            .await
    }
}

async fn load(transport: &Transport) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(transport.clone().into_sdk_client())
        .retry_config(RetryConfig::disabled())
        .load()
        .await
}

/// The user's credentials from the usual chain, looked for anew: a chain that has been asked before does not read files
/// again.
pub(super) async fn fetch_credentials(transport: &Transport) -> Option<SharedCredentialsProvider> {
    load(transport).await.credentials_provider()
}

/// Lets one alone of many calls whose credentials have expired fetch them again.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    count: AtomicU64,
    is_busy: tokio::sync::Mutex<()>,
}

impl Renewal {
    /// How often credentials have been fetched again.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// Fetches them, unless that has been done since it was done `count` times.
    pub(super) async fn renew(&self, count: u64, fetch: impl Future<Output = ()>) {
        let _busy = self.is_busy.lock().await;
        if self.count() == count {
            fetch.await;
            self.count.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// Signs requests to one service by AWS Signature Version 4.
#[derive(Debug)]
pub struct Signer {
    config: SdkConfig,
    region: String,
    service: &'static str,
    /// Those that were given out last: asking for them may be a call to another service.
    credentials: Mutex<Option<Credentials>>,
    renewal: Renewal,
}

impl Signer {
    /// How long before they expire credentials are renewed.
    const MARGIN: Duration = Duration::from_secs(300);

    /// A signer for `service`.
    ///
    /// # Errors
    /// When no region is configured.
    pub async fn new(session: &Session, service: &'static str) -> Result<Self, Failure> {
        let config = session.config().await.clone();
        let region = config.region().ok_or_else(|| unsigned("no region is set (AWS_REGION)"))?.to_string();
        Ok(Self { config, region, service, credentials: Mutex::default(), renewal: Renewal::default() })
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Adds the signature.
    ///
    /// # Errors
    /// When there are no credentials.
    pub async fn sign(&self, request: &mut Request<SdkBody>) -> Result<(), Failure> {
        let identity = self.credentials().await?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| unsigned(&error.to_string()))?
            .into();
        let uri = request.uri().to_string();
        let headers = request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let body = SignableBody::Bytes(request.body().bytes().unwrap_or_default());
        let signed = SignableRequest::new(request.method().as_str(), uri, headers, body)
            .and_then(|signable| sign(signable, &parameters))
            .map_err(|error| unsigned(&error.to_string()))?;
        let (instructions, _) = signed.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }

    /// The credentials, as they would be used.
    ///
    /// # Errors
    /// When there are none.
    pub async fn credentials(&self) -> Result<Credentials, Failure> {
        let renewal = SystemTime::now() + Self::MARGIN;
        let kept = self.credentials.lock().expect("no panic happens while it is held").clone();
        if let Some(kept) = kept.filter(|it| it.expiry().is_none_or(|expiry| expiry > renewal)) {
            return Ok(kept);
        }
        let provider = self.config.credentials_provider().ok_or_else(|| unsigned("there are no credentials"))?;
        let new = provider.provide_credentials().await.map_err(|error| unsigned(&error.to_string()))?;
        *self.credentials.lock().expect("no panic happens while it is held") = Some(new.clone());
        Ok(new)
    }

    /// How often credentials have been fetched again.
    pub(super) fn renewals(&self) -> u64 {
        self.renewal.count()
    }

    /// Has the next requests signed with credentials that are fetched again, if there are any, unless that has been done
    /// since it was done so many times.
    pub(super) async fn renew(&self, renewals: u64, transport: &Transport) {
        let fetch = async {
            let Some(provider) = fetch_credentials(transport).await else { return };
            if let Ok(new) = provider.provide_credentials().await {
                *self.credentials.lock().expect("no panic happens while it is held") = Some(new);
            }
        };
        self.renewal.renew(renewals, fetch).await;
    }
}

fn unsigned(what: &str) -> Failure {
    let message =
        format!("the request cannot be signed: {what}; configure AWS credentials and a region, or use --no-auth");
    Failure::new(FailureKind::Refused, message)
}

/// An API key as the header that carries it.
///
/// # Errors
/// When it cannot be a header's value.
pub fn api_key(key: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(key)
        .map_err(|_| Failure::new(FailureKind::Refused, "the API key has characters that no HTTP header may have"))?;
    value.set_sensitive(true);
    Ok(value)
}
