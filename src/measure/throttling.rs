//! The fraction of time in which a thread did not run.

/// The fraction of wall time without CPU time; `None` if there are no times.
pub fn throttled_fraction(wall_ns: &[f64], cpu_ns: &[f64]) -> Option<f64> {
    let wall = wall_ns.iter().sum::<f64>();
    let cpu = cpu_ns.iter().sum::<f64>();
    (wall > 0.0).then(|| (1.0 - cpu / wall).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttling_is_wall_time_without_cpu_time() {
        assert_eq!(throttled_fraction(&[100.0, 100.0], &[80.0, 70.0]), Some(0.25));
        assert_eq!(throttled_fraction(&[100.0], &[101.0]), Some(0.0));
        assert_eq!(throttled_fraction(&[], &[]), None);
    }
}
