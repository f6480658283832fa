//! The sieve of Eratosthenes over the odd numbers, one byte a number.
//!
//! Crossing out walks the whole array with one stride after the other: small sieves live in the
//! caches and measure store throughput, large ones measure how well strided stores are prefetched
//! and how many misses a core keeps in flight. There is no floating point and almost no branch to
//! mispredict.
//!
//! The work is fixed by the size alone: the seed changes nothing. Time O(n log log n), memory n/2
//! bytes. Algorithm: Eratosthenes; see D. E. Knuth, *The Art of Computer Programming*, vol. 2,
//! section 4.5.4, exercise 8.

use crate::{
    protocol::Sizes,
    workload::{Category, Params, Routine, Workload, checksum_of},
};

pub const WORKLOAD: Workload = Workload {
    name: "math/primes",
    category: Category::Math,
    summary: "finds all primes up to n with the sieve of Eratosthenes",
    stresses: "strided stores through all levels of the cache",
    element: "one number to decide about",
    sizes: Sizes { small: 1_500_000, medium: 20_000_000, large: 300_000_000 },
    buffer_bytes: |limit| limit / 2 + 1,
    prepare: |params| Box::new(Sieve::new(params)),
};

/// `composite[i]` tells whether 2 i + 1 is composite; the place of 1 stands for the prime 2.
struct Sieve {
    limit: usize,
    composite: Vec<bool>,
}

impl Sieve {
    fn new(params: &Params) -> Self {
        let limit = params.len();
        Self { limit, composite: vec![false; limit.div_ceil(2)] }
    }

    fn primes(&self) -> impl Iterator<Item = u64> {
        let odd = self.composite.iter().enumerate().skip(1).filter(|(_, composite)| !**composite);
        (self.limit >= 2).then_some(2).into_iter().chain(odd.map(|(index, _)| 2 * index as u64 + 1))
    }
}

impl Routine for Sieve {
    fn restore(&mut self) {
        self.composite.fill(false);
    }

    fn run(&mut self) {
        let numbers = self.composite.len();
        for index in 1.. {
            let prime = 2 * index + 1;
            let square = prime * prime / 2;
            if square >= numbers {
                break;
            }
            if !self.composite[index] {
                self.composite[square..].iter_mut().step_by(prime).for_each(|composite| *composite = true);
            }
        }
    }

    fn checksum(&self) -> u64 {
        let (count, sum) = self.primes().fold((0u64, 0u64), |(count, sum), prime| (count + 1, sum.wrapping_add(prime)));
        checksum_of([count.to_le_bytes(), sum.to_le_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn primes(limit: u64) -> Vec<u64> {
        let mut sieve = Sieve::new(&Params { elements: limit, seed: 0 });
        sieve.run();
        sieve.primes().collect()
    }

    #[test]
    fn finds_what_trial_division_finds() {
        let by_division = |limit: u64| (2..=limit).filter(|n| (2..*n).all(|d| n % d != 0)).collect::<Vec<_>>();
        for limit in (1..=200).chain([961, 962, 1000]) {
            assert_eq!(primes(limit), by_division(limit), "up to {limit}");
        }
    }

    #[test]
    fn counts_the_known_number_of_primes() {
        assert_eq!(primes(1_000_000).len(), 78_498); // π(10⁶), OEIS A006880
    }
}
