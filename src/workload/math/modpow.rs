//! Powers modulo odd 64-bit numbers in Montgomery form, bit by bit.
//!
//! The moduli, and the constants that Montgomery's reduction needs for them, are part of the input.
//! Whether a step multiplies is decided by a conditional select, as cryptography does it, so that
//! the branch predictor has no part in it.

use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, input, limits};
use rand::Rng;

pub const WORKLOAD: Workload = Workload {
    name: "math/modpow",
    implementation: Implementation::Textbook,
    vectorization: Vectorization::Scalar,
    summary: "raises 64-bit numbers to 64-bit powers modulo 64-bit numbers",
    stresses: "latency of dependent 64 × 64 to 128 bit multiplications",
    difference: "x86_64 gets both halves of a product from one instruction, arm64 from mul and umulh; the \
                 latency of the high half differs between cores",
    source: "P. L. Montgomery, Modular Multiplication Without Trial Division, Math. Comp. 44 (1985)",
    element: "one power",
    time: "O(n)",
    memory: "48 n bytes",
    sizes: Sizes { small: 2_500, medium: 72_000, large: 2_500_000 },
    in_place: false,
    buffer_bytes: |powers| powers.saturating_mul((size_of::<Power>() + size_of::<u64>()) as u64),
    prepare: |params| Box::new(Modpow::new(params)),
};

struct Modpow {
    powers: Vec<Power>,
    results: Vec<u64>,
}

/// One task: `base` to the `exponent`, modulo an odd number.
struct Power {
    base: u64,
    exponent: u64,
    modulus: u64,
    /// −1 ÷ modulus, modulo 2⁶⁴.
    negative_inverse: u64,
    /// 2¹²⁸ modulo the modulus: what brings a number into Montgomery form.
    to_montgomery: u64,
}

impl Power {
    fn new(base: u64, exponent: u64, modulus: u64) -> Self {
        // Each of Newton's steps doubles the number of right bits; an odd number is its own inverse
        // to three.
        let inverse =
            (0..5).fold(modulus, |inverse, _| inverse.wrapping_mul(2u64.wrapping_sub(modulus.wrapping_mul(inverse))));
        let wide = u128::from(modulus);
        let to_montgomery = ((u128::MAX % wide + 1) % wide) as u64;
        Self { base: base % modulus, exponent, modulus, negative_inverse: inverse.wrapping_neg(), to_montgomery }
    }

    fn compute(&self) -> u64 {
        let mut power = self.reduce(u128::from(self.to_montgomery));
        let mut square = self.multiply(self.base, self.to_montgomery);
        for bit in 0..u64::BITS {
            let product = self.multiply(power, square);
            power = if self.exponent >> bit & 1 == 1 { product } else { power };
            square = self.multiply(square, square);
        }
        self.reduce(u128::from(power))
    }

    fn multiply(&self, a: u64, b: u64) -> u64 {
        self.reduce(u128::from(a) * u128::from(b))
    }

    /// `product` ÷ 2⁶⁴ modulo the modulus, for products below the modulus times 2⁶⁴.
    fn reduce(&self, product: u128) -> u64 {
        let factor = (product as u64).wrapping_mul(self.negative_inverse);
        let (sum, carry) = product.overflowing_add(u128::from(factor) * u128::from(self.modulus));
        let high = (sum >> 64) as u64;
        let (reduced, borrow) = high.overflowing_sub(self.modulus);
        if carry || !borrow { reduced } else { high }
    }
}

impl Modpow {
    fn new(params: &Params) -> Self {
        let mut rng = input::rng(params.seed);
        let power = || Power::new(rng.next_u64(), rng.next_u64(), rng.next_u64() | 1);
        Self { powers: limits::made(params.len(), power), results: limits::filled(0, params.len()) }
    }
}

impl Routine for Modpow {
    fn run(&mut self) {
        let mut pace = limits::Pace::every(256);
        for (power, result) in self.powers.iter().zip(&mut self.results) {
            pace.step();
            *result = power.compute();
        }
    }

    fn checksum(&self) -> u64 {
        checksum_of(self.results.iter().map(|result| result.to_le_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::Power;
    use proptest::prelude::*;

    fn by_division(base: u64, exponent: u64, modulus: u64) -> u64 {
        let wide = u128::from(modulus);
        let (mut power, mut square) = (1 % wide, u128::from(base) % wide);
        for bit in 0..64 {
            if exponent >> bit & 1 == 1 {
                power = power * square % wide;
            }
            square = square * square % wide;
        }
        power as u64
    }

    proptest! {
        #[test]
        fn equals_division_with_remainder(base: u64, exponent: u64, half in prop_oneof![any::<u64>(), 0u64..4]) {
            let modulus = half | 1;
            prop_assert_eq!(Power::new(base, exponent, modulus).compute(), by_division(base, exponent, modulus));
        }
    }

    #[test]
    fn knows_fermats_little_theorem_and_the_corners() {
        let prime = u64::MAX - 58; // 2⁶⁴ − 59, the largest 64-bit prime
        assert_eq!(Power::new(2, prime - 1, prime).compute(), 1);
        assert_eq!(Power::new(0, 0, 3).compute(), 1);
        assert_eq!(Power::new(5, 5, 1).compute(), 0);
        assert_eq!(Power::new(u64::MAX - 1, u64::MAX, u64::MAX).compute(), u64::MAX - 1);
    }
}
