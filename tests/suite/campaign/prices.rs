//! What a campaign's calls cost, where they are made.

use super::{
    Scratch, assert_code, both, run, samples,
    targets::{lambda_in, on_lambda},
};
use crate::cli::{PRICES, stderr};

#[test]
fn calls_cost_what_their_region_charges() {
    let (scratch, lambda) = (Scratch::new(), lambda_in("ap-east-1", 1769, 2560));
    let output = on_lambda(&scratch, &lambda, &[]);
    assert_code(&output, 0);
    assert!(!stderr(&output).contains("no prices"), "{}", stderr(&output));
    let (manifest, rows) = samples(&scratch.path("run"));
    for (side, variant) in manifest.variants.iter() {
        let price = variant.price.as_ref().unwrap();
        assert_eq!((price.region.as_str(), price.tiers.len()), ("ap-east-1", 3), "{side}");
    }
    for row in &rows {
        let gb_second = if row.variant == both()[0] { 0.000_022_92 } else { 0.000_018_3 };
        let expected = 0.000_000_28 + 0.02 * (gb_second * 1769.0 / 1024.0 + 0.000_000_040_7 * 2.0);
        assert!((row.cost_usd - expected).abs() < 1e-12, "{} {expected}", row.cost_usd);
    }
}

#[test]
fn an_unknown_region_is_warned_about_and_costs_what_us_east_1_charges() {
    let (scratch, lambda) = (Scratch::new(), lambda_in("zz-north-1", 1769, 512));
    let output = on_lambda(&scratch, &lambda, &[]);
    assert_code(&output, 0);
    let warnings = stderr(&output);
    assert_eq!(warnings.matches("no prices of the region \"zz-north-1\"").count(), 1, "{warnings}");
    assert!(warnings.contains("--prices FILE") && warnings.contains("us-east-1 stand in"), "{warnings}");
    let (manifest, _) = samples(&scratch.path("run"));
    assert!(manifest.variants.iter().all(|(_, variant)| variant.price.as_ref().unwrap().region == "us-east-1"));
}

#[test]
fn custom_prices_are_stored_in_the_campaign() {
    let (scratch, lambda) = (Scratch::new(), lambda_in("eu-central-1", 1769, 512));
    let file = scratch.file("prices.toml", PRICES);
    assert_code(&on_lambda(&scratch, &lambda, &["--prices", &file]), 0);
    let (manifest, rows) = samples(&scratch.path("run"));
    assert_eq!(manifest.variants[both()[0]].price.as_ref().unwrap().date, "2026-07-01");
    let expected = 0.000_000_1 + 0.000_009 * 0.02 * 1769.0 / 1024.0;
    let of_candidate = rows.iter().filter(|row| row.variant == both()[1]);
    assert!(of_candidate.into_iter().all(|row| (row.cost_usd - expected).abs() < 1e-12));

    // Where a table of one's own lacks the region, nothing is there to stand in.
    let elsewhere = lambda_in("eu-west-1", 1769, 512);
    let output = on_lambda(&Scratch::new(), &elsewhere, &["--prices", &file]);
    assert_code(&output, 1);
    assert!(stderr(&output).contains("looking for prices of eu-west-1"), "{}", stderr(&output));
}

#[test]
fn an_endpoints_host_names_its_region() {
    let scratch = Scratch::new();
    let payload = scratch.file("payload.json", "{}");
    let dry_run = |url: &str| {
        let arguments = ["--targets", url, url, "--no-auth", "--payload", &payload, "--dry-run"];
        let output = run("", &arguments);
        assert_code(&output, 0);
        String::from_utf8(output.stdout).unwrap()
    };
    let plan = dry_run("https://abc.execute-api.eu-south-1.amazonaws.com/prod");
    assert!(plan.contains("Prices of eu-south-1, 20"), "{plan}");
    // The region of the session: `AWS_REGION`.
    assert!(dry_run("https://example.com/").contains("Prices of us-east-1, 20"));
}
