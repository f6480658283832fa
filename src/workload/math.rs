//! Integer and floating-point arithmetic.

pub mod matmul;
pub mod primes;
