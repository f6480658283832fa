use super::*;
use crate::{
    analysis::{
        change::tests::{campaign, emulated},
        estimate::{Difference, Sources},
        interval::Interval,
        limits::{LatencyLimit, TimeStatistic},
        result::Ratio,
        tested::MeanWithInterval,
    },
    campaign::manifest::Order,
};

fn gate(run: &Analysis, earlier: Option<&Analysis>, max_slowdown: f64) -> Gate {
    super::gate(run, earlier, Some(max_slowdown))
}

/// The result for the only candidate.
fn only(run: &Analysis, earlier: Option<&Analysis>, max_slowdown: f64) -> PairGate {
    gate(run, earlier, max_slowdown).comparisons.remove(0)
}

impl PairGate {
    /// The cells by the only condition.
    fn cells(&self) -> &[CellGate] {
        assert_eq!(self.conditions.len(), 1);
        &self.conditions[0].cells
    }
}

impl CellGate {
    fn ratio(&self) -> Option<Ratio> {
        match self.found {
            Some(Found::Ratio(ratio)) => Some(ratio),
            _ => None,
        }
    }
}

fn decisions_of(gate: &PairGate) -> Vec<Decision> {
    gate.cells().iter().map(|it| it.decision).collect()
}

#[test]
fn a_whole_interval_on_one_side_of_the_limit_decides() {
    let run =
        campaign(40, &[("faster", 0.8, 0.01), ("little", 1.03, 0.005), ("slow", 1.1, 0.01), ("open", 1.04, 0.02)]);
    let gate = only(&run, None, 0.05);
    assert_eq!(decisions_of(&gate), [Decision::Pass, Decision::Pass, Decision::Fail, Decision::Inconclusive]);
    assert_eq!(gate.decision, Decision::Fail);
    let open = &gate.cells()[3];
    assert!(open.ratio().unwrap().interval.unwrap().high > 1.05);
    assert!(open.environments_needed.unwrap() > 40 * 5, "{open:?}");
}

#[test]
fn all_cells_must_pass() {
    let cells = [("one", 0.8, 0.01), ("other", 1.04, 0.02)];
    assert_eq!(gate(&campaign(40, &cells), None, 0.05).decision, Decision::Inconclusive);
    assert_eq!(gate(&campaign(40, &cells[..1]), None, 0.05).decision, Decision::Pass);
    assert_eq!(gate(&campaign(40, &[]), None, 0.05).decision, Decision::Withheld);
}

#[test]
fn many_cells_need_more_evidence_to_fail() {
    // Just clear of the limit: p = 0.03 or so.
    let slow = ("slow", 1.05 * (2.2f64 * 0.01).exp(), 0.01);
    assert_eq!(gate(&campaign(40, &[slow]), None, 0.05).decision, Decision::Fail);
    let mut cells = vec![slow];
    cells.extend((0..9).map(|_| ("fine", 1.05, 0.01)));
    assert_eq!(only(&campaign(40, &cells), None, 0.05).cells()[0].decision, Decision::Inconclusive);
}

#[test]
fn against_an_earlier_campaign_the_change_of_the_ratio_counts() {
    let earlier = campaign(40, &[("cell", 1.3, 0.005)]);
    let same = campaign(40, &[("cell", 1.31, 0.005)]);
    let worse = campaign(40, &[("cell", 1.5, 0.005)]);
    assert_eq!(gate(&same, None, 0.05).decision, Decision::Fail);
    let passed = gate(&same, Some(&earlier), 0.05);
    assert_eq!((passed.decision, passed.against), (Decision::Pass, Against::EarlierCampaign));
    assert_eq!(gate(&worse, Some(&earlier), 0.05).decision, Decision::Fail);
}

