//! Access to AWS from the user's machine: regions, profiles, credentials, endpoints and signatures, by the same rules
//! for all services.

mod credentials;
mod endpoint;
mod lambda;
mod profile;
mod renewal;
mod request;

pub use endpoint::{AwsService, endpoint, is_configured};
pub use lambda::Lambda;
pub use request::{JsonError, percent_encoded, post, send};

use super::{
    Auth, Target,
    manifest::{Place, Variant},
    region,
    row::Failure,
};
use crate::transport::Transport;
use aws_config::{
    BehaviorVersion, SdkConfig,
    imds::region::ImdsRegionProvider,
    meta::region::RegionProviderChain,
    profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider},
    provider_config::ProviderConfig,
    retry::RetryConfig,
};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_lambda::config::Region;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use aws_smithy_types::body::SdkBody;
use hyper::Request;
use renewal::Renewable;
use std::{collections::HashMap, error::Error, io, sync::Arc, time::SystemTime};
use tokio::sync::{Mutex, OnceCell};

/// A pool of connections, and the SDK's configuration for one region and one profile, which is loaded when it is
/// needed.
///
/// Sessions that are made from another one share its connections and, for the same profile, its credentials.
#[derive(Debug)]
pub struct Session {
    transport: Transport,
    /// The region; `None` for that of the environment or the profile.
    region: Option<String>,
    /// The profile, whose credentials then take precedence over those of the environment; `None` for the environment's.
    profile: Option<String>,
    config: OnceCell<SdkConfig>,
    credentials: Arc<Mutex<HashMap<Option<String>, SharedCredentialsProvider>>>,
}

impl Session {
    /// A session for the region and the profile of the environment.
    ///
    /// # Errors
    /// When no trusted certificate can be read, or a variable names no proxy.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            transport: Transport::with_proxies()?,
            region: None,
            profile: None,
            config: OnceCell::new(),
            credentials: Arc::default(),
        })
    }

    /// The same session with another region and profile, if they are given.
    pub fn with(&self, region: Option<String>, profile: Option<String>) -> Self {
        Self {
            transport: self.transport.clone(),
            region: region.or_else(|| self.region.clone()),
            profile: profile.or_else(|| self.profile.clone()),
            config: OnceCell::new(),
            credentials: Arc::clone(&self.credentials),
        }
    }

    /// The same session with new credentials: a chain that has been used before does not read files again.
    pub(super) fn renewed(&self) -> Self {
        Self { credentials: Arc::default(), ..self.with(None, None) }
    }

    /// The same session in the region that `target` names, if it names one.
    pub fn at(&self, target: &Target) -> Self {
        self.with(region::of_target(target), None)
    }

    /// The same session in the region, and with the profile, in which a variant of a campaign was called before.
    pub fn of_variant(&self, variant: &Variant) -> Self {
        self.of_place(&variant.target, variant.place.as_ref())
    }

    /// The same session for `target` in this region, and with this profile.
    pub(super) fn of_place(&self, target: &Target, place: Option<&Place>) -> Self {
        let session = self.at(target);
        place.map_or_else(|| session.with(None, None), |place| session.at_place(place))
    }

    /// The same session at a place, with the profile that was used there before.
    pub fn at_place(&self, place: &Place) -> Self {
        self.with(place.region.clone(), place.profile.clone().filter(|_| place.is_profile_fixed))
    }

    /// The pool of connections.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Region and credentials. [`endpoint()`] gives the URL of a service.
    ///
    /// The SDK's retries are disabled: a call that was made twice would be measured, and billed, twice.
    ///
    /// # Errors
    /// When the configuration files cannot be read, or there is no such profile.
    pub async fn config(&self) -> Result<&SdkConfig, Failure> {
        self.config.get_or_try_init(async || self.load().await).await
    }

    /// The region of services that are called for no target.
    ///
    /// # Errors
    /// When none is known.
    pub async fn region(&self) -> Result<String, Failure> {
        Ok(region_of(self.config().await?)?.to_string())
    }

    async fn load(&self) -> Result<SdkConfig, Failure> {
        let profile = profile::find(self.profile.as_deref()).await?;
        let client = self.transport.clone().into_sdk_client();
        let providers = ProviderConfig::without_region().with_http_client(client.clone());
        let region = match &self.region {
            Some(region) => Some(Region::new(region.clone())),
            None => environment_region(&profile, &providers).await,
        };
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(client)
            .retry_config(RetryConfig::disabled())
            .profile_name(&profile)
            .region(region.clone());
        let mut shared = self.credentials.lock().await;
        if let Some(credentials) = shared.get(&self.profile) {
            loader = loader.credentials_provider(credentials.clone());
        } else if self.profile.is_some() {
            let providers = providers.with_region(region);
            let credentials = ProfileFileCredentialsProvider::builder().configure(&providers);
            loader = loader.credentials_provider(credentials.profile_name(&profile).build());
        }
        let config = loader.load().await;
        let Some(credentials) = config.credentials_provider() else { return Ok(config) };
        let credentials = shared.entry(self.profile.clone()).or_insert_with(|| credentials::kept(credentials));
        Ok(config.into_builder().credentials_provider(credentials.clone()).build())
    }

    /// A client of Lambda.
    ///
    /// # Errors
    /// When there is no configuration, no region, or no usable endpoint.
    pub async fn lambda(&self) -> Result<aws_sdk_lambda::Client, Failure> {
        let config = self.config().await?;
        region_of(config)?;
        let mut builder = aws_sdk_lambda::config::Builder::from(config);
        builder.set_endpoint_url(endpoint::configured(config, AwsService::LAMBDA)?);
        Ok(aws_sdk_lambda::Client::from_conf(builder.build()))
    }

    /// Where `target` is called, after a check that calls can be signed; `None` for processes on this machine.
    ///
    /// # Errors
    /// When there is no region, no credentials, or no usable endpoint.
    pub async fn place(&self, target: &Target, auth: Auth) -> Result<Option<Place>, Failure> {
        Ok(Some(match (target, auth) {
            (Target::Process { .. } | Target::Import { .. }, _) => return Ok(None),
            (Target::Function { .. }, _) => {
                let endpoint = endpoint(self.config().await?, AwsService::LAMBDA).await?;
                Place { endpoint: Some(endpoint), ..self.signed_place().await? }
            }
            (Target::Endpoint { .. }, Auth::SigV4) => self.signed_place().await.map_err(|failure| {
                let hint = "or leave the signature out with --no-auth, if the endpoint asks for none";
                Failure::refused(format!("{}; {hint}", failure.message))
            })?,
            (Target::Endpoint { .. }, Auth::ApiKey | Auth::None) => {
                Place { region: self.region.clone(), profile: None, is_profile_fixed: false, endpoint: None }
            }
        }))
    }

    async fn signed_place(&self) -> Result<Place, Failure> {
        let config = self.config().await?;
        let region = region_of(config)?.to_string();
        credentials::get(config).await?;
        let profile = self.profile.clone().or_else(|| variable(profile::VARIABLE));
        Ok(Place { region: Some(region), profile, is_profile_fixed: self.profile.is_some(), endpoint: None })
    }
}

