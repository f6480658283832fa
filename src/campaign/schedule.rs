//! In which order a block visits sides and cells.

use super::{manifest::Plan, sides::Side};
use rand::{SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};

/// A step: one side gets one cell's payload, in as many environments as the plan says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Who is called.
    pub side: Side,
    /// With which cell's payload, as its place in the plan.
    pub cell: usize,
}

/// The steps of the block with this number: every side and cell as often as the cell's weight says, in
/// an order that follows from the plan's seed and the number alone.
pub fn block(plan: &Plan, number: u64) -> Vec<Step> {
    let visits = |side| {
        let cells = plan.cells.iter().enumerate();
        cells.flat_map(move |(cell, it)| (0..it.weight).map(move |_| Step { side, cell }))
    };
    let mut steps: Vec<Step> = Side::BOTH.into_iter().flat_map(visits).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    rng.set_stream(number);
    steps.shuffle(&mut rng);
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{Auth, manifest::Cell};
    use proptest::prelude::*;

    fn plan(seed: u64, weights: &[u32]) -> Plan {
        let cell = |(index, weight): (usize, &u32)| Cell {
            name: index.to_string(),
            weight: *weight,
            workload: None,
            payload: String::new(),
            guess_ms: 0.0,
        };
        Plan {
            seed,
            environments: 1,
            cold: false,
            concurrent: true,
            cells: weights.iter().enumerate().map(cell).collect(),
            pace_ms: 0,
            timeout_ms: 1,
            auth: Auth::None,
            compare_output: false,
            ignore: Vec::new(),
            environment: None,
            cpu_model: None,
            variables: Vec::new(),
        }
    }

    proptest! {
        #[test]
        fn every_block_visits_every_side_and_cell_by_weight(
            seed: u64,
            number: u64,
            weights in prop::collection::vec(1_u32..5, 1..6),
        ) {
            let plan = plan(seed, &weights);
            let steps = block(&plan, number);
            prop_assert_eq!(steps.len() as u64, plan.steps());
            for side in Side::BOTH {
                for (cell, weight) in weights.iter().enumerate() {
                    let visits = steps.iter().filter(|step| **step == Step { side, cell }).count();
                    prop_assert_eq!(visits, *weight as usize);
                }
            }
            prop_assert_eq!(block(&plan, number), steps);
        }
    }

    #[test]
    fn either_side_is_first_in_about_half_of_the_blocks() {
        let plan = plan(7, &[1]);
        let first = (0..1000).filter(|number| block(&plan, *number)[0].side == Side::Baseline).count();
        // 1000 fair coins lie outside of this once in 10^9.
        assert!((400..=600).contains(&first), "{first}");
    }

    /// A campaign that was begun with one version may be continued with the next.
    #[test]
    fn the_order_is_the_same_for_ever() {
        use Side::{Baseline as B, Candidate as C};
        let order = |number| block(&plan(42, &[1, 2]), number).iter().map(|it| (it.side, it.cell)).collect::<Vec<_>>();
        assert_eq!(order(0), [(B, 1), (B, 1), (C, 1), (C, 1), (C, 0), (B, 0)]);
        assert_eq!(order(1), [(B, 0), (C, 1), (C, 1), (C, 0), (B, 1), (B, 1)]);
    }
}
