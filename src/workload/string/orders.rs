//! Orders of a shop, in the pages that its API gives.

use super::documents::{COUNTRIES, FIRST_NAMES, LAST_NAMES, day, pick, time};
use crate::workload::{Params, input, limits};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

pub const MAX_ORDER_BYTES: usize = 768;

/// The orders of a page that is not the last.
const PAGE: u64 = 100;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Page {
    pub page: u64,
    pub orders: Vec<CustomerOrder>,
    /// Where the next page is.
    pub next: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerOrder {
    pub id: String,
    pub created_at: String,
    pub status: OrderStatus,
    pub customer: Customer,
    pub ship_to: Address,
    pub items: Vec<Item>,
    pub discount_cents: Option<u64>,
    pub tags: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    Paid,
    Packed,
    Cancelled,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Customer {
    pub id: u32,
    pub name: String,
    pub email: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Address {
    pub street: String,
    pub city: String,
    pub postal_code: String,
    pub country: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub sku: String,
    pub title: String,
    pub quantity: u32,
    pub unit_price_cents: u64,
    pub weight_kg: f64,
}

/// The pages, one after the other, in JSON.
pub fn pages(params: &Params) -> Vec<u8> {
    let mut rng = input::rng(params.seed);
    let mut document = limits::vec_with_capacity(params.len() * MAX_ORDER_BYTES);
    for (page, first) in (1..).zip((1..=params.elements).step_by(PAGE as usize)) {
        let last = params.elements.min(first.saturating_add(PAGE - 1));
        let orders = (first..=last).map(|number| order(&mut rng, number)).collect();
        let next = (last < params.elements).then(|| format!("/orders?after={last}"));
        serde_json::to_writer(&mut document, &Page { page, orders, next }).expect("memory takes every byte");
    }
    document
}

fn order(rng: &mut impl Rng, number: u64) -> CustomerOrder {
    const STREETS: [&str; 4] = ["Bahnhofstraße", "High Street", "Rue de l'Église", "Ulica Długa"];
    const CITIES: [&str; 4] = ["Graz", "Málaga", "New \"Old\" Town", "Zürich"];
    const TAGS: [&str; 4] = ["express", "gift", "fragile", "first-order"];
    let (first, last) = (pick(rng, &FIRST_NAMES), pick(rng, &LAST_NAMES));
    CustomerOrder {
        id: format!("ord-{number:010}"),
        created_at: format!("{}T{}Z", day(rng), time(rng)),
        status: pick(rng, &[OrderStatus::Paid, OrderStatus::Paid, OrderStatus::Packed, OrderStatus::Cancelled]),
        customer: Customer {
            id: rng.random(),
            name: format!("{first} {last}"),
            email: format!("user{}@example.com", rng.random_range(0..1_000_000u32)),
        },
        ship_to: Address {
            street: format!("{} {}", pick(rng, &STREETS), rng.random_range(1..=200u32)),
            city: pick(rng, &CITIES).to_owned(),
            postal_code: format!("{:05}", rng.random_range(0..100_000u32)),
            country: pick(rng, &COUNTRIES).to_owned(),
        },
        items: (0..rng.random_range(1..=4u32)).map(|_| item(rng)).collect(),
        discount_cents: rng.random_bool(0.25).then(|| rng.random_range(100..=2000)),
        tags: TAGS.into_iter().filter(|_| rng.random_bool(0.25)).map(str::to_owned).collect(),
    }
}

fn item(rng: &mut impl Rng) -> Item {
    const COLOURS: [&str; 4] = ["black", "dark blue", "green", "off-white"];
    const THINGS: [&str; 4] = ["notebook A5", "13\" laptop sleeve", "café mug", "pair of wool socks"];
    Item {
        sku: format!("SKU-{:05}", rng.random_range(0..100_000u32)),
        title: format!("{}, {}", pick(rng, &THINGS), pick(rng, &COLOURS)),
        quantity: rng.random_range(1..=5),
        unit_price_cents: rng.random_range(99..=99_999),
        weight_kg: f64::from(rng.random_range(1..=40u32)) / 8.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_survives_parsing_and_serializing() {
        let document = pages(&Params::random(250, 3));
        let found: Vec<Page> =
            serde_json::Deserializer::from_slice(&document).into_iter().collect::<Result<_, _>>().unwrap();
        assert_eq!(found.iter().map(|page| page.orders.len()).collect::<Vec<_>>(), [100, 100, 50]);
        assert!(found.iter().map(|page| page.next.is_some()).eq([true, true, false]));
        let again: Vec<u8> = found.iter().flat_map(|page| serde_json::to_vec(page).unwrap()).collect();
        assert!(again == document);
    }
}
