//! The URLs of services, by one rule for all: `AWS_ENDPOINT_URL_SERVICE`, `AWS_ENDPOINT_URL`, the profile's `services`
//! section and its `endpoint_url`, unless `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is set; otherwise AWS's own host.

use super::{
    super::{row::Failure, target::parse_url},
    region_of, variable,
};
use crate::transport::with_causes;
use aws_config::SdkConfig;
use aws_sdk_lambda::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_types::service_config::ServiceConfigKey;

/// The variable for all services.
const VARIABLE: &str = "AWS_ENDPOINT_URL";

/// A service that this program calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AwsService {
    /// Its name in AWS's models.
    pub(super) id: &'static str,
    /// Its name in signatures and in host names.
    pub(super) signing_name: &'static str,
}

impl AwsService {
    pub const LAMBDA: Self = Self { id: "Lambda", signing_name: "lambda" };
    pub const CLOUD_FORMATION: Self = Self { id: "CloudFormation", signing_name: "cloudformation" };
    pub const CLOUD_WATCH: Self = Self { id: "CloudWatch", signing_name: "monitoring" };
    pub const CLOUD_WATCH_LOGS: Self = Self { id: "CloudWatch Logs", signing_name: "logs" };
    pub const S3: Self = Self { id: "S3", signing_name: "s3" };

    /// The variable for this service alone.
    fn variable(self) -> String {
        format!("{VARIABLE}_{}", self.id.to_uppercase().replace(' ', "_"))
    }
}

/// The URL of a service: the configured one, or AWS's.
///
/// # Errors
/// When the configured one is not a URL, or the partition has no endpoint of the wanted kind (FIPS, dual stack).
pub async fn endpoint(config: &SdkConfig, service: AwsService) -> Result<String, Failure> {
    if let Some(url) = configured(config, service)? {
        return Ok(url);
    }
    let parameters = Params::builder()
        .region(region_of(config)?.to_string())
        .use_fips(config.use_fips().unwrap_or_default())
        .use_dual_stack(config.use_dual_stack().unwrap_or_default())
        .build()
        .map_err(|error| Failure::refused(with_causes(&error)))?;
    let lambda = ResolveEndpoint::resolve_endpoint(&DefaultResolver::new(), &parameters).await;
    let lambda = lambda.map_err(|error| Failure::refused(with_causes(error.as_ref())))?;
    Ok(match service {
        AwsService::LAMBDA => lambda.url().to_owned(),
        AwsService::S3 if config.use_dual_stack().unwrap_or_default() => dual_stack_of_s3(config),
        AwsService::S3 => lambda.url().replacen("lambda", service.signing_name, 1),
        _ => beside(lambda.url(), service.signing_name),
    })
}

/// Whether a URL is configured for a service, which then need not have AWS's hosts.
///
/// # Errors
/// When it is not a URL.
pub fn is_configured(config: &SdkConfig, service: AwsService) -> Result<bool, Failure> {
    configured(config, service).map(|url| url.is_some())
}

/// The URL of S3 for IPv6 and IPv4, whose form is S3's own.
fn dual_stack_of_s3(config: &SdkConfig) -> String {
    let region = config.region().map(ToString::to_string).unwrap_or_default();
    let fips = if config.use_fips().unwrap_or_default() { "-fips" } else { "" };
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://s3{fips}.dualstack.{region}.{suffix}")
}

/// Another service's URL, derived from Lambda's: all partitions name their hosts alike, except that in GovCloud the
/// ordinary endpoints of the other services are the FIPS ones.
fn beside(lambda: &str, service: &str) -> String {
    let url = lambda.replacen("lambda", service, 1);
    if url.contains("-fips.us-gov-") && url.ends_with(".amazonaws.com") { url.replacen("-fips", "", 1) } else { url }
}

