//! AWS's public list of Lambda's prices in one region, as a CSV file.
//!
//! Five lines tell what it is, the sixth names the columns, and each further one is the price of a usage type, or of a
//! tier of it. A usage type has the region's abbreviation before it everywhere but in us-east-1: `EUC1-Request`.

use super::{
    RegionPrices, TableKind, Tier, check_tiers,
    table::{PriceTableError, cost_the_same},
};
use crate::protocol::Architecture;
use csv::{ReaderBuilder, StringRecord};
use std::collections::BTreeMap;

/// AWS's name for Lambda in its lists.
pub(super) const OFFER_CODE: &str = "AWSLambda";

/// A file is not a list of Lambda's prices in a region, in US dollars.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OfferFileError {
    #[error("it is not one of AWS's lists of prices, in CSV: {0}")]
    Shape(String),
    #[error("{field} is \"{value}\"; it must be {expected}")]
    Value { field: String, value: String, expected: &'static str },
    #[error("it has no price of {usage_type} in {region}")]
    Missing { usage_type: String, region: String },
    #[error("{0} in several tiers, or more than once: a table has one price for it")]
    Several(String),
    #[error("the tiers of {usage_type} do not join: \"{found}\" stands where {expected} should")]
    Gap { usage_type: String, found: String, expected: String },
    #[error("{usage_type} costs ${x86_64} on x86_64 and ${arm64} on arm64: a table has one price for both")]
    Unequal { usage_type: &'static str, x86_64: f64, arm64: f64 },
    #[error(transparent)]
    Tiers(#[from] PriceTableError),
}

/// The usage types that a table has, without the region's abbreviation and without `-ARM`.
const REQUEST: &str = "Request";
const MEMORY: &str = "Lambda-GB-Second";
const STORAGE: &str = "Lambda-Storage-GB-Second";

/// The places of the columns that are read. The unit is not one of them: older usage types have other words for the same.
struct Columns {
    term_type: usize,
    start: usize,
    end: usize,
    price: usize,
    currency: usize,
    usage_type: usize,
    region: usize,
}

impl Columns {
    fn of(header: &StringRecord) -> Result<Self, OfferFileError> {
        let column = |name: &str| {
            let found = header.iter().position(|cell| cell.eq_ignore_ascii_case(name));
            found.ok_or_else(|| OfferFileError::Shape(format!("it has no column \"{name}\"")))
        };
        Ok(Self {
            term_type: column("TermType")?,
            start: column("StartingRange")?,
            end: column("EndingRange")?,
            price: column("PricePerUnit")?,
            currency: column("Currency")?,
            usage_type: column("usageType")?,
            region: column("Region Code")?,
        })
    }
}

/// A row: the price of a range of a month's use, as the file writes it.
struct Range {
    start: String,
    end: String,
    usd: f64,
}

/// The prices in a list of `region`, with the date of the list.
///
/// # Errors
/// When the file is something else, is cut off, or has prices that a table cannot hold.
pub(super) fn region_prices(file: &[u8], region: &str) -> Result<RegionPrices, OfferFileError> {
    let mut records = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file).into_records();
    let mut facts = BTreeMap::new();
    let columns = loop {
        let Some(record) = records.next().transpose()? else {
            return Err(OfferFileError::Shape("no line names the columns, beginning with \"SKU\"".to_owned()));
        };
        match (record.get(0), record.get(1)) {
            (Some("SKU"), _) => break Columns::of(&record)?,
            (Some(name), Some(value)) => drop(facts.insert(name.to_owned(), value.to_owned())),
            _ => {}
        }
    };
    let date = date(&facts)?;
    let mut meters = Meters { region, ranges: BTreeMap::new() };
    for record in records {
        meters.add(&record?, &columns)?;
    }
    Ok(RegionPrices {
        date: Some(date),
        table: TableKind::Updated,
        request_usd: meters.of_both(REQUEST)?,
        ephemeral_gb_second_usd: meters.of_both(STORAGE)?,
        x86_64: meters.tiers(Architecture::X86_64)?,
        arm64: meters.tiers(Architecture::Arm64)?,
    })
}

impl From<csv::Error> for OfferFileError {
    fn from(error: csv::Error) -> Self {
        Self::Shape(error.to_string())
    }
}

/// The day on which the list was published, if it is one of Lambda's prices.
fn date(facts: &BTreeMap<String, String>) -> Result<String, OfferFileError> {
    let fact = |name: &str| facts.get(name).map(String::as_str).unwrap_or_default();
    let value = |field: &str, expected| OfferFileError::Value {
        field: field.to_owned(),
        value: fact(field).to_owned(),
        expected,
    };
    if fact("OfferCode") != OFFER_CODE {
        return Err(value("OfferCode", "\"AWSLambda\""));
    }
    let published = fact("Publication Date");
    match (humantime::parse_rfc3339(published), published.split_once('T')) {
        (Ok(_), Some((day, _))) => Ok(day.to_owned()),
        _ => Err(value("Publication Date", "a time, such as \"2026-08-31T09:23:18Z\"")),
    }
}

/// A usage type without the region's abbreviation, which is of capitals and digits. What the free tier has, `Global-Request`,
/// is thus another usage type.
fn without_region(usage_type: &str) -> &str {
    let is_abbreviation =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) && !text.is_empty();
    match usage_type.split_once('-') {
        Some((region, rest)) if is_abbreviation(region) => rest,
        _ => usage_type,
    }
}

