//! Getting AWS's lists of prices, which are public.

use super::{
    PriceTable, RegionPrices,
    offer_file::{self, OFFER_CODE, OfferFileError},
};
use crate::{
    campaign::target::parse_url,
    protocol::Architecture,
    transport::{Transport, with_causes},
};
use aws_smithy_types::body::SdkBody;
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use hyper::{Request, StatusCode, body::Bytes};
use std::{io, time::Duration};
use tokio::time::timeout;

/// Where AWS has its lists, for all regions but those of China.
pub(crate) const AWS: &str = "https://pricing.us-east-1.amazonaws.com";

/// The region whose prices a new region's are compared with.
const USUAL_REGION: &str = "us-east-1";

/// By what factor a price may differ from the one before: more than that is an error, on one side or the other.
const PLAUSIBLE: f64 = 4.0;

/// How many lists are fetched at the same time.
const AT_ONCE: usize = 4;

/// How long a list may take, of which there are 0.2 MB.
const LIMIT: Duration = Duration::from_secs(60);

/// The longest list that is read, in bytes.
const LONGEST: usize = 16 << 20;

/// There are no new prices of a region.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum UpdateError {
    #[error("{0}")]
    Lost(String),
    #[error("nothing came within {}", humantime::format_duration(LIMIT))]
    Late,
    #[error("there is no list of such a region ({0})")]
    NoList(StatusCode),
    #[error("the server answered {0}")]
    Status(StatusCode),
    #[error(transparent)]
    File(#[from] OfferFileError),
    #[error("{what} is ${new} there and ${old} until now, which differs too much to be believed")]
    Implausible { what: String, new: f64, old: f64 },
    #[error("the list is of {0}, and today is {1}")]
    Future(String, String),
    #[error("the list is of {0}, older than the prices in use, of {1}")]
    Older(String, String),
}

/// What AWS's lists at `base` have of regions, compared with the table in use.
///
/// # Errors
/// When no connection can be prepared.
pub(crate) async fn fetch(
    base: &str,
    regions: &[String],
    in_use: &PriceTable,
    today: &str,
) -> io::Result<Vec<(String, Result<RegionPrices, UpdateError>)>> {
    let transport = Transport::with_proxies()?;
    let of_region = async |region: &String| {
        let fetched = timeout(LIMIT, list(&transport, base, region)).await.unwrap_or(Err(UpdateError::Late));
        (region.clone(), fetched.and_then(|file| checked(&file, region, in_use, today)))
    };
    Ok(stream::iter(regions).map(of_region).buffered(AT_ONCE).collect().await)
}

/// Checks that lists can be asked for at a base, and that it may be written down.
///
/// # Errors
/// With a reason that repeats nothing of the URL.
pub(crate) fn check_base(url: &str) -> Result<(), String> {
    match parse_url(url)?.scheme_str() {
        Some("http" | "https") => Ok(()),
        _ => Err("it does not begin with https:// or http://".to_owned()),
    }
}

/// The address of the list of a region.
fn address(base: &str, region: &str) -> String {
    format!("{}/offers/v1.0/aws/{OFFER_CODE}/current/{region}/index.csv", base.trim_end_matches('/'))
}

async fn list(transport: &Transport, base: &str, region: &str) -> Result<Bytes, UpdateError> {
    let request = Request::get(address(base, region)).body(SdkBody::empty());
    let request = request.map_err(|error| UpdateError::Lost(error.to_string()))?;
    let response =
        transport.send_for(request, LONGEST).await.map_err(|error| UpdateError::Lost(with_causes(&error)))?;
    match response.status() {
        StatusCode::OK => {}
        // What the store behind it answers for a file that it does not have.
        status @ (StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) => return Err(UpdateError::NoList(status)),
        status => return Err(UpdateError::Status(status)),
    }
    let body = response.into_body().collect().await;
    Ok(body.map_err(|error| UpdateError::Lost(with_causes(error.as_ref())))?.to_bytes())
}

