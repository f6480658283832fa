//! The sieve of Eratosthenes over the odd numbers, one byte a number.
//!
//! Clearing the array is part of the work. What the work is, the size alone decides: the seed
//! changes nothing.

use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, limits};

pub const WORKLOAD: Workload = Workload {
    name: "math/primes",
    implementation: Implementation::Textbook,
    vectorization: Vectorization::Scalar,
    summary: "finds all primes up to n with the sieve of Eratosthenes",
    stresses: "strided stores through all levels of the cache",
    difference: "store throughput in the caches; beyond them, how well strided stores are prefetched and how many \
                 misses a core keeps in flight",
    source: "Eratosthenes; D. E. Knuth, The Art of Computer Programming, vol. 2, section 4.5.4, exercise 8",
    element: "one number to decide about",
    time: "O(n log log n)",
    memory: "n/2 bytes",
    sizes: Sizes { small: 2_500_000, medium: 50_000_000, large: 450_000_000 },
    in_place: false,
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
        Self { limit, composite: limits::filled(false, limit.div_ceil(2)) }
    }

    fn primes(&self) -> impl Iterator<Item = u64> {
        let odd = self.composite.iter().enumerate().skip(1).filter(|(_, composite)| !**composite);
        (self.limit >= 2).then_some(2).into_iter().chain(odd.map(|(index, _)| 2 * index as u64 + 1))
    }
}

impl Routine for Sieve {
    fn run(&mut self) {
        limits::fill(&mut self.composite, false);
        let numbers = self.composite.len();
        for index in 1.. {
            let prime = 2 * index + 1;
            let square = prime * prime / 2;
            if square >= numbers {
                break;
            }
            if !self.composite[index] {
                for multiples in self.composite[square..].chunks_mut(prime.saturating_mul(limits::BLOCK)) {
                    limits::checkpoint();
                    multiples.iter_mut().step_by(prime).for_each(|composite| *composite = true);
                }
            }
        }
    }

    fn checksum(&self) -> u64 {
        let mut pace = limits::Pace::every(limits::BLOCK as u32);
        let (count, sum) = self.primes().fold((0u64, 0u64), |(count, sum), prime| {
            pace.step();
            (count + 1, sum.wrapping_add(prime))
        });
        checksum_of([count.to_le_bytes(), sum.to_le_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn primes(limit: u64) -> Vec<u64> {
        let mut sieve = Sieve::new(&Params::random(limit, 0));
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
