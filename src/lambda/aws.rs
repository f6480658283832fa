//! The CloudWatch client of the function.

use crate::transport::Transport;
use aws_config::{
    environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider},
    meta::region::ProvideRegion,
};
use aws_sdk_cloudwatch::{
    Client, Config,
    config::{BehaviorVersion, timeout::TimeoutConfig},
};
use std::{env, io, time::Duration};

/// The longest that one call may take, retries included.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(2);

/// A client with the region and the credentials that Lambda puts into the environment, and with the endpoint that a
/// test or an emulator may set.
///
/// The SDK's default chain would also look for profiles, containers and instance metadata, none of which a function
/// has; leaving it out makes the binary smaller and its start faster.
///
/// # Errors
/// When no trusted certificate can be read.
pub async fn cloudwatch() -> io::Result<Client> {
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(EnvironmentVariableRegionProvider::new().region().await)
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .timeout_config(TimeoutConfig::builder().operation_timeout(OPERATION_TIMEOUT).build())
        .http_client(Transport::new()?.into_sdk_client());
    config.set_endpoint_url(endpoint());
    Ok(Client::from_conf(config.build()))
}

/// The endpoint for CloudWatch or for all services; an empty variable means that none was set.
fn endpoint() -> Option<String> {
    let set = |name| env::var(name).ok().filter(|url| !url.is_empty());
    set("AWS_ENDPOINT_URL_CLOUDWATCH").or_else(|| set("AWS_ENDPOINT_URL"))
}
