//! What Lambda asks for each side, where it runs.

use crate::{
    campaign::{
        Target,
        aws::Session,
        manifest::Party,
        prices::PriceTable,
        region,
        sides::{Side, Sides},
    },
    protocol::Architecture,
};
use anyhow::Context;
use std::collections::BTreeSet;

/// The region whose prices stand in for those that are not known: most regions ask the same.
const USUAL_REGION: &str = "us-east-1";

/// Gives each side the price of its region; what this machine runs costs nothing and gets none.
///
/// # Errors
/// When the table has neither a side's region nor us-east-1.
pub(super) async fn set_prices(
    parties: &mut Sides<Party>,
    table: &PriceTable,
    session: &Session,
) -> anyhow::Result<()> {
    let mut warnings = BTreeSet::new();
    for side in Side::BOTH {
        let party = &mut parties[side];
        if matches!(party.target, Target::Process { .. }) {
            continue;
        }
        // What Lambda runs behind a door is taken for what its side usually is.
        let usual = if side == Side::Baseline { Architecture::X86_64 } else { Architecture::Arm64 };
        let architecture = party.configuration.as_ref().map_or(usual, |it| it.architecture);
        let region = region(party, session).await;
        party.price = Some(match table.price(&region, architecture) {
            Ok(price) => price,
            Err(unknown) => {
                warnings.insert(format!("{unknown}; those of {USUAL_REGION} stand in for them"));
                table.price(USUAL_REGION, architecture).with_context(|| format!("looking for prices of {region}"))?
            }
        });
    }
    for warning in warnings {
        eprintln!("Warning: {warning}");
    }
    Ok(())
}

/// Where a side runs: what its name says, else where calls are signed for.
async fn region(party: &Party, session: &Session) -> String {
    match region::of(&party.target, party.configuration.as_ref()) {
        Some(region) => region,
        None => session.config().await.region().map_or(USUAL_REGION.to_owned(), ToString::to_string),
    }
}
