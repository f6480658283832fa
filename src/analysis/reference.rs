//! The estimators beside SciPy and R, whose values are in `tests/reference`.

use super::{
    calibration::naive,
    estimate::{self, Clusters, CpuMix, Difference, Groups, Model, Observation, Variance},
    interval::{CONFIDENCE, Looks, mean_interval, upper_quantile},
    proportion::{Proportion, unseen},
    verdict::holm,
};
use crate::analysis::sides::{Side, Sides};
use serde::{Deserialize, de::DeserializeOwned};
use statrs::distribution::{Normal, StudentsT};

const OBSERVATIONS: &str = include_str!("../../tests/reference/observations.csv");
const SCIPY: &str = include_str!("../../tests/reference/scipy.json");
const R: &str = include_str!("../../tests/reference/r.csv");
const DISTURBANCES: &str = include_str!("../../tests/reference/disturbances.csv");
const CENSUS: &str = include_str!("../../tests/reference/census.csv");
const TWO_PHASE: &str = include_str!("../../tests/reference/two_phase.csv");
const HOLM: &str = include_str!("../../tests/reference/holm.csv");

#[derive(Deserialize)]
struct Scipy {
    students: Vec<Student>,
    normals: Vec<NormalTail>,
    shares: Vec<CountedProportion>,
    welch_of_invocations: Test,
    welch_of_environments: Test,
    yuen: Test,
    mean_of_baseline: Mean,
}

#[derive(Deserialize)]
struct Student {
    df: f64,
    tail: f64,
    quantile: f64,
    p: f64,
}

#[derive(Deserialize)]
struct NormalTail {
    tail: f64,
    quantile: f64,
}

#[derive(Deserialize)]
struct CountedProportion {
    count: u32,
    total: u32,
    low: f64,
    high: f64,
    unseen: f64,
}

#[derive(Deserialize)]
struct Test {
    statistic: f64,
    p: f64,
    df: f64,
    low: Option<f64>,
    high: Option<f64>,
}

#[derive(Deserialize)]
struct Mean {
    means: Vec<f64>,
    low: f64,
    high: f64,
}

fn scipy() -> Scipy {
    serde_json::from_str(SCIPY).unwrap()
}

fn observations() -> Sides<Vec<Observation>> {
    let mut values = Sides::<Vec<Observation>>::default();
    for (side, environment, block, value) in rows::<(Side, u32, u32, f64)>(OBSERVATIONS) {
        values[side].push(Observation { environment, cell: 0, block, step: 0, value });
    }
    values
}

fn rows<T: DeserializeOwned>(csv: &str) -> Vec<T> {
    csv::Reader::from_reader(csv.as_bytes()).deserialize().collect::<Result<_, _>>().unwrap()
}

#[track_caller]
fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance * expected.abs().max(1e-300), "{found} is not {expected}");
}

#[test]
fn quantiles_and_p_values_are_those_of_scipy() {
    for Student { df, tail, quantile, p } in scipy().students {
        assert_close(upper_quantile(&StudentsT::new(0.0, 1.0, df).unwrap(), tail), quantile, 1e-6);
        let difference =
            Difference { estimate: 2.5, standard_error: 1.0, degrees_of_freedom: df, ..Difference::default() };
        assert_close(difference.p_value(0.0, Looks::Once), p, 1e-9);
    }
    for NormalTail { tail, quantile } in scipy().normals {
        assert_close(upper_quantile(&Normal::standard(), tail), quantile, 1e-9);
    }
}

#[test]
fn shares_are_those_of_scipy() {
    for CountedProportion { count, total, low, high, unseen: largest } in scipy().shares {
        let share = Proportion::new(count, total);
        assert!((share.low - low).abs() < 1e-12 && (share.high - high).abs() < 1e-12, "{share:?} {low} {high}");
        assert_close(unseen(total), largest, 1e-9);
    }
}

#[test]
fn tests_on_means_are_those_of_scipy() {
    let (scipy, values) = (scipy(), observations());
    for (found, expected) in [
        (naive::welch_of_invocations(&values), scipy.welch_of_invocations),
        (naive::welch_of_environments(&values), scipy.welch_of_environments),
        (naive::trimmed(&values), scipy.yuen),
    ] {
        let found = found.unwrap();
        assert_close(found.estimate / found.standard_error, expected.statistic, 1e-9);
        assert_close(found.degrees_of_freedom, expected.df, 1e-9);
        assert_close(found.p_value(0.0, Looks::Once), expected.p, 1e-8);
        if let (Some(low), Some(high)) = (expected.low, expected.high) {
            let interval = found.interval(CONFIDENCE, Looks::Once);
            assert!((interval.low - low).abs() < 1e-9 && (interval.high - high).abs() < 1e-9, "{interval:?}");
        }
    }
    let Mean { means, low, high } = scipy.mean_of_baseline;
    let interval = mean_interval(&means, CONFIDENCE).unwrap();
    assert!((interval.low - low).abs() < 1e-9 && (interval.high - high).abs() < 1e-9, "{interval:?}");
}

/// One value for each environment and block, as R has them.
fn observations_of_r() -> Sides<Vec<Observation>> {
    observations().map(|_, values| {
        let of_block = values.chunk_by(|one, other| (one.environment, one.block) == (other.environment, other.block));
        of_block.map(|calls| Observation { value: estimate::mean(calls), ..calls[0] }).collect()
    })
}

