//! `duet prices`

pub(super) mod age;
mod table_option;
mod update;

pub(super) use table_option::{TableOption, table};

use super::{output, wrong_arguments::wrong_arguments};
use crate::{
    campaign::prices::updated_table,
    report::{prices::document, terminal},
};
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;

/// Shows Lambda's prices in each region, with their date and their source, and gets newer ones.
///
/// Every subcommand takes these prices: those that come with this program, or what --update has got since. `duet run --prices`
/// takes a table of your own, in the format of docs/prices.md.
#[derive(Debug, Args)]
pub struct PricesArgs {
    /// A region to show or to update, such as eu-west-1; may be repeated [default: all that the table has].
    #[arg(long = "region", value_name = "REGION")]
    regions: Vec<String>,
    /// A table of prices of your own, or `built-in`: the one that comes with this program [default: the newest prices of
    /// each region, built in or got by --update].
    #[arg(long, value_name = "FILE")]
    prices: Option<TableOption>,
    /// Print the table as JSON, in US dollars for one request and one GB-second.
    #[arg(long)]
    json: bool,
    /// Get today's prices from AWS's public lists, without credentials, for all subcommands, and show what has changed.
    #[arg(long, conflicts_with_all = ["prices", "json"])]
    update: bool,
    /// Where to get them instead, such as a mirror: /offers/v1.0/aws/AWSLambda/current/REGION/index.csv is appended.
    #[arg(long, value_name = "URL", requires = "update")]
    from: Option<String>,
    /// Delete what --update has got, so that the built-in prices are in use again.
    #[arg(long, conflicts_with_all = ["regions", "prices", "json", "update"])]
    reset: bool,
}

impl PricesArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        if self.update {
            return update::update(&self.regions, self.from.as_deref()).await;
        }
        if self.reset {
            return reset();
        }
        let mut table = table(self.prices.as_ref())?;
        if !self.regions.is_empty() {
            table = table.only(&self.regions).map_err(wrong_arguments)?;
        }
        let shown = table.regions.values().map(|prices| (prices.table, table.date_of(prices)));
        age::remind(shown);
        output::print_as(self.json, &table, || terminal::full(&document(&table)))
    }
}

/// Where the updated prices are kept.
fn path() -> anyhow::Result<PathBuf> {
    updated_table::path().context("there is no place for prices: set XDG_CACHE_HOME to a directory for caches")
}

fn reset() -> anyhow::Result<()> {
    let path = path()?;
    let is_deleted = updated_table::delete(&path).with_context(|| format!("deleting {}", path.display()))?;
    output::print(&if is_deleted {
        format!("Deleted {}: the built-in prices are in use\n", path.display())
    } else {
        "No prices were updated: the built-in ones are in use\n".to_owned()
    })
}
