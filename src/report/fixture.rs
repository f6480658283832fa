//! A campaign as it might come out, for tests of every output format.

use super::{
    document::Block,
    terminal::{WIDTH, full},
};
use crate::analysis::sides::{Side, Sides};
use crate::{
    analysis::{
        estimate::Sources,
        proportion::{Proportion, unseen},
        result::{
            Analysis, CellAnalysis, Census, ColdShare, ColdShareSource, ColdStarts, Comparison, Cost,
            CountedProportion, CpuComparison, CpuProportion, Distribution, Interval, Measure, Method, MixPoint,
            MixScenario, Money, PairAnalysis, Provenance, Ratio, SCHEMA, SeriesPoint, SummaryStatistics, VariantFacts,
            VolumeSource,
        },
        tried_function::TriedFunction,
        verdict::Verdict,
        warning_kind::{Warning, WarningKind},
    },
    campaign::{
        import::{Columns, EnvironmentNames, Format, Import, ImportedMeasure},
        manifest::Order,
    },
    protocol::Architecture,
};
use anstream::adapter::strip_str;
use statrs::distribution::{ContinuousCDF, Normal};
use std::{cmp::Reverse, collections::BTreeMap, iter, slice};

const OLD: &str = "Neoverse-N1";
const NEW: &str = "Neoverse-V1";
const XEON: &str = "Intel(R) Xeon(R) Processor @ 2.50GHz";
const FOREVER: f64 = 1e6;

/// A name, the baseline's time, the ratio, the half-width of its logarithm, the verdict.
type Sketch = (&'static str, f64, f64, f64, Verdict);

const CELLS: [Sketch; 6] = [
    ("math/matmul", 41.8, 0.742, 0.028, Verdict::Faster),
    ("math/primes", 12.4, 0.905, 0.031, Verdict::Faster),
    ("sorting/merge", 63.5, 0.861, 0.035, Verdict::Faster),
    ("sorting/quick", 55.1, 1.002, 0.014, Verdict::Equivalent),
    ("string/json", 8.7, 1.021, 0.058, Verdict::Inconclusive),
    ("string/regex", 23.9, 1.134, 0.044, Verdict::Slower),
];

/// All of a document on a terminal without styles, which it fits.
pub fn plain(blocks: &[Block]) -> String {
    let text = strip_str(&full(blocks)).to_string();
    assert_fits(&text);
    text
}

pub fn assert_fits(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= WIDTH, "{line}");
    }
}

/// An arm64 function that is 12% faster on the whole and 29% cheaper, in a fleet of two CPU models.
pub fn analysis() -> PairAnalysis {
    let headline = Comparison {
        statistics: Sides::default(),
        ..comparison(Measure::Wall, 100.0, 0.881, 0.033, Verdict::Faster, None)
    };
    PairAnalysis {
        method: Method { confidence: 0.95, margin: 0.02, until_ci: None, minimum_environments: 8, minimum_blocks: 5 },
        campaign: Provenance {
            version: "0.1.0".to_owned(),
            created_unix_ms: 1_792_591_800_000,
            elapsed_ms: Some(1_512_000),
            seed: Some(42),
            cold: false,
            order: Some(Order::JointSteps),
            environments_per_step: Some(8),
            blocks: 40,
            calls: 3_843,
            imported: None,
        },
        sides: Sides { baseline: side(Side::Baseline), candidate: side(Side::Candidate) },
        warnings: warnings(),
        headline: Some(headline),
        cells: CELLS.into_iter().map(cell).collect(),
        cold_starts: cold_starts(),
        money: Some(money()),
        mix_scenarios: Vec::new(),
        limit_tests: Vec::new(),
    }
}

