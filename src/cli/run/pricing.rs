//! Lambda's price for each variant in its region.

use crate::{
    campaign::{
        aws::Session,
        function_features::Feature,
        manifest::Variant,
        prices::{PriceTable, UnknownRegion},
        region,
        variants::{VariantIndex, Variants},
    },
    cli::output::note,
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
pub(super) async fn set_prices(
    variants: &mut Variants<Variant>,
    baseline: VariantIndex,
    table: &PriceTable,
    session: &Session,
) -> anyhow::Result<()> {
    let mut warnings = BTreeSet::new();
    let architectures = architectures(variants, baseline);
    for (index, variant) in variants.iter_mut() {
        let mut features = variant.configuration.iter().flat_map(|configuration| &configuration.features);
        let is_by_instances = features.any(|feature| *feature == Feature::ManagedInstances);
        if is_by_instances || variant.target.is_process() {
            continue;
        }
        let architecture = architectures[index];
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
    Ok(())
}

/// Replaces the price of each variant that has one by the price in another table.
///
/// # Errors
/// When the table lacks a variant's region.
pub(in crate::cli) fn replace_prices(
    variants: &mut Variants<Variant>,
    baseline: VariantIndex,
    table: &PriceTable,
) -> Result<(), UnknownRegion> {
    let architectures = architectures(variants, baseline);
    for (index, variant) in variants.iter_mut() {
        if let Some(price) = &mut variant.price {
            *price = table.price(&price.region, architectures[index])?;
        }
    }
    Ok(())
}

/// The architecture of each variant. Where it cannot be read, the name tells, or else of two variants the candidate is
/// taken to be arm64 and the baseline x86_64, as is any of more than two.
fn architectures(variants: &Variants<Variant>, baseline: VariantIndex) -> Variants<Architecture> {
    let is_pair = variants.count() == 2;
    variants.map(|index, variant| {
        let known = variant.configuration.as_ref().map(|configuration| configuration.architecture);
        let usual = if is_pair && index != baseline { Architecture::Arm64 } else { Architecture::X86_64 };
        known.or_else(|| of_name(&variant.name)).unwrap_or(usual)
    })
}

/// The architecture that a name has as its only one.
fn of_name(name: &str) -> Option<Architecture> {
    let mut named = [Architecture::X86_64, Architecture::Arm64].into_iter();
    let mut named = named.by_ref().filter(|architecture| name.contains(&architecture.to_string()));
    named.next().filter(|_| named.next().is_none())
}

/// The region of a variant: as its name says, else the region that its calls are signed for, else the configured one.
async fn region(variant: &Variant, session: &Session) -> String {
    let signed_for = || variant.place.as_ref().and_then(|place| place.region.clone());
    if let Some(region) = region::of_variant(&variant.target, variant.configuration.as_ref()).or_else(signed_for) {
        return region;
    }
    let usual = session.config().await.ok().and_then(|config| config.region());
    usual.map_or(USUAL_REGION.to_owned(), ToString::to_string)
}
