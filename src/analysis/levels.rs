//! Where values lie.

use super::{
    decision::MINIMUM_ENVIRONMENTS,
    interval::{Bounds, CONFIDENCE, mean_bounds},
    result::{Interval, Levels},
};
use crate::protocol::quantile;
use std::collections::BTreeSet;

/// How many environments these values are of.
pub(super) fn count_environments(environments: impl Iterator<Item = u32>) -> u32 {
    environments.collect::<BTreeSet<_>>().len() as u32
}

/// The levels of values, each with its environment; none of no values.
pub(super) fn levels(mut values: Vec<(u32, f64)>, is_geometric: bool) -> Option<Levels> {
    values.sort_unstable_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let on_scale = |value: f64| if is_geometric { value.ln() } else { value };
    let off_scale = |value: f64| if is_geometric { value.exp().min(f64::MAX) } else { value };
    let of_environment = values.chunk_by(|one, other| one.0 == other.0);
    let means: Vec<f64> =
        of_environment.map(|it| it.iter().map(|it| on_scale(it.1)).sum::<f64>() / it.len() as f64).collect();
    let mean = means.iter().sum::<f64>() / means.len() as f64;
    let bounds = mean_bounds(&means, CONFIDENCE).filter(|_| means.len() >= MINIMUM_ENVIRONMENTS as usize);
    let mut sorted: Vec<f64> = values.into_iter().map(|it| it.1).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    if sorted.is_empty() {
        return None;
    }
    let at = |share| quantile(&sorted, share);
    Some(Levels {
        mean: off_scale(mean),
        interval: bounds.map(|Bounds { low, high }| Interval { low: off_scale(low), high: off_scale(high) }),
        min: at(0.0),
        p50: at(0.5),
        p90: at(0.9),
        p95: at(0.95),
        p99: at(0.99),
        max: at(1.0),
    })
}
