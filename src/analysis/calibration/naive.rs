//! The tests of other tools: they take calls for independent, or leave out blocks.

use super::super::estimate::{self, Difference, Observation, last_block, mean};
use crate::analysis::sides::Sides;

/// Welch's t test (1947) on the means of environments.
pub fn welch_of_environments(values: &Sides<Vec<Observation>>) -> Option<Difference> {
    let moments = values.map(|_, values| {
        // The observations of an environment follow each other.
        let environments = values.chunk_by(|one, other| one.environment == other.environment);
        Moments::from_values(&environments.map(mean).collect::<Vec<_>>())
    });
    welch(&moments, values)
}

/// Welch's t test on all values.
pub fn welch_of_invocations(values: &Sides<Vec<Observation>>) -> Option<Difference> {
    let moments = values.map(|_, values| Moments::from_values(&values.iter().map(|it| it.value).collect::<Vec<_>>()));
    welch(&moments, values)
}

/// The test of Yuen (1974) on means without a fifth of the values at each end.
pub fn trimmed(values: &Sides<Vec<Observation>>) -> Option<Difference> {
    let moments = values.map(|_, values| {
        let mut sorted: Vec<f64> = values.iter().map(|it| it.value).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let cut = sorted.len() / 5;
        let kept = (sorted.len() - 2 * cut) as f64;
        let mean = sorted[cut..sorted.len() - cut].iter().sum::<f64>() / kept;
        let last = sorted.len() - 1 - cut;
        let winsorized: Vec<f64> = (0..sorted.len()).map(|index| sorted[index.clamp(cut, last)]).collect();
        let squares = Moments::from_values(&winsorized).variance * (sorted.len() as f64 - 1.0);
        // As if there were `kept` values with this variance.
        Moments { mean, variance: squares / (kept - 1.0), count: kept }
    });
    welch(&moments, values)
}

struct Moments {
    mean: f64,
    variance: f64,
    count: f64,
}

impl Moments {
    fn from_values(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { mean, variance, count }
    }
}

fn welch(moments: &Sides<Moments>, values: &Sides<Vec<Observation>>) -> Option<Difference> {
    if moments.iter().any(|(_, side)| side.count < 2.0) {
        return None;
    }
    let part = |side: &Moments| (side.variance / side.count, side.count - 1.0);
    let (standard_error, degrees_of_freedom) = estimate::welch(&[part(&moments.baseline), part(&moments.candidate)]);
    Some(Difference {
        estimate: moments.candidate.mean - moments.baseline.mean,
        standard_error,
        degrees_of_freedom,
        environments: values
            .map(|_, values| values.iter().map(|value| value.environment + 1).max().unwrap_or_default()),
        blocks: last_block(values).map_or(0, |last| last + 1),
        ..Difference::default()
    })
}
