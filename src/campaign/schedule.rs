//! The order in which a block calls sides, cells and environments.

use super::{
    manifest::{Order, Plan},
    sides::Side,
};
use rand::{SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};

/// A call of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The side that is called.
    pub side: Side,
    /// The index in the plan of the cell whose payload is sent.
    pub cell: usize,
    /// The index of the environment of its side.
    pub slot: u32,
}

/// A step: calls that are sent together, in this order.
pub type Step = Vec<Call>;

/// The steps of a block: every environment of both sides gets every cell as many times as its weight, in an order that
/// depends only on the plan's seed and the number of the block.
pub fn block(plan: &Plan, number: u64, order: Order) -> Vec<Step> {
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    rng.set_stream(number);
    let visits = || plan.cells.iter().enumerate().flat_map(|(index, cell)| (0..cell.weight).map(move |_| index));
    let calls = |side, cell| (0..plan.environments).map(move |slot| Call { side, cell, slot });
    let of_both = |cell| Side::BOTH.into_iter().flat_map(move |side| calls(side, cell));
    let of_side = |side| visits().map(move |cell| calls(side, cell).collect());
    let mut steps: Vec<Step> = match order {
        Order::SeparateSteps => Side::BOTH.into_iter().flat_map(of_side).collect(),
        Order::JointSteps => visits().map(|cell| of_both(cell).collect()).collect(),
        Order::SingleCalls => visits().flat_map(of_both).map(|call| vec![call]).collect(),
    };
    steps.shuffle(&mut rng);
    if order == Order::JointSteps {
        steps.iter_mut().for_each(|step| step.shuffle(&mut rng));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::manifest::{Cell, Manifest};
    use proptest::prelude::*;
    use std::iter::zip;

    const ORDERS: [Order; 3] = [Order::SeparateSteps, Order::JointSteps, Order::SingleCalls];

    fn plan(seed: u64, weights: &[u32], environments: u32) -> Plan {
        let mut plan = Plan { seed, environments, ..Manifest::example().plan };
        let cell = &plan.cells[0];
        plan.cells =
            zip(0.., weights).map(|(n, &weight)| Cell { name: format!("{n}"), weight, ..cell.clone() }).collect();
        plan
    }

    proptest! {
        #[test]
        fn every_block_calls_every_environment_with_every_cell_by_weight(
            seed: u64,
            number: u64,
            weights in prop::collection::vec(1_u32..5, 1..6),
            environments in 1_u32..5,
        ) {
            for order in ORDERS {
                let plan = Plan { order, ..plan(seed, &weights, environments) };
                let steps = block(&plan, number, order);
                let calls: Vec<Call> = steps.iter().flatten().copied().collect();
                prop_assert_eq!(calls.len() as u64, plan.calls());
                let visits = weights.iter().sum::<u32>() as usize;
                let number_of_steps = match order {
                    Order::SeparateSteps => 2 * visits,
                    Order::JointSteps => visits,
                    Order::SingleCalls => calls.len(),
                };
                prop_assert_eq!(steps.len(), number_of_steps);
                for side in Side::BOTH {
                    for (cell, weight) in weights.iter().enumerate() {
                        for slot in 0..environments {
                            let count = calls.iter().filter(|call| **call == Call { side, cell, slot }).count();
                            prop_assert_eq!(count, *weight as usize);
                        }
                    }
                }
                prop_assert!(steps.iter().all(|step| step.iter().all(|call| call.cell == step[0].cell)));
                prop_assert_eq!(block(&plan, number, order), steps);
            }
        }
    }

    #[test]
    fn either_side_is_first_in_about_half_of_the_blocks() {
        let plan = plan(7, &[1], 3);
        for order in ORDERS {
            let is_first = |number: &u64| block(&plan, *number, order)[0][0].side == Side::Baseline;
            let first = (0..1000).filter(is_first).count();
            // 1000 fair coins lie outside of this once in 10^9.
            assert!((400..=600).contains(&first), "{order:?}: {first}");
        }
    }

    #[test]
    fn a_step_has_as_many_calls_as_its_order_says() {
        let plan = plan(7, &[1, 1], 4);
        let sizes = |order| block(&plan, 3, order).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(Order::SeparateSteps), [4; 4]);
        assert_eq!(sizes(Order::JointSteps), [8; 2]);
        assert_eq!(sizes(Order::SingleCalls), [1; 16]);
    }

    /// A campaign that was begun with one version may be continued with the next.
    #[test]
    fn the_order_of_a_seed_never_changes() {
        use Side::{Baseline as B, Candidate as C};
        let order = |number| {
            let steps = block(&plan(42, &[1, 2], 1), number, Order::SeparateSteps);
            steps.iter().map(|step| (step[0].side, step[0].cell)).collect::<Vec<_>>()
        };
        assert_eq!(order(0), [(B, 1), (B, 1), (C, 1), (C, 1), (C, 0), (B, 0)]);
        assert_eq!(order(1), [(B, 0), (C, 1), (C, 1), (C, 0), (B, 1), (B, 1)]);
    }
}
