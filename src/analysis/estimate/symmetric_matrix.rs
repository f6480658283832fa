//! Symmetric matrices of a few rows.

/// A symmetric matrix, of which the lower triangle is used.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SymmetricMatrix {
    size: usize,
    cells: Vec<f64>,
}

/// A matrix as LDLᵀ, with a lower triangular L that has a diagonal of 1 and a diagonal D.
#[derive(Debug)]
pub(super) struct Factors {
    size: usize,
    /// L below the diagonal, D on it.
    cells: Vec<f64>,
    is_regular: bool,
}

impl SymmetricMatrix {
    pub(super) fn zero(size: usize) -> Self {
        Self { size, cells: vec![0.0; size * size] }
    }

    /// Makes it equal to another one.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.size = other.size;
        self.cells.clone_from(&other.cells);
    }

    /// Adds `scale`·vvᵀ.
    pub(super) fn add_outer_product(&mut self, v: &[f64], scale: f64) {
        for (row, of_row) in self.cells.chunks_exact_mut(self.size.max(1)).enumerate() {
            let factor = v[row] * scale;
            of_row[..=row].iter_mut().zip(v).for_each(|(cell, v)| *cell += factor * v);
        }
    }

    pub(super) fn add_to_diagonal(&mut self, row: usize, value: f64) {
        self.cells[row * self.size + row] += value;
    }

    /// vᵀAv.
    pub(super) fn quadratic_form(&self, v: &[f64]) -> f64 {
        let off_diagonal = |row: usize| 2.0 * dot(&self.cells[row * self.size..][..row], &v[..row]) * v[row];
        (0..self.size).map(|row| self.cells[row * self.size + row] * v[row].powi(2) + off_diagonal(row)).sum()
    }

    fn column(&self, column: usize) -> Vec<f64> {
        let at = |row: usize| self.cells[row.max(column) * self.size + row.min(column)];
        (0..self.size).map(at).collect()
    }

    /// The matrix as LDLᵀ. It must be positive semidefinite, but for rounding: what is left on the diagonal is taken as no
    /// less than 10⁻⁹ of the diagonal of `whole`, which the matrix is a part of.
    pub(super) fn factor(mut self, whole: &Self) -> Factors {
        let size = self.size;
        let mut is_regular = true;
        for row in 0..size {
            for column in 0..=row {
                let products = (0..column)
                    .map(|k| self.cells[row * size + k] * self.cells[column * size + k] * self.cells[k * size + k]);
                let rest = self.cells[row * size + column] - products.sum::<f64>();
                self.cells[row * size + column] = if row == column {
                    let least = 1e-9 * whole.cells[row * size + row];
                    is_regular &= rest > least;
                    rest.max(least)
                } else {
                    rest / self.cells[column * size + column]
                };
            }
        }
        Factors { size, cells: self.cells, is_regular }
    }
}

impl Factors {
    /// Whether the matrix has an inverse.
    pub(super) fn is_regular(&self) -> bool {
        self.is_regular
    }

    /// The matrix, whose cells have no meaning any more.
    pub(super) fn into_space(self) -> SymmetricMatrix {
        SymmetricMatrix { size: self.size, cells: self.cells }
    }

    /// The solution x of LDLᵀx = v.
    pub(super) fn solve(&self, v: &[f64]) -> Vec<f64> {
        let mut x = v.to_vec();
        self.solve_in_place(&mut x);
        x
    }

    /// Replaces v by the solution x of LDLᵀx = v.
    pub(super) fn solve_in_place(&self, x: &mut [f64]) {
        let size = self.size;
        for row in 0..size {
            let known: f64 = (0..row).map(|k| self.cells[row * size + k] * x[k]).sum();
            x[row] -= known;
        }
        x.iter_mut().enumerate().for_each(|(row, x)| *x /= self.cells[row * size + row]);
        for row in (0..size).rev() {
            let known: f64 = (row + 1..size).map(|k| self.cells[k * size + row] * x[k]).sum();
            x[row] -= known;
        }
    }

    /// Makes `inverse` the inverse of LDLᵀ, row by row.
    pub(super) fn invert_into(&self, inverse: &mut Vec<f64>) {
        inverse.clear();
        inverse.resize(self.size * self.size, 0.0);
        for (row, of_row) in inverse.chunks_exact_mut(self.size.max(1)).enumerate() {
            of_row[row] = 1.0;
            self.solve_in_place(of_row);
        }
    }

    /// The trace of (LDLᵀ)⁻¹A.
    pub(super) fn trace_of_solution(&self, a: &SymmetricMatrix) -> f64 {
        (0..self.size).map(|column| self.solve(&a.column(column))[column]).sum()
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_solved() {
        let mut matrix = SymmetricMatrix::zero(3);
        for v in [[2.0, 1.0, 0.0], [0.0, 1.0, -1.0], [0.0, 0.0, 3.0]] {
            matrix.add_outer_product(&v, 0.5);
        }
        matrix.add_to_diagonal(1, 1.0);
        // ½·[[4, 2, 0], [2, 2, −1], [0, −1, 10]] with 1 more in the middle.
        let x = [1.0, -2.0, 0.5];
        let v = [2.0 - 2.0, 1.0 - 4.0 - 0.25, 1.0 + 2.5];
        let factors = matrix.clone().factor(&matrix);
        assert!(factors.is_regular());
        for (found, expected) in factors.solve(&v).iter().zip(x) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        let mut inverse = Vec::new();
        factors.invert_into(&mut inverse);
        for (row, expected) in inverse.chunks_exact(3).zip(x) {
            assert!((dot(row, &v) - expected).abs() < 1e-12, "{inverse:?}");
        }
        // xᵀ·v, which is xᵀAx.
        assert!((matrix.quadratic_form(&x) - dot(&x, &v)).abs() < 1e-12);
        // Each of the columns gives one of the unit matrix.
        assert!((factors.trace_of_solution(&matrix) - 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_singular_matrix_is_told() {
        let mut matrix = SymmetricMatrix::zero(2);
        matrix.add_outer_product(&[1.0, 2.0], 1.0);
        let factors = matrix.clone().factor(&matrix);
        assert!(!factors.is_regular() && factors.solve(&[1.0, 1.0]).iter().all(|x| x.is_finite()));
    }
}