#[test]
fn an_earlier_campaign_that_is_too_small_is_named_as_the_need() {
    let run = campaign(40, &[("cell", 1.02, 0.01)]);
    let needed = |error| only(&run, Some(&campaign(40, &[("cell", 1.0, error)])), 0.05).cells()[0].clone();
    assert_eq!((needed(0.05).decision, needed(0.05).environments_needed), (Decision::Inconclusive, None));
    assert_eq!((needed(0.05).needs, needed(0.012).needs), (Some(Needs::LargerEarlierCampaign), None));
    let reachable = needed(0.012);
    assert!(reachable.decision == Decision::Inconclusive && reachable.environments_needed > Some(40), "{reachable:?}");
}

#[test]
fn uncertainty_from_disturbances_takes_more_blocks() {
    let mut run = campaign(40, &[("cell", 1.04, 0.02)]);
    run.comparisons[0].cells[0].comparisons[0].sources =
        Some(Sources { environments: 0.3, disturbances: 0.6, calls: 0.1, mix: 0.0 });
    let of = |run: &Analysis, earlier: Option<&Analysis>| {
        let gate = only(run, earlier, 0.05);
        (gate.cells()[0].environments_needed, gate.cells()[0].needs)
    };
    assert_eq!(of(&run, None), (None, Some(Needs::MoreBlocks)));
    assert_eq!(of(&run, Some(&campaign(400, &[("cell", 1.0, 0.001)]))), (None, Some(Needs::MoreBlocks)));
    assert_eq!(of(&run, Some(&campaign(40, &[("cell", 1.0, 0.05)]))), (None, Some(Needs::LargerEarlierCampaign)));
    // Where more blocks are more environments, and where calls were made one by one, these do.
    run.comparisons[0].campaign.cold = true;
    assert!(of(&run, None).0 > Some(40));
    let campaign = &mut run.comparisons[0].campaign;
    (campaign.cold, campaign.order) = (false, Some(Order::SingleCalls));
    assert!(of(&run, None).0 > Some(40));
}

#[test]
fn as_many_environments_as_are_needed_are_enough() {
    let earlier = campaign(400, &[("cell", 1.0, 0.008)]);
    for earlier in [None, Some(&earlier)] {
        let error = |environments: u64| 0.02 * (40.0 / environments as f64).sqrt();
        let at = |environments: u64| {
            only(&campaign(environments as u32, &[("cell", 1.02, error(environments))]), earlier, 0.05)
        };
        let needed = at(40).cells()[0].environments_needed.unwrap();
        assert_eq!(at(needed).decision, Decision::Pass, "{needed}");
        assert_eq!(at(needed / 2).decision, Decision::Inconclusive, "{needed}");
    }
}

#[test]
fn a_withheld_cell_does_not_pass() {
    let mut run = campaign(40, &[("cell", 0.5, 0.01)]);
    assert_eq!(gate(&campaign(7, &[("cell", 0.5, 0.001)]), None, 0.05).decision, Decision::Withheld);
    let other = only(&run, Some(&campaign(40, &[("other", 0.5, 0.01)])), 0.05);
    assert_eq!((other.decision, other.cells().len()), (Decision::Withheld, 2));
    run.comparisons[0].warnings.push(emulated());
    let gate = only(&run, None, 0.05);
    let cell = gate.cells()[0].ratio();
    assert_eq!((gate.decision, gate.withheld), (Decision::Withheld, vec![withholding(WhichCampaign::This)]));
    assert_eq!(cell, None);
}

fn withholding(campaign: WhichCampaign) -> Withholding {
    Withholding { campaign, warning: emulated() }
}

#[test]
fn the_campaign_that_gives_no_verdict_is_named() {
    let run = campaign(40, &[("cell", 0.5, 0.01)]);
    let mut earlier = run.clone();
    earlier.comparisons[0].warnings.push(emulated());
    let gate = only(&run, Some(&earlier), 0.05);
    assert_eq!(gate.cells()[0].reason.as_deref(), Some("the earlier campaign gives no verdict"));
    assert_eq!(gate.withheld, [withholding(WhichCampaign::Earlier)]);
    let json = serde_json::to_value(&gate.withheld[0]).unwrap();
    assert_eq!((&json["campaign"], &json["kind"]), (&"earlier".into(), &"emulated".into()));
}

