//! π by the share of random points of a square that lie in its inscribed circle.
//!
//! The generator is part of what is timed: 64-bit integer arithmetic with one long dependency, beside
//! floating-point arithmetic without any.

use crate::workload::{Implementation, Routine, Sizes, Vectorization, Workload, checksum_of, limits};
use rand::{Rng, SeedableRng, rngs::Xoshiro256PlusPlus};

pub const WORKLOAD: Workload = Workload {
    name: "math/monte-carlo",
    implementation: Implementation::Textbook,
    vectorization: Vectorization::Scalar,
    summary: "estimates π from random points",
    stresses: "a random number generator beside conversions, multiplications and comparisons",
    difference: "shifts, rotations and additions of one chain decide while the floating-point work hides behind \
                 it: integer latency and the width of the core",
    source: "N. Metropolis and S. Ulam (1949); D. Blackman and S. Vigna, xoshiro256++ (2018), crate rand",
    element: "one point",
    time: "O(n)",
    memory: "constant",
    sizes: Sizes { small: 330_000, medium: 10_000_000, large: 330_000_000 },
    in_place: false,
    buffer_bytes: |_| 0,
    prepare: |params| {
        let rng = Xoshiro256PlusPlus::seed_from_u64(params.seed);
        Box::new(MonteCarlo { points: params.elements, start: rng.clone(), inside: 0, end: rng })
    },
};

struct MonteCarlo {
    points: u64,
    start: Xoshiro256PlusPlus,
    inside: u64,
    end: Xoshiro256PlusPlus,
}

impl Routine for MonteCarlo {
    fn run(&mut self) {
        self.end = self.start.clone();
        self.inside = 0;
        for start in (0..self.points).step_by(limits::BLOCK) {
            limits::checkpoint();
            self.inside += inside(&mut self.end, (self.points - start).min(limits::BLOCK as u64));
        }
    }

    /// Of the count, and of the generator's next number: proof that every step was made.
    fn checksum(&self) -> u64 {
        checksum_of([self.inside.to_le_bytes(), self.end.clone().next_u64().to_le_bytes()])
    }
}

/// How many of so many points lie in the circle. The generator's state stays in registers meanwhile.
fn inside(generator: &mut Xoshiro256PlusPlus, points: u64) -> u64 {
    let mut rng = generator.clone();
    // 53 random bits, as many as a double has: a multiple of 2⁻⁵³ in [0, 1).
    let mut coordinate = || (rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64);
    let mut inside = 0;
    for _ in 0..points {
        let (x, y) = (coordinate(), coordinate());
        inside += u64::from(x * x + y * y < 1.0);
    }
    *generator = rng;
    inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Params;
    use std::f64::consts::PI;

    #[test]
    fn the_stream_is_fixed() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(42);
        assert_eq!([rng.next_u64(), rng.next_u64()], [15021278609987233951, 5881210131331364753]);
    }

    #[test]
    fn comes_close_to_pi() {
        const POINTS: u64 = 1_000_000;
        let rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut routine = MonteCarlo { points: POINTS, start: rng.clone(), inside: 0, end: rng };
        routine.run();
        let pi = 4.0 * routine.inside as f64 / POINTS as f64;
        assert!((pi - PI).abs() < 0.01, "{pi}"); // six standard errors
    }

    #[test]
    fn the_memory_need_is_constant() {
        assert_eq!(WORKLOAD.memory_bytes(1), WORKLOAD.memory_bytes(u64::MAX));
        let params = Params::random(10, 0);
        (WORKLOAD.prepare)(&params).run();
    }
}
