use super::*;
use rand::{RngExt, SeedableRng, distr::Distribution, rngs::ChaCha8Rng};
use statrs::distribution::{ContinuousCDF, Normal};

const ONE_BY_ONE: Sampling = Sampling { clusters: Clusters::Environments, order: Order::SingleCalls, is_cold: false };
const IN_STEPS: Sampling =
    Sampling { clusters: Clusters::EnvironmentsAndBlocks, order: Order::JointSteps, is_cold: false };

/// Times of environments that differ by so much on the logarithmic scale, as do blocks, and single calls by 0.3. Such a
/// proportion of environments has a CPU that is 1.4 times slower.
#[derive(Clone, Copy, Debug)]
struct Fleet {
    environments: u32,
    blocks: u32,
    of_environments: f64,
    of_blocks: f64,
    slow: f64,
}

const SLOWER: f64 = 1.4;

impl Fleet {
    fn campaign(&self, rng: &mut ChaCha8Rng) -> Vec<Observation> {
        let standard = Normal::standard();
        let blocks: Vec<f64> = (0..self.blocks).map(|_| self.of_blocks * standard.sample(rng)).collect();
        let mut values = Vec::new();
        for environment in 0..self.environments {
            let cpu = if rng.random_range(0.0..1.0) < self.slow { SLOWER.ln() } else { 0.0 };
            let usual = self.of_environments * standard.sample(rng) + cpu;
            for (block, disturbance) in (0..).zip(&blocks) {
                let value = usual + disturbance + 0.3 * standard.sample(rng);
                values.push(Observation { environment, cell: 0, block, step: 0, value });
            }
        }
        values
    }

    /// The time that this proportion of all calls is above.
    fn limit(&self, above: f64) -> f64 {
        let spread = (self.of_environments.powi(2) + self.of_blocks.powi(2) + 0.09).sqrt();
        let of_cpu = |limit: f64, cpu: f64| Normal::standard().cdf((cpu - limit) / spread);
        first_beyond(|limit| (1.0 - self.slow) * of_cpu(limit, 0.0) + self.slow * of_cpu(limit, SLOWER.ln()) < above)
    }
}

/// In what proportion of campaigns the interval covers the truth, and in which one that takes calls for independent does.
fn coverage(fleet: &Fleet, truth: f64, sampling: Sampling) -> [f64; 2] {
    const RUNS: u32 = 500;
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let limit = fleet.limit(truth);
    let mut counts = [0, 0];
    for _ in 0..RUNS {
        let values = fleet.campaign(&mut rng);
        let found = ClusteredProportion::above(limit, truth, &values, sampling).unwrap();
        let interval = found.interval(CONFIDENCE, Looks::Once);
        let binomial = found.interval_of(found.calls, 1.0 - CONFIDENCE);
        let covers = |interval: Interval| interval.low <= truth && truth <= interval.high;
        counts[0] += u32::from(covers(interval));
        counts[1] += u32::from(covers(binomial));
    }
    counts.map(|count| f64::from(count) / f64::from(RUNS))
}

/// 500 campaigns have an error of 1 point.
#[test]
fn the_interval_covers_where_environments_differ_and_the_binomial_one_does_not() {
    let fleet = |environments, blocks, of_environments, of_blocks, slow| Fleet {
        environments,
        blocks,
        of_environments,
        of_blocks,
        slow,
    };
    for (fleet, truth, binomial) in [
        (fleet(8, 50, 0.2, 0.0, 0.0), 0.05, 0.65),
        (fleet(20, 30, 0.3, 0.0, 0.0), 0.01, 0.75),
        (fleet(20, 30, 0.2, 0.1, 0.0), 0.01, 0.9),
        (fleet(20, 30, 0.04, 0.0, 0.44), 0.05, 0.85),
        (fleet(60, 20, 0.0, 0.1, 0.0), 0.1, 0.8),
    ] {
        let sampling = if fleet.of_blocks > 0.0 { IN_STEPS } else { ONE_BY_ONE };
        let [covered, naive] = coverage(&fleet, truth, sampling);
        assert!(covered >= 0.93 && naive < binomial, "{fleet:?}, {truth}: {covered}, {naive}");
    }
    let alike = fleet(60, 20, 0.0, 0.0, 0.0);
    assert!(coverage(&alike, 0.01, ONE_BY_ONE)[0] >= 0.94);
}

/// Environments that make so many calls each, of which so many are above 1.
fn calls_above(of_environments: &[u32], calls: u32) -> Vec<Observation> {
    let of_environment = |(environment, above): (u32, &u32)| {
        let above = *above;
        (0..calls).map(move |block| {
            // No two are the same, so that there are quantiles.
            let value =
                f64::from(block) / 1e6 + f64::from(environment) / 1e9 + f64::from(u8::from(block < above)) * 2.0;
            Observation { environment, cell: 0, block, step: 0, value }
        })
    };
    (0..).zip(of_environments).flat_map(of_environment).collect()
}

