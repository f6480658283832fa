//! Lambda's price for each variant in its region.

use crate::{
    campaign::{
        aws::Session,
        function_features::Feature,
        manifest::Variant,
        prices::{PriceTable, TableKind, UnknownRegion},
        region,
        variants::Variants,
    },
    cli::{output::note, prices::age},
    protocol::Architecture,
};
use anyhow::Context;
use std::collections::BTreeSet;

/// The region whose prices stand in for unknown prices: most regions have the same.
const USUAL_REGION: &str = "us-east-1";

/// Sets the price of each variant by its region. Processes on this machine get no price, nor do functions that Lambda
/// bills by instances.
///
/// # Errors
/// When the table has neither a variant's region nor us-east-1.
pub(in crate::cli) async fn set_prices(
    variants: &mut Variants<Variant>,
    table: &PriceTable,
    session: &Session,
) -> anyhow::Result<()> {
    let mut warnings = BTreeSet::new();
    for (_, variant) in variants.iter_mut() {
        let mut features = variant.configuration.iter().flat_map(|configuration| &configuration.features);
        let is_by_instances = features.any(|feature| *feature == Feature::ManagedInstances);
        if is_by_instances || variant.target.is_process() {
            continue;
        }
        let architecture = architecture(variant);
        let region = region(variant, session).await;
        variant.price = Some(match table.price(&region, architecture) {
            Ok(price) => price,
            Err(unknown) => {
                warnings.insert(format!("{unknown}; those of {USUAL_REGION} stand in for them"));
                table.price(USUAL_REGION, architecture).with_context(|| format!("looking for prices of {region}"))?
            }
        });
    }
    for warning in warnings {
        note(format_args!("Warning: {warning}"));
    }
    age::remind(lists(variants));
    Ok(())
}

/// The tables that the prices of variants are from, with their dates. Earlier versions did not store which: most had the
/// built-in one.
pub(in crate::cli) fn lists(variants: &Variants<Variant>) -> impl Iterator<Item = (TableKind, &str)> {
    let prices = variants.iter().filter_map(|(_, variant)| variant.price.as_ref());
    prices.map(|price| (price.table.unwrap_or(TableKind::BuiltIn), price.date.as_str()))
}

/// Replaces the price of each variant that has one by the price in another table, of the same architecture.
///
/// # Errors
/// When the table lacks a variant's region.
pub(in crate::cli) fn replace_prices(
    variants: &mut Variants<Variant>,
    table: &PriceTable,
) -> Result<(), UnknownRegion> {
    let list = PriceTable::built_in();
    for (_, variant) in variants.iter_mut() {
        // Where the architecture was not known, earlier versions took another one than this version would.
        let stored = variant.price.as_ref().and_then(|price| list.architecture_of(price));
        let architecture = known_architecture(variant).or(stored).unwrap_or_else(|| architecture(variant));
        // Those of another region may stand in for what the table of that time did not have.
        let own = region::of_variant(variant).filter(|region| table.regions.contains_key(region));
        if let Some(price) = &mut variant.price {
            *price = table.price(&own.unwrap_or_else(|| price.region.clone()), architecture)?;
        }
    }
    Ok(())
}

fn known_architecture(variant: &Variant) -> Option<Architecture> {
    variant.configuration.as_ref().map(|configuration| configuration.architecture)
}

/// The architecture of a variant. Where it cannot be read, its name or its target tells; else it is taken to be x86_64.
fn architecture(variant: &Variant) -> Architecture {
    let named = || named_in(&variant.name).or_else(|| named_in(&variant.target.to_string()));
    known_architecture(variant).or_else(named).unwrap_or(Architecture::X86_64)
}

/// The architecture that a text has as its only one.
fn named_in(text: &str) -> Option<Architecture> {
    let mut named = Architecture::ALL.into_iter();
    let mut named = named.by_ref().filter(|architecture| text.contains(&architecture.to_string()));
    named.next().filter(|_| named.next().is_none())
}

/// The region of a variant, or else the configured one.
async fn region(variant: &Variant, session: &Session) -> String {
    if let Some(region) = region::of_variant(variant) {
        return region;
    }
    let usual = session.config().await.ok().and_then(|config| config.region());
    usual.map_or(USUAL_REGION.to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::manifest::Manifest;

    #[test]
    fn an_unknown_architecture_is_that_of_the_name_or_the_target_or_x86_64() {
        let example = Manifest::example().variants[Default::default()].clone();
        let of = |name: &str, target: &str| {
            architecture(&Variant { name: name.to_owned(), target: target.parse().unwrap(), ..example.clone() })
        };
        assert_eq!(of("baseline", "https://a/"), Architecture::X86_64);
        assert_eq!(of("candidate", "https://a/"), Architecture::X86_64);
        assert_eq!(of("candidate", "https://a/arm64/benchmark"), Architecture::Arm64);
        assert_eq!(of("arm64-api", "https://a/x86_64/"), Architecture::Arm64);
        assert_eq!(of("arm64 or x86_64", "https://a/"), Architecture::X86_64);
    }

    #[test]
    fn other_prices_are_those_of_the_architecture_of_the_stored_ones() {
        let list = PriceTable::built_in();
        let mut own = list.clone();
        for tier in own.regions.values_mut().flat_map(|prices| prices.x86_64.iter_mut().chain(&mut prices.arm64)) {
            tier.gb_second_usd /= 2.0;
        }
        let price = |table: &PriceTable, architecture| table.price("us-east-1", architecture).unwrap();
        let mut variants = Manifest::example().variants;
        for stored in [Architecture::Arm64, Architecture::X86_64] {
            for (_, variant) in variants.iter_mut() {
                variant.price = Some(price(&list, stored));
            }
            replace_prices(&mut variants, &own).unwrap();
            assert!(variants.iter().all(|(_, variant)| variant.price == Some(price(&own, stored))), "{stored}");
        }
        // Where another region had to stand in, its own counts as soon as a table has it.
        let (mut elsewhere, fewer) = (variants.clone(), own.only(&["us-east-1".to_owned()]).unwrap());
        for (_, variant) in elsewhere.iter_mut() {
            variant.target = "lambda:arn:aws:lambda:eu-west-1:111122223333:function:x".parse().unwrap();
        }
        for (table, region) in [(&fewer, "us-east-1"), (&own, "eu-west-1")] {
            replace_prices(&mut elsewhere, table).unwrap();
            assert!(elsewhere.iter().all(|(_, variant)| variant.price.as_ref().unwrap().region == region));
        }
        // Prices that are in no list tell nothing.
        replace_prices(&mut variants, &list).unwrap();
        assert!(variants.iter().all(|(_, variant)| variant.price == Some(price(&list, Architecture::X86_64))));
    }
}
