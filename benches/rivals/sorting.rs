//! Sorts of 64-bit keys.

use crate::Rival;
use lambda_duet::workload::{Params, Routine, checksum_of, input};
use rdst::RadixSort;
use voracious_radix_sort::RadixSort as Voracious;

pub const ALL: [Rival; 5] = [
    Rival::new("std sort_unstable", |params| Sort::boxed(params, |keys| keys.sort_unstable())),
    Rival::new("glidesort", |params| Sort::boxed(params, glidesort::sort)),
    Rival::new("radsort", |params| Sort::boxed(params, radsort::sort)),
    Rival::new("rdst", |params| Sort::boxed(params, |keys| keys.radix_sort_unstable())),
    Rival::new("voracious_radix_sort", |params| Sort::boxed(params, |keys| keys.voracious_sort())),
];

/// All but the first.
pub static NOT_STD: &[Rival] = ALL.split_at(1).1;

struct Sort {
    input: Vec<u64>,
    keys: Vec<u64>,
    sort: fn(&mut [u64]),
}

impl Sort {
    fn boxed(params: &Params, sort: fn(&mut [u64])) -> Box<dyn Routine> {
        let input = input::keys(params);
        Box::new(Self { keys: input.clone(), input, sort })
    }
}

impl Routine for Sort {
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
