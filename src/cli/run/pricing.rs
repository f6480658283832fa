//! Lambda's price for each side in its region.

use crate::{
    campaign::{
        aws::Session,
        function_features::Feature,
        manifest::Variant,
        prices::{PriceTable, UnknownRegion},
        region,
        sides::{Side, Sides},
    },
    cli::output::note,
    protocol::Architecture,
};
use anyhow::Context;
use std::collections::BTreeSet;

/// The region whose prices stand in for unknown prices: most regions have the same.
const USUAL_REGION: &str = "us-east-1";

/// Sets the price of each side by its region. Processes on this machine get no price, nor do functions that Lambda
/// bills by instances.
///
/// # Errors
/// When the table has neither a side's region nor us-east-1.
pub(super) async fn set_prices(
    variants: &mut Sides<Variant>,
    table: &PriceTable,
    session: &Session,
) -> anyhow::Result<()> {
    let mut warnings = BTreeSet::new();
    for side in Side::BOTH {
        let variant = &mut variants[side];
        let mut features = variant.configuration.iter().flat_map(|configuration| &configuration.features);
        let is_by_instances = features.any(|feature| *feature == Feature::ManagedInstances);
        if is_by_instances || variant.target.is_process() {
            continue;
        }
        let architecture = architecture(variant, side);
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

/// Replaces the price of each side that has one by the price in another table.
///
/// # Errors
/// When the table lacks a side's region.
pub(in crate::cli) fn replace_prices(variants: &mut Sides<Variant>, table: &PriceTable) -> Result<(), UnknownRegion> {
    for side in Side::BOTH {
        let architecture = architecture(&variants[side], side);
        if let Some(price) = &mut variants[side].price {
            *price = table.price(&price.region, architecture)?;
        }
    }
    Ok(())
}

/// The architecture of a side; an endpoint is assumed to have the usual architecture of its side.
fn architecture(variant: &Variant, side: Side) -> Architecture {
    let usual = if side == Side::Baseline { Architecture::X86_64 } else { Architecture::Arm64 };
    variant.configuration.as_ref().map_or(usual, |it| it.architecture)
}

/// The region of a side: as its name says, else the region that its calls are signed for, else the configured one.
async fn region(variant: &Variant, session: &Session) -> String {
    let signed_for = || variant.place.as_ref().and_then(|place| place.region.clone());
    if let Some(region) = region::of_variant(&variant.target, variant.configuration.as_ref()).or_else(signed_for) {
        return region;
    }
    let usual = session.config().await.ok().and_then(|config| config.region());
    usual.map_or(USUAL_REGION.to_owned(), ToString::to_string)
}
