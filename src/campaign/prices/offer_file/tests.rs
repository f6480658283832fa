use super::*;

/// An excerpt in the shape of AWS's list, with the prices that it had; most SKUs are made up.
const LIST: &str = include_str!("us-east-1.csv");

fn read(list: &str) -> Result<RegionPrices, String> {
    region_prices(list.as_bytes(), "us-east-1").map_err(|error| error.to_string())
}

/// The error of the list where each `old` is `new`.
fn refused(changes: &[(&str, &str)]) -> String {
    let list = changes.iter().fold(LIST.to_owned(), |list, (old, new)| {
        assert!(list.contains(old), "{old}");
        list.replace(old, new)
    });
    read(&list).unwrap_err()
}

fn tiers(tiers: &[Tier]) -> Vec<(Option<f64>, f64)> {
    tiers.iter().map(|tier| (tier.up_to_gb_seconds, tier.gb_second_usd)).collect()
}

#[test]
fn a_list_has_the_prices_of_both_architectures() {
    let prices = read(LIST).unwrap();
    assert_eq!((prices.date.as_deref(), prices.table), (Some("2026-09-19"), TableKind::Updated));
    assert_eq!((prices.request_usd, prices.ephemeral_gb_second_usd), (0.000_000_2, 0.000_000_030_9));
    let x86_64 = [(Some(6e9), 0.000_016_666_7), (Some(15e9), 0.000_015), (None, 0.000_013_333_4)];
    let arm64 = [(Some(7.5e9), 0.000_013_333_4), (Some(18.75e9), 0.000_012_000_1), (None, 0.000_010_666_7)];
    assert_eq!((tiers(&prices.x86_64), tiers(&prices.arm64)), (x86_64.to_vec(), arm64.to_vec()));
}

#[test]
fn usage_types_have_the_regions_abbreviation_before_them() {
    for (usage_type, expected) in [
        ("Request", "Request"),
        ("EU-Request-ARM", "Request-ARM"),
        ("EUC1-Lambda-GB-Second-ARM", "Lambda-GB-Second-ARM"),
        ("APN1-Lambda-Edge-Request", "Lambda-Edge-Request"),
        ("Global-Request", "Global-Request"),
        ("-Request", "-Request"),
    ] {
        assert_eq!(without_region(usage_type), expected);
    }
    let in_frankfurt =
        ["Request", "Lambda-"].iter().fold(LIST.replace("\"us-east-1\"", "\"eu-central-1\""), |list, name| {
            list.replace(&format!(",\"{name}"), &format!(",\"EUC1-{name}"))
        });
    let prices = region_prices(in_frankfurt.as_bytes(), "eu-central-1").unwrap();
    assert_eq!((prices.request_usd, prices.arm64.len()), (0.000_000_2, 3));
    let elsewhere = region_prices(in_frankfurt.as_bytes(), "eu-west-1").unwrap_err().to_string();
    assert_eq!(elsewhere, "it has no price of Request in eu-west-1");
}

#[test]
fn columns_are_found_by_their_names() {
    let swap = |line: &str| {
        let mut cells: Vec<String> = line.split("\",\"").map(|cell| cell.trim_matches('"').to_owned()).collect();
        if cells.len() > 2 {
            cells.insert(1, "something new".to_owned());
            cells.swap(9, 11);
        }
        cells.iter().map(|cell| format!("\"{cell}\"")).collect::<Vec<_>>().join(",")
    };
    let swapped: Vec<String> = LIST.lines().map(swap).collect();
    assert_eq!(read(&swapped.join("\r\n")), read(LIST));
    for column in ["TermType", "StartingRange", "EndingRange", "PricePerUnit", "Currency", "usageType", "Region Code"] {
        let error = refused(&[(&format!("\"{column}\""), "\"other\"")]);
        assert_eq!(error, format!("it is not one of AWS's lists of prices, in CSV: it has no column \"{column}\""));
    }
}