/// The URL that is configured for a service; an empty variable counts as unset.
///
/// # Errors
/// When it is not a URL.
pub(super) fn configured(config: &SdkConfig, service: AwsService) -> Result<Option<String>, Failure> {
    let Some(url) = find(config, service) else { return Ok(None) };
    let own = service.variable();
    let source = [own.as_str(), VARIABLE].into_iter().find(|name| variable(name).as_ref() == Some(&url));
    let source = source.unwrap_or("endpoint_url of the AWS profile");
    if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) {
        // A URL that may contain a password is not repeated.
        let shown = if url.contains('@') { "it" } else { url.as_str() };
        return Err(Failure::refused(if url.contains("://") {
            format!("{source} has another scheme than http:// and https://: {shown}")
        } else {
            format!("{source} has no scheme: write http:// or https:// before {shown}")
        }));
    }
    parse_url(&url)
        .map_err(|reason| Failure::refused(format!("{source} is not a URL that can be called: {reason}")))?;
    Ok(Some(url))
}

fn find(config: &SdkConfig, service: AwsService) -> Option<String> {
    let settings = config.service_config()?;
    let of = |name| {
        let key = ServiceConfigKey::builder().service_id(service.id).env(name).profile("endpoint_url").build();
        settings.load_config(key.ok()?)
    };
    // `None` also if configured endpoints are to be ignored.
    let first = of(VARIABLE)?;
    let is_set = |url: &String| !url.is_empty();
    // An empty variable hides the next one and the profile from the SDK. No variable is called "".
    Some(first).filter(is_set).or_else(|| variable(VARIABLE)).or_else(|| of("").filter(is_set))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::{BehaviorVersion, Region};

    async fn endpoints(region: &'static str, fips: bool, dual_stack: bool) -> [String; 2] {
        let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).region(Region::new(region));
        let config = config.use_fips(fips).use_dual_stack(dual_stack).build();
        [
            endpoint(&config, AwsService::LAMBDA).await.unwrap(),
            endpoint(&config, AwsService::CLOUD_FORMATION).await.unwrap(),
        ]
    }

    #[tokio::test]
    async fn each_partition_has_its_own_hosts() {
        // As the endpoint rules of botocore say.
        for (region, suffix) in [
            ("us-east-1", "amazonaws.com"),
            ("us-gov-west-1", "amazonaws.com"),
            ("cn-north-1", "amazonaws.com.cn"),
            ("eusc-de-east-1", "amazonaws.eu"),
            ("us-iso-east-1", "c2s.ic.gov"),
            ("us-isob-east-1", "sc2s.sgov.gov"),
            ("eu-isoe-west-1", "cloud.adc-e.uk"),
            ("us-isof-south-1", "csp.hci.ic.gov"),
        ] {
            let expected = ["lambda", "cloudformation"].map(|service| format!("https://{service}.{region}.{suffix}"));
            assert_eq!(endpoints(region, false, false).await, expected);
        }
        let fips = endpoints("us-east-2", true, false).await;
        assert_eq!(fips[0], "https://lambda-fips.us-east-2.amazonaws.com");
        assert_eq!(fips[1], "https://cloudformation-fips.us-east-2.amazonaws.com");
        let gov = endpoints("us-gov-west-1", true, false).await;
        assert_eq!(gov[1], "https://cloudformation.us-gov-west-1.amazonaws.com");
        let both = endpoints("us-gov-west-1", true, true).await;
        assert_eq!(both[1], "https://cloudformation-fips.us-gov-west-1.api.aws");
        assert_eq!(
            beside("https://lambda.cn-north-1.amazonaws.com.cn", "logs"),
            "https://logs.cn-north-1.amazonaws.com.cn"
        );
        assert_eq!(endpoints("eu-west-1", false, true).await[1], "https://cloudformation.eu-west-1.api.aws");
    }

    #[tokio::test]
    async fn s3_has_forms_of_its_own() {
        for (region, fips, dual_stack, expected) in [
            ("us-east-1", false, false, "https://s3.us-east-1.amazonaws.com"),
            ("cn-north-1", false, false, "https://s3.cn-north-1.amazonaws.com.cn"),
            ("us-gov-west-1", true, false, "https://s3-fips.us-gov-west-1.amazonaws.com"),
            ("us-east-2", true, true, "https://s3-fips.dualstack.us-east-2.amazonaws.com"),
            ("cn-north-1", false, true, "https://s3.dualstack.cn-north-1.amazonaws.com.cn"),
        ] {
            let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).region(Region::new(region));
            let config = config.use_fips(fips).use_dual_stack(dual_stack).build();
            assert_eq!(endpoint(&config, AwsService::S3).await.unwrap(), expected);
        }
    }
}
