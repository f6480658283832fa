//! A dated table of prices: the built-in one, or a user's file in the same format.

use super::{Price, TableKind, Tier};
use crate::protocol::{Architecture, nearest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The prices of regions at a date.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceTable {
    /// The date of the prices, such as `2026-08-31`, unless a region has its own.
    pub date: String,
    /// The source of the prices.
    pub source: String,
    pub regions: BTreeMap<String, RegionPrices>,
}

/// The prices of a region, in US dollars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionPrices {
    /// The date of these prices, where it is not that of the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The table that they are from.
    #[serde(skip)]
    pub table: TableKind,
    pub request_usd: f64,
    /// The price of a GB-second of ephemeral storage above 512 MB.
    pub ephemeral_gb_second_usd: f64,
    /// The prices of a GB-second of memory on x86_64.
    pub x86_64: Vec<Tier>,
    /// The prices of a GB-second of memory on arm64.
    pub arm64: Vec<Tier>,
}

/// The text is not a table of prices.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PriceTableError {
    /// It does not have the shape of one.
    #[error("{0}")]
    Shape(String),
    /// A value is out of range.
    #[error("{field} is {value}; it must be {expected}")]
    Value { field: String, value: String, expected: &'static str },
}

/// The table has no prices of the region.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there are no prices of the region \"{region}\"{}: --prices FILE takes a table that has them, and `duet prices \
     --update --region {region}` asks AWS's public list",
    nearest.as_ref().map(|name| format!(" (did you mean \"{name}\"?)")).unwrap_or_default()
)]
pub struct UnknownRegion {
    pub region: String,
    /// A similar region that the table has.
    pub nearest: Option<String>,
}

impl PriceTable {
    /// The table that comes with this program.
    pub fn built_in() -> Self {
        include_str!("lambda.toml").parse::<Self>().expect("a test reads it").of_kind(TableKind::BuiltIn)
    }

    /// The same table as one of this kind.
    pub(crate) fn of_kind(mut self, kind: TableKind) -> Self {
        self.regions.values_mut().for_each(|prices| prices.table = kind);
        self
    }

    /// A table of regions that have a date each; its own is the newest of them.
    pub(crate) fn of_dated(source: String, mut regions: BTreeMap<String, RegionPrices>) -> Self {
        let date = regions.values().filter_map(|prices| prices.date.clone()).max().unwrap_or_default();
        regions.values_mut().for_each(|prices| prices.date = prices.date.take().filter(|own| *own != date));
        Self { date, source, regions }
    }

    /// The date of a region's prices.
    pub(crate) fn date_of<'a>(&'a self, prices: &'a RegionPrices) -> &'a str {
        prices.date.as_deref().unwrap_or(&self.date)
    }

    /// The regions, each with its date.
    fn dated(&self) -> impl Iterator<Item = (String, RegionPrices)> {
        let dated =
            |prices: &RegionPrices| RegionPrices { date: Some(self.date_of(prices).to_owned()), ..prices.clone() };
        self.regions.iter().map(move |(name, prices)| (name.clone(), dated(prices)))
    }

    /// The prices of this table, and those of another one where they are as new or of further regions.
    pub(crate) fn or_newer(&self, other: &Self) -> Self {
        let mut regions: BTreeMap<String, RegionPrices> = self.dated().collect();
        let is_newer = |(name, prices): &(String, RegionPrices)| {
            self.regions.get(name).is_none_or(|own| Some(self.date_of(own)) <= prices.date.as_deref())
        };
        let newer: BTreeMap<String, RegionPrices> = other.dated().filter(is_newer).collect();
        let source = if newer.is_empty() || self.source.contains(&other.source) {
            self.source.clone()
        } else if self.regions.keys().all(|name| newer.contains_key(name)) {
            other.source.clone()
        } else {
            format!("{}; {}", other.source, self.source)
        };
        regions.extend(newer);
        Self::of_dated(source, regions)
    }

    /// The price of `architecture` in `region`.
    ///
    /// # Errors
    /// When the table does not have the region.
    pub fn price(&self, region: &str, architecture: Architecture) -> Result<Price, UnknownRegion> {
        let prices = self.region(region)?;
        Ok(Price {
            region: region.to_owned(),
            date: self.date_of(prices).to_owned(),
            table: Some(prices.table),
            request_usd: prices.request_usd,
            ephemeral_gb_second_usd: prices.ephemeral_gb_second_usd,
            tiers: prices.tiers(architecture).to_vec(),
        })
    }

    /// The architecture of which this table has a stored price; `None` if of neither, or of both.
    pub fn architecture_of(&self, price: &Price) -> Option<Architecture> {
        let prices = self.regions.get(&price.region)?;
        let mut stands_for = Architecture::ALL.into_iter().filter(|architecture| {
            let tiers = prices.tiers(*architecture);
            tiers.len() == price.tiers.len() && tiers.iter().zip(&price.tiers).all(|(one, other)| one.costs_as(other))
        });
        stands_for.next().filter(|_| stands_for.next().is_none())
    }

    /// All prices of `region`.
    ///
    /// # Errors
    /// When the table does not have the region.
    pub fn region(&self, region: &str) -> Result<&RegionPrices, UnknownRegion> {
        self.regions.get(region).ok_or_else(|| UnknownRegion {
            region: region.to_owned(),
            nearest: nearest(region, self.regions.keys().map(String::as_str)).map(str::to_owned),
        })
    }

    /// The same table with these regions only.
    ///
    /// # Errors
    /// When the table does not have one of them.
    pub fn only(&self, regions: &[String]) -> Result<Self, UnknownRegion> {
        regions.iter().try_for_each(|name| self.region(name).map(drop))?;
        let chosen = self.dated().filter(|(name, _)| regions.contains(name));
        Ok(Self::of_dated(self.source.clone(), chosen.collect()))
    }

    fn check(&self) -> Result<(), PriceTableError> {
        check_date("date".to_owned(), &self.date)?;
        if self.regions.is_empty() {
            return wrong("regions".to_owned(), &"empty", "at least one region");
        }
        for (name, prices) in &self.regions {
            if let Some(date) = &prices.date {
                check_date(format!("regions.{name}.date"), date)?;
            }
            let usd =
                [("request_usd", prices.request_usd), ("ephemeral_gb_second_usd", prices.ephemeral_gb_second_usd)];
            if let Some((field, value)) = usd.into_iter().find(|(_, value)| !is_price(*value)) {
                return wrong(format!("regions.{name}.{field}"), &value, A_PRICE);
            }
            for architecture in Architecture::ALL {
                check_tiers(&format!("regions.{name}.{architecture}"), prices.tiers(architecture))?;
            }
        }
        Ok(())
    }
}

impl RegionPrices {
    /// The prices of a GB-second of memory on `architecture`.
    pub fn tiers(&self, architecture: Architecture) -> &[Tier] {
        match architecture {
            Architecture::Arm64 => &self.arm64,
            Architecture::X86_64 => &self.x86_64,
        }
    }
}

impl std::str::FromStr for PriceTable {
    type Err = PriceTableError;

    fn from_str(text: &str) -> Result<Self, PriceTableError> {
        let table: Self = toml::from_str(text).map_err(|error| PriceTableError::Shape(error.to_string()))?;
        table.check()?;
        Ok(table)
    }
}

const A_PRICE: &str = "an amount of US dollars, 0 or more";

fn is_price(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

fn wrong(field: String, value: &impl ToString, expected: &'static str) -> Result<(), PriceTableError> {
    Err(PriceTableError::Value { field, value: value.to_string(), expected })
}

/// Whether two prices are the same, but for the last digits.
pub(super) fn cost_the_same(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one
}

fn check_date(field: String, date: &str) -> Result<(), PriceTableError> {
    match humantime::parse_rfc3339(&format!("{date}T00:00:00Z")) {
        Ok(_) => Ok(()),
        Err(_) => wrong(field, &format!("\"{date}\""), "a day, such as \"2026-08-31\""),
    }
}

pub(in super::super) fn check_tiers(field: &str, tiers: &[Tier]) -> Result<(), PriceTableError> {
    if tiers.is_empty() {
        return wrong(field.to_owned(), &"empty", "a list of at least one tier");
    }
    let mut end = 0.0;
    for (index, tier) in tiers.iter().enumerate() {
        let is_last = index + 1 == tiers.len();
        if !is_price(tier.gb_second_usd) {
            return wrong(format!("{field}[{index}].gb_second_usd"), &tier.gb_second_usd, A_PRICE);
        }
        let field = || format!("{field}[{index}].up_to_gb_seconds");
        match tier.up_to_gb_seconds {
            Some(up_to) if is_last => {
                return wrong(field(), &up_to, "left out in the last tier, which has no end");
            }
            None if !is_last => return wrong(field(), &"left out", "there in every tier but the last"),
            // The negation refuses NaN too.
            Some(up_to) if !(up_to > end && up_to.is_finite()) => {
                return wrong(field(), &up_to, "more than where the tier before ends");
            }
            Some(up_to) => end = up_to,
            None => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r#"
        date = "2026-01-31"
        source = "our contract"
        [regions.eu-west-1]
        request_usd = 0.0000001
        ephemeral_gb_second_usd = 0
        x86_64 = [{ gb_second_usd = 0.00001 }]
        arm64 = [{ up_to_gb_seconds = 1000, gb_second_usd = 0.000008 }, { gb_second_usd = 0.000007 }]
    "#;

    #[test]
    fn the_built_in_table_has_the_list_prices_of_us_east_1() {
        let table = PriceTable::built_in();
        let tiers = |architecture| {
            let tiers = table.price("us-east-1", architecture).unwrap().tiers;
            tiers.iter().map(|tier| (tier.up_to_gb_seconds, tier.gb_second_usd)).collect::<Vec<_>>()
        };
        let x86_64 = [(Some(6e9), 0.000_016_666_7), (Some(15e9), 0.000_015), (None, 0.000_013_333_4)];
        let arm64 = [(Some(7.5e9), 0.000_013_333_4), (Some(18.75e9), 0.000_012_000_1), (None, 0.000_010_666_7)];
        assert_eq!(tiers(Architecture::X86_64), x86_64);
        assert_eq!(tiers(Architecture::Arm64), arm64);
        let prices = table.region("us-east-1").unwrap();
        assert_eq!((prices.request_usd, prices.ephemeral_gb_second_usd), (0.000_000_2, 0.000_000_030_9));
        assert_eq!(table.regions.len(), 30);
    }

    #[test]
    fn arm64_costs_a_fifth_less_in_every_region_and_tiers_get_cheaper() {
        for (name, prices) in PriceTable::built_in().regions {
            let ratio = prices.arm64[0].gb_second_usd / prices.x86_64[0].gb_second_usd;
            assert!((0.798..0.8001).contains(&ratio), "{name}: {ratio}");
            for tiers in [&prices.x86_64, &prices.arm64] {
                assert!(tiers.windows(2).all(|pair| pair[1].gb_second_usd < pair[0].gb_second_usd), "{name}");
            }
            // Typing errors would be powers of ten.
            assert!((1e-5..3e-5).contains(&prices.x86_64[0].gb_second_usd), "{name}");
            assert!((1.5e-7..3e-7).contains(&prices.request_usd), "{name}");
            assert!((3e-8..6e-8).contains(&prices.ephemeral_gb_second_usd), "{name}");
        }
    }

    #[test]
    fn a_users_table_replaces_the_built_in_one() {
        let table: PriceTable = TABLE.parse().unwrap();
        let price = table.price("eu-west-1", Architecture::Arm64).unwrap();
        assert_eq!((price.date.as_str(), price.tiers.len(), price.request_usd), ("2026-01-31", 2, 0.000_000_1));
        assert!(table.region("us-east-1").is_err());
        assert_eq!(table.only(&["eu-west-1".to_owned()]), Ok(table));
    }

    #[test]
    fn of_each_region_the_newer_prices_are_taken() {
        let built_in = PriceTable::built_in().only(&["eu-west-1", "us-east-1"].map(str::to_owned)).unwrap();
        let older = TABLE.parse::<PriceTable>().unwrap().of_kind(TableKind::Updated);
        assert_eq!(built_in.or_newer(&older), built_in);
        // Of one day, AWS's own list counts.
        let same_day = PriceTable { date: built_in.date.clone(), ..older.clone() };
        let both = built_in.or_newer(&same_day);
        let kinds: Vec<_> = both.regions.iter().map(|(name, prices)| (name.as_str(), prices.table)).collect();
        assert_eq!(kinds, [("eu-west-1", TableKind::Updated), ("us-east-1", TableKind::BuiltIn)]);
        assert_eq!((&both.date, both.source), (&built_in.date, format!("our contract; {}", built_in.source)));
        let newer = PriceTable { date: "2030-01-01".to_owned(), ..older };
        let both = built_in.or_newer(&newer);
        let date = |region| both.price(region, Architecture::Arm64).unwrap().date;
        assert_eq!((both.date.as_str(), date("eu-west-1")), ("2030-01-01", "2030-01-01".to_owned()));
        assert_eq!(date("us-east-1"), built_in.date);
        assert_eq!(built_in.only(&["eu-west-1".to_owned()]).unwrap().or_newer(&newer), newer);
    }

    #[test]
    fn an_unknown_region_is_named_with_the_nearest() {
        let error = PriceTable::built_in().price("eu-wset-1", Architecture::Arm64).unwrap_err().to_string();
        assert!(error.contains("\"eu-wset-1\" (did you mean \"eu-west-1\"?)") && error.contains("--prices"), "{error}");
        let error = PriceTable::built_in().region("moon").unwrap_err().to_string();
        assert!(error.contains("\"moon\": --prices"), "{error}");
    }

    #[test]
    fn an_invalid_table_is_refused_with_the_field_the_value_and_the_fix() {
        for (old, new, parts) in [
            ("request_usd = 0.0000001", "request_usd = -1", ["regions.eu-west-1.request_usd is -1", "0 or more"]),
            (
                "ephemeral_gb_second_usd = 0",
                "ephemeral_gb_second_usd = nan",
                ["ephemeral_gb_second_usd is NaN", "0 or more"],
            ),
            ("= 0.00001 }", "= inf }", ["regions.eu-west-1.x86_64[0].gb_second_usd is inf", "0 or more"]),
            ("[{ gb_second_usd = 0.00001 }]", "[]", ["regions.eu-west-1.x86_64 is empty", "at least one tier"]),
            ("= 1000,", "= 0,", ["arm64[0].up_to_gb_seconds is 0", "more than where"]),
            ("up_to_gb_seconds = 1000, ", "", ["arm64[0].up_to_gb_seconds is left out", "but the last"]),
            (
                "{ gb_second_usd = 0.00001",
                "{ up_to_gb_seconds = 5, gb_second_usd = 0.00001",
                ["x86_64[0].up_to_gb_seconds is 5", "last"],
            ),
            ("2026-01-31", "soon", ["date is \"soon\"", "2026-08-31"]),
            ("2026-01-31", "2026-13-01", ["date is \"2026-13-01\"", "a day"]),
            ("request_usd", "request_eur", ["unknown field `request_eur`", "request_usd"]),
            ("source = \"our contract\"", "", ["missing field `source`", ""]),
            ("= 0.0000001", "= \"cheap\"", ["\"cheap\"", "f64"]),
        ] {
            assert!(TABLE.contains(old), "{old}");
            let error = TABLE.replacen(old, new, 1).parse::<PriceTable>().unwrap_err().to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
        let error = "date = \"2026-01-31\"\nsource = \"\"\n[regions]".parse::<PriceTable>().unwrap_err().to_string();
        assert!(error.contains("regions is empty"), "{error}");
    }
}
