//! Orders in JSON to shipments in JSON, through the same structs.

use crate::Rival;
use lambda_duet::workload::{
    Params, Routine, checksum_of,
    string::{
        orders::{self, Page},
        shipments::Shipments,
    },
};

pub static ALL: [Rival; 2] = [
    Rival::new("sonic-rs", |params| Box::new(Sonic { pages: pages(params), output: Vec::new() })),
    Rival::new("simd-json", |params| Box::new(SimdJson::new(params))),
];

/// The pages apart: neither library reads them one after the other from a document as the workload does.
fn pages(params: &Params) -> Vec<Vec<u8>> {
    let document = orders::pages(params);
    let mut stream = serde_json::Deserializer::from_slice(&document).into_iter::<Page>();
    let ends = std::iter::from_fn(|| stream.next().map(|_| stream.byte_offset()));
    let pages = ends.scan(0, |start, end| Some(document[std::mem::replace(start, end)..end].to_vec()));
    pages.collect()
}

struct Sonic {
    pages: Vec<Vec<u8>>,
    output: Vec<u8>,
}

impl Routine for Sonic {
    fn run(&mut self) {
        self.output.clear();
        for page in &self.pages {
            let page: Page = sonic_rs::from_slice(page).expect("the page is JSON");
            sonic_rs::to_writer(&mut self.output, &Shipments::from(page)).expect("memory takes every byte");
            self.output.push(b'\n');
        }
    }

    fn checksum(&self) -> u64 {
        checksum_of([&self.output])
    }
}

struct SimdJson {
    pages: Vec<Vec<u8>>,
    /// A copy of a page: the library changes what it parses.
    page: Vec<u8>,
    buffers: simd_json::Buffers,
    output: Vec<u8>,
}

impl SimdJson {
    fn new(params: &Params) -> Self {
        Self { pages: pages(params), page: Vec::new(), buffers: simd_json::Buffers::default(), output: Vec::new() }
    }
}

impl Routine for SimdJson {
    fn run(&mut self) {
        self.output.clear();
        for page in &self.pages {
            self.page.clone_from(page);
            let page: Page =
                simd_json::serde::from_slice_with_buffers(&mut self.page, &mut self.buffers).expect("the page is JSON");
            simd_json::to_writer(&mut self.output, &Shipments::from(page)).expect("memory takes every byte");
            self.output.push(b'\n');
        }
    }

    fn checksum(&self) -> u64 {
        checksum_of([&self.output])
    }
}
