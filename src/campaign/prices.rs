//! Lambda's prices: tables of them, AWS's own lists, and the table that was made of those.

pub(crate) mod changes;
mod offer_file;
mod table;
pub(crate) mod update;
pub(crate) mod updated_table;

pub(super) use table::check_tiers;
pub use table::{PriceTable, PriceTableError, RegionPrices, UnknownRegion};

use serde::{Deserialize, Serialize};
use std::fmt;

/// The ephemeral storage that is free, in MiB.
pub const FREE_EPHEMERAL_MB: u32 = 512;

/// The list price of one architecture in one region, without free tier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub region: String,
    /// The date of its price table.
    pub date: String,
    /// The table that it is from; `None` in campaigns of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<TableKind>,
    /// The price of a request, in US dollars.
    pub request_usd: f64,
    /// The price of a GB-second of ephemeral storage above 512 MB, in US dollars.
    pub ephemeral_gb_second_usd: f64,
    /// The prices of a GB-second of memory, by an account's use in a month; never empty.
    pub tiers: Vec<Tier>,
}

/// Where a table of prices is from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TableKind {
    /// It comes with this program.
    BuiltIn,
    /// It was made of AWS's lists by `duet prices --update`.
    Updated,
    /// It is a file of the user's.
    #[default]
    Own,
}

impl fmt::Display for TableKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BuiltIn => "built-in table",
            Self::Updated => "updated table",
            Self::Own => "own table",
        })
    }
}

/// A price tier of a month's use.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Its end, in GB-seconds of one month, one architecture and one region; `None` for the last tier.
    pub up_to_gb_seconds: Option<f64>,
    /// The price of a GB-second, in US dollars (Lambda's GB has 1024 MiB).
    pub gb_second_usd: f64,
}

impl Tier {
    /// Whether a GB-second costs the same, but for the last digits, which files may change.
    fn costs_as(&self, other: &Self) -> bool {
        table::cost_the_same(self.gb_second_usd, other.gb_second_usd)
    }
}

impl Price {
    /// Its region, date and table, in words.
    pub fn list(&self) -> String {
        let table = self.table.map(|table| format!(" ({table})")).unwrap_or_default();
        format!("{}, {}{table}", self.region, self.date)
    }

    /// The cost of one call in the first tier, in US dollars, billed for `billed_ms` with `memory_mb` of memory and
    /// `ephemeral_mb` of ephemeral storage.
    pub fn of_call(&self, billed_ms: f64, memory_mb: u32, ephemeral_mb: u32) -> f64 {
        let gb_second_usd = self.tiers.first().map_or(0.0, |tier| tier.gb_second_usd);
        let second_usd = gb_second_usd * gigabytes(memory_mb)
            + self.ephemeral_gb_second_usd * gigabytes(ephemeral_mb.saturating_sub(FREE_EPHEMERAL_MB));
        self.request_usd + second_usd * billed_ms / 1000.0
    }
}

/// Converts MiB to Lambda's GB.
pub fn gigabytes(mebibytes: u32) -> f64 {
    f64::from(mebibytes) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Architecture;

    #[test]
    fn a_call_costs_what_the_pricing_pages_examples_say() {
        let price = |architecture| PriceTable::built_in().price("us-east-1", architecture).unwrap();
        // The page's first example: 3 million calls of 120 ms at 1536 MB on x86_64 are 540 000 GB-s.
        let bill = 3e6 * price(Architecture::X86_64).of_call(120.0, 1536, 512);
        assert!((bill - (540_000.0 * 0.000_016_666_7 + 0.60)).abs() < 1e-6, "{bill}");
        assert!(3e6 * price(Architecture::Arm64).of_call(120.0, 1536, 512) < bill);
        // And its third: 2048 MB of storage for 1.68 million seconds are 2.52 million GB-s to be paid.
        let storage = 6e6
            * (price(Architecture::X86_64).of_call(280.0, 4096, 2048)
                - price(Architecture::X86_64).of_call(280.0, 4096, 512));
        assert!((storage - 2.52e6 * 0.000_000_030_9).abs() < 1e-6, "{storage}");
    }
}