#[test]
fn the_fit_and_its_errors_are_those_of_club_sandwich() {
    let unbalanced = observations_of_r();
    let mut number = 0;
    let cold = unbalanced.map(|_, values| {
        let of_its_own = |call: &Observation| {
            number += 1;
            Observation { environment: number, ..*call }
        };
        values.iter().map(of_its_own).collect()
    });
    for (name, estimate, standard_error, degrees_of_freedom) in rows::<(String, f64, f64, f64)>(R) {
        let values = if name.starts_with("cold") { &cold } else { &unbalanced };
        let variance = if name.ends_with("CR2") { Variance::Cr2 } else { Variance::Cr3 };
        let model = Model { groups: Groups::CellsAndBlocks, clusters: Clusters::Environments, mixes: None };
        let fit = model.fit(values).unwrap();
        let found = fit.difference_by(variance).unwrap();
        assert_close(found.estimate, estimate, 1e-9);
        assert_close(found.standard_error, standard_error, 1e-6);
        assert_close(found.degrees_of_freedom, degrees_of_freedom, 1e-6);
        if variance == Variance::Cr3 {
            assert_eq!(fit.difference().unwrap().standard_error, found.standard_error);
        }
    }
}

#[test]
fn the_variance_by_blocks_is_that_of_r() {
    let model = |clusters| Model { groups: Groups::CellsAndBlocks, clusters, mixes: None };
    for (name, v_block, v_both, freedom_of_v_block) in rows::<(String, f64, f64, f64)>(DISTURBANCES) {
        let values = observations_of_r().map(|side, values| {
            let step = if side == Side::Baseline { 7 } else { 14 };
            let is_disturbed = name != "undisturbed";
            let disturbance = |block: u32| if is_disturbed { 0.05 * f64::from(block * step % 5) } else { 0.0 };
            let disturbed =
                values.iter().map(|call| Observation { value: call.value + disturbance(call.block), ..*call });
            let in_second_cell = |call: &Observation| Observation {
                cell: 1,
                value: 0.5 * call.value + 0.02 * f64::from(call.environment * call.block % 3),
                ..*call
            };
            let has_second_cell =
                |call: &&Observation| name == "two cells" && !(call.environment + call.block).is_multiple_of(4);
            disturbed.chain(values.iter().filter(has_second_cell).map(in_second_cell)).collect::<Vec<_>>()
        });
        let alone = model(Clusters::Environments).fit(&values).unwrap().difference().unwrap();
        let found = model(Clusters::EnvironmentsAndBlocks).fit(&values).unwrap().difference().unwrap();
        let (v_environment, excess) = (alone.standard_error.powi(2), (v_block - v_both).max(0.0));
        assert_close(found.sources.calls, v_both, 1e-6);
        assert_close(found.sources.environments, v_environment - v_both, 1e-6);
        assert!((found.sources.disturbances - excess).abs() < 1e-9, "{:?} {excess}", found.sources);
        assert_eq!(excess > 0.0, name != "undisturbed");
        let variance = v_environment + excess;
        assert_close(found.standard_error, variance.sqrt(), 1e-6);
        let share = |part: f64, freedom: f64| (part / variance).powi(2) / freedom;
        let freedom = match excess {
            0.0 => alone.degrees_of_freedom,
            _ => 1.0 / (share(v_environment, alone.degrees_of_freedom) + share(v_block, freedom_of_v_block)),
        };
        assert_close(found.degrees_of_freedom, freedom, 1e-6);
    }
}

#[test]
fn the_means_of_counted_fleets_are_those_of_survey() {
    let (mut values, mut mixes) = (Sides::<Vec<Observation>>::default(), Sides::<CpuMix>::default());
    for (side, environment, cpu, value) in rows::<(Side, u32, char, Option<f64>)>(CENSUS) {
        let (mix, model) = (&mut mixes[side], cpu as u16 - u16::from(b'a'));
        mix.of_environments.push(Some(model));
        mix.called.resize(3, 0);
        mix.rounds.resize(1, vec![0; 3]);
        // Which of the two it is makes no difference.
        let counts = if value.is_some() { &mut mix.called } else { &mut mix.rounds[0] };
        counts[usize::from(model)] += 1;
        values[side].extend(value.map(|value| Observation { environment, cell: 0, block: 0, step: 0, value }));
    }
    let model = Model { groups: Groups::One, clusters: Clusters::Environments, mixes: Some(&mixes) };
    let found = model.fit(&values).unwrap().difference().unwrap();
    let (estimate, standard_error) = rows::<(f64, f64)>(TWO_PHASE)[0];
    assert_close(found.estimate, estimate, 1e-9);
    // R divides some of the sums of squares by the number that was counted, and this project by one less.
    assert_close(found.standard_error, standard_error, 0.002);
    assert!(found.sources.mix > 0.1 * found.standard_error.powi(2) && found.bias == 0.0);
}

#[test]
fn holms_adjustment_is_that_of_r() {
    let (p_values, adjusted): (Vec<f64>, Vec<f64>) = rows::<(f64, f64)>(HOLM).into_iter().unzip();
    for (found, expected) in holm(&p_values).into_iter().zip(adjusted) {
        assert_close(found, expected, 1e-12);
    }
}
