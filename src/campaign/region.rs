//! Where a target runs, as far as its name says.

use super::{Target, configuration::Configuration};

/// The region of `arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME`.
fn of_arn(arn: &str) -> Option<&str> {
    let mut parts = arn.split(':');
    let region = (parts.next()? == "arn").then(|| parts.nth(2))??;
    (!region.is_empty()).then_some(region)
}

/// The region of `ID.execute-api.REGION.amazonaws.com` and of `ID.lambda-url.REGION.on.aws`, in any URL.
fn of_url(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', ':', '?', '#']).next()?;
    let mut labels = host.split('.').skip(1).skip_while(|label| !["execute-api", "lambda-url"].contains(label)).skip(1);
    let region = labels.next()?;
    let domain = labels.collect::<Vec<_>>().join(".");
    ["amazonaws.com", "amazonaws.com.cn", "on.aws"].contains(&domain.as_str()).then_some(region)
}

/// The region that runs `target`: as the function's ARN or API Gateway's host says; none where neither does.
pub fn of(target: &Target, configuration: Option<&Configuration>) -> Option<String> {
    let region = match (configuration.and_then(|it| it.arn.as_deref()).and_then(of_arn), target) {
        (Some(region), _) => Some(region),
        (None, Target::Function { name, .. }) => of_arn(name),
        (None, Target::Endpoint { url }) => of_url(url),
        (None, Target::Process { .. }) => None,
    };
    region.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_and_hosts_name_their_region() {
        for (target, region) in [
            ("lambda:arn:aws:lambda:eu-west-1:123456789012:function:fast:live", Some("eu-west-1")),
            ("lambda:arn:aws-cn:lambda:cn-north-1:123456789012:function:fast", Some("cn-north-1")),
            ("lambda:fast", None),
            ("https://abc.execute-api.eu-central-1.amazonaws.com/prod/arm64", Some("eu-central-1")),
            ("https://abc-vpce-0.execute-api.eu-south-2.amazonaws.com:443", Some("eu-south-2")),
            ("https://abc.execute-api.cn-north-1.amazonaws.com.cn?x", Some("cn-north-1")),
            ("https://abc.lambda-url.ap-south-1.on.aws/", Some("ap-south-1")),
            ("https://example.com/abc.execute-api.eu-west-1.amazonaws.com", None),
            ("https://abc.execute-api.eu-west-1.example.com", None),
            ("http://127.0.0.1:4566/restapis", None),
            ("exec:bootstrap", None),
        ] {
            assert_eq!(of(&target.parse().unwrap(), None).as_deref(), region, "{target}");
        }
    }
}
