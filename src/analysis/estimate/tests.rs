//! What estimates must not depend on, and what they must agree with.

use super::{super::calibration::naive, *};
use crate::analysis::proportion::Proportion;
use proptest::prelude::*;

const INTERLEAVED: Model<'_> = Model { groups: Groups::CellsAndBlocks, clusters: Clusters::Environments, mixes: None };
const ONE_GROUP: Model<'_> = Model { groups: Groups::One, clusters: Clusters::EnvironmentsAndBlocks, mixes: None };
const BY_BLOCK: Model<'_> =
    Model { groups: Groups::CellsAndBlocks, clusters: Clusters::EnvironmentsAndBlocks, mixes: None };

fn difference(values: &Sides<Vec<Observation>>, model: Model<'_>) -> Option<Difference> {
    model.fit(values)?.difference()
}

/// Values of some environments in some blocks on each side.
fn values() -> impl Strategy<Value = Sides<Vec<Observation>>> {
    let observation = (0..6_u32, 0..8_u32, -3.0..3.0).prop_map(|(environment, block, value)| Observation {
        environment,
        cell: 0,
        block,
        step: 0,
        value,
    });
    let side = prop::collection::vec(observation, 0..60);
    (side.clone(), side).prop_map(|(baseline, candidate)| Sides { baseline, candidate })
}

fn assert_same(one: Option<Difference>, other: Option<Difference>) {
    match (one, other) {
        (Some(one), Some(other)) => {
            let close = |one: f64, other: f64| (one - other).abs() <= 1e-6 * (1.0 + one.abs());
            assert!(close(one.estimate, other.estimate), "{one:?} {other:?}");
            assert!(close(one.standard_error, other.standard_error), "{one:?} {other:?}");
        }
        (one, other) => assert_eq!(one.is_some(), other.is_some(), "{one:?} {other:?}"),
    }
}

