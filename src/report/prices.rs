//! The table of prices.

use super::{
    document::{Block, Table, Value, numbers, words},
    words::counted,
};
use crate::{
    campaign::prices::{
        PriceTable, RegionPrices, TableKind, Tier,
        changes::{Changes, Item, PriceChange},
    },
    protocol::Architecture,
};
use std::collections::BTreeMap;

const MILLION: f64 = 1e6;

/// Prices of regions, with their date and source.
pub fn document(prices: &PriceTable) -> Vec<Block> {
    let lists = lists(prices);
    let list = |(date, kind): &(&str, TableKind)| format!("{date} ({kind})");
    let dates = match (lists.keys().next(), lists.keys().last()) {
        (Some((oldest, _)), Some((newest, _))) if lists.len() > 1 => format!("{oldest} to {newest}"),
        (only, _) => only.map(list).unwrap_or_default(),
    };
    let title = format!("On-demand prices of AWS Lambda in US dollars, {dates}");
    let mut blocks = vec![Block::Paragraph(title), Block::Table(table(prices))];
    if lists.len() > 1 {
        let regions = lists.iter().map(|(key, regions)| format!("{}: {}", list(key), regions.join(", ")));
        blocks.extend(regions.map(Block::Paragraph));
    }
    for architecture in Architecture::ALL {
        let mut limits: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (name, region) in &prices.regions {
            limits.entry(ends(region.tiers(architecture))).or_default().push(name);
        }
        for (ends, regions) in &limits {
            let place = if limits.len() == 1 { String::new() } else { format!(" in {}", regions.join(", ")) };
            blocks.push(Block::Paragraph(format!("{architecture}: {ends}{place}")));
        }
    }
    let units = "Each is for a million: requests, GB-seconds of memory, GB-seconds of ephemeral storage above 512 MB. \
                 Without free tier, Savings Plans, Provisioned Concurrency and SnapStart.";
    blocks.extend([units.to_owned(), format!("Source: {}", prices.source)].map(Block::Paragraph));
    blocks
}

/// The regions of each date and table.
fn lists(prices: &PriceTable) -> BTreeMap<(&str, TableKind), Vec<&str>> {
    let mut lists: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for (name, region) in &prices.regions {
        lists.entry((prices.date_of(region), region.table)).or_default().push(name);
    }
    lists
}

/// The newer prices of an update, and what they change.
pub(crate) fn update_document(new: &PriceTable, changes: &Changes) -> Vec<Block> {
    let lists = lists(new);
    let dates: Vec<&str> = lists.keys().map(|(date, _)| *date).collect();
    let title = format!("AWS's prices of {}: {}", dates.join(" and "), counted(new.regions.len() as u64, "region"));
    let mut blocks = vec![Block::Paragraph(title)];
    match changes.prices.as_slice() {
        [] => blocks.push(Block::Paragraph("No price has changed.".to_owned())),
        changes => {
            blocks.push(Block::Table(table_of_changes(changes)));
            blocks.push(Block::Paragraph("Prices are for a million; tiers end at GB-seconds a month.".to_owned()));
        }
    }
    if !changes.new_regions.is_empty() {
        blocks.push(Block::Paragraph(format!("New regions: {}", changes.new_regions.join(", "))));
    }
    blocks
}

fn table_of_changes(changes: &[PriceChange]) -> Table {
    let row = |PriceChange { item, old, new, regions }: &PriceChange| {
        let amount = |amount: Option<f64>| amount.map(|amount| amount_of(*item, amount));
        let ratio = old.zip(*new).filter(|(old, _)| *old > 0.0).map(|(old, new)| new / old);
        vec![
            Value::text(item_name(*item)),
            Value::number_or_unknown(amount(*old)),
            Value::number_or_unknown(amount(*new)),
            ratio.map_or(Value::Unknown, Value::Change),
            Value::text(regions.join(", ")),
        ]
    };
    let columns = [words("price"), numbers("old"), numbers("new"), numbers("change"), words("regions")];
    Table::new("", columns, changes.iter().map(row))
}