/// The prices in a list, if they may be true.
fn checked(file: &[u8], region: &str, in_use: &PriceTable, today: &str) -> Result<RegionPrices, UpdateError> {
    let new = offer_file::region_prices(file, region)?;
    // It would keep all later lists from being used.
    if let Some(date) = new.date.as_deref().filter(|date| *date > today) {
        return Err(UpdateError::Future(date.to_owned(), today.to_owned()));
    }
    if let Some(old) = in_use.regions.get(region) {
        let (date, before) = (new.date.clone().unwrap_or_default(), in_use.date_of(old));
        if *date < *before {
            return Err(UpdateError::Older(date, before.to_owned()));
        }
    }
    if let Some(old) = in_use.regions.get(region).or_else(|| in_use.regions.get(USUAL_REGION)) {
        check_plausible(&new, old)?;
    }
    Ok(new)
}

/// Compares each price with the one before, and each tier with the first tier before.
fn check_plausible(new: &RegionPrices, old: &RegionPrices) -> Result<(), UpdateError> {
    let mut pairs = vec![
        ("a request".to_owned(), new.request_usd, old.request_usd),
        ("a GB-second of storage".to_owned(), new.ephemeral_gb_second_usd, old.ephemeral_gb_second_usd),
    ];
    for architecture in Architecture::ALL {
        let what = format!("a GB-second of {architecture}");
        let old = old.tiers(architecture).first().map_or(0.0, |tier| tier.gb_second_usd);
        pairs.extend(new.tiers(architecture).iter().map(|tier| (what.clone(), tier.gb_second_usd, old)));
    }
    let is_implausible = |(_, new, old): &(String, f64, f64)| !(1.0 / PLAUSIBLE..=PLAUSIBLE).contains(&(new / old));
    match pairs.into_iter().find(is_implausible) {
        Some((what, new, old)) => Err(UpdateError::Implausible { what, new, old }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_its_address_behind_any_base() {
        let path = "/offers/v1.0/aws/AWSLambda/current/eu-west-1/index.csv";
        assert_eq!(address(AWS, "eu-west-1"), format!("https://pricing.us-east-1.amazonaws.com{path}"));
        assert_eq!(address("http://mirror/aws/", "eu-west-1"), format!("http://mirror/aws{path}"));
    }

    #[test]
    fn a_list_of_the_future_is_refused() {
        let list = include_bytes!("offer_file/us-east-1.csv");
        let on = |today| checked(list, "us-east-1", &PriceTable::built_in(), today).map(|prices| prices.date.unwrap());
        assert_eq!(on("2026-09-19"), Ok("2026-09-19".to_owned()));
        let refused = on("2026-09-18").unwrap_err().to_string();
        assert_eq!(refused, "the list is of 2026-09-19, and today is 2026-09-18");
    }

    #[test]
    fn prices_are_believed_within_a_factor_of_four() {
        let old = PriceTable::built_in().region("us-east-1").unwrap().clone();
        let check = |change: fn(&mut RegionPrices)| {
            let mut new = old.clone();
            change(&mut new);
            check_plausible(&new, &old).map_err(|error| error.to_string())
        };
        assert_eq!(check(|_| {}), Ok(()));
        assert_eq!(check(|new| new.request_usd *= 3.9), Ok(()));
        assert_eq!(check(|new| new.arm64[2].gb_second_usd /= 3.0), Ok(()));
        let refused = check(|new| new.request_usd = 0.2).unwrap_err();
        assert!(refused.starts_with("a request is $0.2 there and $0.0000002 until now"), "{refused}");
        let refused = check(|new| new.x86_64[1].gb_second_usd /= 10.0).unwrap_err();
        assert!(refused.starts_with("a GB-second of x86_64 is $0.0000015 there"), "{refused}");
        assert!(check(|new| new.ephemeral_gb_second_usd *= 4.1).unwrap_err().starts_with("a GB-second of storage"));
    }
}
