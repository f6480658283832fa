//! The order in which a block calls variants, cells and environments.

use super::{
    manifest::{Order, Plan},
    variants::VariantIndex,
};
use rand::{SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};

/// A call of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The variant that is called.
    pub variant: VariantIndex,
    /// The index in the plan of the cell whose payload is sent.
    pub cell: usize,
    /// The index of the environment of its variant.
    pub slot: u32,
}

/// A step: calls that are sent together, in this order.
pub type Step = Vec<Call>;

/// The steps of a block: every environment of these variants gets every cell as many times as its weight, in an order
/// that depends only on the variants, the plan's seed and the number of the block.
pub fn block(plan: &Plan, variants: &[VariantIndex], number: u64, order: Order) -> Vec<Step> {
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    rng.set_stream(number);
    let visits = || plan.cells.iter().enumerate().flat_map(|(index, cell)| (0..cell.weight).map(move |_| index));
    let calls = |variant, cell| (0..plan.environments).map(move |slot| Call { variant, cell, slot });
    let of_all = |cell| variants.iter().flat_map(move |variant| calls(*variant, cell));
    let of_one = |variant: &VariantIndex| visits().map(move |cell| calls(*variant, cell).collect()).collect::<Vec<_>>();
    let mut steps: Vec<Step> = match order {
        Order::SeparateSteps => variants.iter().flat_map(of_one).collect(),
        Order::JointSteps => visits().map(|cell| of_all(cell).collect()).collect(),
        Order::SingleCalls => visits().flat_map(of_all).map(|call| vec![call]).collect(),
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
            variants in 2_usize..5,
        ) {
            for order in ORDERS {
                let plan = Plan { order, ..plan(seed, &weights, environments) };
                let variants: Vec<_> = VariantIndex::first(variants).collect();
                let steps = block(&plan, &variants, number, order);
                let calls: Vec<Call> = steps.iter().flatten().copied().collect();
                prop_assert_eq!(calls.len() as u64, variants.len() as u64 * plan.calls_of_variant());
                let visits = weights.iter().sum::<u32>() as usize;
                let number_of_steps = match order {
                    Order::SeparateSteps => variants.len() * visits,
                    Order::JointSteps => visits,
                    Order::SingleCalls => calls.len(),
                };
                prop_assert_eq!(steps.len(), number_of_steps);
                for &variant in &variants {
                    for (cell, weight) in weights.iter().enumerate() {
                        for slot in 0..environments {
                            let count = calls.iter().filter(|call| **call == Call { variant, cell, slot }).count();
                            prop_assert_eq!(count, *weight as usize);
                        }
                    }
                }
                prop_assert!(steps.iter().all(|step| step.iter().all(|call| call.cell == step[0].cell)));
                prop_assert_eq!(block(&plan, &variants, number, order), steps);
            }
        }
    }

    #[test]
    fn either_variant_is_first_in_about_half_of_the_blocks() {
        let plan = plan(7, &[1], 3);
        for order in ORDERS {
            let is_first = |number: &u64| {
                block(&plan, &VariantIndex::both(), *number, order)[0][0].variant == VariantIndex::both()[0]
            };
            let first = (0..1000).filter(is_first).count();
            // 1000 fair coins lie outside of this once in 10^9.
            assert!((400..=600).contains(&first), "{order:?}: {first}");
        }
    }

    #[test]
    fn a_step_has_as_many_calls_as_its_order_says() {
        let plan = plan(7, &[1, 1], 4);
        let sizes = |order| block(&plan, &VariantIndex::both(), 3, order).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(Order::SeparateSteps), [4; 4]);
        assert_eq!(sizes(Order::JointSteps), [8; 2]);
        assert_eq!(sizes(Order::SingleCalls), [1; 16]);
    }

    /// A campaign that was begun with one version may be continued with the next.
    #[test]
    fn the_order_of_a_seed_never_changes() {
        let [b, c] = VariantIndex::both();
        let order = |number| {
            let steps = block(&plan(42, &[1, 2], 1), &VariantIndex::both(), number, Order::SeparateSteps);
            steps.iter().map(|step| (step[0].variant, step[0].cell)).collect::<Vec<_>>()
        };
        assert_eq!(order(0), [(b, 1), (b, 1), (c, 1), (c, 1), (c, 0), (b, 0)]);
        assert_eq!(order(1), [(b, 0), (c, 1), (c, 1), (c, 0), (b, 1), (b, 1)]);
    }
}
