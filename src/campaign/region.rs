//! The region of a target, as its name says.

use super::{Target, manifest::Variant};

/// The domains of AWS's hosts in each partition, for IPv4 and for dual stack, and the domain of function URLs.
///
/// The SDKs have this in a `partitions.json`, which the Rust SDK does not make public.
const SUFFIXES: [&str; 15] = [
    "amazonaws.com",
    "api.aws",
    "on.aws",
    "amazonaws.com.cn",
    "api.amazonwebservices.com.cn",
    "amazonaws.eu",
    "api.amazonwebservices.eu",
    "c2s.ic.gov",
    "api.aws.ic.gov",
    "sc2s.sgov.gov",
    "api.aws.scloud",
    "cloud.adc-e.uk",
    "api.cloud-aws.adc-e.uk",
    "csp.hci.ic.gov",
    "api.aws.hci.ic.gov",
];

/// The prefixes of region names outside the ordinary partition.
const PARTITIONS: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("eusc-", "aws-eusc"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
];

/// The partition that `region` is in.
pub fn partition(region: &str) -> &'static str {
    PARTITIONS.iter().find(|(beginning, _)| region.starts_with(beginning)).map_or("aws", |(_, partition)| partition)
}

/// Whether `text` has the form of a region: `us-east-1`, `us-gov-west-1`, `us-isob-east-1`, `eusc-de-east-1`.
pub fn is_region(text: &str) -> bool {
    let mut parts = text.strip_prefix("eusc-").unwrap_or(text).split('-').peekable();
    let is_lowercase = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_country = |part: &str| part.len() == 2 && is_lowercase(part);
    let is_isolated = |part: &str| part == "gov" || (part.starts_with("iso") && part.len() <= 4 && is_lowercase(part));
    if !parts.next().is_some_and(is_country) {
        return false;
    }
    parts.next_if(|part| is_isolated(part));
    parts.next().is_some_and(is_lowercase)
        && parts.next().is_some_and(|number| number.len() == 1 && number.as_bytes()[0].is_ascii_digit())
        && parts.next().is_none()
}

/// Whether `text` has the form of an account's number.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The region of an ARN or of `REGION:ACCOUNT:function:NAME`, which Lambda accepts too.
pub fn of_arn(arn: &str) -> Option<&str> {
    let mut parts = arn.split(':');
    let first = parts.next()?;
    if first == "arn" {
        return parts.nth(2).filter(|region| !region.is_empty());
    }
    (is_region(first) && parts.next().is_some()).then_some(first)
}

/// The region of API Gateway's hosts, `ID.execute-api.REGION.amazonaws.com`, and of function URLs,
/// `ID.lambda-url.REGION.on.aws`, in all partitions and in VPC endpoints.
fn of_url(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', ':', '?', '#']).next()?.to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    let services = [".execute-api.", ".lambda-url."];
    let (_, behind) = services.iter().find_map(|service| host.split_once(service))?;
    let (region, domain) = behind.split_once('.')?;
    let suffix = domain.strip_prefix("vpce.").unwrap_or(domain);
    (SUFFIXES.contains(&suffix) && is_region(region)).then(|| region.to_owned())
}

/// The region in a function's ARN or in an endpoint's host; `None` if there is none.
pub fn of_target(target: &Target) -> Option<String> {
    match target {
        Target::Function { name, .. } => of_arn(name).map(str::to_owned),
        Target::Endpoint { url } => of_url(url),
        Target::Process { .. } | Target::Import { .. } => None,
    }
}

/// The region of a variant: by the function's own ARN, else by the target's name, else the one that its calls are signed for.
pub fn of_variant(variant: &Variant) -> Option<String> {
    let own = variant.configuration.as_ref().and_then(|configuration| configuration.arn.as_deref()).and_then(of_arn);
    let signed_for = || variant.place.as_ref().and_then(|place| place.region.clone());
    own.map(str::to_owned).or_else(|| of_target(&variant.target)).or_else(signed_for)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::manifest::Manifest;

    #[test]
    fn arns_and_hosts_name_their_region() {
        for (target, region) in [
            ("lambda:arn:aws:lambda:eu-west-1:123456789012:function:fast:live", Some("eu-west-1")),
            ("lambda:arn:aws-cn:lambda:cn-north-1:123456789012:function:fast", Some("cn-north-1")),
            ("lambda:ap-southeast-2:123456789012:function:fast", Some("ap-southeast-2")),
            ("lambda:123456789012:function:fast", None),
            ("lambda:fast", None),
            ("https://abc.execute-api.eu-central-1.amazonaws.com/prod/arm64", Some("eu-central-1")),
            ("https://abc-vpce-0.execute-api.eu-south-2.amazonaws.com:443", Some("eu-south-2")),
            ("https://vpce-0-x.execute-api.us-west-2.vpce.amazonaws.com/prod", Some("us-west-2")),
            ("https://abc.execute-api.cn-north-1.amazonaws.com.cn?x", Some("cn-north-1")),
            ("https://abc.execute-api.eusc-de-east-1.amazonaws.eu", Some("eusc-de-east-1")),
            ("https://abc.execute-api.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("https://abc.execute-api.us-iso-east-1.c2s.ic.gov", Some("us-iso-east-1")),
            ("https://abc.execute-api.us-isob-east-1.sc2s.sgov.gov", Some("us-isob-east-1")),
            ("https://abc.execute-api.eu-isoe-west-1.cloud.adc-e.uk", Some("eu-isoe-west-1")),
            ("https://abc.execute-api.us-isof-south-1.csp.hci.ic.gov", Some("us-isof-south-1")),
            ("https://abc.execute-api.us-east-2.api.aws/", Some("us-east-2")),
            ("https://ABC.Execute-API.EU-West-3.AmazonAWS.com./", Some("eu-west-3")),
            ("https://abc.lambda-url.ap-south-1.on.aws/", Some("ap-south-1")),
            ("https://example.com/abc.execute-api.eu-west-1.amazonaws.com", None),
            ("https://abc.execute-api.eu-west-1.example.com", None),
            ("https://abc.execute-api.eu-west-1.amazonaws.com.example.com", None),
            ("https://abc.execute-api.amazonaws.com", None),
            ("http://127.0.0.1:4566/restapis", None),
            ("exec:bootstrap", None),
        ] {
            let example = Manifest::example().variants[Default::default()].clone();
            let variant = Variant { target: target.parse().unwrap(), configuration: None, place: None, ..example };
            assert_eq!(of_variant(&variant).as_deref(), region, "{target}");
        }
    }

    #[test]
    fn regions_are_recognized_and_have_their_partition() {
        for (region, expected) in [
            ("us-east-1", "aws"),
            ("ap-southeast-7", "aws"),
            ("cn-northwest-1", "aws-cn"),
            ("us-gov-east-1", "aws-us-gov"),
            ("us-iso-west-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-east-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert!(is_region(region), "{region}");
            assert_eq!(partition(region), expected);
        }
        for other in ["", "us", "us-east", "us-east-10", "us-east-1a", "use-east-1", "us-East-1", "us-gov-1", "fast"] {
            assert!(!is_region(other), "{other}");
        }
    }
}
