use super::*;
use crate::{
    analysis::{
        change::tests::campaign,
        estimate::Difference,
        limits::{CellTest, Condition, ConditionTests, LatencyLimit, TimeStatistic},
        result::{ColdShare, ColdShareSource, Cost, MeanTime, Measure, Money, VolumeSource},
        sides::Sides,
        tested::{Found, MeanWithInterval, Tested},
    },
    campaign::cell_names::ALL_CELLS,
};
use serde_json::json;

/// A name, the mean time with the half-width of its interval, and the cost with its own.
type Sketch = (&'static str, f64, f64, f64, f64);

/// Three sizes of one function, the dearer the faster, and the baseline, which is worse than all.
const GRID: [Sketch; 4] = [
    ("x86_64-1024", 200.0, 4.0, 4.0, 0.1),
    ("arm64-512", 180.0, 4.0, 1.0, 0.1),
    ("arm64-1024", 100.0, 4.0, 1.5, 0.1),
    ("arm64-2048", 60.0, 4.0, 2.0, 0.1),
];

fn around(value: f64, half: f64) -> Interval {
    Interval { low: value - half, high: value + half }
}

/// A campaign of these variants, the first of which is the baseline; there is a verdict on each.
fn grid(sketches: &[Sketch]) -> Analysis {
    let mut analysis = campaign(40, &[("cell", 0.8, 0.01)]);
    let facts = analysis.variants[0].clone();
    let variants = sketches.iter().map(|(name, ms, half_ms, usd, half_usd)| VariantFacts {
        name: (*name).to_owned(),
        time: Some(MeanTime { measure: Measure::Wall, mean_ms: *ms, interval: Some(around(*ms, *half_ms)) }),
        per_million: Some(Cost {
            requests_usd: 0.2,
            compute_usd: usd - 0.2,
            storage_usd: 0.0,
            total_usd: *usd,
            interval: Some(around(*usd, *half_usd)),
        }),
        ..facts.clone()
    });
    analysis.variants = variants.collect();
    analysis.baseline = analysis.variants[0].name.clone();
    let mut pair = analysis.comparisons.remove(0);
    let mut headline = pair.cells[0].comparisons[0].clone();
    (headline.verdict, headline.measure) = (Verdict::Faster, Measure::Wall);
    (pair.headline, pair.sides.baseline) = (Some(headline), analysis.variants[0].clone());
    analysis.comparisons = analysis.variants[1..]
        .iter()
        .map(|facts| {
            let mut pair = pair.clone();
            pair.sides.candidate = facts.clone();
            pair
        })
        .collect();
    analysis
}

fn names(choice: &Choice) -> [Option<&str>; 3] {
    [&choice.cheapest, &choice.fastest, &choice.balanced].map(|chosen| Some(chosen.as_ref()?.variant.as_str()))
}

fn choose(analysis: &Analysis, weight: f64) -> Choice {
    Choice::new(analysis, weight, Vec::new())
}

#[test]
fn the_least_cost_the_least_time_and_the_least_of_both() {
    let analysis = grid(&GRID);
    let choice = choose(&analysis, 0.5);
    // Scores: 1; 0.5 × 0.25 + 0.5 × 0.9 = 0.575; 0.1875 + 0.25 = 0.4375; 0.25 + 0.15 = 0.4.
    assert_eq!(names(&choice), [Some("arm64-512"), Some("arm64-2048"), Some("arm64-2048")]);
    // 0.7 × 0.25 + 0.3 × 0.9 = 0.445; 0.2625 + 0.15 = 0.4125; 0.35 + 0.09 = 0.44.
    assert_eq!(names(&choose(&analysis, 0.7))[2], Some("arm64-1024"));
    assert_eq!(
        [0.0, 1.0].map(|weight| names(&choose(&analysis, weight))[2].unwrap().to_owned()),
        ["arm64-2048", "arm64-512"]
    );
    for chosen in [choice.cheapest, choice.fastest, choice.balanced] {
        assert_eq!(chosen.unwrap().not_distinguishable, [""; 0]);
    }
}

#[test]
fn candidates_whose_intervals_meet_are_not_distinguishable() {
    let mut sketches = GRID;
    // From 1.0 to 1.2 and from 0.9 to 1.1; in time from 96 to 104 and from 56 to 64.
    sketches[2].3 = 1.1;
    let choice = choose(&grid(&sketches), 0.5);
    let [cheapest, fastest] = [choice.cheapest.unwrap(), choice.fastest.unwrap()];
    assert_eq!((cheapest.variant.as_str(), cheapest.not_distinguishable), ("arm64-512", vec!["arm64-1024".to_owned()]));
    assert_eq!(fastest.not_distinguishable, [""; 0]);
    // Just beyond each other.
    sketches[2].3 = 1.21;
    assert_eq!(choose(&grid(&sketches), 0.5).cheapest.unwrap().not_distinguishable, [""; 0]);
    // Both in time and in cost.
    sketches[2] = ("arm64-1024", 66.0, 4.0, 2.1, 0.1);
    let choice = choose(&grid(&sketches), 0.5);
    assert_eq!(choice.balanced.unwrap().not_distinguishable, ["arm64-1024"]);
    let mut analysis = grid(&GRID);
    analysis.variants[2].per_million.as_mut().unwrap().interval = None;
    assert_eq!(choose(&analysis, 0.5).cheapest.unwrap().not_distinguishable, ["arm64-1024"]);
}

#[test]
fn the_baseline_is_told_apart_by_the_verdict() {
    let mut sketches = GRID;
    // Their intervals meet, and the comparison has a verdict all the same.
    sketches[0].1 = 63.0;
    let mut analysis = grid(&sketches);
    assert_eq!(choose(&analysis, 0.5).fastest.unwrap().not_distinguishable, [""; 0]);
    for verdict in [Verdict::Equivalent, Verdict::Inconclusive] {
        analysis.comparisons[2].headline.as_mut().unwrap().verdict = verdict;
        assert_eq!(choose(&analysis, 0.5).fastest.unwrap().not_distinguishable, ["x86_64-1024"]);
    }
    // By another measure it says nothing of these times.
    let headline = analysis.comparisons[2].headline.as_mut().unwrap();
    (headline.verdict, headline.measure) = (Verdict::Faster, Measure::Latency);
    assert_eq!(choose(&analysis, 0.5).fastest.unwrap().not_distinguishable, ["x86_64-1024"]);
}

/// In time, what the comparison with the baseline says of a candidate.
fn set_time(analysis: &mut Analysis, candidate: usize, verdict: Verdict, ratio: f64) {
    let headline = analysis.comparisons[candidate].headline.as_mut().unwrap();
    headline.verdict = verdict;
    headline.ratio.as_mut().unwrap().estimate = ratio;
}

#[test]
fn the_least_mean_is_not_chosen_where_its_comparison_says_the_opposite() {
    // Two candidates whose means are within 1% of the baseline's.
    let sketches = [
        ("x86_64-1024", 100.0, 4.0, 4.0, 0.1),
        ("arm64-512", 99.5, 4.0, 4.5, 0.1),
        ("arm64-1024", 99.0, 4.0, 5.0, 0.1),
    ];
    let mut analysis = grid(&sketches);
    set_time(&mut analysis, 0, Verdict::Inconclusive, 0.999);
    set_time(&mut analysis, 1, Verdict::Inconclusive, 0.997);
    let fastest = choose(&analysis, 0.5).fastest.unwrap();
    assert_eq!(fastest.variant, "arm64-1024");
    assert_eq!(fastest.not_distinguishable, ["x86_64-1024", "arm64-512"]);
    // No change is no contradiction.
    set_time(&mut analysis, 1, Verdict::Inconclusive, 1.0);
    assert_eq!(choose(&analysis, 0.5).undecided, []);
    for verdict in [Verdict::Inconclusive, Verdict::Equivalent, Verdict::Slower] {
        set_time(&mut analysis, 1, verdict, 1.003);
        let choice = choose(&analysis, 0.5);
        assert_eq!((&choice.fastest, choice.undecided.as_slice()), (&None, [Goal::Fastest].as_slice()));
        assert_eq!(names(&choice)[0], Some("x86_64-1024"));
    }
    // Another is faster for certain.
    set_time(&mut analysis, 0, Verdict::Faster, 0.999);
    let choice = choose(&analysis, 0.5);
    assert_eq!((names(&choice)[1], choice.undecided.as_slice()), (Some("arm64-512"), [].as_slice()));
    // So it is where the baseline has the least mean itself, which nothing else contradicts.
    analysis.variants[0].time.as_mut().unwrap().mean_ms = 98.0;
    assert_eq!(names(&choose(&analysis, 0.5))[1], Some("arm64-512"));
    set_time(&mut analysis, 0, Verdict::Inconclusive, 0.999);
    assert_eq!(names(&choose(&analysis, 0.5))[1], Some("x86_64-1024"));
}

/// A bill in which the candidate saves this much, within 2%.
fn money(analysis: &Analysis, savings: f64) -> Money {
    let cost = |index: usize| analysis.variants[index].per_million.unwrap();
    let per_million = Sides { baseline: cost(0), candidate: cost(1) };
    Money {
        prices: Sides { baseline: String::new(), candidate: String::new() },
        invocations_per_month: 1e6,
        volume_source: VolumeSource::Assumed,
        free_tier: false,
        cold_share: ColdShare { value: 0.0, interval: None, invocations: None, source: ColdShareSource::Assumed },
        monthly: per_million,
        per_million,
        savings,
        savings_interval: Some(around(savings, 0.02)),
        break_even: None,
        by_volume: Vec::new(),
    }
}

#[test]
fn the_balanced_variant_is_undecided_if_time_and_cost_say_the_opposite() {
    let mut analysis = grid(&[("x86_64-1024", 100.0, 4.0, 4.0, 0.1), ("arm64-1024", 99.0, 4.0, 3.9, 0.1)]);
    set_time(&mut analysis, 0, Verdict::Inconclusive, 1.003);
    analysis.comparisons[0].money = Some(money(&analysis, 0.01));
    let choice = choose(&analysis, 0.5);
    assert_eq!(names(&choice), [Some("arm64-1024"), None, Some("arm64-1024")]);
    assert_eq!(choice.undecided, [Goal::Fastest]);
    analysis.comparisons[0].money = Some(money(&analysis, -0.01));
    let choice = choose(&analysis, 0.5);
    assert_eq!(names(&choice), [None; 3]);
    assert_eq!(serde_json::to_value(&choice.undecided).unwrap(), json!(["cheapest", "fastest", "balanced"]));
}

#[test]
fn without_verdicts_or_costs_there_is_no_choice() {
    let mut analysis = grid(&GRID);
    analysis.comparisons[2].headline.as_mut().unwrap().verdict = Verdict::Withheld;
    assert_eq!(names(&choose(&analysis, 0.5))[1], Some("arm64-1024"));
    analysis.variants.iter_mut().for_each(|facts| facts.per_million = None);
    assert_eq!(names(&choose(&analysis, 0.5)), [None, Some("arm64-1024"), None]);
    analysis.comparisons.iter_mut().for_each(|pair| pair.headline = None);
    assert_eq!(names(&choose(&analysis, 0.5)), [None; 3]);
}

#[test]
fn equal_costs_are_chosen_by_time_and_equal_times_by_cost() {
    let mut sketches = GRID;
    sketches[2].3 = 1.0;
    assert_eq!(names(&choose(&grid(&sketches), 0.5))[0], Some("arm64-1024"));
    sketches[2].1 = 60.0;
    assert_eq!(names(&choose(&grid(&sketches), 0.5))[1], Some("arm64-1024"));
}

/// What cells of these means, with half-widths of 4 ms, say of a limit of 100 ms.
fn tests(means: &[f64]) -> Vec<ConditionTests> {
    let cell = |(name, mean): (usize, &f64)| {
        let found = Found::MeanMs(MeanWithInterval { estimate: *mean, interval: around(*mean, 4.0) });
        CellTest {
            name: name.to_string(),
            measure: Some(Measure::Wall),
            test: Ok(Tested::difference(found, Difference::default(), 0.0)),
        }
    };
    let condition = Condition::Latency(LatencyLimit { of: TimeStatistic::Mean, ms: 100.0 });
    vec![ConditionTests { condition, cells: means.iter().enumerate().map(cell).collect() }]
}

#[test]
fn only_an_estimate_beyond_a_limit_takes_a_variant_out() {
    let of = |means: &[f64]| {
        let exceeding: Vec<Exceeding> = Exceeding::of_variant("arm64-2048", &tests(means)).collect();
        exceeding.first().map(|exceeding| (exceeding.standing, exceeding.cell.clone()))
    };
    assert_eq!(of(&[90.0, 96.0]), None);
    assert_eq!(of(&[90.0, 97.0, 96.5]), Some((Standing::MayExceed, "1".to_owned())));
    assert_eq!(of(&[101.0, 120.0, 97.0]), Some((Standing::Beyond, "1".to_owned())));
    let choice = |means: &[f64]| {
        let exceeding = Exceeding::of_variant("arm64-2048", &tests(means)).collect();
        Choice::new(&grid(&GRID), 0.5, exceeding)
    };
    assert_eq!(names(&choice(&[97.0]))[1], Some("arm64-2048"));
    // Without it the slowest of the rest has less weight.
    assert_eq!(names(&choice(&[101.0])), [Some("arm64-512"), Some("arm64-1024"), Some("arm64-1024")]);
}

#[test]
fn bills_and_percentiles_have_limits_of_their_own_scale() {
    let standing = |condition: Condition, found: Found| {
        let test = Ok(Tested::difference(found, Difference::default(), 0.0));
        let cells = vec![CellTest { name: ALL_CELLS.to_owned(), measure: None, test }];
        let tests = [ConditionTests { condition, cells }];
        Exceeding::of_variant("v", &tests).next().map(|exceeding| exceeding.standing)
    };
    let bill = |estimate: f64| {
        let ratio = crate::analysis::result::Ratio {
            estimate,
            interval: Some(around(estimate, 0.01)),
            log_standard_error: None,
            degrees_of_freedom: None,
            p_value: None,
        };
        standing(Condition::CostIncrease(0.05), Found::Ratio(ratio))
    };
    assert_eq!([bill(1.03), bill(1.045), bill(1.06)], [None, Some(Standing::MayExceed), Some(Standing::Beyond)]);
    let above = |estimate: f64| {
        let found = Found::ProportionAbove(crate::analysis::proportion::Proportion {
            estimate,
            low: 0.0,
            high: estimate + 0.01,
        });
        standing(Condition::Latency(LatencyLimit { of: TimeStatistic::P95, ms: 100.0 }), found)
    };
    assert_eq!([above(0.03), above(0.045), above(0.06)], [None, Some(Standing::MayExceed), Some(Standing::Beyond)]);
    let tests = [ConditionTests {
        condition: Condition::CostIncrease(0.0),
        cells: vec![CellTest { name: ALL_CELLS.to_owned(), measure: None, test: Err("no bill".to_owned()) }],
    }];
    let unknown = Exceeding::of_variant("v", &tests).next().unwrap();
    assert_eq!((unknown.standing, unknown.reason.as_deref()), (Standing::Unknown, Some("no bill")));
}
