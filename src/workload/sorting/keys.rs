//! The shared frame of the workloads that sort random keys in place.

use crate::workload::{Params, Routine, checksum_of, input};

/// Keys in random order, a copy to sort, and the sort.
pub struct SortKeys {
    input: Vec<u64>,
    keys: Vec<u64>,
    sort: fn(&mut [u64]),
}

impl SortKeys {
    /// Random keys for `sort`.
    pub fn prepare(params: &Params, sort: fn(&mut [u64])) -> Box<dyn Routine> {
        let input = input::keys(params.seed, params.len());
        Box::new(Self { keys: input.clone(), input, sort })
    }

    /// The input and the copy that is sorted.
    pub fn buffer_bytes(elements: u64) -> u64 {
        elements.saturating_mul(2 * size_of::<u64>() as u64)
    }
}

impl Routine for SortKeys {
    fn restore(&mut self) {
        self.keys.copy_from_slice(&self.input);
    }

    fn run(&mut self) {
        (self.sort)(&mut self.keys);
    }

    fn checksum(&self) -> u64 {
        checksum_of(self.keys.iter().map(|key| key.to_le_bytes()))
    }
}
