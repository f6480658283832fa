//! Verdicts on one comparison, and on many at once.

use super::{
    estimate::Difference,
    interval::{CONFIDENCE, Looks},
};
use crate::campaign::manifest::{MAX_ENVIRONMENTS, Order};
use serde::Serialize;

/// A side of fewer environments gets no interval and no verdict: too often they all have the same CPU, where the
/// fleet has two (of eight environments and a CPU with a share of 44%, once in a hundred times).
pub const MINIMUM_ENVIRONMENTS: u32 = 8;

/// A campaign of fewer blocks tells too little of what disturbs calls together: it gets no interval and no verdict either.
pub const MINIMUM_BLOCKS: u32 = 5;

/// The outcome of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The candidate takes less time: the interval excludes that there is no difference.
    Faster,
    /// The candidate takes more time.
    Slower,
    /// The whole interval lies within the margin.
    Equivalent,
    /// None of these is certain with the environments so far.
    Inconclusive,
    /// No verdict is given; the warnings say why.
    Withheld,
}

crate::protocol::display_as_serialized!(Verdict);

/// The verdict on each of these differences of logarithms, such that with 95% probability none of those that say
/// faster, slower or equivalent is wrong (Holm 1979).
pub fn verdicts(differences: &[Option<Difference>], margin: f64, looks: Looks) -> Vec<Verdict> {
    let alpha = 1.0 - CONFIDENCE;
    let log_margin = margin.ln_1p();
    let p_different = adjusted(differences, |difference| difference.p_value(0.0, looks));
    let p_equivalent = adjusted(differences, |difference| difference.p_equivalence(log_margin, looks));
    let tested = differences.iter().zip(p_different.into_iter().zip(p_equivalent));
    let verdicts = tested.map(|(difference, (different, equivalent))| match difference.filter(has_enough) {
        None => Verdict::Withheld,
        Some(_) if equivalent <= alpha => Verdict::Equivalent,
        Some(found) if different <= alpha && found.estimate < 0.0 => Verdict::Faster,
        Some(_) if different <= alpha => Verdict::Slower,
        Some(_) => Verdict::Inconclusive,
    });
    verdicts.collect()
}

/// The p-values of one test on each difference, by Holm's adjustment; 1 for what has not been estimated.
fn adjusted(differences: &[Option<Difference>], p_value: impl Fn(&Difference) -> f64) -> Vec<f64> {
    holm(&differences.iter().map(|difference| difference.as_ref().map_or(1.0, &p_value)).collect::<Vec<_>>())
}

/// What of a difference's variance more environments do not narrow, only more blocks: the part of disturbances. Calls one
/// by one meet these by chance, and more blocks of a cold campaign are more environments.
pub fn fixed_variance(disturbances: f64, order: impl Into<Option<Order>>, is_cold: bool) -> f64 {
    if is_cold || order.into() == Some(Order::SingleCalls) { 0.0 } else { disturbances }
}

/// Whether an interval may be given.
pub fn has_enough(difference: &Difference) -> bool {
    let has_environments = difference.environments.iter().all(|(_, count)| *count >= MINIMUM_ENVIRONMENTS);
    has_environments && difference.blocks >= MINIMUM_BLOCKS
}

/// What is missing for a verdict on both sides, if these are the environments of the side that has fewer, and the blocks with
/// samples of both. None if there is enough.
pub(super) fn what_is_missing(environments: u32, blocks: u32) -> Option<String> {
    if environments < MINIMUM_ENVIRONMENTS {
        Some(format!("a side has {environments} of the {MINIMUM_ENVIRONMENTS} environments that a verdict takes"))
    } else if blocks < MINIMUM_BLOCKS {
        Some(format!("it has samples of both sides in {blocks} of the {MINIMUM_BLOCKS} blocks that a verdict takes"))
    } else {
        None
    }
}

/// The environments of each side with which the interval would probably allow a verdict, as one of so many tests, if the
/// difference is what it seems to be: what they add to the variance shrinks as their number grows.
///
/// None if more environments would not help because blocks are too few or disturbances too large: those take more blocks.
pub fn environments_needed(difference: &Difference, margin: f64, looks: Looks, tests: usize) -> Option<u64> {
    let now = difference.environments.iter().map(|(_, count)| *count).min().unwrap_or_default().max(1);
    if difference.blocks < MINIMUM_BLOCKS {
        return None;
    }
    if !has_enough(difference) {
        return Some(MINIMUM_ENVIRONMENTS.into());
    }
    let distance = difference.estimate.abs();
    // Either clear of no difference, or within the margin, whichever is nearer.
    let wanted = distance.max(margin.ln_1p() - distance);
    // The strictest level that Holm's method may ask for.
    let confidence = 1.0 - (1.0 - CONFIDENCE) / tests.max(1) as f64;
    environments_for(difference, wanted, confidence, looks, now)
}