#[test]
fn another_file_is_refused() {
    for file in
        ["", "<html><body>Sign in</body></html>", "{\"formatVersion\": \"v1.0\"}", "\"FormatVersion\",\"v1.0\"\n"]
    {
        let error = read(file).unwrap_err();
        assert!(error.contains("not one of AWS's lists") && error.contains("no line names the columns"), "{error}");
    }
    let error = region_prices(b"\"SKU\",\"\xff\"", "us-east-1").unwrap_err().to_string();
    assert!(error.contains("not one of AWS's lists"), "{error}");
    let error = refused(&[("\"OfferCode\",\"AWSLambda\"", "\"OfferCode\",\"AmazonEC2\"")]);
    assert_eq!(error, "OfferCode is \"AmazonEC2\"; it must be \"AWSLambda\"");
    let error = refused(&[("2026-09-19T00:23:59Z", "yesterday")]);
    assert!(error.starts_with("Publication Date is \"yesterday\"; it must be a time"), "{error}");
}

#[test]
fn a_list_that_is_cut_off_is_refused_wherever_that_is() {
    // The rows after the last that counts are of other things.
    let last = LIST.find("AAAAAAAAAAAAAA07").unwrap();
    for end in (0..last - 100).step_by(7) {
        assert!(read(&LIST[..end]).is_err(), "{end}");
    }
    let before_arm64 = LIST.find("\"AAAAAAAAAAAAAA06").unwrap();
    assert_eq!(
        read(&LIST[..before_arm64]).unwrap_err(),
        "it has no price of Lambda-Storage-GB-Second-ARM in us-east-1"
    );
}

#[test]
fn prices_that_a_table_cannot_hold_are_refused() {
    assert_eq!(
        refused(&[("\"0.0000150000\",\"USD\"", "\"0.0000150000\",\"CNY\"")]),
        "the currency of Lambda-GB-Second is \"CNY\"; it must be USD: bills are in US dollars"
    );
    for price in ["0.0000000000", "-1", "NaN", "inf", "free"] {
        let error = refused(&[("\"0.0000120001\"", &format!("\"{price}\""))]);
        assert_eq!(error, format!("the price of Lambda-GB-Second-ARM is \"{price}\"; it must be an amount above 0"));
    }
    assert_eq!(
        refused(&[("\"Lambda-Storage-GB-Second-ARM\"", "\"Lambda-Storage-GB-Second\"")]),
        "Lambda-Storage-GB-Second in several tiers, or more than once: a table has one price for it"
    );
    let request = "\"0.0000002000\",\"USD\",\"Serverless\",\"AWSLambda\",\"US East (N. Virginia)\",\"AWS Region\",\
                   \"AWS-Lambda-Requests-ARM\"";
    assert_eq!(
        refused(&[(request, &request.replace("2000", "1600"))]),
        "Request costs $0.0000002 on x86_64 and $0.00000016 on arm64: a table has one price for both"
    );
    assert_eq!(refused(&[("\"OnDemand\"", "\"Reserved\"")]), "it has no price of Request in us-east-1");
}

#[test]
fn tiers_join() {
    let gap = |old: &str, new: &str| refused(&[(old, new)]);
    let of = "the tiers of Lambda-GB-Second do not join:";
    let [first, second, last] = ["\"0\",\"6000000000\"", "\"6000000000\",\"15000000000\"", "\"15000000000\",\"Inf\""];
    assert_eq!(gap(first, "\"1\",\"6000000000\""), format!("{of} \"1\" stands where 0 should"));
    assert_eq!(
        gap(second, "\"7000000000\",\"15000000000\""),
        format!("{of} \"7000000000\" stands where 6000000000 should")
    );
    assert_eq!(gap(second, "\"6000000000\",\"Inf\""), format!("{of} \"15000000000\" stands where nothing more should"));
    assert_eq!(gap(second, first), format!("{of} \"0\" stands where 6000000000 should"));
    assert_eq!(
        gap(last, "\"15000000000\",\"20000000000\""),
        format!("{of} \"20000000000\" stands where Inf, at the end of the last, should")
    );
    assert_eq!(gap(last, "\"many\",\"Inf\""), format!("{of} \"many\" stands where a number of GB-seconds should"));
    assert_eq!(
        gap(first, "\"0\",\"many\""),
        format!("{of} \"many\" stands where a number of GB-seconds, or Inf, should")
    );
}
