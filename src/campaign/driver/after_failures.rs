//! What failures mean for a campaign: whether steps become separate, and whether a side is given up.

use super::Outcome;
use crate::campaign::{
    failure::{Failure, FailureKind},
    manifest::Manifest,
    row::Row,
    sides::{Side, Sides},
    totals::Totals,
};

/// A side is given up after this many failures in a row, or after a whole step of them if that is more.
const MOST_IN_A_ROW: u64 = 5;

/// Lambda's reason for throttling if a function's own reserved concurrency is used up, or 0.
const RESERVED: &str = "ReservedFunctionConcurrentInvocationLimitExceeded";

/// The failures of a step whose calls are made again.
#[derive(Debug, Default)]
pub(super) struct StepFailures {
    sides: Sides<Vec<Failure>>,
    /// The highest number of earlier attempts at one of these calls, which the pause before the next depends on; `None`
    /// if no call is made again.
    pub(super) attempt: Option<u32>,
}

impl StepFailures {
    pub(super) fn add(&mut self, row: Row) {
        if row.is_made_again() {
            self.attempt = self.attempt.max(Some(row.attempt));
            self.sides[row.side].extend(row.failure);
        }
    }

    /// How many calls of each side are made again, for sides that have any.
    pub(super) fn counts(&self) -> impl Iterator<Item = (Side, usize)> {
        self.sides.iter().map(|(side, failures)| (side, failures.len())).filter(|(_, count)| *count > 0)
    }

    /// How many calls were throttled because both sides were called together. Reserved concurrency is the function's own,
    /// so it counts only if both sides are that function.
    pub(super) fn throttled_together(&self, manifest: &Manifest) -> usize {
        let has_one_function = manifest.has_one_function();
        let is_for_both =
            |failure: &&Failure| failure.kind == FailureKind::Throttled && (!is_reserved(failure) || has_one_function);
        self.sides.iter().flat_map(|(_, failures)| failures).filter(is_for_both).count()
    }

    /// The outcome of the campaign if the step leaves no hope for a side.
    pub(super) fn hopeless(&self, calls_of_a_step: u64, totals: &Totals) -> Option<Outcome> {
        self.sides.iter().find_map(|(side, failures)| {
            let of_side = &totals.sides[side];
            // Without any concurrency for the function, waiting for seconds changes nothing.
            let is_shut = failures.len() as u64 == calls_of_a_step
                && failures.iter().all(is_reserved)
                && of_side.succeeded() == 0;
            let calls = if is_shut { calls_of_a_step } else { of_side.failed_in_a_row };
            let is_hopeless = is_shut || calls >= MOST_IN_A_ROW.max(calls_of_a_step);
            let failure = of_side.last_failure.clone().filter(|_| is_hopeless)?;
            Some(Outcome::Failing { side, calls, failure })
        })
    }
}

fn is_reserved(failure: &Failure) -> bool {
    failure.reason.as_deref() == Some(RESERVED)
}

/// The outcome of a campaign that has all its calls, if a side never succeeded.
pub(super) fn without_success(totals: &Totals) -> Option<Outcome> {
    let mut failing = totals.sides.iter().filter(|(_, of_side)| of_side.succeeded() == 0);
    failing.find_map(|(side, of_side)| {
        Some(Outcome::Failing { side, calls: of_side.calls, failure: of_side.last_failure.clone()? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(side: Side, slot: u32, failure: Option<Failure>) -> Row {
        Row { side, slot, failure, ..Row::example() }
    }

    fn late() -> Option<Failure> {
        Some(Failure::new(FailureKind::Timeout, "too late"))
    }

    fn throttled(reason: &str) -> Option<Failure> {
        Some(Failure { reason: Some(reason.to_owned()), ..Failure::new(FailureKind::Throttled, "slow down") })
    }

    fn step(rows: &[Row]) -> (StepFailures, Totals) {
        let (mut failures, mut totals) = (StepFailures::default(), Totals::default());
        for row in rows {
            totals.add(row);
            failures.add(row.clone());
        }
        (failures, totals)
    }

    #[test]
    fn a_side_is_given_up_after_five_failures_or_a_step_of_them() {
        let calls = |count: u32| (0..count).map(|slot| row(Side::Candidate, slot, late())).collect::<Vec<_>>();
        for (count, of_a_step, given_up) in [(4, 1, false), (5, 1, true), (5, 8, false), (8, 8, true)] {
            let (failures, totals) = step(&calls(count));
            let outcome = failures.hopeless(of_a_step, &totals);
            let expected = Outcome::Failing { side: Side::Candidate, calls: count.into(), failure: late().unwrap() };
            assert_eq!(outcome, given_up.then_some(expected), "{count} of {of_a_step}");
        }
    }

    #[test]
    fn a_side_that_never_succeeded_is_given_up_after_a_step_without_reserved_concurrency() {
        let shut = [0, 1].map(|slot| row(Side::Baseline, slot, throttled(RESERVED)));
        let (failures, totals) = step(&shut);
        assert!(matches!(failures.hopeless(2, &totals), Some(Outcome::Failing { calls: 2, .. })));
        assert_eq!(failures.hopeless(3, &totals), None);
        let (failures, totals) = step(&[vec![row(Side::Baseline, 2, None)], shut.to_vec()].concat());
        assert_eq!(failures.hopeless(2, &totals), None);
    }

    #[test]
    fn reserved_concurrency_is_shared_only_by_sides_that_are_one_function() {
        let mut manifest = Manifest::example();
        let rows = [throttled(RESERVED), throttled("other"), None].map(|failure| row(Side::Baseline, 0, failure));
        let (failures, _) = step(&rows);
        assert_eq!((failures.counts().collect::<Vec<_>>(), failures.attempt), (vec![(Side::Baseline, 2)], Some(0)));
        assert_eq!(failures.throttled_together(&manifest), 2);
        manifest.sides.candidate.target = "lambda:other".parse().unwrap();
        assert_eq!(failures.throttled_together(&manifest), 1);
    }

    #[test]
    fn a_campaign_with_a_side_that_never_succeeded_is_failing() {
        let success = |side| row(side, 0, None);
        assert_eq!(without_success(&step(&[success(Side::Baseline), success(Side::Candidate)]).1), None);
        let (_, totals) = step(&[success(Side::Baseline), row(Side::Candidate, 0, late())]);
        assert!(matches!(without_success(&totals), Some(Outcome::Failing { side: Side::Candidate, calls: 1, .. })));
    }
}