/// The region of the environment, of the profile, or of the EC2 instance that this runs on.
async fn environment_region(profile: &str, providers: &ProviderConfig) -> Option<Region> {
    if let Some(region) = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(variable) {
        return Some(Region::new(region));
    }
    let of_profile = ProfileFileRegionProvider::builder().configure(providers).profile_name(profile).build();
    let of_machine = ImdsRegionProvider::builder().configure(providers).build();
    RegionProviderChain::first_try(of_profile).or_else(of_machine).region().await
}

/// An environment variable; an empty one counts as unset, as it does for the AWS CLI.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether an error code means that credentials have expired.
pub(super) fn is_expired(code: &str) -> bool {
    matches!(code, "ExpiredTokenException" | "ExpiredToken")
}

fn region_of(config: &SdkConfig) -> Result<&Region, Failure> {
    let missing = "no region is known: set AWS_REGION, or region in the profile, or name a function by its ARN";
    let region =
        config.region().filter(|region| !region.as_ref().is_empty()).ok_or_else(|| Failure::refused(missing))?;
    let is_part_of_host = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !region.as_ref().bytes().all(is_part_of_host) {
        return Err(Failure::refused(format!("{:?} is not a region; write one such as us-east-1", region.as_ref())));
    }
    Ok(region)
}

/// How requests to a service are signed: S3 takes paths as they are, and wants to be told the checksum of the body.
fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if service == AwsService::S3.signing_name {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    settings
}

fn cannot_sign(error: impl Error) -> Failure {
    Failure::refused(format!("the request cannot be signed: {error}"))
}

/// Signs requests to one service by AWS Signature Version 4.
#[derive(Debug)]
pub struct Signer {
    session: Session,
    config: Renewable<SdkConfig>,
    region: String,
    service: &'static str,
}

impl Signer {
    /// A signer for `service`.
    ///
    /// # Errors
    /// When no region is configured.
    pub async fn new(session: &Session, service: &'static str) -> Result<Self, Failure> {
        let config = session.config().await?;
        let region = region_of(config)?.to_string();
        Ok(Self { session: session.with(None, None), config: Renewable::new(config.clone()), region, service })
    }

    /// Adds the signature. Returns how many times the credentials had been renewed before, for `renew`.
    ///
    /// # Errors
    /// When there are no credentials.
    pub async fn sign(&self, request: &mut Request<SdkBody>) -> Result<u64, Failure> {
        let renewals = self.config.count();
        let identity = self.credentials().await?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(settings(self.service))
            .build()
            .map_err(cannot_sign)?
            .into();
        let uri = request.uri().to_string();
        let headers = request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let body = SignableBody::Bytes(request.body().bytes().unwrap_or_default());
        let signed = SignableRequest::new(request.method().as_str(), uri, headers, body)
            .and_then(|signable| sign(signable, &parameters))
            .map_err(cannot_sign)?;
        let (instructions, _) = signed.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(renewals)
    }

    /// The credentials, as they would be used.
    ///
    /// # Errors
    /// When there are none.
    pub async fn credentials(&self) -> Result<Credentials, Failure> {
        credentials::get(&self.config.get()).await
    }

    /// Renews the credentials for the next requests, unless they have been renewed more than `renewals` times already.
    pub(super) async fn renew(&self, renewals: u64) {
        let fetch = async {
            let session = self.session.renewed();
            let config = session.config().await.ok()?;
            credentials::get(config).await.is_ok().then(|| config.clone())
        };
        self.config.renew(renewals, fetch).await;
    }
}
