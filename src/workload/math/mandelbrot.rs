//! The Mandelbrot set by escape time, one point after the other.
//!
//! Every step needs the result of the one before, and how many steps there are is not known before:
//! the compiler finds nothing to vectorize. The seed moves the image by a fraction of a point.

use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, input, limits};

pub const WORKLOAD: Workload = Workload {
    name: "math/mandelbrot",
    implementation: Implementation::Textbook,
    vectorization: Vectorization::Scalar,
    summary: "computes a square image of the Mandelbrot set by escape time",
    stresses: "latency of scalar floating-point add and multiply",
    difference: "a chain of dependent additions and multiplications: cycles of latency times clock rate; no \
                 vectors, no memory, hardly a misprediction",
    source: "A. Douady and J. H. Hubbard (1982); A. K. Dewdney, Scientific American (August 1985)",
    element: "one row (and column) of the image",
    time: "O(n²)",
    memory: "2 n² bytes",
    sizes: Sizes { small: 68, medium: 360, large: 2_100 },
    in_place: false,
    buffer_bytes: |rows| rows.saturating_mul(rows).saturating_mul(size_of::<u16>() as u64),
    prepare: |params| Box::new(Mandelbrot::new(params)),
};

/// Steps after which a point counts as one of the set.
const MAX_STEPS: u16 = 256;

/// The points between two checkpoints, in rows.
const POINTS: usize = 4096;

struct Mandelbrot {
    rows: usize,
    /// How far the image is moved, in points.
    offset: f64,
    steps: Vec<u16>,
}

impl Mandelbrot {
    fn new(params: &Params) -> Self {
        let rows = params.len();
        let mut rng = input::rng(params.seed);
        let offset = input::reals(&mut rng)();
        Self { rows, offset, steps: limits::filled(0, rows * rows) }
    }
}

impl Routine for Mandelbrot {
    fn run(&mut self) {
        // From −2 to 0.5 and from −1.25 to 1.25.
        let scale = 2.5 / self.rows as f64;
        let mut pace = limits::Pace::every((POINTS / self.rows).max(1) as u32);
        for (row, steps) in self.steps.chunks_exact_mut(self.rows).enumerate() {
            pace.step();
            let im = (row as f64 + self.offset) * scale - 1.25;
            for (column, steps) in steps.iter_mut().enumerate() {
                *steps = escape_time((column as f64 + self.offset) * scale - 2.0, im);
            }
        }
    }

    fn checksum(&self) -> u64 {
        // The offset tells small images apart that look the same.
        let offset = (self.offset * 32_768.0) as i16;
        checksum_of(self.steps.iter().map(|steps| steps.to_le_bytes()).chain([offset.to_le_bytes()]))
    }
}

/// The steps of z ← z² + c after which |z| passes 2, at most [`MAX_STEPS`].
fn escape_time(c_re: f64, c_im: f64) -> u16 {
    let (mut re, mut im) = (0.0, 0.0);
    for steps in 0..MAX_STEPS {
        let (re_squared, im_squared) = (re * re, im * im);
        if re_squared + im_squared > 4.0 {
            return steps;
        }
        im = 2.0 * re * im + c_im;
        re = re_squared - im_squared + c_re;
    }
    MAX_STEPS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_points_are_inside_and_outside() {
        for (re, im) in [(0.0, 0.0), (-1.0, 0.0), (0.25, 0.0), (-0.1, 0.74)] {
            assert_eq!(escape_time(re, im), MAX_STEPS, "{re} + {im}i");
        }
        assert_eq!(escape_time(2.0, 2.0), 1);
        assert_eq!(escape_time(1.0, 0.0), 3); // 0, 1, 2, 5
    }

    #[test]
    fn the_area_is_that_of_the_set() {
        let mut image = Mandelbrot::new(&Params::random(600, 1));
        image.run();
        let inside = image.steps.iter().filter(|steps| **steps == MAX_STEPS).count();
        let area = inside as f64 / 360_000.0 * 2.5 * 2.5;
        assert!((1.5..1.56).contains(&area), "{area}"); // 1.5066, and what 256 steps do not tell apart
    }
}
