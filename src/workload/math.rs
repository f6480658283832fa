//! Integer and floating-point arithmetic.

pub mod ed25519;
pub mod fft;
pub mod mandelbrot;
pub mod matmul;
pub mod matmul_tuned;
pub mod modpow;
pub mod monte_carlo;
pub mod nbody;
pub mod primes;
