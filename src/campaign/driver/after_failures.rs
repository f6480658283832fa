//! What failures mean for a campaign: whether steps become separate, and whether a variant is given up.

use super::Hopeless;
use crate::campaign::{
    failure::{Failure, FailureKind},
    manifest::Manifest,
    row::Row,
    totals::Totals,
    variants::{VariantIndex, Variants},
};

/// A variant is given up after this many failures in a row, or after a whole step of them if that is more.
const MOST_IN_A_ROW: u64 = 5;

/// Lambda's reason for throttling if a function's own reserved concurrency is used up, or 0.
const RESERVED: &str = "ReservedFunctionConcurrentInvocationLimitExceeded";

/// The failures of a step whose calls are made again.
#[derive(Debug)]
pub(super) struct StepFailures {
    variants: Variants<Vec<Failure>>,
    /// The highest number of earlier attempts at one of these calls, which the pause before the next depends on; `None`
    /// if no call is made again.
    pub(super) attempt: Option<u32>,
}

impl StepFailures {
    pub(super) fn new(variants: usize) -> Self {
        Self { variants: Variants::defaults(variants), attempt: None }
    }

    /// Leaves out the failures of a variant whose calls are not made again after all.
    pub(super) fn forget(&mut self, variant: VariantIndex) {
        self.variants[variant].clear();
        if self.variants.iter().all(|(_, failures)| failures.is_empty()) {
            self.attempt = None;
        }
    }

    pub(super) fn add(&mut self, row: Row) {
        if row.is_made_again() {
            self.attempt = self.attempt.max(Some(row.attempt));
            self.variants[row.variant].extend(row.failure);
        }
    }

    /// How many calls of each variant are made again, for variants that have any.
    pub(super) fn counts(&self) -> impl Iterator<Item = (VariantIndex, usize)> {
        self.variants.iter().map(|(variant, failures)| (variant, failures.len())).filter(|(_, count)| *count > 0)
    }

    /// How many calls were throttled because variants were called together. Reserved concurrency is the function's own,
    /// so it counts only if another variant is that function too.
    pub(super) fn throttled_together(&self, manifest: &Manifest) -> usize {
        let is_together = |variant: VariantIndex, failure: &Failure| {
            failure.kind == FailureKind::Throttled && (!is_reserved(failure) || manifest.shares_function(variant))
        };
        let throttled = self
            .variants
            .iter()
            .map(|(variant, failures)| failures.iter().filter(|failure| is_together(variant, failure)).count());
        throttled.sum()
    }

    /// The variants for which the step leaves no hope.
    pub(super) fn hopeless(&self, calls_of_a_step: u64, totals: &Totals) -> Vec<Hopeless> {
        let hopeless = |(variant, failures): (VariantIndex, &Vec<Failure>)| {
            let of_variant = &totals.variants[variant];
            // Without any concurrency for the function, waiting for seconds changes nothing.
            let is_shut = failures.len() as u64 == calls_of_a_step
                && failures.iter().all(is_reserved)
                && of_variant.succeeded() == 0;
            let calls = if is_shut { calls_of_a_step } else { of_variant.failed_in_a_row };
            let is_hopeless = is_shut || calls >= MOST_IN_A_ROW.max(calls_of_a_step);
            let failure = of_variant.last_failure.clone().filter(|_| is_hopeless)?;
            Some(Hopeless { variant, calls, failure })
        };
        self.variants.iter().filter_map(hopeless).collect()
    }
}

/// What to do about a variant that gives nothing but failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Others succeed meanwhile: it alone is given up.
    GiveUp,
    /// All others fail too, so that the reason is not its own.
    End,
    /// The others have not been called since it began to fail.
    Wait,
}

/// What to do about `variant`, which gives nothing but failures, in view of these `others`.
pub(super) fn remedy(totals: &Totals, variant: VariantIndex, others: &[VariantIndex]) -> Remedy {
    let since = totals.variants[variant].failing_since_ms;
    let is_later = |at: Option<u64>| at.is_some() && at >= since;
    let of_others = || others.iter().map(|other| &totals.variants[*other]);
    if of_others().any(|other| is_later(other.last_success_ms)) {
        Remedy::GiveUp
    } else if of_others().all(|other| is_later(other.last_answer_ms)) {
        Remedy::End
    } else {
        Remedy::Wait
    }
}

fn is_reserved(failure: &Failure) -> bool {
    failure.reason.as_deref() == Some(RESERVED)
}

