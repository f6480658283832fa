use super::*;
use crate::{
    analysis::{
        proportion,
        result::{self, ColdStarts, CpuProportion, Method, SummaryStatistics},
        warning_kind::WarningKind,
    },
    campaign::manifest::Order,
    protocol::Architecture,
};
use std::collections::BTreeMap;

/// A campaign of cells with these names, ratios and standard errors of their logarithms.
pub(in crate::analysis) fn campaign(environments: u32, cells: &[(&str, f64, f64)]) -> Analysis {
    let side = |architecture: Architecture, cpu: &str| VariantFacts {
        name: architecture.to_string(),
        target: format!("lambda:duet-{architecture}"),
        architecture: Some(architecture),
        memory_mb: Some(1769),
        calls: 100,
        cold_calls: Some(10),
        failures: Some(BTreeMap::new()),
        environments,
        cpus: vec![CpuProportion {
            model: cpu.to_owned(),
            environments,
            proportion: Proportion::new(environments, environments),
            counted: None,
        }],
        census: None,
        unseen: Some(proportion::unseen(environments)),
        emulated: Some(false),
        builds: vec!["0.1.0".to_owned()],
        memory: None,
        spent_usd: Some(0.01),
        ended: None,
        time: None,
        per_million: None,
        is_on_pareto_front: None,
    };
    let sides =
        Sides { baseline: side(Architecture::X86_64, "Xeon"), candidate: side(Architecture::Arm64, "Neoverse-N1") };
    let pair = PairAnalysis {
        method: Method { confidence: 0.95, margin: 0.02, until_ci: None, minimum_environments: 8, minimum_blocks: 5 },
        campaign: Provenance {
            version: "0.1.0".to_owned(),
            created_unix_ms: 1_700_000_000_000,
            elapsed_ms: Some(1000),
            seed: Some(42),
            cold: false,
            order: Some(Order::JointSteps),
            environments_per_step: Some(8),
            blocks: 10,
            calls: 200,
            imported: None,
        },
        sides,
        warnings: Vec::new(),
        headline: None,
        cells: cells.iter().map(|(name, ratio, error)| cell(name, environments, *ratio, *error)).collect(),
        cold_starts: ColdStarts { comparisons: Vec::new(), init_ms: Sides::default() },
        money: None,
        mix_scenarios: Vec::new(),
        limit_tests: Vec::new(),
    };
    Analysis {
        schema: result::SCHEMA,
        method: pair.method,
        campaign: pair.campaign.clone(),
        variants: pair.sides.iter().map(|(_, facts)| facts.clone()).collect(),
        baseline: pair.names().baseline.to_owned(),
        comparisons: vec![pair],
        trial: None,
        choice: None,
        visualizer: Vec::new(),
    }
}

fn cell(name: &str, environments: u32, estimate: f64, log_standard_error: f64) -> CellAnalysis {
    let level = |mean: f64| SummaryStatistics {
        mean,
        interval: None,
        min: mean,
        p50: mean,
        p90: mean,
        p95: mean,
        p99: mean,
        max: mean,
    };
    let comparison = Comparison {
        measure: Measure::Wall,
        statistics: Sides { baseline: Some(level(10.0)), candidate: Some(level(10.0 * estimate)) },
        environments: Sides { baseline: environments, candidate: environments },
        calls: Sides { baseline: 100, candidate: 100 },
        blocks: 10,
        sources: None,
        ratio: Some(Ratio {
            estimate,
            interval: None,
            log_standard_error: Some(log_standard_error),
            degrees_of_freedom: Some(f64::from(2 * environments - 2)),
            p_value: None,
        }),
        without_census: None,
        verdict: Verdict::Inconclusive,
        environments_needed: None,
    };
    CellAnalysis {
        name: name.to_owned(),
        comparisons: vec![comparison],
        by_cpu: Vec::new(),
        distributions: Sides::default(),
        series: Vec::new(),
    }
}

pub(in crate::analysis) fn emulated() -> Warning {
    Warning { kind: WarningKind::Emulated, side: Some(Side::Candidate), text: "It was emulated.".to_owned() }
}

/// What has changed for the only candidate.
fn only(a: &Analysis, b: &Analysis) -> PairChanges {
    changes(a, b).comparisons.remove(0)
}

#[test]
fn variances_add_and_degrees_of_freedom_combine() {
    let of = |estimate, standard_error, degrees_of_freedom| Difference {
        estimate,
        standard_error,
        degrees_of_freedom,
        environments: Sides { baseline: 20, candidate: 30 },
        blocks: 10,
        ..Difference::default()
    };
    let change = change(&of(0.1, 0.03, 20.0), &of(0.3, 0.04, 30.0));
    assert!((change.estimate - 0.2).abs() < 1e-12 && (change.standard_error - 0.05).abs() < 1e-12);
    // (9 + 16)² / (9²/20 + 16²/30) with the variances in units of 10⁻⁴.
    assert!((change.degrees_of_freedom - 625.0 / (81.0 / 20.0 + 256.0 / 30.0)).abs() < 1e-9);
    let exact = super::change(&of(0.1, 0.0, 20.0), &of(0.1, 0.0, 30.0));
    assert_eq!((exact.standard_error, exact.degrees_of_freedom), (0.0, 50.0));
}

