//! Analyses of campaigns on a fleet of two CPUs, whose mix and truth are known, with a census.

use super::{
    analyze_samples::{Options, analyze},
    precision::Precision,
    result::PairAnalysis,
    samples::Samples,
    sides::{Side, Sides},
    verdict::Verdict,
    warning_kind::WarningKind,
};
use crate::campaign::{
    census::FleetVariances, manifest::Manifest, platform_report::PlatformReport, row::Row,
    stopping_rules::StoppingRule, variants::VariantIndex,
};
use rand::{Rng, RngExt, SeedableRng, distr::Distribution, rngs::ChaCha8Rng};
use statrs::distribution::Normal;

const FAST: &str = "Neoverse-V2";
const SLOW: &str = "Neoverse-N1";

/// How many times as long the slower CPU takes.
const SLOWER: f64 = 1.4;

/// A campaign of 20 blocks that call all environments.
#[derive(Clone, Copy)]
struct Fleet {
    /// The proportion of the slower CPU on each side.
    slow: Sides<f64>,
    /// The same when a census was taken.
    slow_in_census: Sides<f64>,
    /// The candidate's time on a CPU, over the baseline's on the same one.
    ratio: f64,
    environments: u32,
    counted: u32,
}

const FLEET: Fleet = Fleet {
    slow: Sides { baseline: 0.44, candidate: 0.44 },
    slow_in_census: Sides { baseline: 0.44, candidate: 0.44 },
    ratio: 1.0,
    environments: 12,
    counted: 1000,
};

fn variant(side: Side) -> VariantIndex {
    VariantIndex::first(2).nth(usize::from(side == Side::Candidate)).unwrap()
}

impl Fleet {
    /// The ratio of the fleets' geometric means.
    fn truth(&self) -> f64 {
        self.ratio * SLOWER.powf(self.slow.candidate - self.slow.baseline)
    }

    fn samples(&self, rng: &mut impl Rng) -> Samples {
        let (mut samples, normal) = (Samples::new(2), Normal::standard());
        for side in Side::BOTH {
            let ratio = if side == Side::Candidate { self.ratio } else { 1.0 };
            let environments: Vec<(f64, &str)> = (0..self.environments)
                .map(|_| {
                    let is_slow = rng.random_bool(self.slow[side]);
                    let (cpu, model) = if is_slow { (SLOWER, SLOW) } else { (1.0, FAST) };
                    (100.0 * ratio * cpu * f64::exp(0.04 * normal.sample(rng)), model)
                })
                .collect();
            for block in 0..20 {
                for (number, (usual_ms, model)) in environments.iter().enumerate() {
                    let duration_ms = usual_ms * f64::exp(0.05 * normal.sample(rng));
                    samples.add(&Row {
                        block,
                        variant: variant(side),
                        cold: Some(false),
                        latency_ns: 1_000_000_000,
                        environment: Some(format!("{side} {number}")),
                        cpu_model: Some((*model).to_owned()),
                        report: Some(PlatformReport { duration_ms: Some(duration_ms), ..PlatformReport::default() }),
                        ..Row::example()
                    });
                }
            }
            for number in 0..self.counted {
                let model = if rng.random_bool(self.slow_in_census[side]) { SLOW } else { FAST };
                samples.variants[variant(side)].count_environment(
                    (0, number / 100),
                    &format!("counted {number}"),
                    model,
                );
            }
        }
        samples
    }

    fn pair(&self, rng: &mut impl Rng) -> PairAnalysis {
        analyze(&Manifest::example(), &self.samples(rng), &Options::default()).comparisons.remove(0)
    }
}

/// In how many of 200 campaigns the interval covers the truth, and how often each verdict is given.
fn campaigns(fleet: &Fleet) -> (u32, u32, u32) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut covered, mut faster, mut slower) = (0, 0, 0);
    for _ in 0..200 {
        let headline = fleet.pair(&mut rng).headline.unwrap();
        let interval = headline.ratio.unwrap().interval.unwrap();
        covered += u32::from(!interval.excludes(fleet.truth()));
        faster += u32::from(headline.verdict == Verdict::Faster);
        slower += u32::from(headline.verdict == Verdict::Slower);
    }
    (covered, faster, slower)
}

#[test]
fn verdicts_on_counted_fleets_are_right_as_often_as_stated() {
    // 190 of 200 are covered on average, and 180 or fewer in one of 600 runs.
    let (covered, faster, slower) = campaigns(&FLEET);
    assert!(covered > 180 && faster + slower < 20, "{covered} {faster} {slower}");
    // The same code on both sides, but other fleets: the candidate's mean is 8.8% longer, of which 12 environments tell
    // nothing by themselves.
    let slow = Sides { baseline: 0.35, candidate: 0.60 };
    let other_mix = Fleet { slow, slow_in_census: slow, ..FLEET };
    let (covered, faster, slower) = campaigns(&other_mix);
    assert!(covered > 180 && faster == 0 && slower > 180, "{covered} {faster} {slower}");
    let (_, _, without) = campaigns(&Fleet { counted: 0, ..other_mix });
    assert!(without < 80, "{without}");
}