/// A bill whose logarithm is higher by so much, held to an increase of 0%.
fn bill(estimate: f64, standard_error: f64) -> ConditionTests {
    let difference = Difference {
        estimate,
        standard_error,
        degrees_of_freedom: 1e9,
        environments: Sides { baseline: 40, candidate: 40 },
        blocks: 10,
        ..Difference::default()
    };
    let found = Found::Ratio(Ratio::new(&difference, Looks::Once));
    let test = Ok(Tested::difference(found, difference, 0.0));
    ConditionTests {
        condition: Condition::CostIncrease(0.0),
        cells: vec![CellTest { name: "all".to_owned(), measure: Some(Measure::Billed), test }],
    }
}

/// Means of times whose logarithms lie so far from that of 300 ms, in standard errors of 0.01; none is known of an infinite
/// one.
fn latencies(distances: &[f64]) -> ConditionTests {
    let limit = LatencyLimit { of: TimeStatistic::Mean, ms: 300.0 };
    let cell = |(number, distance): (usize, &f64)| {
        let mean = Difference {
            estimate: 300_f64.ln() + 0.01 * distance,
            standard_error: 0.01,
            degrees_of_freedom: 1e9,
            environments: Sides { baseline: 40, candidate: 40 },
            blocks: 10,
            ..Difference::default()
        };
        let interval = Interval { low: 0.0, high: 1.0 };
        let found = Found::MeanMs(MeanWithInterval { estimate: mean.estimate.exp(), interval });
        let test = Ok(Tested::difference(found, mean, limit.ms.ln()));
        let test = if distance.is_finite() { test } else { Err("it has no samples".to_owned()) };
        CellTest { name: number.to_string(), measure: Some(Measure::Wall), test }
    };
    ConditionTests { condition: Condition::Latency(limit), cells: distances.iter().enumerate().map(cell).collect() }
}

/// A campaign with one cell that is not slower, analyzed with these limits.
fn with_limits(limit_tests: Vec<ConditionTests>) -> Analysis {
    let mut run = campaign(40, &[("cell", 0.9, 0.01)]);
    run.comparisons[0].limit_tests = limit_tests;
    run
}

fn decision_on(tests: ConditionTests) -> Vec<Decision> {
    let gate = super::gate(&with_limits(vec![tests]), None, None).comparisons.remove(0);
    decisions_of(&gate)
}

#[test]
fn a_bill_passes_if_its_whole_interval_is_no_higher() {
    // z is 1.96 at 95%.
    for (estimate, decision) in [
        (-0.0197, Decision::Pass),
        (-0.0195, Decision::Inconclusive),
        (0.0195, Decision::Inconclusive),
        (0.0197, Decision::Fail),
    ] {
        assert_eq!(decision_on(bill(estimate, 0.01)), [decision], "{estimate}");
    }
    let open = super::gate(&with_limits(vec![bill(-0.0098, 0.01)]), None, None).comparisons.remove(0);
    // Half as wide takes four times as many.
    let needed = open.cells()[0].environments_needed.unwrap();
    assert!((158..=162).contains(&needed), "{needed}");
    // Where nothing is between it and the limit no number of environments would do.
    let equal = super::gate(&with_limits(vec![bill(0.0, 0.01)]), None, None).comparisons.remove(0);
    assert_eq!((equal.cells()[0].environments_needed, equal.cells()[0].needs), (None, Some(Needs::AnotherLimit)));
}

