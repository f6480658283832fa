//! Parsing a report in CSV and adding it up by country.
//!
//! Rows are read into one record and deserialized into a struct whose texts point into it, as the
//! library's documentation advises; a country's name is copied when it is new. Names stand in quotes
//! where they need to, with a comma or quotes inside.

use super::documents::{COUNTRIES, FIRST_NAMES, LAST_NAMES, day, pick};
use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, input, limits};
use csv::{Reader, StringRecord};
use rand::RngExt;
use serde::Deserialize;
use std::{collections::BTreeMap, fmt::Write};

pub const WORKLOAD: Workload = Workload {
    name: "string/csv",
    implementation: Implementation::Library,
    vectorization: Vectorization::Scalar,
    summary: "parses a sales report in CSV and adds it up by country",
    stresses: "a state machine that takes a byte a step; checking UTF-8 and parsing integers",
    difference: "portable code: the next state is looked up with the last one, so the latency of a first-level \
                 cache hit decides, then branch prediction on fields of changing length",
    source: "RFC 4180; crate csv",
    element: "one row of the report",
    time: "O(n)",
    memory: "80 n bytes + 32 KiB",
    sizes: Sizes { small: 5_000, medium: 140_000, large: 4_800_000 },
    in_place: false,
    buffer_bytes: |rows| rows.saturating_mul(MAX_ROW_BYTES as u64).saturating_add(32 * 1024),
    prepare: |params| Box::new(SalesReport::new(params)),
};

const MAX_ROW_BYTES: usize = 80;
const HEADERS: &str = "order_id,date,sku,customer,country,quantity,price_cents\n";

struct SalesReport {
    document: String,
    sales: BTreeMap<String, Sales>,
}

/// What was sold to a country.
#[derive(Debug, Default, PartialEq)]
struct Sales {
    orders: u64,
    items: u64,
    cents: u64,
    /// The bytes of the customers' names, without quotes around them.
    name_bytes: u64,
}

#[derive(Deserialize)]
struct SalesRow<'a> {
    customer: &'a str,
    country: &'a str,
    quantity: u32,
    price_cents: u64,
}

impl SalesReport {
    fn new(params: &Params) -> Self {
        let mut rng = input::rng(params.seed);
        let mut document = limits::string_with_capacity(HEADERS.len() + params.len() * MAX_ROW_BYTES);
        document.push_str(HEADERS);
        for order in 1..=params.elements {
            let (day, sku) = (day(&mut rng), rng.random_range(0..100_000u32));
            let (first, last) = (pick(&mut rng, &FIRST_NAMES), pick(&mut rng, &LAST_NAMES));
            let customer = match rng.random_range(0..8u32) {
                0 | 1 => format!("\"{last}, {first}\""),
                2 => format!("\"{first} \"\"{last}\"\" & Co.\""),
                _ => format!("{first} {last}"),
            };
            let country = pick(&mut rng, &COUNTRIES);
            let (quantity, cents) = (rng.random_range(1..=20u32), rng.random_range(99..=99_999u32));
            writeln!(document, "{order},{day},SKU-{sku:05},{customer},{country},{quantity},{cents}")
                .expect("a String takes everything");
        }
        Self { document, sales: BTreeMap::new() }
    }
}

impl Routine for SalesReport {
    fn run(&mut self) {
        self.sales.clear();
        let mut reader = Reader::from_reader(self.document.as_bytes());
        let headers = reader.headers().expect("the headers are UTF-8").clone();
        let mut record = StringRecord::new();
        let mut pace = limits::Pace::every(512);
        while reader.read_record(&mut record).expect("every row has as many fields as the headers") {
            pace.step();
            let row: SalesRow = record.deserialize(Some(&headers)).expect("the fields are of their types");
            if !self.sales.contains_key(row.country) {
                self.sales.insert(row.country.to_owned(), Sales::default());
            }
            let sales = self.sales.get_mut(row.country).expect("it is there or was inserted");
            sales.orders += 1;
            sales.items += u64::from(row.quantity);
            sales.cents += u64::from(row.quantity) * row.price_cents;
            sales.name_bytes += row.customer.len() as u64;
        }
    }

    fn checksum(&self) -> u64 {
        checksum_of(self.sales.iter().map(|(country, sales)| format!("{country}: {sales:?};")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sales(document: String) -> BTreeMap<String, Sales> {
        let mut report = SalesReport { document, sales: BTreeMap::new() };
        report.run();
        report.sales
    }

    #[test]
    fn adds_up_a_report_by_hand() {
        let rows = "1,2025-01-01,SKU-1,\"Li, Mei\",DE,2,150\n2,2025-01-02,SKU-2,\"Ann \"\"A\"\" & Co.\",DE,1,99\n";
        let found = sales(format!("{HEADERS}{rows}"));
        let expected = Sales { orders: 2, items: 3, cents: 399, name_bytes: 7 + 13 };
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [("DE".to_owned(), expected)]);
    }

    /// The last three fields never have commas, so that a row can be split from its end.
    #[test]
    fn adds_up_what_splitting_from_the_end_adds_up() {
        let report = SalesReport::new(&Params::random(2000, 4));
        let mut expected = BTreeMap::<String, Sales>::new();
        for line in report.document.lines().skip(1) {
            let [cents, quantity, country, rest] = line.rsplitn(4, ',').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let [cents, quantity] = [cents, quantity].map(|number| number.parse::<u64>().unwrap());
            let quoted = rest.splitn(4, ',').nth(3).unwrap();
            let name = quoted.strip_prefix('"').map_or(quoted, |rest| &rest[..rest.len() - 1]).replace("\"\"", "\"");
            let sales = expected.entry(country.to_owned()).or_default();
            sales.orders += 1;
            sales.items += quantity;
            sales.cents += quantity * cents;
            sales.name_bytes += name.len() as u64;
        }
        assert_eq!(sales(report.document), expected);
        assert_eq!(expected.len(), COUNTRIES.len());
    }
}
