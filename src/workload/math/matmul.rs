//! Dense matrix multiplication in double precision, blocked for the cache.
//!
//! The inner loop adds a multiple of one row to another. Every element of the product is summed over
//! k in ascending order and without fused multiply-add, so the result equals the naive triple loop to
//! the last bit on every machine.

use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, input, limits};

pub const WORKLOAD: Workload = Workload {
    name: "math/matmul",
    implementation: Implementation::Textbook,
    vectorization: Vectorization::Autovectorized,
    summary: "multiplies two square f64 matrices, blocked for the cache",
    stresses: "vectorized floating-point multiply and add; first-level cache bandwidth",
    difference: "256-bit vectors for the x86_64 target CPU (AVX2), 128-bit ones for the arm64 one (NEON); the \
                 number of vector units and of loads a cycle",
    source: "M. Lam, E. Rothberg and M. Wolf, The Cache Performance and Optimizations of Blocked Algorithms, \
             ASPLOS 1991",
    element: "one row (and column) of the square matrices",
    time: "O(n³)",
    memory: "24 n² bytes",
    sizes: Sizes { small: 180, medium: 560, large: 1_600 },
    in_place: false,
    buffer_bytes: matrix_bytes,
    prepare: |params| Box::new(Matmul::new(params)),
};

/// The bytes of two square matrices and their product.
pub fn matrix_bytes(rows: u64) -> u64 {
    rows.saturating_mul(rows).saturating_mul(3 * size_of::<f64>() as u64)
}

/// Rows of `b` in a block: 64 rows by 64 columns of f64 are 32 KiB, a first-level cache.
const BLOCK: usize = 64;

struct Matmul {
    rows: usize,
    a: Vec<f64>,
    b: Vec<f64>,
    product: Vec<f64>,
}

impl Matmul {
    fn new(params: &Params) -> Self {
        let rows = params.len();
        let mut rng = input::rng(params.seed);
        let mut real = input::reals(&mut rng);
        let mut matrix = || limits::made(rows * rows, &mut real);
        Self { rows, a: matrix(), b: matrix(), product: limits::filled(0.0, rows * rows) }
    }
}

impl Routine for Matmul {
    fn run(&mut self) {
        limits::fill(&mut self.product, 0.0);
        multiply(self.rows, &self.a, &self.b, &mut self.product);
    }

    fn checksum(&self) -> u64 {
        checksum_of(self.product.iter().map(|value| value.to_bits().to_le_bytes()))
    }
}

/// Adds `a` × `b` to `product`; all are square, row by row.
fn multiply(rows: usize, a: &[f64], b: &[f64], product: &mut [f64]) {
    let mut pace = limits::Pace::every(64);
    for columns in (0..rows).step_by(BLOCK).map(|start| start..rows.min(start + BLOCK)) {
        for inner in (0..rows).step_by(BLOCK).map(|start| start..rows.min(start + BLOCK)) {
            for (a_row, product_row) in a.chunks_exact(rows).zip(product.chunks_exact_mut(rows)) {
                pace.step();
                let target = &mut product_row[columns.clone()];
                for k in inner.clone() {
                    let factor = a_row[k];
                    let b_row = &b[k * rows..][columns.clone()];
                    for (sum, value) in target.iter_mut().zip(b_row) {
                        *sum += factor * value;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(rows: usize, a: &[f64], b: &[f64]) -> Vec<f64> {
        let element = |i: usize, j: usize| (0..rows).fold(0.0, |sum, k| sum + a[i * rows + k] * b[k * rows + j]);
        (0..rows * rows).map(|index| element(index / rows, index % rows)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn equals_the_naive_triple_loop_to_the_last_bit(rows in 1u64..150, seed: u64) {
            let mut matmul = Matmul::new(&Params::random(rows, seed));
            matmul.run();
            prop_assert_eq!(&matmul.product, &naive(matmul.rows, &matmul.a, &matmul.b));
        }
    }
}