fn item_name(item: Item) -> String {
    match item {
        Item::Request => "requests".to_owned(),
        Item::Tier(architecture, index) => format!("{architecture} GB-s, tier {}", index + 1),
        Item::TierEnd(architecture, index) => format!("{architecture}, end of tier {}", index + 1),
        Item::Storage => "storage GB-s".to_owned(),
    }
}

fn amount_of(item: Item, amount: f64) -> String {
    match item {
        Item::TierEnd(..) => format!("{} billion", amount / 1e9),
        Item::Request | Item::Tier(..) | Item::Storage => format!("${:.4}", amount * MILLION),
    }
}

fn table(prices: &PriceTable) -> Table {
    let per_million = |usd: f64, decimals: usize| Value::number(format!("{:.decimals$}", usd * MILLION));
    let row = |(name, region): (&String, &RegionPrices)| {
        vec![
            Value::text(name),
            per_million(region.request_usd, 2),
            tiers(&region.x86_64),
            tiers(&region.arm64),
            difference(region),
            per_million(region.ephemeral_gb_second_usd, 4),
        ]
    };
    let of_numbers = ["requests", "x86_64 GB-s, by tier", "arm64 GB-s, by tier", "difference", "storage"].map(numbers);
    let columns = [words("region")].into_iter().chain(of_numbers);
    Table::new("", columns, prices.regions.iter().map(row))
}

fn tiers(tiers: &[Tier]) -> Value {
    let prices = tiers.iter().map(|tier| format!("{:>7.4}", tier.gb_second_usd * MILLION));
    Value::number(prices.collect::<Vec<_>>().join(" "))
}

/// By how much the price of a GB-second of arm64 differs, in the first tier.
fn difference(region: &RegionPrices) -> Value {
    let first = |architecture| region.tiers(architecture).first().map_or(0.0, |tier: &Tier| tier.gb_second_usd);
    let [x86_64, arm64] = Architecture::ALL.map(first);
    Value::number_or_unknown((x86_64 > 0.0).then(|| format!("{:+.1}%", (arm64 / x86_64 - 1.0) * 100.0)))
}

/// Where tiers end.
fn ends(tiers: &[Tier]) -> String {
    let ends = tiers.iter().filter_map(|tier| tier.up_to_gb_seconds).map(|end| (end / 1e9).to_string());
    let ends: Vec<String> = ends.collect();
    if ends.is_empty() {
        return "one tier".to_owned();
    }
    format!("tiers end at {} billion GB-seconds a month", ends.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::plain;

    #[test]
    fn the_built_in_table_fits_and_states_its_date_and_source() {
        let table = PriceTable::built_in();
        let text = plain(&document(&table));
        assert!(text.contains(&table.date) && text.contains("amazon.com/lambda/pricing"), "{text}");
        let row = text.lines().find(|line| line.starts_with("us-east-1 ")).unwrap();
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(
            cells,
            ["us-east-1", "0.20", "16.6667", "15.0000", "13.3334", "13.3334", "12.0001", "10.6667", "-20.0%", "0.0309"]
        );
        assert!(text.contains("arm64: tiers end at 7.5 and 18.75 billion GB-seconds a month\n"), "{text}");
    }

    #[test]
    fn regions_with_tiers_of_their_own_are_named() {
        let mut table = PriceTable::built_in().only(&["eu-west-1".to_owned(), "eu-west-2".to_owned()]).unwrap();
        table.regions.get_mut("eu-west-2").unwrap().arm64 = vec![Tier { up_to_gb_seconds: None, gb_second_usd: 0.0 }];
        let text = plain(&document(&table));
        assert!(text.contains("arm64: one tier in eu-west-2\n"), "{text}");
        assert!(text.contains("arm64: tiers end at 7.5 and 18.75 billion GB-seconds a month in eu-west-1\n"), "{text}");
        assert!(text.contains("-100.0%"), "{text}");
    }
}