/// The variants of a campaign that has all its calls which never succeeded.
pub fn without_success(totals: &Totals) -> Vec<Hopeless> {
    let failing = totals.variants.iter().filter(|(_, of_variant)| of_variant.succeeded() == 0);
    let hopeless = failing.filter_map(|(variant, of_variant)| {
        Some(Hopeless { variant, calls: of_variant.calls, failure: of_variant.last_failure.clone()? })
    });
    hopeless.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(variant: VariantIndex, slot: u32, failure: Option<Failure>) -> Row {
        Row { variant, slot, failure, ..Row::example() }
    }

    fn late() -> Option<Failure> {
        Some(Failure::new(FailureKind::Timeout, "too late"))
    }

    fn throttled(reason: &str) -> Option<Failure> {
        Some(Failure { reason: Some(reason.to_owned()), ..Failure::new(FailureKind::Throttled, "slow down") })
    }

    fn step(rows: &[Row]) -> (StepFailures, Totals) {
        let (mut failures, mut totals) = (StepFailures::new(2), Totals::new(2));
        for row in rows {
            totals.add(row);
            failures.add(row.clone());
        }
        (failures, totals)
    }

    #[test]
    fn a_variant_is_given_up_after_five_failures_or_a_step_of_them() {
        let [_, variant] = VariantIndex::both();
        let calls = |count: u32| (0..count).map(|slot| row(variant, slot, late())).collect::<Vec<_>>();
        for (count, of_a_step, given_up) in [(4, 1, false), (5, 1, true), (5, 8, false), (8, 8, true)] {
            let (failures, totals) = step(&calls(count));
            let hopeless = failures.hopeless(of_a_step, &totals);
            let expected = Hopeless { variant, calls: count.into(), failure: late().unwrap() };
            assert_eq!(
                hopeless,
                given_up.then_some(expected).into_iter().collect::<Vec<_>>(),
                "{count} of {of_a_step}"
            );
        }
    }

    #[test]
    fn a_variant_that_never_succeeded_is_given_up_after_a_step_without_reserved_concurrency() {
        let [variant, _] = VariantIndex::both();
        let shut = [0, 1].map(|slot| row(variant, slot, throttled(RESERVED)));
        let (failures, totals) = step(&shut);
        assert!(matches!(failures.hopeless(2, &totals)[..], [Hopeless { calls: 2, .. }]));
        assert_eq!(failures.hopeless(3, &totals), []);
        let (failures, totals) = step(&[vec![row(variant, 2, None)], shut.to_vec()].concat());
        assert_eq!(failures.hopeless(2, &totals), []);
    }

    #[test]
    fn reserved_concurrency_is_shared_only_by_variants_that_are_one_function() {
        let mut manifest = Manifest::example();
        let [variant, other] = VariantIndex::both();
        let rows = [throttled(RESERVED), throttled("other"), None].map(|failure| row(variant, 0, failure));
        let (failures, _) = step(&rows);
        assert_eq!((failures.counts().collect::<Vec<_>>(), failures.attempt), (vec![(variant, 2)], Some(0)));
        assert_eq!(failures.throttled_together(&manifest), 2);
        manifest.variants[other].target = "lambda:other".parse().unwrap();
        assert_eq!(failures.throttled_together(&manifest), 1);
    }

    #[test]
    fn a_variant_that_never_succeeded_is_told() {
        let [one, other] = VariantIndex::both();
        let success = |variant| row(variant, 0, None);
        assert_eq!(without_success(&step(&[success(one), success(other)]).1), []);
        let (_, totals) = step(&[success(one), row(other, 0, late())]);
        assert!(matches!(without_success(&totals)[..], [Hopeless { variant, calls: 1, .. }] if variant == other));
    }
    #[test]
    fn a_variant_is_given_up_only_where_others_succeed_meanwhile() {
        let [failing, other] = VariantIndex::both();
        let at = |row: Row, elapsed_ms| Row { elapsed_ms, ..row };
        let of = |rows: &[Row]| remedy(&step(rows).1, failing, &[other]);
        let failures = [at(row(failing, 0, late()), 10), at(row(failing, 0, late()), 20)];
        let with = |rows: &[Row]| of(&[rows, &failures].concat());
        // It has succeeded before, and was not called since.
        assert_eq!(with(&[at(row(other, 0, None), 5)]), Remedy::Wait);
        assert_eq!(with(&[]), Remedy::Wait);
        assert_eq!(with(&[at(row(other, 0, None), 15)]), Remedy::GiveUp);
        assert_eq!(with(&[at(row(other, 0, None), 5), at(row(other, 0, late()), 15)]), Remedy::End);
    }
}
