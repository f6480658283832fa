//! Dense matrix multiplication by the `gemm` library, which picks its kernel for the CPU it finds.
//!
//! The library adds in an order of its own and with fused multiply-add, both of which depend on the
//! CPU. The matrices therefore hold integers of at most 18 bits and a sign: every product and every sum
//! of up to 2¹⁷ of them is an integer below 2⁵³, which a double holds exactly, in whatever order. The
//! speed of the units does not depend on the values. Packing buffers are taken from the heap inside
//! the timed region, as by any caller of the library.
//!
//! Unsafe code is here because the library takes pointers.

#![allow(unsafe_code)]

use super::matmul::matrix_bytes;
use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, input, limits};
use gemm_common::Parallelism;
use rand::RngExt;
use std::{
    ops::Range,
    time::{Duration, Instant},
};

pub const WORKLOAD: Workload = Workload {
    name: "math/matmul-tuned",
    implementation: Implementation::Tuned,
    vectorization: Vectorization::RunTimeDispatch,
    summary: "multiplies two square f64 matrices with the gemm library",
    stresses: "peak floating-point throughput: fused multiply-add on all vector units",
    difference: "512-bit vectors where an x86_64 CPU has AVX-512, else 256-bit ones (FMA); 128-bit ones (NEON) \
                 on arm64: the number and the width of the units, and the clock rate that they allow",
    source: "K. Goto and R. van de Geijn, Anatomy of High-Performance Matrix Multiplication, ACM TOMS 34 (2008); \
             crate gemm-f64",
    element: "one row (and column) of the square matrices",
    time: "O(n³)",
    memory: "24 n² bytes + up to 16 n KiB + 2 MiB for packing",
    sizes: Sizes { small: 330, medium: 960, large: 3_000 },
    in_place: false,
    buffer_bytes: |rows| matrix_bytes(rows).saturating_add(packing_bytes(rows)),
    prepare: |params| Box::new(MatmulTuned::new(params)),
};

/// The library packs panels of both factors, as deep as suits the first-level cache: 512 elements on
/// most CPUs, 1024 at most; and blocks for the second level.
fn packing_bytes(rows: u64) -> u64 {
    const DEPTH: u64 = 1024;
    rows.saturating_mul(2 * DEPTH * size_of::<f64>() as u64).saturating_add(2 * 1024 * 1024)
}

/// The most rows and columns that are multiplied at once: no checkpoint interrupts the library, and larger
/// tiles are hardly faster.
const MAX_TILE: usize = 1024;

/// The bits of an entry without its sign.
const BITS: u32 = 18;

struct MatmulTuned {
    rows: usize,
    a: Vec<f64>,
    b: Vec<f64>,
    product: Vec<f64>,
    /// What a tile may take.
    expected: Duration,
}

impl MatmulTuned {
    fn new(params: &Params) -> Self {
        let rows = params.len();
        let mut rng = input::rng(params.seed);
        let mut integer = || f64::from(rng.random_range(-(1i32 << BITS)..=1i32 << BITS));
        let mut matrix = || limits::made(rows * rows, &mut integer);
        let (a, b) = (matrix(), matrix());
        let mut new = Self { rows, a, b, product: limits::filled(0.0, rows * rows), expected: Duration::ZERO };
        new.expected = new.expected();
        new
    }

    /// The rows and columns of a tile: of equal tiles, each at most [`MAX_TILE`].
    fn tile(&self) -> usize {
        self.rows.div_ceil(self.rows.div_ceil(MAX_TILE))
    }

    /// What a tile may take, from what the product of small matrices takes the second time.
    fn expected(&mut self) -> Duration {
        const SAMPLE: usize = 64;
        let sample = self.rows.min(SAMPLE);
        let ratio = self.tile().div_ceil(sample) as u32;
        let mut multiply = || {
            let start = Instant::now();
            self.multiply(0..sample, 0..sample, 0..sample);
            start.elapsed()
        };
        multiply();
        multiply() * ratio.pow(3)
    }

    /// Sets a part of the product to a part of the sum; adds to it, unless it is the first part.
    fn multiply(&mut self, rows: Range<usize>, columns: Range<usize>, inner: Range<usize>) {
        let Self { rows: n, a, b, product, .. } = self;
        let n = *n;
        assert!([a.len(), b.len(), product.len()] == [n * n; 3]);
        assert!([&rows, &columns, &inner].iter().all(|range| range.start < range.end && range.end <= n));
        let stride = n as isize;
        let gemm = gemm_f64::gemm::f64::get_gemm_fn();
        // SAFETY: the three matrices have n rows of n elements, row by row, as the strides (of a
        // column, then of a row) say, and the parts lie within them. The product overlaps neither factor,
        // being borrowed mutably.
        unsafe {
            gemm(
                rows.len(),
                columns.len(),
                inner.len(),
                product.as_mut_ptr().add(rows.start * n + columns.start),
                1,
                stride,
                inner.start > 0,
                a.as_ptr().add(rows.start * n + inner.start),
                1,
                stride,
                b.as_ptr().add(inner.start * n + columns.start),
                1,
                stride,
                1.0,
                1.0,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
    }
}

impl Routine for MatmulTuned {
    fn run(&mut self) {
        let (n, tile) = (self.rows, self.tile());
        let tiles = || (0..n).step_by(tile).map(|start| start..n.min(start + tile));
        for rows in tiles() {
            for columns in tiles() {
                for inner in tiles() {
                    limits::reserve(self.expected);
                    self.multiply(rows.clone(), columns.clone(), inner);
                }
            }
        }
    }

    fn checksum(&self) -> u64 {
        checksum_of(self.product.iter().map(|value| (*value as i64).to_le_bytes()))
    }

    fn code_path(&self) -> Option<&'static str> {
        Some(code_path())
    }
}

/// As the library decides it.
#[cfg(target_arch = "x86_64")]
fn code_path() -> &'static str {
    if is_x86_feature_detected!("avx512f") {
        "avx512"
    } else if is_x86_feature_detected!("fma") {
        "fma"
    } else {
        "portable"
    }
}

/// As the library decides it.
#[cfg(target_arch = "aarch64")]
fn code_path() -> &'static str {
    "neon"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn equals_integer_arithmetic(rows in 1u64..150, seed: u64) {
            let mut matmul = MatmulTuned::new(&Params::random(rows, seed));
            matmul.run();
            let n = matmul.rows;
            for (index, &value) in matmul.product.iter().enumerate() {
                let (i, j) = (index / n, index % n);
                let sum: i64 = (0..n).map(|k| matmul.a[i * n + k] as i64 * matmul.b[k * n + j] as i64).sum();
                prop_assert_eq!(value, sum as f64);
            }
        }
    }

    /// The largest matrices that the largest function has memory for keep their sums below 2⁵³.
    #[test]
    fn sums_are_exact_at_every_size() {
        let rows = WORKLOAD.largest_within(10_240 * 1024 * 1024);
        assert!(rows.ilog2() + 1 + 2 * BITS <= 53, "{rows} rows");
    }
}