#[test]
fn independent_calls_have_the_interval_of_clopper_and_pearson() {
    let found = ClusteredProportion::above(1.0, 0.05, &calls_above(&[1; 20], 50), ONE_BY_ONE).unwrap();
    assert_eq!((found.estimate, found.effective_calls, found.environments()), (0.02, 1000.0, 20));
    // With these 20 or more, and 20 or fewer of 1,000 calls have a probability of 2.5%.
    let Interval { low, high } = found.interval_of(1000.0, 0.05);
    assert!((low - 0.012_258_268).abs() < 1e-8 && (high - 0.030_720_033).abs() < 1e-8, "{low} {high}");
    let interval = found.interval(CONFIDENCE, Looks::Once);
    assert!(interval.low < low && interval.high > high, "20 environments leave it less certain");
    // (1.962/2.093)² of 1,000.
    assert!((found.independent_calls(0.05, Looks::Once) - 879.0).abs() < 1.0);
}

#[test]
fn calls_that_are_alike_count_for_less() {
    // One environment has all of them.
    let mut of_environments = [0; 20];
    of_environments[3] = 20;
    let found = ClusteredProportion::above(1.0, 0.05, &calls_above(&of_environments, 50), ONE_BY_ONE).unwrap();
    // V = 20/19·(Σ u²) with u = 19/1000 once and −1/1000 nineteen times; p(1 − p)/V = 0.0196/0.0004.
    assert!((found.effective_calls - 49.0).abs() < 1e-6, "{found:?}");
    let interval = found.interval(CONFIDENCE, Looks::Once);
    assert!(interval.low < 0.001 && interval.high > 0.1, "{interval:?}");
}

#[test]
fn none_above_the_limit_is_as_certain_as_calls_at_the_quantile_are_alike() {
    let above = |calls: &[Observation]| ClusteredProportion::above(3.0, 0.01, calls, ONE_BY_ONE).unwrap();
    let spread = above(&calls_above(&[1; 20], 50));
    assert_eq!((spread.estimate, spread.effective_calls), (0.0, 1000.0));
    let mut of_environments = [0; 20];
    of_environments[3] = 20;
    let alike = above(&calls_above(&of_environments, 50));
    assert!(alike.effective_calls < 150.0, "{alike:?}");
    let (spread, alike) = (spread.interval(CONFIDENCE, Looks::Once), alike.interval(CONFIDENCE, Looks::Once));
    assert!((spread.high - (1.0 - 0.025_f64.powf(1.0 / 879.0))).abs() < 1e-5, "{spread:?}");
    assert!(spread.low == 0.0 && alike.high > 0.02, "{alike:?}");
}

#[test]
fn an_interval_and_its_p_value_say_the_same() {
    let found =
        ClusteredProportion::above(1.0, 0.05, &calls_above(&[1, 0, 2, 1, 0, 3, 0, 1, 1, 2], 40), IN_STEPS).unwrap();
    for looks in [Looks::Once, Looks::EveryBlock(0.02)] {
        let Interval { low, high } = found.interval(CONFIDENCE, looks);
        assert!(found.p_value(low * 0.99, looks) < 0.05 && found.p_value(low * 1.01, looks) > 0.05);
        assert!(found.p_value(high * 1.01, looks) < 0.05 && found.p_value(high * 0.99, looks) > 0.05);
        assert_eq!(found.p_value(found.estimate, looks), 1.0);
    }
    let width = |looks| found.interval(CONFIDENCE, looks).half_width();
    assert!(width(Looks::EveryBlock(0.02)) > 1.2 * width(Looks::Once));
}

#[test]
fn as_many_environments_as_are_needed_are_enough() {
    let of = |environments: usize| {
        let calls = calls_above(&[0, 0, 0, 1].repeat(environments / 4), 50);
        ClusteredProportion::above(1.0, 0.01, &calls, ONE_BY_ONE).unwrap()
    };
    let excludes = |found: ClusteredProportion| found.p_value(0.01, Looks::Once) <= 0.05;
    let needed = of(20).environments_needed(0.01, CONFIDENCE, Looks::Once).unwrap();
    assert!(needed > 20 && !excludes(of(20)), "{needed}");
    assert!(excludes(of(needed as usize / 4 * 4 + 4)) && !excludes(of(needed as usize / 8 * 4)), "{needed}");
    assert_eq!(of(20).environments_needed(of(20).estimate, CONFIDENCE, Looks::Once), None);
}

#[test]
fn where_blocks_are_environments_there_may_be_any_number_of_them() {
    let needed = |sampling| {
        let found = ClusteredProportion::above(1.0, 1e-4, &calls_above(&[0; 900], 5), sampling).unwrap();
        (found.environments_needed(1e-4, CONFIDENCE, Looks::Once), found.is_disturbed())
    };
    // 36,887 calls, none of which is above the limit, have a probability of 2.5%.
    assert_eq!(needed(ONE_BY_ONE), (Some(7395), false));
    let cold = needed(Sampling { is_cold: true, ..IN_STEPS });
    assert!(cold.0 > Some(7395) && !cold.1, "{cold:?}");
    assert_eq!(needed(IN_STEPS), (None, true));
}

#[test]
fn few_environments_or_blocks_have_no_interval() {
    let has_any = |environments, calls| {
        ClusteredProportion::above(1.0, 0.05, &calls_above(&vec![1; environments], calls), ONE_BY_ONE).is_some()
    };
    assert!(has_any(8, 5) && !has_any(7, 5) && !has_any(8, 4));
}
