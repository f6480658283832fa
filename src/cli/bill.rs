//! The options of a bill.

use super::{
    cold_share::ColdShareOption,
    prices::{self, TableOption, age},
    run::pricing,
    volume::Volume,
};
use crate::{
    analysis::{
        campaign_bill::{BillOptions, ColdStartProportion},
        result::VolumeSource,
    },
    campaign::{
        manifest::Manifest,
        trial::{Trial, Usage},
    },
};
use clap::Args;

#[derive(Debug, Default, PartialEq, Args)]
pub(super) struct BillArgs {
    #[command(flatten)]
    volume: VolumeArgs,
    /// A table of prices of your own, as docs/prices.md describes it, or `current`, the one that `duet prices` shows, or
    /// `built-in`; instead of the prices stored with the campaign.
    #[arg(long, value_name = "FILE")]
    prices: Option<TableOption>,
}

/// What is billed.
#[derive(Debug, Default, PartialEq, Args)]
pub(super) struct VolumeArgs {
    /// The number of invocations a month to bill, such as 300, 1.5k, 50M or 2B. Default: as many as the function had
    /// that was tried, if that is known; else 1M.
    #[arg(long, value_name = "N")]
    monthly_invocations: Option<Volume>,
    /// The share of those invocations that are cold starts, whose init is billed too; or `measured`: the share in the
    /// functions' logs of the 14 days before the campaign, by a query that CloudWatch Logs Insights bills. Default: that
    /// of the function that was tried, if it is known; else 1%.
    #[arg(long, value_name = "PERCENT")]
    cold_share: Option<ColdShareOption>,
    /// Deduct Lambda's free tier from the bill.
    #[arg(long)]
    free_tier: bool,
}

impl BillArgs {
    /// The options of the bill of a campaign, which gets the prices that the user has.
    pub(super) async fn apply(&self, manifest: &mut Manifest) -> anyhow::Result<BillOptions> {
        if let Some(option) = &self.prices {
            pricing::replace_prices(&mut manifest.variants, &prices::table(Some(option))?)?;
        }
        self.volume.of(manifest).await
    }

    /// Says that the prices of a campaign are old, if they are.
    pub(super) fn remind(&self, manifest: &Manifest) {
        let lists = pricing::lists(&manifest.variants);
        if self.prices.is_some() { age::remind(lists) } else { age::remind_of_stored(lists) }
    }
}

impl VolumeArgs {
    /// What is billed of a campaign.
    pub(super) async fn of(&self, manifest: &Manifest) -> anyhow::Result<BillOptions> {
        let mut options = BillOptions { free_tier: self.free_tier, ..BillOptions::default() };
        let usage = manifest.trial.as_ref().and_then(|Trial { usage, .. }| *usage);
        if let Some(monthly) = usage.and_then(|usage| usage.invocations_per_month()) {
            (options.invocations_per_month, options.volume_source) = (monthly, VolumeSource::Usage);
        }
        if let Some(proportion) = usage.and_then(|Usage { cold_share, .. }| cold_share) {
            options.cold_starts = ColdStartProportion::OfFunction(proportion);
        }
        if let Some(monthly) = self.monthly_invocations {
            (options.invocations_per_month, options.volume_source) = (monthly.get(), VolumeSource::Assumed);
        }
        if let Some(cold_share) = self.cold_share {
            options.cold_starts = cold_share.resolve(manifest).await?;
        }
        Ok(options)
    }
}