/// How many environments each side needs for an interval of this half-width, given that each has `now`.
///
/// None if the part of the variance that more environments do not narrow is too large on its own, or so large that the
/// number needed is more than a campaign may have.
pub(super) fn environments_for(
    difference: &Difference,
    half_width: f64,
    confidence: f64,
    looks: Looks,
    now: u32,
) -> Option<u64> {
    let variance = difference.standard_error.powi(2);
    let wanted = variance * (half_width / difference.interval(confidence, looks).half_width()).powi(2);
    let factor = (variance - difference.fixed_variance) / (wanted - difference.fixed_variance);
    // A campaign has at most some thousands; more digits would be a pretence.
    let needed = ((f64::from(now) * factor).ceil().min(1e9) as u64).max(MINIMUM_ENVIRONMENTS.into());
    let is_known = wanted > difference.fixed_variance;
    let has_them = difference.fixed_variance == 0.0 || needed <= MAX_ENVIRONMENTS.into();
    (is_known && has_them).then_some(needed)
}

/// Holm's adjustment: reject where the result is at most the error probability of all tests together.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|one, other| p_values[*one].total_cmp(&p_values[*other]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        let left = (p_values.len() - rank) as f64;
        largest = largest.max((p_values[index] * left).min(1.0));
        adjusted[index] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::sides::Sides;

    fn difference(estimate: f64, standard_error: f64, environments: u32) -> Difference {
        Difference {
            estimate,
            standard_error,
            degrees_of_freedom: 100.0,
            environments: Sides { baseline: environments, candidate: 20 },
            blocks: 10,
            ..Difference::default()
        }
    }

    fn verdict(difference: Difference) -> Verdict {
        verdicts(&[Some(difference)], 0.02, Looks::Once)[0]
    }

    #[test]
    fn a_verdict_is_what_the_interval_says() {
        assert_eq!(verdict(difference(-0.10, 0.02, 20)), Verdict::Faster);
        assert_eq!(verdict(difference(0.10, 0.02, 20)), Verdict::Slower);
        assert_eq!(verdict(difference(0.001, 0.002, 20)), Verdict::Equivalent);
        // Different for certain, and too little to matter.
        assert_eq!(verdict(difference(-0.010, 0.002, 20)), Verdict::Equivalent);
        assert_eq!(verdict(difference(0.01, 0.02, 20)), Verdict::Inconclusive);
    }

    #[test]
    fn a_side_of_few_environments_gets_no_verdict() {
        assert_eq!(verdict(difference(-0.5, 0.001, 7)), Verdict::Withheld);
        assert_eq!(verdict(difference(-0.5, 0.001, 8)), Verdict::Faster);
        assert_eq!(environments_needed(&difference(0.0, 0.1, 1), 0.02, Looks::Once, 1), Some(8));
        assert_eq!(verdicts(&[None], 0.02, Looks::Once), [Verdict::Withheld]);
    }

    #[test]
    fn few_blocks_give_no_verdict_and_ask_for_no_environments() {
        let of = |blocks| Difference { blocks, ..difference(-0.5, 0.001, 8) };
        assert_eq!((verdict(of(4)), verdict(of(5))), (Verdict::Withheld, Verdict::Faster));
        assert_eq!(environments_needed(&of(4), 0.02, Looks::Once, 1), None);
    }

    #[test]
    fn of_many_cells_each_has_to_be_more_certain() {
        // p is 0.013: enough for one cell, too little for each of five.
        let found = difference(-0.05, 0.0198, 20);
        assert_eq!(verdict(found), Verdict::Faster);
        let verdicts = verdicts(&[Some(found); 5], 0.001, Looks::Once);
        assert_eq!(verdicts, [Verdict::Inconclusive; 5]);
    }

    #[test]
    fn four_times_the_environments_halve_the_interval() {
        // ±0.02 around 0.01: half as wide it would be clear of 0, or within the margin of 2%.
        let found = difference(0.01, 0.02 / 1.984, 20);
        let needed = |tests| environments_needed(&found, 0.02, Looks::Once, tests).unwrap();
        assert!((79..=81).contains(&needed(1)), "{}", needed(1));
        assert!(needed(27) > 2 * needed(1));
    }

    #[test]
    fn more_environments_do_not_narrow_the_part_of_disturbances() {
        let needed = |share: f64| {
            let all = difference(0.01, 0.02 / 1.984, 20);
            let fixed_variance = share * all.standard_error.powi(2);
            environments_needed(&Difference { fixed_variance, ..all }, 0.02, Looks::Once, 1)
        };
        // A quarter of the variance is left for all, and a tenth of it is taken: 0.9/0.15 times the environments.
        assert!((119..=121).contains(&needed(0.1).unwrap()), "{:?}", needed(0.1));
        assert_eq!(needed(0.3), None);
        // Enough in principle, and more than a campaign may have.
        assert_eq!(needed(0.245), None);
    }
}