proptest! {
    #[test]
    fn a_shift_of_both_sides_in_a_block_changes_nothing(values in values(), drift: [i8; 8]) {
        let moved = |call: &Observation| {
            Observation { value: call.value + f64::from(drift[call.block as usize]), ..*call }
        };
        let moved = values.map(|_, calls| calls.iter().map(moved).collect());
        assert_same(difference(&values, BY_BLOCK), difference(&moved, BY_BLOCK));
    }

    #[test]
    fn neither_the_order_of_calls_nor_their_number_matters(values in values(), seed: u64) {
        use rand::{SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let twice = values.map(|_, calls| {
            let mut twice = [calls.as_slice(), calls].concat();
            twice.shuffle(&mut rng);
            twice
        });
        assert_same(difference(&values, BY_BLOCK), difference(&twice, BY_BLOCK));
    }

    /// Environments that are in one group are dealt with all at once, others pair by pair.
    #[test]
    fn the_order_of_environments_does_not_matter(values in values(), model in prop::sample::select(vec![BY_BLOCK, ONE_GROUP])) {
        let renumbered = values.map(|_, calls| {
            let renumbered = |call: &Observation| Observation { environment: 9 - call.environment, ..*call };
            calls.iter().map(renumbered).collect::<Vec<_>>()
        });
        for variance in [Variance::Cr2, Variance::Cr3] {
            let found = [&values, &renumbered].map(|values| model.fit(values)?.difference_by(variance));
            let [Some(one), Some(other)] = found else { continue };
            let (one, other) = (one.degrees_of_freedom, other.degrees_of_freedom);
            prop_assert!((one / other - 1.0).abs() < 1e-4, "{} {}", one, other);
        }
    }

    /// As of measurements from elsewhere, of which each may have a block of its own.
    #[test]
    fn numbers_of_cells_and_blocks_do_not_matter(values in values()) {
        let in_cells = |cells: u32, blocks: u32| {
            let moved = |call: &Observation| Observation {
                cell: call.block % 2 * cells,
                block: call.block * blocks,
                ..*call
            };
            values.map(|_, calls| calls.iter().map(moved).collect::<Vec<_>>())
        };
        for model in [BY_BLOCK, INTERLEAVED, Model { groups: Groups::Cells, ..BY_BLOCK }] {
            assert_same(difference(&in_cells(1, 1), model), difference(&in_cells(9, 10_000), model));
        }
    }

    #[test]
    fn swapped_sides_give_the_opposite_difference(values in values()) {
        let Sides { baseline, candidate } = values.clone();
        let opposite = difference(&Sides { baseline: candidate, candidate: baseline }, BY_BLOCK);
        let opposite = opposite.map(|opposite| Difference { estimate: -opposite.estimate, ..opposite });
        assert_same(difference(&values, BY_BLOCK), opposite);
    }

    #[test]
    fn blocks_only_add_and_sources_are_all_of_the_variance(values in values()) {
        if let (Some(alone), Some(both)) = (difference(&values, INTERLEAVED), difference(&values, BY_BLOCK)) {
            prop_assert!(both.standard_error >= alone.standard_error, "{:?} {:?}", alone, both);
            prop_assert_eq!((both.estimate, both.blocks), (alone.estimate, alone.blocks));
            for found in [alone, both] {
                let Sources { environments, disturbances, calls, .. } = found.sources;
                prop_assert!(environments >= 0.0 && disturbances >= 0.0 && calls >= 0.0, "{:?}", found);
                let variance = found.standard_error.powi(2);
                prop_assert!((environments + disturbances + calls - variance).abs() <= 1e-9 * variance, "{:?}", found);
            }
        }
    }

    #[test]
    fn errors_are_finite_for_values_of_any_size(
        values in values(),
        scale in prop::sample::select(vec![0.0, 1e-300, 1e-9, 1e9, 1e100]),
    ) {
        let scaled = |call: &Observation| Observation { value: call.value * scale, ..*call };
        let scaled = values.map(|_, calls| calls.iter().map(scaled).collect::<Vec<_>>());
        for model in [BY_BLOCK, INTERLEAVED] {
            let Some(found) = difference(&scaled, model) else { continue };
            prop_assert!(found.estimate.is_finite() && found.standard_error.is_finite(), "{:?}", found);
            prop_assert!(found.degrees_of_freedom > 0.0, "{:?}", found);
        }
    }
}

/// Every environment in every block: then it is Welch's test on their means.
#[test]
fn where_nothing_is_missing_environments_are_compared_by_their_means() {
    let value = |side: f64, environment: u32, block: u32| {
        let spread = f64::from(environment * 7 % 5) * 0.03;
        1.0 + side * 0.1 + spread * (1.0 + side) + f64::from(block) * 0.5 + f64::from(environment * block % 3) * 0.01
    };
    let side = |side: f64| {
        let of_environment = move |environment| {
            (0..4).map(move |block| Observation {
                environment,
                cell: 0,
                block,
                step: 0,
                value: value(side, environment, block),
            })
        };
        (0..9).flat_map(of_environment).collect::<Vec<_>>()
    };
    let values = Sides { baseline: side(0.0), candidate: side(1.0) };
    let (found, welch) = (difference(&values, BY_BLOCK).unwrap(), naive::welch_of_environments(&values).unwrap());
    assert!((found.estimate - welch.estimate).abs() < 1e-12);
    // Nine environments a side, as if there were eight.
    let expected = welch.standard_error * (9.0_f64 / 8.0).sqrt();
    assert!((found.standard_error - expected).abs() < 1e-9, "{found:?} {welch:?}");
    let unbiased = BY_BLOCK.fit(&values).unwrap().difference_by(Variance::Cr2).unwrap();
    assert!((unbiased.standard_error - welch.standard_error).abs() < 1e-9, "{unbiased:?} {welch:?}");
    assert!((found.degrees_of_freedom - welch.degrees_of_freedom).abs() < 1e-6, "{found:?} {welch:?}");
}

#[test]
fn the_ratio_of_means_is_of_means_and_not_of_logarithms() {
    let side = |values: [f64; 4]| {
        let observation = |(environment, value)| Observation { environment, cell: 0, block: 0, step: 0, value };
        (0..).zip(values).map(observation).collect::<Vec<_>>()
    };
    let values = Sides { baseline: side([10.0, 10.0, 10.0, 30.0]), candidate: side([15.0, 15.0, 15.0, 15.0]) };
    let found = BY_BLOCK.fit(&values).unwrap().log_ratio_of_means().unwrap();
    assert!(found.estimate.abs() < 1e-12, "{found:?}");
    // The baseline's relative standard error is 5 of 15, of four as if there were three; the candidate has none.
    let expected = (4.0_f64 / 3.0).sqrt() / 3.0;
    assert!((found.standard_error - expected).abs() < 1e-3, "{found:?}");
}

#[test]
fn one_environment_says_nothing_about_others() {
    let side = |environments: u32| {
        let observation =
            |environment| Observation { environment, cell: 0, block: 0, step: 0, value: f64::from(environment) };
        (0..environments).map(observation).collect::<Vec<_>>()
    };
    assert_eq!(difference(&Sides { baseline: side(1), candidate: side(9) }, ONE_GROUP), None);
    assert_eq!(difference(&Sides { baseline: side(9), candidate: Vec::new() }, ONE_GROUP), None);
    assert!(difference(&Sides { baseline: side(2), candidate: side(2) }, ONE_GROUP).is_some());
}

/// In one block the candidate takes longer, in the other it takes less, and its environments agree.
#[test]
fn a_disturbance_of_one_side_in_a_block_counts_by_blocks() {
    let side = |disturbance: f64| {
        let value = |environment| {
            [disturbance, -disturbance].into_iter().zip(0..).map(move |(value, block)| Observation {
                environment,
                cell: 0,
                block,
                step: 0,
                value,
            })
        };
        (0..2).flat_map(value).collect::<Vec<_>>()
    };
    let values = Sides { baseline: side(0.0), candidate: side(1.0) };
    assert_eq!(difference(&values, INTERLEAVED).unwrap().standard_error, 0.0);
    let found = difference(&values, BY_BLOCK).unwrap();
    // Two differences, 1 and -1: their mean has the variance 2/2, with one degree of freedom.
    assert!((found.standard_error - 1.0).abs() < 1e-12 && (found.degrees_of_freedom - 1.0).abs() < 1e-12, "{found:?}");
    assert_eq!((found.blocks, found.sources.shares().unwrap().disturbances), (2, 1.0));
}

#[test]
fn neighbours_tell_what_disturbed_single_calls() {
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
    // So many calls in a row meet the same disturbance.
    let share = |stretch: u32, is_cold: bool| {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut values = Sides::<Vec<Observation>>::default();
        for block in 0..20 {
            let mut disturbance = 0.0;
            for step in 0..40 {
                if step % stretch == 0 {
                    disturbance = rng.random_range(-1.0..1.0);
                }
                let side = Side::BOTH[usize::from(rng.random_bool(0.5))];
                let environment = rng.random_range(0..10);
                let environment = if is_cold { block * 40 + step } else { environment };
                values[side].push(Observation { environment, cell: 0, block, step, value: disturbance });
            }
        }
        difference(&values, INTERLEAVED).unwrap().sources.shares().unwrap().disturbances
    };
    let [alone, in_stretches] = [1, 10].map(|stretch| share(stretch, false));
    assert!(alone < 0.1, "{alone}");
    assert!(in_stretches > 0.6, "{in_stretches}");
    // Also where every call has an environment of its own.
    let [alone, in_stretches] = [1, 10].map(|stretch| share(stretch, true));
    assert!(alone < 0.1, "{alone}");
    assert!(in_stretches > 0.6, "{in_stretches}");
}

/// Values of environments of three CPU models on each side, each model with its own time, and a census of them.
fn counted() -> impl Strategy<Value = (Sides<Vec<Observation>>, Sides<CpuMix>)> {
    let side =
        (prop::collection::vec((1..400_u32, 1..400_u32, 1..400_u32), 6), prop::collection::vec(-0.1..0.1, 9 * 5));
    let side = side.prop_map(|(rounds, noise)| {
        let value = |(index, noise): (usize, f64)| {
            let environment = (index / 5) as u32;
            let level = f64::from(environment % 3) * 0.3;
            Observation { environment, cell: 0, block: (index % 5) as u32, step: 0, value: level + noise }
        };
        let mix = CpuMix {
            of_environments: (0..9).map(|environment| Some(environment % 3)).collect(),
            rounds: rounds.into_iter().map(|(a, b, c)| vec![a, b, c]).collect(),
            ..CpuMix::default()
        };
        (noise.into_iter().enumerate().map(value).collect(), mix)
    });
    (side.clone(), side).prop_map(|((baseline, one), (candidate, other))| {
        (Sides { baseline, candidate }, Sides { baseline: one, candidate: other })
    })
}

proptest! {
    #[test]
    fn the_difference_of_counted_fleets_is_that_of_the_means_by_model((values, mixes) in counted()) {
        let found = difference(&values, Model { mixes: Some(&mixes), ..BY_BLOCK }).unwrap();
        prop_assert!(found.is_of_mix);
        let mean_of = |side: Side| {
            let of_model = |model: u32| {
                let calls: Vec<Observation> =
                    values[side].iter().copied().filter(|call| call.environment % 3 == model).collect();
                mean(&calls)
            };
            mixes[side].proportions().iter().zip(0..).map(|(p, model)| p * of_model(model)).sum::<f64>()
        };
        // Every environment is in every block.
        let expected = mean_of(Side::Candidate) - mean_of(Side::Baseline);
        prop_assert!((found.estimate - expected).abs() < 1e-9, "{:?} {}", found, expected);
        let Sources { environments, disturbances, calls, mix } = found.sources;
        let variance = found.standard_error.powi(2);
        prop_assert!(mix > 0.0 && (environments + disturbances + calls + mix - variance).abs() <= 1e-9 * variance);
        let means = Model { mixes: Some(&mixes), ..BY_BLOCK }.fit(&values).unwrap().means_of_fleets();
        prop_assert!((means.candidate - means.baseline - found.estimate).abs() < 1e-9, "{:?} {:?}", means, found);
    }

    #[test]
    fn swapped_fleets_give_the_opposite_difference((values, mixes) in counted()) {
        let Sides { baseline, candidate } = values.clone();
        let swapped = Sides { baseline: mixes.candidate.clone(), candidate: mixes.baseline.clone() };
        let found = difference(&values, Model { mixes: Some(&mixes), ..BY_BLOCK });
        let opposite = Sides { baseline: candidate, candidate: baseline };
        let opposite = difference(&opposite, Model { mixes: Some(&swapped), ..BY_BLOCK });
        assert_same(found, opposite.map(|opposite| Difference { estimate: -opposite.estimate, ..opposite }));
    }

    #[test]
    fn other_mixes_are_of_models_that_were_measured((values, mixes) in counted()) {
        let model = Model { mixes: Some(&mixes), ..BY_BLOCK };
        let fit = model.fit_by_mix(&values).unwrap();
        let fleets = |candidate: [f64; 4]| [Sides { baseline: vec![0.2, 0.3, 0.5], candidate: candidate.to_vec() }];
        let found = fit.differences_of_fleets(&[fleets([0.5, 0.5, 0.0, 0.0]), fleets([0.5, 0.0, 0.0, 0.5])]);
        let assumed = mixes.map(|side, mix| {
            let proportions = if side == Side::Baseline { vec![0.2, 0.3, 0.5] } else { vec![0.5, 0.5, 0.0] };
            CpuMix { assumed: proportions, ..mix.clone() }
        });
        let expected = difference(&values, Model { mixes: Some(&assumed), ..BY_BLOCK }).unwrap();
        prop_assert!((found[0].unwrap()[0].estimate - expected.estimate).abs() < 1e-9, "{:?} {:?}", found, expected);
        prop_assert_eq!(found[1], None);
    }

    #[test]
    fn one_model_a_side_is_no_mix((values, mixes) in counted(), _seed: u8) {
        let one = mixes.map(|_, mix| CpuMix {
            of_environments: vec![Some(0); 9],
            rounds: mix.rounds.iter().map(|round| vec![round.iter().sum()]).collect(),
            ..CpuMix::default()
        });
        let found = difference(&values, Model { mixes: Some(&one), ..INTERLEAVED }).unwrap();
        let unbiased = BY_BLOCK.fit(&values).unwrap().difference_by(Variance::Cr2).unwrap();
        prop_assert!(found.is_of_mix && found.sources.mix == 0.0);
        prop_assert!((found.estimate - unbiased.estimate).abs() < 1e-9);
        prop_assert!((found.standard_error - unbiased.standard_error).abs() < 1e-9);
    }
}

#[test]
fn rounds_that_disagree_widen_the_interval() {
    let mix = |rounds: [u32; 6]| CpuMix {
        of_environments: (0..9).map(|environment| Some(environment % 2)).collect(),
        rounds: rounds.into_iter().map(|slow| vec![100 - slow, slow]).collect(),
        ..CpuMix::default()
    };
    let side = || {
        let value = |index: u32| {
            let environment = index / 5;
            let scatter = f64::from(index * 7 % 11) * 0.01;
            Observation { environment, cell: 0, block: index % 5, step: 0, value: f64::from(environment % 2) + scatter }
        };
        (0..45).map(value).collect::<Vec<_>>()
    };
    let values = Sides { baseline: side(), candidate: side() };
    let of_mix = |rounds| {
        let mixes = Sides { baseline: mix(rounds), candidate: mix([50; 6]) };
        difference(&values, Model { mixes: Some(&mixes), ..BY_BLOCK }).unwrap().sources.mix
    };
    let (agreed, disagreed) = (of_mix([50; 6]), of_mix([20, 80, 20, 80, 20, 80]));
    // Two fleets of 600 environments, half of each of a CPU that takes 1 longer.
    let effect = (agreed * 599.0 / 0.25 / 2.0).sqrt();
    assert!((effect - 1.0).abs() < 0.02, "{effect}");
    // Six rounds of which each is 0.3 off: 0.09/6, as if there were five.
    let of_rounds = 0.09 / 6.0 * 6.0 / 5.0 * effect.powi(2);
    assert!((disagreed - agreed / 2.0 - of_rounds).abs() < 1e-6, "{agreed} {disagreed} {of_rounds}");
    let [agreed, disagreed] = [[50; 6], [20, 80, 20, 80, 20, 80]].map(|rounds| mix(rounds).proportion(1));
    assert_eq!((agreed, disagreed.estimate), (Proportion::new(300_u32, 600_u32), 0.5));
    // As if there were as many environments as make such a variance: p(1 − p)/n = 0.09/5.
    let n = 600.0 / (0.09 / 5.0 / (0.25 / 599.0));
    assert!((disagreed.low - Proportion::as_of(0.5, n).low).abs() < 1e-12, "{disagreed:?} {n}");
}