fn usage_type(of: &str, architecture: Architecture) -> String {
    match architecture {
        Architecture::X86_64 => of.to_owned(),
        Architecture::Arm64 => format!("{of}-ARM"),
    }
}

/// The prices that are read, by usage type.
struct Meters<'a> {
    region: &'a str,
    ranges: BTreeMap<String, Vec<Range>>,
}

impl Meters<'_> {
    fn add(&mut self, record: &StringRecord, columns: &Columns) -> Result<(), OfferFileError> {
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let usage = without_region(cell(columns.usage_type));
        let is_wanted = |wanted: &str| Architecture::ALL.iter().any(|it| usage_type(wanted, *it) == usage);
        let is_here = cell(columns.region) == self.region && cell(columns.term_type) == "OnDemand";
        if !is_here || ![REQUEST, MEMORY, STORAGE].into_iter().any(is_wanted) {
            return Ok(());
        }
        let value = |what: &str, column: usize, expected| OfferFileError::Value {
            field: format!("the {what} of {}", cell(columns.usage_type)),
            value: cell(column).to_owned(),
            expected,
        };
        if cell(columns.currency) != "USD" {
            return Err(value("currency", columns.currency, "USD: bills are in US dollars"));
        }
        let usd: Option<f64> = cell(columns.price).parse().ok();
        let usd = usd.filter(|usd| usd.is_finite() && *usd > 0.0);
        let range = Range {
            start: cell(columns.start).to_owned(),
            end: cell(columns.end).to_owned(),
            usd: usd.ok_or_else(|| value("price", columns.price, "an amount above 0"))?,
        };
        self.ranges.entry(usage.to_owned()).or_default().push(range);
        Ok(())
    }

    fn ranges(&self, usage_type: &str) -> Result<&[Range], OfferFileError> {
        self.ranges.get(usage_type).map(Vec::as_slice).ok_or_else(|| OfferFileError::Missing {
            usage_type: usage_type.to_owned(),
            region: self.region.to_owned(),
        })
    }

    /// The price of something that costs the same on both architectures, and the more of it no less.
    fn of_both(&self, of: &'static str) -> Result<f64, OfferFileError> {
        let price = |architecture| {
            let usage_type = usage_type(of, architecture);
            match self.ranges(&usage_type)? {
                [only] => Ok(only.usd),
                _ => Err(OfferFileError::Several(usage_type)),
            }
        };
        let (x86_64, arm64) = (price(Architecture::X86_64)?, price(Architecture::Arm64)?);
        if !cost_the_same(x86_64, arm64) {
            return Err(OfferFileError::Unequal { usage_type: of, x86_64, arm64 });
        }
        Ok(x86_64)
    }

    /// The prices of memory, tier by tier, each of which begins where the one before ends.
    fn tiers(&self, architecture: Architecture) -> Result<Vec<Tier>, OfferFileError> {
        let usage_type = usage_type(MEMORY, architecture);
        let mut ranges: Vec<(f64, &Range)> = Vec::new();
        for range in self.ranges(&usage_type)? {
            let start = range.start.parse().ok().filter(|start: &f64| start.is_finite());
            ranges.push((start.ok_or_else(|| gap(&usage_type, &range.start, "a number of GB-seconds"))?, range));
        }
        ranges.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let (mut tiers, mut end) = (Vec::new(), Some(0.0));
        for (start, range) in ranges {
            match end {
                Some(end) if start == end => {}
                Some(end) => return Err(gap(&usage_type, &range.start, &end.to_string())),
                None => return Err(gap(&usage_type, &range.start, "nothing more")),
            }
            end = match range.end.as_str() {
                "Inf" => None,
                number => {
                    Some(number.parse().map_err(|_| gap(&usage_type, number, "a number of GB-seconds, or Inf,"))?)
                }
            };
            tiers.push(Tier { up_to_gb_seconds: end, gb_second_usd: range.usd });
        }
        if let Some(end) = end {
            return Err(gap(&usage_type, &end.to_string(), "Inf, at the end of the last,"));
        }
        check_tiers(&usage_type, &tiers)?;
        Ok(tiers)
    }
}

fn gap(usage_type: &str, found: &str, expected: &str) -> OfferFileError {
    OfferFileError::Gap { usage_type: usage_type.to_owned(), found: found.to_owned(), expected: expected.to_owned() }
}

#[cfg(test)]
mod tests;
