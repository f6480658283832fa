//! The options of a bill.

use super::{cold_share::ColdShareOption, prices, run::pricing, volume::Volume};
use crate::{analysis::campaign_bill::BillOptions, campaign::manifest::Manifest};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct BillArgs {
    /// The number of invocations a month to bill, such as 300, 1.5k, 50M or 2B.
    #[arg(long, value_name = "N", default_value = "1M")]
    monthly_invocations: Volume,
    /// The share of those invocations that are cold starts, whose init is billed too; or `measured`: the share in the
    /// functions' logs of the 14 days before the campaign, by a query that CloudWatch Logs Insights bills.
    #[arg(long, value_name = "PERCENT", default_value = "1%")]
    cold_share: ColdShareOption,
    /// Deduct Lambda's free tier from the bill.
    #[arg(long)]
    free_tier: bool,
    /// A table of prices of your own, as docs/prices.md describes it, instead of the prices stored with the campaign.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

impl BillArgs {
    /// The options of the bill of a campaign, which gets the prices that the user has.
    pub(super) async fn apply(&self, manifest: &mut Manifest) -> anyhow::Result<BillOptions> {
        if let Some(path) = &self.prices {
            pricing::replace_prices(&mut manifest.variants, &prices::table(Some(path))?)?;
        }
        Ok(BillOptions {
            invocations_per_month: self.monthly_invocations.get(),
            cold_starts: self.cold_share.resolve(manifest).await?,
            free_tier: self.free_tier,
        })
    }
}
