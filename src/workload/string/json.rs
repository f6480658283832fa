//! Reading pages of orders in JSON, turning them into shipments and writing those as JSON, as a function
//! between two services does.
//!
//! Timed are parsing each page into structs that own their strings, leaving out cancelled orders,
//! adding up and writing in capital letters, serializing into a buffer that is kept, and freeing the
//! structs. Numbers with decimals are eighths, which are exact in binary and in decimal.

use super::{
    orders::{self, MAX_ORDER_BYTES, Page},
    shipments::{MAX_SHIPMENT_BYTES, Shipments},
};
use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, limits};

pub const WORKLOAD: Workload = Workload {
    name: "string/json",
    implementation: Implementation::Library,
    vectorization: Vectorization::Scalar,
    summary: "parses orders in JSON, turns them into shipments and serializes those",
    stresses: "branches on every byte, short copies, many small allocations",
    difference: "portable code: branch prediction and the front end of a core count, then the C library's memcpy \
                 and allocator",
    source: "RFC 8259; crate serde_json",
    element: "one order",
    time: "O(n)",
    memory: "1024 n bytes + 256 KiB",
    sizes: Sizes { small: 400, medium: 12_000, large: 400_000 },
    in_place: false,
    buffer_bytes: |orders| {
        orders.saturating_mul((MAX_ORDER_BYTES + MAX_SHIPMENT_BYTES) as u64).saturating_add(PAGE_BYTES as u64)
    },
    prepare: |params| Box::new(Json::new(params)),
};

/// More than one page takes as structs, and what stands around the orders in JSON.
const PAGE_BYTES: usize = 256 * 1024;

struct Json {
    /// Pages, one after the other.
    document: Vec<u8>,
    /// Batches, a line each.
    output: Vec<u8>,
}

impl Json {
    fn new(params: &Params) -> Self {
        let output = limits::vec_with_capacity(params.len() * MAX_SHIPMENT_BYTES);
        Self { document: orders::pages(params), output }
    }
}

impl Routine for Json {
    fn run(&mut self) {
        self.output.clear();
        for page in serde_json::Deserializer::from_slice(&self.document).into_iter::<Page>() {
            limits::checkpoint();
            let batch = Shipments::from(page.expect("the document is made of pages"));
            serde_json::to_writer(&mut self.output, &batch).expect("memory takes every byte");
            self.output.push(b'\n');
        }
    }

    fn checksum(&self) -> u64 {
        checksum_of([&self.output])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = r#"{
        "page": 7,
        "orders": [
            {"id": "a", "created_at": "2025-01-02T03:04:05Z", "status": "paid",
             "customer": {"id": 1, "name": "Müller \"M\"", "email": "m@example.com"},
             "ship_to": {"street": "s", "city": "c", "postal_code": "p", "country": "DE"},
             "items": [{"sku": "x", "title": "t", "quantity": 3, "unit_price_cents": 50, "weight_kg": 0.125},
                       {"sku": "y", "title": "t", "quantity": 1, "unit_price_cents": 7, "weight_kg": 2.5}],
             "discount_cents": 17, "tags": ["gift", "express"]},
            {"id": "b", "created_at": "2025-01-02T03:04:05Z", "status": "cancelled",
             "customer": {"id": 1, "name": "n", "email": "e"},
             "ship_to": {"street": "s", "city": "c", "postal_code": "p", "country": "DE"},
             "items": [], "discount_cents": null, "tags": []}
        ],
        "next": null
    }"#;

    fn run(document: &[u8]) -> Vec<u8> {
        let mut json = Json { document: document.to_vec(), output: Vec::new() };
        json.run();
        json.output
    }

    #[test]
    fn an_order_becomes_a_shipment_and_a_cancelled_one_does_not() {
        let shipment = r#"{"order":"a","name":"MÜLLER \"M\"","country":"DE","lines":2,"pieces":4,"total_cents":140,"#;
        let weights = r#""weight_kg":2.875,"express":true}],"total_cents":140,"weight_kg":2.875}"#;
        let expected = format!("{{\"page\":7,\"shipments\":[{shipment}{weights}\n");
        assert_eq!(String::from_utf8(run(ORDER.as_bytes())).unwrap(), expected);
    }

    #[test]
    fn no_order_is_left_out_but_cancelled_ones() {
        let document = orders::pages(&Params::random(1000, 8));
        let text = String::from_utf8(document.clone()).unwrap();
        let cancelled = text.matches("\"status\":\"cancelled\"").count();
        assert!((100..500).contains(&cancelled));
        let output = run(&document);
        let batches: Vec<Shipments> =
            serde_json::Deserializer::from_slice(&output).into_iter().collect::<Result<_, _>>().unwrap();
        assert_eq!(batches.iter().map(|batch| batch.shipments.len()).sum::<usize>(), 1000 - cancelled);
        for batch in batches {
            assert_eq!(batch.total_cents, batch.shipments.iter().map(|shipment| shipment.total_cents).sum::<u64>());
        }
    }

    #[test]
    fn the_buffers_are_large_enough() {
        for seed in 0..20 {
            let mut json = Json::new(&Params::random(300, seed));
            json.run();
            assert_eq!(json.document.capacity(), 300 * MAX_ORDER_BYTES);
            assert_eq!(json.output.capacity(), 300 * MAX_SHIPMENT_BYTES);
        }
    }
}
