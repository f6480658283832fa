//! `duet prices`

use super::{output, wrong_arguments::wrong_arguments};
use crate::{
    campaign::prices::PriceTable,
    report::{prices::document, terminal},
};
use anyhow::Context;
use clap::Args;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Shows Lambda's prices in each region, with their date and their source.
///
/// `duet run --prices` takes a table of your own, in the format of docs/prices.md.
#[derive(Debug, Args)]
pub struct PricesArgs {
    /// A region to show, such as eu-west-1; may be repeated [default: all].
    #[arg(long = "region", value_name = "REGION")]
    regions: Vec<String>,
    /// A table of prices of your own, instead of the built-in one.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Print the table as JSON, in US dollars for one request and one GB-second.
    #[arg(long)]
    json: bool,
}

impl PricesArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mut table = table(self.prices.as_deref())?;
        if !self.regions.is_empty() {
            table = table.only(&self.regions).map_err(wrong_arguments)?;
        }
        output::print_as(self.json, &table, || terminal::full(&document(&table)))
    }
}

/// The table in `file`, or the built-in one.
pub(super) fn table(file: Option<&Path>) -> anyhow::Result<PriceTable> {
    let Some(file) = file else { return Ok(PriceTable::built_in()) };
    let read = || -> anyhow::Result<PriceTable> { Ok(fs::read_to_string(file)?.parse()?) };
    read().with_context(|| format!("reading the prices from {}", file.display()))
}