#[test]
fn gains_losses_and_equivalent_changes_are_told_apart() {
    let names = ["gained", "lost", "stayed", "open", "gone"];
    let before = campaign(40, &names.map(|name| (name, 0.9, 0.004)));
    let mut after = campaign(
        40,
        &[
            ("gained", 0.8, 0.004),
            ("lost", 1.0, 0.004),
            ("stayed", 0.901, 0.004),
            ("open", 0.93, 0.02),
            ("new", 1.0, 0.01),
        ],
    );
    let candidate = &mut after.comparisons[0].sides.candidate;
    candidate.memory_mb = Some(2048);
    candidate.cpus[0].model = "Neoverse-V1".to_owned();
    let changes = only(&before, &after);
    let verdicts: Vec<(&str, Verdict)> = changes.cells.iter().map(|cell| (cell.name.as_str(), cell.verdict)).collect();
    let expected = [
        ("gained", Verdict::Faster),
        ("lost", Verdict::Slower),
        ("stayed", Verdict::Equivalent),
        ("open", Verdict::Inconclusive),
    ];
    assert_eq!(verdicts, expected);
    assert_eq!((changes.only_in.a, changes.only_in.b), (vec!["gone".to_owned()], vec!["new".to_owned()]));
    assert!(changes.cells[3].environments_needed.unwrap() > 40);
    let gained = changes.cells[0].change.unwrap();
    assert!((gained.estimate - 0.8 / 0.9).abs() < 1e-12 && gained.interval.unwrap().high < 1.0);
    assert_eq!(changes.cells[0].means.baseline.ratio, Some(1.0));
    assert_eq!(
        changes.differences,
        [
            "candidate, memory: 1769 MB in A, 2048 MB in B",
            "candidate, CPU Neoverse-N1: 100% of environments in A, 0% of environments in B",
            "candidate, CPU Neoverse-V1: 0% of environments in A, 100% of environments in B",
        ]
    );
}

#[test]
fn a_verdict_withheld_in_either_campaign_is_withheld() {
    let good = campaign(40, &[("cell", 0.9, 0.004)]);
    let mut emulated_campaign = good.clone();
    emulated_campaign.comparisons[0].warnings.push(emulated());
    let changed = only(&good, &emulated_campaign);
    assert_eq!((changed.cells[0].verdict, changed.cells[0].change), (Verdict::Withheld, None));
    assert_eq!(changed.withheld.b, [emulated()]);
    let few = only(&good, &campaign(7, &[("cell", 0.5, 0.001)]));
    assert_eq!((few.cells[0].verdict, few.cells[0].change), (Verdict::Withheld, None));
}

#[test]
fn campaigns_that_were_looked_at_after_every_block_get_wider_intervals() {
    let campaign = campaign(40, &[("cell", 0.9, 0.01)]);
    let mut peeked = campaign.clone();
    peeked.method.until_ci = Some(0.02);
    let width = |a, b| {
        let interval = only(a, b).cells[0].change.unwrap().interval.unwrap();
        interval.high - interval.low
    };
    assert!(width(&campaign, &peeked) > 1.2 * width(&campaign, &campaign));
}

/// A campaign with a second candidate of this name, which is like the first.
fn with_second(mut campaign: Analysis, name: &str) -> Analysis {
    let mut second = campaign.comparisons[0].clone();
    second.sides.candidate.name = name.to_owned();
    campaign.comparisons.push(second);
    campaign
}

#[test]
fn candidates_are_compared_by_name_and_their_cells_are_one_family() {
    let (before, after) = (campaign(40, &[("cell", 0.9, 0.01)]), campaign(40, &[("cell", 0.87, 0.01)]));
    let p_of_one = 0.0181;
    let alone = only(&before, &after).cells[0].clone();
    assert!((alone.change.unwrap().p_value.unwrap() - p_of_one).abs() < 1e-3, "{alone:?}");
    assert_eq!(changes(&before, &with_second(after.clone(), "b")).comparisons.len(), 1);
    let both = changes(&with_second(before.clone(), "b"), &with_second(after.clone(), "b"));
    assert_eq!(both.comparisons.len(), 2);
    assert_eq!(both.comparisons[1].names.candidate, "b");
    let other = changes(&with_second(before, "old"), &with_second(after, "new"));
    assert_eq!((other.only_in.a, other.only_in.b), (vec!["old".to_owned()], vec!["new".to_owned()]));
}
