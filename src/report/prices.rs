//! The table of prices for a terminal of 100 columns.

use super::terminal::{STYLE, WIDTH, number};
use crate::{
    campaign::prices::{PriceTable, RegionPrices, Tier},
    protocol::Architecture,
};
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table};
use std::{collections::BTreeMap, fmt::Write};

/// Prices of regions, with their date and source.
pub fn prices(prices: &PriceTable) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "On-demand prices of AWS Lambda in US dollars, {}", prices.date);
    for line in table(prices).to_string().lines() {
        let _ = writeln!(text, "{}", line.trim_end());
    }
    for architecture in ARCHITECTURES {
        let mut limits: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (name, region) in &prices.regions {
            limits.entry(ends(region.tiers(architecture))).or_default().push(name);
        }
        for (ends, regions) in &limits {
            let wherever = if limits.len() == 1 { String::new() } else { format!(" in {}", regions.join(", ")) };
            text += &wrapped(&format!("{architecture}: {ends}{wherever}"));
        }
    }
    text += &wrapped(
        "Each is for a million: requests, GB-seconds of memory, GB-seconds of ephemeral storage above 512 MB. \
         Without free tier, Savings Plans, Provisioned Concurrency and SnapStart.",
    );
    text += &wrapped(&format!("Source: {}", prices.source));
    text
}

const ARCHITECTURES: [Architecture; 2] = [Architecture::X86_64, Architecture::Arm64];

fn wrapped(text: &str) -> String {
    textwrap::fill(text, usize::from(WIDTH)) + "\n"
}

fn table(prices: &PriceTable) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH).set_header([
        "region",
        "requests",
        "x86_64 GB-s, by tier",
        "arm64 GB-s, by tier",
        "difference",
        "storage",
    ]);
    for (name, region) in &prices.regions {
        table.add_row([
            Cell::new(name),
            number(Some(region.request_usd * MILLION), 2),
            tiers(&region.x86_64),
            tiers(&region.arm64),
            saving(region),
            number(Some(region.ephemeral_gb_second_usd * MILLION), 4),
        ]);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((u16::from(index > 0) * 2, 0));
    }
    // Names are copied from here.
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    table
}

const MILLION: f64 = 1e6;

fn tiers(tiers: &[Tier]) -> Cell {
    let prices = tiers.iter().map(|tier| format!("{:>7.4}", tier.gb_second_usd * MILLION));
    Cell::new(prices.collect::<Vec<_>>().join(" ")).set_alignment(CellAlignment::Right)
}

/// By how much a GB-second of arm64 costs less, in the first tier.
fn saving(region: &RegionPrices) -> Cell {
    let [x86_64, arm64] = ARCHITECTURES.map(|it| region.tiers(it).first().map_or(0.0, |tier| tier.gb_second_usd));
    let saving = (x86_64 > 0.0).then(|| format!("{:+.1}%", (arm64 / x86_64 - 1.0) * 100.0));
    Cell::new(saving.unwrap_or("–".to_owned())).set_alignment(CellAlignment::Right)
}

/// Where tiers end.
fn ends(tiers: &[Tier]) -> String {
    let ends: Vec<f64> = tiers.iter().filter_map(|tier| tier.up_to_gb_seconds).collect();
    match ends.is_empty() {
        true => "one tier".to_owned(),
        false => {
            let ends: Vec<String> = ends.iter().map(|end| format!("{}", end / 1e9)).collect();
            format!("tiers end at {} billion GB-seconds a month", ends.join(" and "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_fits_and_says_its_date_and_source() {
        let table = PriceTable::built_in();
        let text = prices(&table);
        for line in text.lines() {
            assert!(line.chars().count() <= usize::from(WIDTH), "{line}");
        }
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
        let text = prices(&table);
        assert!(text.contains("arm64: one tier in eu-west-2\n"), "{text}");
        assert!(text.contains("arm64: tiers end at 7.5 and 18.75 billion GB-seconds a month in eu-west-1\n"), "{text}");
        assert!(text.contains("-100.0%"), "{text}");
    }
}