/// The same campaign with a census of both fleets, which finds fewer of the slow CPU model than had been called.
pub fn counted() -> PairAnalysis {
    let mut pair = analysis();
    pair.headline = pair.headline.map(|headline| Comparison {
        sources: Some(Sources { environments: 0.58, disturbances: 0.05, calls: 0.17, mix: 0.2 }),
        ratio: Some(ratio(0.945, 0.018)),
        without_census: Some(ratio(1.011, 0.063)),
        ..headline
    });
    let counts = Sides { baseline: vec![(XEON, 1_060)], candidate: vec![(OLD, 471), (NEW, 624)] };
    pair.sides.baseline.census = Some(Census { environments: 1_012, rounds: 11, has_drifted: false });
    pair.sides.candidate.census = Some(Census { environments: 1_043, rounds: 12, has_drifted: false });
    for (side, counts) in counts.iter() {
        let total: u32 = counts.iter().map(|(_, environments)| environments).sum();
        pair.sides[side].unseen = Some(unseen(total));
        let cpus = &mut pair.sides[side].cpus;
        for cpu in &mut *cpus {
            let environments = counts.iter().find(|(model, _)| *model == cpu.model).map_or(0, |(_, number)| *number);
            cpu.counted = Some(CountedProportion { environments, proportion: Proportion::new(environments, total) });
        }
        cpus.sort_by_key(|cpu| Reverse(cpu.counted.map(|counted| counted.environments)));
    }
    let points = (0..=50).map(|step| mix_point(f64::from(step) / 50.0)).collect();
    pair.mix_scenarios =
        vec![MixScenario { side: Side::Candidate, model: OLD.to_owned(), now: 471.0 / 1_095.0, points }];
    pair
}

/// The candidate with so much of the old CPU model.
fn mix_point(proportion: f64) -> MixPoint {
    let estimate = 1.14_f64.powf(proportion) * 0.82_f64.powf(1.0 - proportion);
    let ratio = ratio(estimate, 0.02 * proportion.hypot(1.0 - proportion));
    let verdict = match ratio.interval {
        Some(Interval { low, high }) if low > 1.0 / 1.02 && high < 1.02 => Verdict::Equivalent,
        Some(Interval { high: ..1.0, .. }) => Verdict::Faster,
        Some(Interval { low: 1.0.., .. }) => Verdict::Slower,
        _ => Verdict::Inconclusive,
    };
    MixPoint { proportion, ratio, verdict }
}

/// The import of a table without CPU models.
pub fn import() -> Import {
    Import {
        files: vec!["a.csv".to_owned()],
        format: Format::Csv,
        measure: ImportedMeasure::Duration,
        columns: Some(Columns::default()),
        environments: EnvironmentNames::Named,
        has_blocks: true,
        has_times: false,
        has_cpu_models: false,
    }
}

/// The campaign of this pair.
pub fn campaign(pair: &PairAnalysis) -> Analysis {
    campaign_of(slice::from_ref(pair))
}

/// The campaign of these pairs, which have one baseline.
pub fn campaign_of(pairs: &[PairAnalysis]) -> Analysis {
    let first = &pairs[0];
    let candidates = pairs.iter().map(|pair| &pair.sides.candidate);
    Analysis {
        schema: SCHEMA,
        method: first.method,
        campaign: first.campaign.clone(),
        variants: iter::once(&first.sides.baseline).chain(candidates).cloned().collect(),
        baseline: first.names().baseline.to_owned(),
        comparisons: pairs.to_vec(),
        trial: None,
        choice: None,
        visualizer: Vec::new(),
    }
}

fn warnings() -> Vec<Warning> {
    let warning = |kind, side, text: &str| Warning { kind, side, text: text.to_owned() };
    vec![
        warning(
            WarningKind::UnseenCpus,
            Some(Side::Candidate),
            "arm64 answered from 52 environments; CPU models that were not among them may make up to 6% of the fleet.",
        ),
        warning(
            WarningKind::Failures,
            Some(Side::Baseline),
            "3 of 1,923 calls of x86_64 failed (timeout: 3). They are no part of the times.",
        ),
    ]
}

