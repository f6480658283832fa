//! Shipments, made from a shop's orders.

use super::orders::{CustomerOrder, OrderStatus, Page};
use serde::{Deserialize, Serialize};

/// The longest shipment in JSON, with the comma and its part of what stands around the shipments.
pub const MAX_SHIPMENT_BYTES: usize = 256;

/// The data of an order that is to be sent.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Shipment {
    pub order: String,
    pub name: String,
    pub country: String,
    pub lines: usize,
    pub pieces: u32,
    pub total_cents: u64,
    pub weight_kg: f64,
    pub express: bool,
}

/// The shipments of a page of orders.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Shipments {
    pub page: u64,
    pub shipments: Vec<Shipment>,
    pub total_cents: u64,
    pub weight_kg: f64,
}

impl From<Page> for Shipments {
    fn from(page: Page) -> Self {
        let sent = page.orders.into_iter().filter(|order| order.status != OrderStatus::Cancelled);
        let shipments: Vec<_> = sent.map(Shipment::from).collect();
        Self {
            page: page.page,
            total_cents: shipments.iter().map(|shipment| shipment.total_cents).sum(),
            weight_kg: shipments.iter().map(|shipment| shipment.weight_kg).sum(),
            shipments,
        }
    }
}

impl From<CustomerOrder> for Shipment {
    fn from(order: CustomerOrder) -> Self {
        let items = &order.items;
        let price: u64 = items.iter().map(|item| u64::from(item.quantity) * item.unit_price_cents).sum();
        Self {
            lines: items.len(),
            pieces: items.iter().map(|item| item.quantity).sum(),
            total_cents: price - order.discount_cents.unwrap_or(0).min(price),
            weight_kg: items.iter().map(|item| f64::from(item.quantity) * item.weight_kg).sum(),
            express: order.tags.iter().any(|tag| tag == "express"),
            name: order.customer.name.to_uppercase(),
            country: order.ship_to.country,
            order: order.id,
        }
    }
}
