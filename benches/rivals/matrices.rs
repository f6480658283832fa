//! Products of square matrices of f64, row by row.

use crate::Rival;
use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};
use lambda_duet::workload::{Params, Routine, checksum_of, input};
use rand::RngExt;

pub static OF_REALS: [Rival; 2] = [
    Rival::new("matrixmultiply", |params| Product::of_reals(params, matrixmultiply)),
    Rival::new("faer", |params| Product::of_reals(params, faer)),
];
pub static OF_INTEGERS: [Rival; 2] = [
    Rival::new("matrixmultiply", |params| Product::of_integers(params, matrixmultiply)),
    Rival::new("faer", |params| Product::of_integers(params, faer)),
];

/// Writes the product of the first two to the third; each has as many rows and columns as the first says.
type Multiply = fn(usize, &[f64], &[f64], &mut [f64]);

fn matrixmultiply(n: usize, a: &[f64], b: &[f64], product: &mut [f64]) {
    assert!([a.len(), b.len(), product.len()] == [n * n; 3]);
    let stride = n as isize;
    // SAFETY: all three have n rows of n elements, as the strides (of a row, then of a column) say, and
    // the product overlaps neither factor, being borrowed mutably.
    unsafe {
        matrixmultiply::dgemm(
            n,
            n,
            n,
            1.0,
            a.as_ptr(),
            stride,
            1,
            b.as_ptr(),
            stride,
            1,
            0.0,
            product.as_mut_ptr(),
            stride,
            1,
        );
    }
}

fn faer(n: usize, a: &[f64], b: &[f64], product: &mut [f64]) {
    let (a, b) = (MatRef::from_row_major_slice(a, n, n), MatRef::from_row_major_slice(b, n, n));
    matmul(MatMut::from_row_major_slice_mut(product, n, n), Accum::Replace, a, b, 1.0, Par::Seq);
}

struct Product {
    n: usize,
    a: Vec<f64>,
    b: Vec<f64>,
    product: Vec<f64>,
    multiply: Multiply,
    checksum: fn(&Self) -> u64,
}

impl Product {
    /// As `math/matmul` makes its input.
    fn of_reals(params: &Params, multiply: Multiply) -> Box<dyn Routine> {
        let mut rng = input::rng(params.seed);
        Self::boxed(params, input::reals(&mut rng), multiply, Self::checksum_of_reals)
    }

    /// As `math/matmul-tuned` makes its input.
    fn of_integers(params: &Params, multiply: Multiply) -> Box<dyn Routine> {
        let mut rng = input::rng(params.seed);
        let integer = || f64::from(rng.random_range(-(1i32 << 18)..=1 << 18));
        Self::boxed(params, integer, multiply, Self::checksum_of_integers)
    }

    fn boxed(
        params: &Params,
        mut element: impl FnMut() -> f64,
        multiply: Multiply,
        checksum: fn(&Self) -> u64,
    ) -> Box<dyn Routine> {
        let n = params.elements as usize;
        let mut matrix = || (0..n * n).map(|_| element()).collect();
        Box::new(Self { n, a: matrix(), b: matrix(), product: vec![0.0; n * n], multiply, checksum })
    }

    /// Libraries add in an order of their own, and so round otherwise than the workload: the checksum is
    /// that of sums in ascending order, from which the library's must hardly differ.
    fn checksum_of_reals(&self) -> u64 {
        let mut sums = vec![0.0; self.product.len()];
        for (row, sums) in self.a.chunks_exact(self.n).zip(sums.chunks_exact_mut(self.n)) {
            for (factor, b_row) in row.iter().zip(self.b.chunks_exact(self.n)) {
                sums.iter_mut().zip(b_row).for_each(|(sum, value)| *sum += factor * value);
            }
        }
        let close = |(sum, value): (&f64, &f64)| (sum - value).abs() < 1e-9;
        assert!(sums.iter().zip(&self.product).all(close), "the product is wrong");
        checksum_of(sums.iter().map(|sum: &f64| sum.to_bits().to_le_bytes()))
    }

    fn checksum_of_integers(&self) -> u64 {
        checksum_of(self.product.iter().map(|value| (*value as i64).to_le_bytes()))
    }
}

impl Routine for Product {
    fn run(&mut self) {
        (self.multiply)(self.n, &self.a, &self.b, &mut self.product);
    }

    fn checksum(&self) -> u64 {
        (self.checksum)(self)
    }
}