fn side(side: Side) -> VariantFacts {
    let proportion = |model: &str, environments: u32, total: u32| CpuProportion {
        model: model.to_owned(),
        environments,
        proportion: Proportion::new(environments, total),
        counted: None,
    };
    let (name, architecture, environments, triple) = match side {
        Side::Baseline => ("x86_64", Architecture::X86_64, 48, "x86_64-unknown-linux-gnu for x86-64-v3"),
        Side::Candidate => ("arm64", Architecture::Arm64, 52, "aarch64-unknown-linux-gnu for neoverse-n1"),
    };
    let (failures, cpus) = match side {
        Side::Baseline => (BTreeMap::from([("timeout".to_owned(), 3)]), vec![proportion(XEON, 48, 48)]),
        Side::Candidate => (BTreeMap::new(), vec![proportion(OLD, 33, 52), proportion(NEW, 19, 52)]),
    };
    VariantFacts {
        name: name.to_owned(),
        target: format!("lambda:arn:aws:lambda:eu-central-1:123456789012:function:duet-{name}"),
        architecture: Some(architecture),
        memory_mb: Some(1769),
        calls: if side == Side::Baseline { 1_923 } else { 1_920 },
        cold_calls: Some(u64::from(environments)),
        failures: Some(failures),
        environments,
        cpus,
        census: None,
        unseen: Some(unseen(environments)),
        emulated: Some(false),
        builds: vec![format!("0.1.0 (3e8a1d7), rustc 1.95.0, {triple}")],
        memory: Some(statistics(if side == Side::Baseline { 118.0 } else { 109.0 }, 0.08)),
        spent_usd: Some(if side == Side::Baseline { 0.0131 } else { 0.0094 }),
        ended: None,
        time: None,
        per_million: None,
        is_on_pareto_front: None,
    }
}

/// Values around a middle, with so much spread of their logarithm.
fn statistics(middle: f64, spread: f64) -> SummaryStatistics {
    let quantile = |p: f64| middle * (Normal::standard().inverse_cdf(p) * spread).exp();
    SummaryStatistics {
        mean: middle,
        interval: Some(Interval { low: middle * (1.0 - spread / 4.0), high: middle * (1.0 + spread / 4.0) }),
        min: quantile(0.001),
        p50: quantile(0.5),
        p90: quantile(0.9),
        p95: quantile(0.95),
        p99: quantile(0.99),
        max: quantile(0.999),
    }
}

/// A ratio with the half-width of its logarithm's interval.
pub fn ratio(estimate: f64, half_width: f64) -> Ratio {
    let standard_error = half_width / 1.99;
    let z = estimate.ln().abs() / standard_error;
    Ratio {
        estimate,
        interval: Some(Interval { low: estimate * (-half_width).exp(), high: estimate * half_width.exp() }),
        log_standard_error: Some(standard_error),
        degrees_of_freedom: Some(83.4),
        p_value: Some(2.0 * Normal::standard().cdf(-z)),
    }
}

fn comparison(
    measure: Measure,
    baseline: f64,
    estimate: f64,
    half_width: f64,
    verdict: Verdict,
    environments_needed: Option<u64>,
) -> Comparison {
    Comparison {
        measure,
        statistics: Sides {
            baseline: Some(statistics(baseline, 0.06)),
            candidate: Some(statistics(baseline * estimate, 0.13)),
        },
        environments: Sides { baseline: 48, candidate: 52 },
        calls: Sides { baseline: 1_872, candidate: 1_868 },
        blocks: 40,
        sources: Some(Sources { environments: 0.78, disturbances: 0.05, calls: 0.17, mix: 0.0 }),
        ratio: Some(ratio(estimate, half_width)),
        without_census: None,
        verdict,
        environments_needed,
    }
}

fn cell((name, baseline, estimate, half_width, verdict): Sketch) -> CellAnalysis {
    let needed = (verdict == Verdict::Inconclusive).then_some(412);
    let by_measure = |(index, measure): (usize, Measure)| {
        let overhead = [0.0, 0.0, 1.2, 1.7, 19.0][index];
        comparison(measure, baseline + overhead, estimate, half_width, verdict, needed)
    };
    let models = |model: &str| Sides { baseline: XEON.to_owned(), candidate: model.to_owned() };
    let by_cpu = [(OLD, 1.12, 33), (NEW, 0.82, 19)].map(|(model, factor, environments)| CpuComparison {
        models: models(model),
        environments: Sides { baseline: 48, candidate: environments },
        ratio: ratio(estimate * factor, half_width * 1.2),
    });
    CellAnalysis {
        name: name.to_owned(),
        comparisons: Measure::ALL.into_iter().take(5).enumerate().map(by_measure).collect(),
        by_cpu: by_cpu.into(),
        distributions: Sides {
            baseline: vec![distribution(XEON, 48, baseline, 0.05)],
            candidate: vec![
                distribution(OLD, 33, baseline * estimate * 1.12, 0.04),
                distribution(NEW, 19, baseline * estimate * 0.82, 0.07),
            ],
        },
        series: (0..40).map(|block| series_point(block, baseline, baseline * estimate)).collect(),
    }
}

