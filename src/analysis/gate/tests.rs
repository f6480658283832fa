use super::*;
use crate::{
    analysis::{
        change::tests::{campaign, emulated},
        estimate::Sources,
    },
    campaign::manifest::Order,
};

/// The result for the only candidate.
fn only(run: &Analysis, earlier: Option<&Analysis>, max_slowdown: f64) -> PairGate {
    gate(run, earlier, max_slowdown).comparisons.remove(0)
}

fn decisions_of(gate: &PairGate) -> Vec<Decision> {
    gate.cells.iter().map(|it| it.decision).collect()
}

#[test]
fn a_whole_interval_on_one_side_of_the_limit_decides() {
    let run =
        campaign(40, &[("faster", 0.8, 0.01), ("little", 1.03, 0.005), ("slow", 1.1, 0.01), ("open", 1.04, 0.02)]);
    let gate = only(&run, None, 0.05);
    assert_eq!(decisions_of(&gate), [Decision::Pass, Decision::Pass, Decision::Fail, Decision::Inconclusive]);
    assert_eq!(gate.decision, Decision::Fail);
    let open = &gate.cells[3];
    assert!(open.ratio.unwrap().interval.unwrap().high > 1.05);
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
    assert_eq!(only(&campaign(40, &cells), None, 0.05).cells[0].decision, Decision::Inconclusive);
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
    let needed = |error| only(&run, Some(&campaign(40, &[("cell", 1.0, error)])), 0.05).cells[0].clone();
    assert_eq!((needed(0.05).decision, needed(0.05).environments_needed), (Decision::Inconclusive, None));
    assert_eq!((needed(0.05).needs, needed(0.012).needs), (Some(Needs::LargerEarlierCampaign), None));
    let reachable = needed(0.012);
    assert!(reachable.decision == Decision::Inconclusive && reachable.environments_needed > Some(40), "{reachable:?}");
}

#[test]
fn uncertainty_from_disturbances_takes_more_blocks() {
    let mut run = campaign(40, &[("cell", 1.04, 0.02)]);
    run.comparisons[0].cells[0].comparisons[0].sources =
        Some(Sources { environments: 0.3, disturbances: 0.6, calls: 0.1 });
    let of = |run: &Analysis, earlier: Option<&Analysis>| {
        let gate = only(run, earlier, 0.05);
        (gate.cells[0].environments_needed, gate.cells[0].needs)
    };
    assert_eq!(of(&run, None), (None, Some(Needs::MoreBlocks)));
    assert_eq!(of(&run, Some(&campaign(400, &[("cell", 1.0, 0.001)]))), (None, Some(Needs::MoreBlocks)));
    assert_eq!(of(&run, Some(&campaign(40, &[("cell", 1.0, 0.05)]))), (None, Some(Needs::LargerEarlierCampaign)));
    // Where more blocks are more environments, and where calls were made one by one, these do.
    run.comparisons[0].campaign.cold = true;
    assert!(of(&run, None).0 > Some(40));
    let campaign = &mut run.comparisons[0].campaign;
    (campaign.cold, campaign.order) = (false, Order::SingleCalls);
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
        let needed = at(40).cells[0].environments_needed.unwrap();
        assert_eq!(at(needed).decision, Decision::Pass, "{needed}");
        assert_eq!(at(needed / 2).decision, Decision::Inconclusive, "{needed}");
    }
}

#[test]
fn a_withheld_cell_does_not_pass() {
    let mut run = campaign(40, &[("cell", 0.5, 0.01)]);
    assert_eq!(gate(&campaign(7, &[("cell", 0.5, 0.001)]), None, 0.05).decision, Decision::Withheld);
    let other = only(&run, Some(&campaign(40, &[("other", 0.5, 0.01)])), 0.05);
    assert_eq!((other.decision, other.cells.len()), (Decision::Withheld, 2));
    run.comparisons[0].warnings.push(emulated());
    let gate = only(&run, None, 0.05);
    assert_eq!((gate.decision, gate.withheld), (Decision::Withheld, vec![emulated()]));
    assert_eq!(gate.cells[0].ratio, None);
}