#[test]
fn every_condition_is_a_family_of_its_own() {
    // 1.97 standard errors are enough for one cell, and not for each of two.
    assert_eq!(decision_on(latencies(&[-1.97])), [Decision::Pass]);
    assert_eq!(decision_on(latencies(&[-1.97, -0.5])), [Decision::Inconclusive; 2]);
    assert_eq!(decision_on(latencies(&[-2.25, -1.97])), [Decision::Pass; 2]);
    // What was not estimated is not tested, and costs the others nothing.
    assert_eq!(decision_on(latencies(&[-1.97, f64::INFINITY])), [Decision::Pass, Decision::Withheld]);
    let run = with_limits(vec![bill(-0.0197, 0.01), latencies(&[-1.97])]);
    let gate = super::gate(&run, None, Some(0.05));
    assert_eq!((gate.decision, gate.conditions.len()), (Decision::Pass, 3));
    let conditions = &gate.comparisons[0].conditions;
    assert!(conditions.iter().all(|judged| judged.decision == Decision::Pass), "{conditions:?}");
    // Of several candidates the bills are one family, as are their times.
    let mut two = run.clone();
    let mut second = two.comparisons[0].clone();
    second.sides.candidate.name = "second".to_owned();
    second.limit_tests = vec![bill(-0.001, 0.01), latencies(&[-3.0])];
    two.comparisons.push(second);
    let gate = super::gate(&two, None, Some(0.05));
    let of = |pair: usize| gate.comparisons[pair].conditions.iter().map(|it| it.decision).collect::<Vec<_>>();
    assert_eq!(of(0), [Decision::Pass, Decision::Inconclusive, Decision::Pass]);
    assert_eq!(of(1), [Decision::Pass, Decision::Inconclusive, Decision::Pass]);
}

#[test]
fn the_gravest_condition_decides() {
    let decision = |tests: Vec<ConditionTests>| super::gate(&with_limits(tests), None, Some(0.05)).decision;
    let open = || latencies(&[0.1]);
    assert_eq!(decision(vec![bill(-0.1, 0.01), open()]), Decision::Inconclusive);
    assert_eq!(decision(vec![bill(0.1, 0.01), open()]), Decision::Fail);
    assert_eq!(decision(vec![bill(0.1, 0.01), latencies(&[f64::INFINITY])]), Decision::Fail);
    assert_eq!(decision(vec![bill(-0.1, 0.01), latencies(&[f64::INFINITY, 0.1])]), Decision::Withheld);
    let mut emulated_run = with_limits(vec![bill(-0.1, 0.01)]);
    emulated_run.comparisons[0].warnings.push(emulated());
    let withheld = super::gate(&emulated_run, None, None).comparisons.remove(0);
    assert_eq!((withheld.decision, withheld.cells()[0].found), (Decision::Withheld, None));
}

#[test]
fn an_earlier_campaign_has_a_part_in_slowdowns_alone() {
    let run = with_limits(vec![latencies(&[-3.0])]);
    let earlier = campaign(40, &[("cell", 0.9, 0.01), ("gone", 0.9, 0.01)]);
    let gate = super::gate(&run, Some(&earlier), Some(0.05)).comparisons.remove(0);
    let [slowdown, latency] = gate.conditions.as_slice() else { panic!("{gate:?}") };
    assert_eq!((slowdown.decision, slowdown.cells.len()), (Decision::Withheld, 2));
    assert_eq!((latency.decision, latency.cells.len()), (Decision::Pass, 1));
}

#[test]
fn json_names_each_condition_with_its_limit() {
    let run = with_limits(vec![bill(-0.1, 0.01), latencies(&[-3.0, f64::INFINITY])]);
    let json = serde_json::to_value(super::gate(&run, None, Some(0.05))).unwrap();
    let limits = serde_json::json!([
        {"condition": "max-slowdown", "limit": 0.05},
        {"condition": "max-cost-increase", "limit": 0.0},
        {"condition": "max-latency", "limit": {"of": "mean", "ms": 300.0}},
    ]);
    assert_eq!(json["conditions"], limits);
    let judged = &json["comparisons"][0]["conditions"];
    assert_eq!((&judged[0]["condition"], &judged[0]["decision"]), (&"max-slowdown".into(), &"pass".into()));
    assert!(judged[1]["cells"][0]["ratio"]["interval"]["high"].is_number(), "{judged}");
    assert!(judged[2]["cells"][0]["mean_ms"]["estimate"].is_number(), "{judged}");
    assert_eq!(judged[2]["cells"][1]["reason"], "it has no samples");
    // One of the two has nothing to test.
    assert_eq!(judged[2]["tests"], 1);
}
