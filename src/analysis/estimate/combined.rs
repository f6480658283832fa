//! Estimates that are combined, and the degrees of freedom of what comes out.

/// The standard error of the sum or difference of independent estimates, each with its variance and the degrees of
/// freedom of that, and its own degrees of freedom (Welch 1947, Satterthwaite 1946).
pub(in super::super) fn welch(parts: &[(f64, f64)]) -> (f64, f64) {
    let variance: f64 = parts.iter().map(|(variance, _)| variance).sum();
    let degrees_of_freedom =
        if variance > 0.0 { satterthwaite(variance, parts) } else { parts.iter().map(|(_, freedom)| freedom).sum() };
    (variance.sqrt(), degrees_of_freedom)
}

/// The degrees of freedom of a variance that is computed from these ones, each with its own (Satterthwaite 1946).
pub(super) fn satterthwaite(variance: f64, parts: &[(f64, f64)]) -> f64 {
    // As shares, whose squares are never beyond all numbers.
    1.0 / parts.iter().map(|(part, freedom)| (part / variance).powi(2) / freedom).sum::<f64>()
}
