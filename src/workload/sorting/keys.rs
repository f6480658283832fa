//! The shared frame of the workloads that sort 64-bit keys.

use crate::workload::{Params, Routine, checksum_of, input, limits};

/// Keys, a copy to sort, room for the sorts that need some, and the sort.
pub struct SortKeys {
    input: Vec<u64>,
    keys: Vec<u64>,
    buffer: Vec<u64>,
    sort: fn(keys: &mut [u64], buffer: &mut [u64]),
}

impl SortKeys {
    /// Keys, and a buffer of this many for their sort.
    pub fn new(params: &Params, buffer: usize, sort: fn(&mut [u64], &mut [u64])) -> Self {
        let input = input::keys(params);
        Self { keys: limits::filled(0, input.len()), buffer: limits::filled(0, buffer), input, sort }
    }

    /// Sorts only the first keys, at most this many.
    pub fn sort_first(&mut self, keys: usize) {
        let len = self.keys.len().min(keys);
        self.keys[..len].copy_from_slice(&self.input[..len]);
        (self.sort)(&mut self.keys[..len], &mut self.buffer);
    }

    /// The input and the copy that is sorted.
    pub fn bytes_in_place(elements: u64) -> u64 {
        elements.saturating_mul(2 * size_of::<u64>() as u64)
    }

    /// The input, the copy that is sorted and the other buffer.
    pub fn bytes_buffered(elements: u64) -> u64 {
        elements.saturating_mul(3 * size_of::<u64>() as u64)
    }
}

impl Routine for SortKeys {
    fn restore(&mut self) {
        limits::copy(&self.input, &mut self.keys);
    }

    fn run(&mut self) {
        (self.sort)(&mut self.keys, &mut self.buffer);
    }

    fn checksum(&self) -> u64 {
        checksum_of(self.keys.iter().map(|key| key.to_le_bytes()))
    }
}

#[cfg(test)]
pub fn assert_sorts_like_std(sort: fn(keys: &mut [u64], buffer: &mut [u64])) {
    use proptest::prelude::*;

    let keys = prop::collection::vec(prop_oneof![any::<u64>(), 0u64..4, 0u64..70_000], 0..300);
    proptest!(|(mut keys in keys)| {
        let mut expected = keys.clone();
        expected.sort_unstable();
        let mut buffer = vec![0; keys.len()];
        sort(&mut keys, &mut buffer);
        prop_assert_eq!(keys, expected);
    });
}

#[cfg(test)]
mod tests {
    use crate::{
        protocol::{Selection, Shape},
        workload::{Params, input, select, tests::checksum},
    };
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        /// All sorts of keys have the result of the standard library's: for one seed and shape all checksums except
        /// that of the strings are equal.
        #[test]
        fn all_sorts_of_keys_agree(elements in 1u64..2000, seed: u64, shape in prop::sample::select(&Shape::ALL)) {
            let params = Params { elements, seed, shape };
            let mut sorted = input::keys(&params);
            sorted.sort_unstable();
            let expected = crate::workload::checksum_of(sorted.iter().map(|key| key.to_le_bytes()));
            let sorting = select(&Selection::Some(vec!["sorting".to_owned()])).unwrap();
            let checksums: HashMap<&str, u64> = sorting
                .into_iter()
                .filter(|workload| workload.name != "sorting/std-stable-strings")
                .map(|workload| (workload.name, checksum(workload, &params)))
                .collect();
            prop_assert_eq!(checksums.len(), 5);
            for (name, checksum) in checksums {
                prop_assert_eq!(checksum, expected, "{}", name);
            }
        }
    }
}
