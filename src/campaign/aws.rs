//! The SDK's configuration on the user's machine.

use crate::transport::Transport;
use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig};

/// Region, credentials and endpoint from the usual chain (environment, profile, SSO, …), for calls
/// over `transport`.
///
/// Nothing is tried again behind the caller's back: a call that was made twice would be measured,
/// and paid, twice.
pub async fn config(transport: Transport) -> SdkConfig {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(transport.into_sdk_client())
        .retry_config(RetryConfig::disabled())
        .load()
        .await;
    if config.endpoint_url().is_some_and(str::is_empty) {
        // An empty AWS_ENDPOINT_URL means that none was set; as a URL it would make the SDK panic.
        let mut without = config.into_builder();
        without.set_endpoint_url(None);
        return without.build();
    }
    config
}
