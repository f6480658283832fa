//! The fast Fourier transform of complex numbers, radix 2, from one buffer to the other.
//!
//! The twiddle factors are made beforehand, with the sine and cosine of the `libm` crate, which are
//! the same to the last bit everywhere; what is timed adds, subtracts and multiplies. Stockham's
//! order needs no bit reversal and leaves the input alone. A signal whose length is no power of two
//! is followed by zeros up to the next one.

use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, input, limits};
use std::{f64::consts::TAU, ops};

pub const WORKLOAD: Workload = Workload {
    name: "math/fft",
    implementation: Implementation::Textbook,
    vectorization: Vectorization::Autovectorized,
    summary: "transforms a complex f64 signal with the radix-2 fast Fourier transform",
    stresses: "floating-point add and multiply next to strided streams of memory",
    difference: "the butterflies are vectorized with 256 bits for the x86_64 target CPU and 128 bits for the \
                 arm64 one; large signals wait for memory on both",
    source: "J. W. Cooley and J. W. Tukey (1965), in the self-sorting order of T. Stockham (1966)",
    element: "one complex sample",
    time: "O(n log n)",
    memory: "56 to 112 n bytes, by the next power of two",
    sizes: Sizes { small: 1 << 17, medium: 1 << 20, large: 1 << 24 },
    in_place: false,
    buffer_bytes: |samples| {
        let padded = samples.checked_next_power_of_two().unwrap_or(u64::MAX);
        padded.saturating_mul((3 * size_of::<Complex>() + size_of::<Complex>() / 2) as u64)
    },
    prepare: |params| Box::new(Fft::new(params)),
};

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Complex {
    re: f64,
    im: f64,
}

impl ops::Add for Complex {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }
}

impl ops::Sub for Complex {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }
}

impl ops::Mul for Complex {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }
}

struct Fft {
    input: Vec<Complex>,
    /// exp(−2πi k/n) for k below n/2.
    twiddles: Vec<Complex>,
    output: Vec<Complex>,
    scratch: Vec<Complex>,
}

impl Fft {
    fn new(params: &Params) -> Self {
        let len = params.len().next_power_of_two();
        let mut input = limits::vec_with_capacity(len);
        let mut rng = input::rng(params.seed);
        let mut real = input::reals(&mut rng);
        input.extend((0..params.len()).map(|_| Complex { re: real(), im: real() }));
        Self::from_input(input)
    }

    fn from_input(mut input: Vec<Complex>) -> Self {
        let len = input.len().next_power_of_two();
        input.resize(len, Complex::default());
        let mut angles = (0..len / 2).map(|k| -TAU * k as f64 / len as f64);
        let twiddles = limits::made(len / 2, || {
            let (sin, cos) = libm::sincos(angles.next().expect("there is one for each"));
            Complex { re: cos, im: sin }
        });
        let zeros = || limits::filled(Complex::default(), len);
        Self { twiddles, output: zeros(), scratch: zeros(), input }
    }
}

impl Routine for Fft {
    fn run(&mut self) {
        let Self { input, twiddles, output, scratch } = self;
        let passes = input.len().trailing_zeros();
        // The buffers take turns so that the last pass ends in the output.
        let (mut to, mut from) = if passes % 2 == 1 { (output, scratch) } else { (scratch, output) };
        if passes == 0 {
            from.copy_from_slice(input);
            return;
        }
        pass(input, to, twiddles, 1);
        for pass_index in 1..passes {
            (to, from) = (from, to);
            pass(from, to, twiddles, 1 << pass_index);
        }
    }

    fn checksum(&self) -> u64 {
        let bytes = |value: f64| value.to_bits().to_le_bytes();
        checksum_of(self.output.iter().flat_map(|value| [bytes(value.re), bytes(value.im)]))
    }
}

/// One pass of Stockham's transform: butterflies over `stride` interleaved sequences, a group of them for
/// each twiddle factor. There is a checkpoint for each block of butterflies, which is of whole groups or a
/// part of one.
fn pass(from: &[Complex], to: &mut [Complex], twiddles: &[Complex], stride: usize) {
    let (first, second) = from.split_at(from.len() / 2);
    let block = limits::BLOCK.min(first.len());
    for (start, (first, second)) in (0..).step_by(block).zip(first.chunks(block).zip(second.chunks(block))) {
        limits::checkpoint();
        if stride <= block {
            let groups = first.chunks_exact(stride).zip(second.chunks_exact(stride));
            let targets = to[2 * start..][..2 * block].chunks_exact_mut(2 * stride);
            for (((first, second), target), &twiddle) in
                groups.zip(targets).zip(twiddles[start..].iter().step_by(stride))
            {
                let (sums, differences) = target.split_at_mut(stride);
                butterflies(first, second, twiddle, sums, differences);
            }
        } else {
            let (group, offset) = (start - start % stride, start % stride);
            let (sums, differences) = to[2 * group..][..2 * stride].split_at_mut(stride);
            let part = offset..offset + block;
            butterflies(first, second, twiddles[group], &mut sums[part.clone()], &mut differences[part]);
        }
    }
}

fn butterflies(
    first: &[Complex],
    second: &[Complex],
    twiddle: Complex,
    sums: &mut [Complex],
    differences: &mut [Complex],
) {
    for (((&a, &b), sum), difference) in first.iter().zip(second).zip(sums).zip(differences) {
        *sum = a + b;
        *difference = (a - b) * twiddle;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prepared(elements: u64, seed: u64) -> Fft {
        Fft::new(&Params::random(elements, seed))
    }

    fn transform(input: Vec<Complex>) -> Vec<Complex> {
        let mut fft = Fft::from_input(input);
        fft.run();
        fft.output
    }

    /// The definition, in O(n²).
    fn dft(input: &[Complex]) -> Vec<Complex> {
        let n = input.len();
        let term = |j: usize, k: usize| {
            let (im, re) = libm::sincos(-TAU * ((j * k) % n) as f64 / n as f64);
            input[j] * Complex { re, im }
        };
        (0..n).map(|k| (0..n).fold(Complex::default(), |sum, j| sum + term(j, k))).collect()
    }

    fn assert_close(a: &[Complex], b: &[Complex], tolerance: f64) {
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(b) {
            assert!((a.re - b.re).abs() < tolerance && (a.im - b.im).abs() < tolerance, "{a:?} is not {b:?}");
        }
    }

    #[test]
    fn equals_the_definition() {
        for elements in [1, 2, 3, 4, 7, 8, 64, 100, 128] {
            let mut fft = prepared(elements, elements);
            fft.run();
            assert_close(&fft.output, &dft(&fft.input), 1e-11);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn inverts(elements in 1u64..3000, seed: u64) {
            let mut fft = prepared(elements, seed);
            fft.run();
            let n = fft.input.len() as f64;
            let conjugate = |value: &Complex| Complex { re: value.re, im: -value.im };
            let back = transform(fft.output.iter().map(conjugate).collect());
            let back: Vec<_> = back.iter().map(|value| Complex { re: value.re / n, im: -value.im / n }).collect();
            assert_close(&back, &fft.input, 1e-12);
        }
    }
}
