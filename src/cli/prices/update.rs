//! `duet prices --update`

use super::{age, path, table_option::updated};
use crate::{
    campaign::{
        prices::{
            PriceTable, RegionPrices,
            changes::Changes,
            update::{self, UpdateError},
            updated_table,
        },
        region,
    },
    cli::{
        output::{note, print},
        wrong_arguments::refuse,
    },
    report::{prices::update_document, terminal},
};
use anyhow::{Context, bail};
use std::collections::BTreeMap;

/// Gets the prices of these regions, or of all in use, and keeps them; where that fails, the prices before stay.
pub(super) async fn update(regions: &[String], from: Option<&str>) -> anyhow::Result<()> {
    check(regions, from)?;
    let path = path()?;
    let before = updated().unwrap_or_else(|error| {
        note(format_args!("{error:#}"));
        None
    });
    let built_in = PriceTable::built_in();
    let in_use = before.as_ref().map_or_else(|| built_in.clone(), |before| built_in.or_newer(before));
    let all: Vec<String> = in_use.regions.keys().cloned().collect();
    let (wanted, base) = (if regions.is_empty() { &all } else { regions }, from.unwrap_or(update::AWS));
    let fetched = update::fetch(base, wanted, &in_use, &age::today()).await.context("preparing connections")?;
    let count = fetched.len();
    let (new, failures) = sorted(fetched);
    if !new.is_empty() {
        let new = PriceTable::of_dated(format!("AWS's public price lists at {base}"), new);
        let kept = before.map_or_else(|| new.clone(), |before| before.or_newer(&new));
        updated_table::write(&path, &kept).with_context(|| format!("writing {}", path.display()))?;
        let changes = Changes::between(&in_use, &in_use.or_newer(&kept));
        print(&terminal::full(&update_document(&new, &changes)))?;
        note(format_args!("The prices in use are in {}", path.display()));
    }
    if failures.is_empty() {
        return Ok(());
    }
    let regions: usize = failures.values().map(Vec::len).sum();
    let failures = failures.iter().map(|(reason, regions)| format!("\n  {}: {reason}", regions.join(", ")));
    bail!("the prices of {regions} of {count} regions stay as they were, at {base}:{}", failures.collect::<String>());
}

/// Refuses what can be known to have no list.
fn check(regions: &[String], from: Option<&str>) -> anyhow::Result<()> {
    if let Some(name) = regions.iter().find(|name| !region::is_region(name)) {
        refuse!("--region {name} is no region; it has a form as us-east-1 has");
    }
    if let Some(name) = regions.iter().find(|name| region::partition(name) == "aws-cn") {
        refuse!("--region {name} asks in yuan, and bills are in US dollars: --prices FILE takes a table of your own");
    }
    if let Some(Err(reason)) = from.map(update::check_base) {
        refuse!("--from is not an address of lists: {reason}");
    }
    Ok(())
}

/// What has come, and the regions of each reason why something has not.
fn sorted(
    fetched: Vec<(String, Result<RegionPrices, UpdateError>)>,
) -> (BTreeMap<String, RegionPrices>, BTreeMap<String, Vec<String>>) {
    let (mut new, mut failures) = (BTreeMap::new(), BTreeMap::<String, Vec<String>>::new());
    for (region, result) in fetched {
        match result {
            Ok(prices) => drop(new.insert(region, prices)),
            Err(error) => failures.entry(error.to_string()).or_default().push(region),
        }
    }
    (new, failures)
}
