//! The mean of one side's values, with the uncertainty that environments and disturbances leave: that of [`super::difference`]
//! where there is nothing to compare with, so that no block has a mean of its own.

use super::{
    Clusters,
    difference::Difference,
    disturbances::Disturbances,
    disturbed,
    values::{Observation, by_environment, in_order, mean},
};
use crate::analysis::sides::Sides;

/// What values weigh in a mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weights {
    /// All environments weigh the same.
    Environments,
    /// All calls weigh the same.
    Calls,
}

impl Weights {
    /// w: what each of the calls of one environment weighs.
    fn of_call(self, calls: &[Observation]) -> f64 {
        match self {
            Self::Environments => 1.0 / calls.len() as f64,
            Self::Calls => 1.0,
        }
    }
}

/// The mean of the values of one side in one cell, as its difference from 0.
///
/// None if fewer than two environments answered, so that nothing tells how uncertain the mean is.
pub fn mean_of_side(values: &[Observation], weights: Weights, clusters: Clusters) -> Option<Difference> {
    let ordered = in_order(values);
    let environments: Vec<&[Observation]> = by_environment(&ordered).collect();
    if environments.len() < 2 {
        return None;
    }
    let weighted = |calls: &&[Observation]| (weights.of_call(calls) * calls.len() as f64, mean(calls));
    let parts: Vec<(f64, f64)> = environments.iter().map(weighted).collect();
    let total: f64 = parts.iter().map(|(weight, _)| weight).sum();
    let estimate = parts.iter().map(|(weight, mean)| weight * mean).sum::<f64>() / total;
    let count = environments.len() as f64;
    let squares = parts.iter().map(|(weight, mean)| (weight * (mean - estimate) / total).powi(2));
    let v_environment = count / (count - 1.0) * squares.sum::<f64>();
    let disturbances = disturbances(environments, weights, estimate, total);
    let found = Difference {
        estimate,
        standard_error: v_environment.sqrt(),
        degrees_of_freedom: count - 1.0,
        environments: Sides { baseline: count as u32, candidate: count as u32 },
        blocks: disturbances.blocks,
        ..Difference::default()
    };
    Some(match clusters {
        // What disturbs a moment meets single calls, and is their scatter.
        Clusters::Environments => found,
        Clusters::EnvironmentsAndBlocks => disturbed(found, &disturbances),
    })
}

/// V_block and V_both, as those of a difference: an environment's own mean is taken out first.
fn disturbances(environments: Vec<&[Observation]>, weights: Weights, estimate: f64, total: f64) -> Disturbances {
    let last = environments.iter().copied().flatten().map(|call| call.block).max().unwrap_or_default();
    // The sum of u, and of the weights.
    let mut blocks = vec![(0.0, 0.0); last as usize + 1];
    let mut v_both = 0.0;
    for calls in environments {
        let (weight, usual) = (weights.of_call(calls), mean(calls));
        for visit in calls.chunk_by(|one, other| one.block == other.block) {
            let h = visit.len() as f64 / calls.len() as f64;
            let deviation = if h < 1.0 { (mean(visit) - usual) / (1.0 - h).sqrt() } else { mean(visit) - estimate };
            let share = weight * visit.len() as f64 / total;
            let (u, sum) = &mut blocks[visit[0].block as usize];
            *u += share * deviation;
            *sum += share;
            v_both += (share * deviation).powi(2);
        }
    }
    let squares: f64 = blocks.iter().map(|(_, weight)| weight.powi(4)).sum();
    let sum: f64 = blocks.iter().map(|(_, weight)| weight.powi(2)).sum();
    Disturbances {
        v_block: blocks.iter().map(|(u, _)| u.powi(2)).sum(),
        v_both,
        degrees_of_freedom: (sum.powi(2) / squares - 1.0).max(0.1),
        blocks: blocks.iter().filter(|(_, weight)| *weight > 0.0).count() as u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::interval::{CONFIDENCE, Looks, mean_interval};

    fn observation(environment: u32, block: u32, value: f64) -> Observation {
        Observation { environment, cell: 0, block, step: 0, value }
    }

    #[test]
    fn environments_weigh_the_same_or_calls_do() {
        let values = [(0, 0, 1.0), (0, 1, 3.0), (0, 2, 5.0), (1, 0, 7.0)].map(|(e, b, value)| observation(e, b, value));
        let mean = |weights| mean_of_side(&values, weights, Clusters::Environments).unwrap();
        let (of_environments, of_calls) = (mean(Weights::Environments), mean(Weights::Calls));
        assert_eq!((of_environments.estimate, of_calls.estimate), (5.0, 4.0));
        // The means are 3 and 7: their standard error is 2, as that of the interval of a report.
        assert_eq!((of_environments.standard_error, of_environments.degrees_of_freedom), (2.0, 1.0));
        let of_report = mean_interval(&[3.0, 7.0], CONFIDENCE).unwrap();
        assert_eq!(of_environments.interval(CONFIDENCE, Looks::Once), of_report);
        assert_eq!((of_environments.environments.candidate, of_environments.blocks), (2, 3));
        // u is −3/4 and 3/4.
        assert!((of_calls.standard_error - 1.5).abs() < 1e-12, "{of_calls:?}");
        assert_eq!(mean_of_side(&values[..3], Weights::Calls, Clusters::Environments), None);
    }

    #[test]
    fn what_blocks_have_in_common_widens_the_interval() {
        // Each block is slower or faster by 1, and environments are all alike.
        let of_block = |block: u32| if block.is_multiple_of(2) { 1.0 } else { -1.0 };
        let values: Vec<Observation> =
            (0..80).map(|index| observation(index % 8, index / 8, of_block(index / 8))).collect();
        let mean = |clusters| mean_of_side(&values, Weights::Environments, clusters).unwrap();
        assert_eq!(mean(Clusters::Environments).standard_error, 0.0);
        let disturbed = mean(Clusters::EnvironmentsAndBlocks);
        // That of ten values of ±1 around 0, but for what would be chance: an eighth of it counts as that of calls.
        assert!((disturbed.standard_error - 1.0 / 3.0).abs() < 1e-9, "{disturbed:?}");
        assert!((disturbed.degrees_of_freedom - 9.0).abs() < 1e-9);
        assert!(disturbed.sources.disturbances > 0.0);
    }
}
