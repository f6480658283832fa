//! The rules that end a campaign.

use super::{
    manifest::{CampaignLimits, Plan},
    row::Row,
    totals::Totals,
};
use std::{fmt::Debug, time::Duration};

/// Decides, before every block and within it, whether the campaign has enough samples.
///
/// Rules observe every sample in the order of the journal, including those of an earlier start of the program.
pub trait StoppingRule: Debug {
    /// Takes in one more sample.
    fn observe(&mut self, _row: &Row) {}

    /// The reason not to begin another block, which would begin when the campaign is `at` this age.
    fn reason(&self, totals: &Totals, at: Duration) -> Option<String>;

    /// The reason not to make the remaining `calls` of a block that has begun.
    fn reason_within_block(&self, _totals: &Totals, _calls: u64) -> Option<String> {
        None
    }
}

/// The rules for `limits`, except [`CampaignLimits::until_ci`], which needs the analysis.
pub fn rules(limits: &CampaignLimits, plan: &Plan, guessed_cost: f64) -> Vec<Box<dyn StoppingRule>> {
    let mut rules: Vec<Box<dyn StoppingRule>> = Vec::new();
    if let Some(milliseconds) = limits.duration_ms {
        rules.push(Box::new(TimeLimit(Duration::from_millis(milliseconds))));
    }
    if let Some(calls) = limits.invocations {
        rules.push(Box::new(Invocations { calls, of_a_block: plan.calls() }));
    }
    if let Some(dollars) = limits.max_cost_usd {
        rules.push(Box::new(CostLimit { dollars, guessed_cost, calls_of_a_block: plan.calls() }));
    }
    rules
}

#[derive(Debug)]
struct TimeLimit(Duration);

impl StoppingRule for TimeLimit {
    fn reason(&self, totals: &Totals, at: Duration) -> Option<String> {
        let is_over = Duration::from_millis(totals.elapsed_ms).max(at) >= self.0;
        is_over.then(|| format!("the time is over (--duration {})", humantime::format_duration(self.0)))
    }
}

/// Begins no block that would exceed the number of calls.
#[derive(Debug)]
struct Invocations {
    calls: u64,
    of_a_block: u64,
}

impl StoppingRule for Invocations {
    fn reason(&self, totals: &Totals, _: Duration) -> Option<String> {
        // Attempts of the same call count once.
        let made_again: u64 = totals.sides.iter().map(|(_, side)| side.made_again).sum();
        let is_enough = totals.calls() - made_again + self.of_a_block > self.calls;
        is_enough.then(|| format!("all calls are made (--invocations {})", self.calls))
    }
}

/// Begins no block that would exceed the cost, judged by the calls so far; and no step of a block whose calls turn out
/// to cost more than expected, because they take longer or are made again.
#[derive(Debug)]
struct CostLimit {
    dollars: f64,
    guessed_cost: f64,
    calls_of_a_block: u64,
}

impl CostLimit {
    /// The reason not to make `calls` more calls.
    fn too_much(&self, totals: &Totals, calls: u64) -> Option<String> {
        let spent = totals.cost_usd();
        let of_a_call = match totals.calls() {
            0 => self.guessed_cost / self.calls_of_a_block as f64,
            calls => spent / calls as f64,
        };
        // Sums of the same numbers in a different order may differ in the last digit.
        let is_enough = spent + of_a_call * calls as f64 > self.dollars * (1.0 + 1e-12);
        is_enough.then(|| format!("the money is spent (--max-cost {}): ${spent:.4}", self.dollars))
    }
}

impl StoppingRule for CostLimit {
    fn reason(&self, totals: &Totals, _: Duration) -> Option<String> {
        self.too_much(totals, self.calls_of_a_block)
    }

    fn reason_within_block(&self, totals: &Totals, calls: u64) -> Option<String> {
        self.too_much(totals, calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::sides::Side;

    fn totals(calls: u64, cost_usd: f64, elapsed_ms: u64) -> Totals {
        let mut totals = Totals::default();
        totals.elapsed_ms = elapsed_ms;
        totals.sides[Side::Baseline].calls = calls;
        totals.sides[Side::Candidate].cost_usd = cost_usd;
        totals
    }

    #[test]
    fn only_whole_blocks_are_begun() {
        let rule = Invocations { calls: 25, of_a_block: 10 };
        assert!(rule.reason(&totals(10, 0.0, 0), Duration::ZERO).is_none());
        assert!(rule.reason(&totals(20, 0.0, 0), Duration::ZERO).unwrap().contains("--invocations 25"));
    }

    #[test]
    fn a_block_that_would_cost_too_much_is_not_begun() {
        let at_block = |rule: &CostLimit, totals| rule.reason(&totals, Duration::ZERO);
        let rule = CostLimit { dollars: 0.5, guessed_cost: 0.6, calls_of_a_block: 10 };
        assert!(at_block(&rule, totals(0, 0.0, 0)).is_some());
        let rule = CostLimit { guessed_cost: 0.1, ..rule };
        assert!(at_block(&rule, totals(0, 0.0, 0)).is_none());
        // What was paid counts, not what was guessed: 0.1 a block.
        assert!(at_block(&rule, totals(40, 0.4, 0)).is_none());
        assert!(at_block(&rule, totals(50, 0.5, 0)).unwrap().contains("$0.5000"));
    }

    #[test]
    fn a_block_whose_calls_cost_more_than_it_was_begun_for_is_not_completed() {
        let rule = CostLimit { dollars: 0.5, guessed_cost: 0.1, calls_of_a_block: 10 };
        assert!(rule.reason_within_block(&totals(42, 0.42, 0), 8).is_none());
        // Two calls have cost 0.06 each.
        assert!(rule.reason_within_block(&totals(42, 0.52, 0), 2).unwrap().contains("--max-cost 0.5"));
        assert!(TimeLimit(Duration::from_secs(1)).reason_within_block(&totals(1, 0.0, 2000), 1).is_none());
    }

    #[test]
    fn time_is_over_when_it_is_over() {
        let rule = TimeLimit(Duration::from_secs(60));
        assert!(rule.reason(&totals(0, 0.0, 59_999), Duration::ZERO).is_none());
        assert!(rule.reason(&totals(0, 0.0, 60_000), Duration::ZERO).unwrap().contains("--duration 1m"));
        // The next block would begin too late.
        assert!(rule.reason(&totals(0, 0.0, 1_000), Duration::from_secs(60)).unwrap().contains("--duration 1m"));
    }
}
