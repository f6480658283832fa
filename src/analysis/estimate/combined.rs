//! Estimates that are combined, and the degrees of freedom of what comes out.

/// The standard error of the sum or difference of independent estimates, and its degrees of freedom (Welch 1947,
/// Satterthwaite 1946). Each part is a variance and its degrees of freedom.
pub(in super::super) fn welch(parts: &[(f64, f64)]) -> (f64, f64) {
    let variance: f64 = parts.iter().map(|(variance, _)| variance).sum();
    let degrees_of_freedom =
        if variance > 0.0 { satterthwaite(variance, parts) } else { parts.iter().map(|(_, freedom)| freedom).sum() };
    (variance.sqrt(), degrees_of_freedom)
}

/// The degrees of freedom of a variance V that is computed from parts, each a variance Vᵢ with its degrees of freedom dfᵢ
/// (Satterthwaite 1946): V²/Σ(Vᵢ²/dfᵢ).
pub(super) fn satterthwaite(variance: f64, parts: &[(f64, f64)]) -> f64 {
    // As shares of the variance, whose squares cannot overflow.
    1.0 / parts.iter().map(|(part, freedom)| (part / variance).powi(2) / freedom).sum::<f64>()
}