#[test]
fn what_the_variance_comes_from_is_told_for_each_environment() {
    let (mut rng, manifest) = (ChaCha8Rng::seed_from_u64(3), Manifest::example());
    let variances = (0..100).map(|_| {
        let precision = Precision { manifest: manifest.clone(), samples: FLEET.samples(&mut rng), target: 0.02 };
        precision.fleet_variances()
    });
    // Hardly any has met one of its CPUs less than twice.
    let variances: Vec<FleetVariances> = variances.flatten().collect();
    let count = variances.len() as f64;
    assert!(count > 90.0);
    let within = variances.iter().map(|variances| variances.within_models).sum::<f64>() / count;
    let between = variances.iter().map(|variances| variances.between_models).sum::<f64>() / count;
    // Of two fleets, with 20 calls in each environment.
    let expected = 2.0 * (0.04_f64.powi(2) + 0.05_f64.powi(2) / 20.0);
    assert!((0.85..1.25).contains(&(within / expected)), "{within} {expected}");
    let expected = 2.0 * SLOWER.ln().powi(2) * 0.44 * 0.56;
    // Rounds that disagree by chance add to it, and those that agree take nothing away.
    assert!((1.0..1.35).contains(&(between / expected)), "{between} {expected}");
    // Without a census nothing tells them apart.
    let samples = Fleet { counted: 0, ..FLEET }.samples(&mut rng);
    assert_eq!(Precision { manifest, samples, target: 0.02 }.fleet_variances(), None);
}

#[test]
fn both_intervals_are_told_and_the_means_are_those_of_the_fleet() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let slow = Sides { baseline: 0.5, candidate: 0.5 };
    let fleet = Fleet { environments: 40, slow, slow_in_census: slow, ratio: 0.9, ..FLEET };
    let pair = fleet.pair(&mut rng);
    let headline = pair.headline.as_ref().unwrap();
    let half_width = |ratio: crate::analysis::result::Ratio| ratio.interval.unwrap().map(f64::ln).half_width();
    let (with, without) = (half_width(headline.ratio.unwrap()), half_width(headline.without_census.unwrap()));
    assert!(with < 0.03 && without > 0.06, "{with} {without}");
    assert!(headline.sources.unwrap().mix > 0.2);
    let baseline = headline.statistics.baseline.unwrap();
    let expected = 100.0 * SLOWER.sqrt();
    assert!((baseline.mean / expected).ln().abs() < 0.03, "{baseline:?} {expected}");
    assert!(!baseline.interval.unwrap().excludes(expected));
    let facts = &pair.sides.baseline;
    assert_eq!(facts.census.unwrap().environments, 1000);
    let counted: u32 = facts.cpus.iter().map(|cpu| cpu.counted.unwrap().environments).sum();
    assert_eq!(counted, 1040);
    assert!(facts.unseen.unwrap() < 0.003);
}

#[test]
fn a_census_of_another_mix_is_not_used() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let slow_in_census = Sides { baseline: 0.44, candidate: 0.1 };
    let pair = Fleet { environments: 60, slow_in_census, ..FLEET }.pair(&mut rng);
    let headline = pair.headline.as_ref().unwrap();
    assert!(headline.without_census.is_none() && headline.ratio.unwrap().interval.is_some());
    let drifted = pair.warnings.iter().find(|warning| warning.kind == WarningKind::CensusDrifted).unwrap();
    assert_eq!(drifted.side, Some(Side::Candidate));
    assert!(pair.sides.candidate.census.unwrap().has_drifted && !pair.sides.baseline.census.unwrap().has_drifted);
}

#[test]
fn models_that_were_hardly_measured_are_told() {
    // By the seed, both environments of the slower CPU are of the baseline, and the candidate has one or none.
    let warned = |proportion: f64| {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let slow = Sides { baseline: 0.0, candidate: 0.0 };
        let slow_in_census = Sides { baseline: 0.0, candidate: proportion };
        let pair = Fleet { slow, slow_in_census, ..FLEET }.pair(&mut rng);
        let text =
            pair.warnings.iter().find(|warning| warning.kind == WarningKind::UnmeasuredCpus).unwrap().text.clone();
        let interval = pair.headline.as_ref().unwrap().ratio.unwrap().interval.unwrap();
        (text, interval.map(f64::ln).half_width(), pair.headline.unwrap().without_census.is_some())
    };
    let (text, wide, is_used) = warned(0.03);
    assert!(text.contains(SLOW) && text.contains("Intervals are wider by ±") && is_used, "{text}");
    let (text, narrow, is_used) = warned(0.08);
    assert!(text.contains("the census is not used") && !is_used, "{text}");
    // By 3% of the fleet, which takes twice as long at worst.
    assert!(wide - narrow > 0.01 && wide - narrow < 0.03, "{wide} {narrow}");
}

#[test]
fn what_another_mix_would_make_is_told_for_every_proportion() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let slow = Sides { baseline: 0.5, candidate: 0.3 };
    let pair = Fleet { environments: 40, slow, slow_in_census: slow, ratio: 0.9, ..FLEET }.pair(&mut rng);
    let [baseline, candidate] = pair.mix_scenarios.as_slice() else { panic!("{:?}", pair.mix_scenarios) };
    assert_eq!((candidate.side, candidate.model.as_str()), (Side::Candidate, SLOW));
    assert_eq!((baseline.side, baseline.points.len()), (Side::Baseline, 51));
    assert!((candidate.now - 0.3).abs() < 0.05);
    // From the fast CPU alone to the slow one alone the candidate takes 1.4 times as long.
    let [first, last] = [candidate.points[0], candidate.points[50]];
    assert_eq!((first.proportion, last.proportion), (0.0, 1.0));
    assert!((last.ratio.estimate / first.ratio.estimate / SLOWER).ln().abs() < 0.04, "{first:?} {last:?}");
    assert_eq!((first.verdict, last.verdict), (Verdict::Faster, Verdict::Slower));
    assert!(candidate.points.windows(2).all(|pair| pair[0].ratio.estimate < pair[1].ratio.estimate));
}