fn distribution(cpu: &str, environments: u32, middle: f64, spread: f64) -> Distribution {
    let quantile = |percent: i32| {
        let z = Normal::standard().inverse_cdf((f64::from(percent) / 100.0).clamp(0.002, 0.998));
        // Times have a long upper tail.
        middle * (z * spread + z.max(0.0).powi(2) * spread / 3.0).exp()
    };
    Distribution {
        cpu: cpu.to_owned(),
        environments,
        calls: u64::from(environments) * 39,
        percentiles: (0..=100).map(quantile).collect(),
    }
}

/// Both sides drift alike, and the candidate gets a batch of fast environments now and then.
fn series_point(block: u64, baseline: f64, candidate: f64) -> SeriesPoint {
    let time = block as f64;
    let drift = 1.0 + 0.03 * (time / 9.0).sin();
    let noise = |seed: f64| 1.0 + 0.008 * (time * seed).sin();
    let batch = if (17..24).contains(&block) { 0.93 } else { 1.0 };
    SeriesPoint {
        block,
        elapsed_s: Some(time * 37.8),
        mean_ms: Sides {
            baseline: Some(baseline * drift * noise(2.3)),
            // Nothing but failures in one of the blocks.
            candidate: (block != 31).then_some(candidate * drift * noise(3.7) * batch),
        },
        environments: Sides { baseline: 8 - (block % 7 == 3) as u32, candidate: if block == 31 { 0 } else { 8 } },
    }
}

fn cold_starts() -> ColdStarts {
    let sample = |middle: f64, spread: f64, count: u32| {
        let quantile = |rank: u32| Normal::standard().inverse_cdf((f64::from(rank) + 0.5) / f64::from(count));
        (0..count).map(|rank| middle * (quantile(rank) * spread + quantile(rank).max(0.0) * 0.1).exp()).collect()
    };
    let calls = Sides { baseline: 48, candidate: 52 };
    ColdStarts {
        comparisons: vec![
            Comparison { calls, ..comparison(Measure::Init, 31.0, 0.913, 0.061, Verdict::Faster, None) },
            Comparison { calls, ..comparison(Measure::Latency, 182.0, 0.957, 0.074, Verdict::Inconclusive, Some(130)) },
        ],
        init_ms: Sides { baseline: sample(31.0, 0.14, 48), candidate: sample(28.3, 0.19, 52) },
    }
}

fn money() -> Money {
    let cost = |requests_usd: f64, compute_usd: f64| Cost {
        requests_usd,
        compute_usd,
        storage_usd: 0.0,
        total_usd: requests_usd + compute_usd,
        interval: Some(Interval { low: requests_usd + compute_usd * 0.975, high: requests_usd + compute_usd * 1.025 }),
    };
    let (baseline, candidate) = (1.0124e-6, 0.7092e-6);
    let volumes = (0..=24).map(|quarter| FOREVER.sqrt() * 10f64.powf(f64::from(quarter) / 4.0));
    let free = |volume: f64, price: f64| (volume * (price + 0.2e-6) - 0.4).max(0.0);
    Money {
        prices: Sides {
            baseline: "eu-central-1, 2026-10-01".to_owned(),
            candidate: "eu-central-1, 2026-10-01".to_owned(),
        },
        invocations_per_month: 10e6,
        volume_source: VolumeSource::Assumed,
        free_tier: true,
        cold_share: ColdShare { value: 0.01, interval: None, invocations: None, source: ColdShareSource::Assumed },
        monthly: Sides { baseline: cost(1.8, baseline * 9.8e6), candidate: cost(1.8, candidate * 9.8e6) },
        per_million: Sides { baseline: cost(0.2, baseline * 1e6), candidate: cost(0.2, candidate * 1e6) },
        savings: 0.254,
        savings_interval: Some(Interval { low: 0.232, high: 0.275 }),
        break_even: Some(1.25),
        by_volume: volumes
            .map(|volume| (volume, Sides { baseline: free(volume, baseline), candidate: free(volume, candidate) }))
            .collect(),
    }
}

/// A function of 1,024 MB that was tried.
pub fn tried_function(architecture: Architecture) -> TriedFunction {
    TriedFunction {
        arn: None,
        architecture,
        memory_mb: 1024,
        package_type: None,
        not_made: Vec::new(),
        no_probe: None,
        search: None,
        usage: None,
    }
}
