//! The rules that end a campaign.

use super::{
    manifest::{CampaignLimits, Manifest},
    row::Row,
    totals::Totals,
    variants::VariantIndex,
};
use std::{fmt::Debug, time::Duration};

/// Decides, before every block and within it, whether the campaign has enough samples.
///
/// Rules observe every sample in the order of the journal, including those of an earlier start of the program.
pub trait StoppingRule: Debug {
    /// Takes in one more sample.
    fn observe(&mut self, _row: &Row) {}

    /// The reason not to begin another block, which would make `calls` calls and begin when the campaign is `at` this
    /// age.
    fn reason(&self, totals: &Totals, calls: u64, at: Duration) -> Option<String>;

    /// The reason not to make the remaining `calls` of a block that has begun.
    fn reason_within_block(&self, _totals: &Totals, _calls: u64) -> Option<String> {
        None
    }

    /// Which of these variants, compared with the baseline, need no more calls, and why.
    fn enough_of(&self, _candidates: &[VariantIndex]) -> Vec<(VariantIndex, String)> {
        Vec::new()
    }
}

/// Ends a campaign by its limits, except [`CampaignLimits::until_ci`], which needs the analysis.
#[derive(Debug)]
pub struct LimitRule {
    limits: CampaignLimits,
    guessed_cost_of_call: f64,
}

impl LimitRule {
    /// The rule for the limits of `manifest`.
    pub fn new(manifest: &Manifest) -> Self {
        let guessed_cost_of_call = manifest.guessed_cost() / manifest.calls_of_block() as f64;
        Self { limits: manifest.limits, guessed_cost_of_call }
    }

    fn duration(&self, totals: &Totals, at: Duration) -> Option<String> {
        let limit = Duration::from_millis(self.limits.duration_ms?);
        let is_over = Duration::from_millis(totals.elapsed_ms).max(at) >= limit;
        is_over.then(|| format!("the time is over (--duration {})", humantime::format_duration(limit)))
    }

    /// Begins no block that would exceed the number of calls.
    fn invocations(&self, totals: &Totals, calls: u64) -> Option<String> {
        let limit = self.limits.invocations?;
        // Attempts of the same call count once.
        let made_again: u64 = totals.variants.iter().map(|(_, variant)| variant.made_again).sum();
        let is_enough = totals.calls() - made_again + calls > limit;
        is_enough.then(|| format!("all calls are made (--invocations {limit})"))
    }

    /// Begins no block that would exceed the cost, judged by the calls so far; and no step of a block whose calls turn
    /// out to cost more than expected, because they take longer or are made again.
    fn cost(&self, totals: &Totals, more_calls: u64) -> Option<String> {
        let limit = self.limits.max_cost_usd?;
        let spent = totals.cost_usd();
        let of_a_call = match totals.calls() {
            0 => self.guessed_cost_of_call,
            calls => spent / calls as f64,
        };
        // Sums of the same numbers in a different order may differ in the last digit.
        let is_enough = spent + of_a_call * more_calls as f64 > limit * (1.0 + 1e-12);
        is_enough.then(|| format!("the money is spent (--max-cost {limit}): ${spent:.4}"))
    }
}

impl StoppingRule for LimitRule {
    fn reason(&self, totals: &Totals, calls: u64, at: Duration) -> Option<String> {
        let enough = self.duration(totals, at).or_else(|| self.invocations(totals, calls));
        enough.or_else(|| self.cost(totals, calls))
    }

    fn reason_within_block(&self, totals: &Totals, calls: u64) -> Option<String> {
        self.cost(totals, calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn totals(calls: u64, cost_usd: f64, elapsed_ms: u64) -> Totals {
        let mut totals = Totals::new(2);
        totals.elapsed_ms = elapsed_ms;
        for (variant, of_variant) in totals.variants.iter_mut() {
            if variant == VariantIndex::default() {
                of_variant.calls = calls;
            } else {
                of_variant.cost_usd = cost_usd;
            }
        }
        totals
    }

    fn rule(limits: CampaignLimits, guessed_cost: f64) -> LimitRule {
        LimitRule { limits, guessed_cost_of_call: guessed_cost / 10.0 }
    }

    fn cost_limit(guessed_cost: f64) -> LimitRule {
        rule(CampaignLimits { max_cost_usd: Some(0.5), ..CampaignLimits::default() }, guessed_cost)
    }

    #[test]
    fn only_whole_blocks_are_begun() {
        let rule = rule(CampaignLimits { invocations: Some(25), ..CampaignLimits::default() }, 0.0);
        assert!(rule.reason(&totals(10, 0.0, 0), 10, Duration::ZERO).is_none());
        assert!(rule.reason(&totals(20, 0.0, 0), 10, Duration::ZERO).unwrap().contains("--invocations 25"));
    }

    #[test]
    fn a_block_that_would_cost_too_much_is_not_begun() {
        let at_block = |rule: &LimitRule, totals| rule.reason(&totals, 10, Duration::ZERO);
        assert!(at_block(&cost_limit(0.6), totals(0, 0.0, 0)).is_some());
        let rule = cost_limit(0.1);
        assert!(at_block(&rule, totals(0, 0.0, 0)).is_none());
        // What was paid counts, not what was guessed: 0.1 a block.
        assert!(at_block(&rule, totals(40, 0.4, 0)).is_none());
        assert!(at_block(&rule, totals(50, 0.5, 0)).unwrap().contains("$0.5000"));
    }

    #[test]
    fn a_block_whose_calls_cost_more_than_expected_is_not_completed() {
        let rule = cost_limit(0.1);
        assert!(rule.reason_within_block(&totals(42, 0.42, 0), 8).is_none());
        // Two calls have cost 0.06 each.
        assert!(rule.reason_within_block(&totals(42, 0.52, 0), 2).unwrap().contains("--max-cost 0.5"));
    }

    #[test]
    fn no_block_is_begun_after_the_duration_and_one_that_has_begun_is_completed() {
        let rule = rule(CampaignLimits { duration_ms: Some(60_000), ..CampaignLimits::default() }, 0.0);
        assert!(rule.reason(&totals(0, 0.0, 59_999), 10, Duration::ZERO).is_none());
        assert!(rule.reason(&totals(0, 0.0, 60_000), 10, Duration::ZERO).unwrap().contains("--duration 1m"));
        // The next block would begin too late.
        assert!(rule.reason(&totals(0, 0.0, 1_000), 10, Duration::from_secs(60)).unwrap().contains("--duration 1m"));
        assert!(rule.reason_within_block(&totals(1, 0.0, 120_000), 1).is_none());
    }
}
