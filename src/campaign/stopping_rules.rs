//! The rules that end a campaign.

use super::{
    census::{CensusRow, FleetVariances},
    manifest::{CampaignLimits, Manifest},
    row::Row,
    totals::{Totals, VariantTotals},
    variants::{VariantIndex, Variants},
};
use std::{collections::BTreeMap, fmt::Debug, time::Duration};

/// How many times as many calls as its limit a campaign makes at most, where its census has counted CPU models that were hardly
/// measured.
const MOST_FOR_MODELS: u64 = 2;

/// How many calls of which variants are about to be made.
pub type NextCalls = BTreeMap<VariantIndex, u64>;

/// A limit that may tell beforehand how many blocks it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockLimit {
    Invocations,
    /// By the guess at the bill of a block.
    Cost,
    /// If blocks keep a pace.
    Duration,
}

impl BlockLimit {
    /// Whether the number of blocks is a guess, which the campaign may pass, and not a maximum.
    pub fn is_guessed(self) -> bool {
        self == Self::Cost
    }
}

/// How many blocks a campaign's limits allow, as far as they tell before the first call.
pub fn blocks_within_limits(manifest: &Manifest) -> impl Iterator<Item = (BlockLimit, u64)> {
    let Manifest { plan, limits, .. } = manifest;
    let (calls, cost) = (manifest.calls_of_block(), manifest.guessed_cost());
    let invocations = limits.invocations.map(|invocations| invocations / calls);
    // What a census leaves.
    let money = limits.max_cost_usd.map(|usd| (usd - manifest.guessed_cost_of_census()).max(0.0));
    let by_cost = money.filter(|_| cost > 0.0).map(|usd| (usd / cost) as u64);
    // The first block begins at once, every other one a pace later.
    let by_pace = limits.duration_ms.filter(|_| plan.pace_ms > 0).map(|duration| duration.div_ceil(plan.pace_ms));
    let limits = [(BlockLimit::Invocations, invocations), (BlockLimit::Cost, by_cost), (BlockLimit::Duration, by_pace)];
    limits.into_iter().filter_map(|(limit, blocks)| Some((limit, blocks?)))
}

/// The most blocks of a campaign, if that is known before the first call.
pub fn most_blocks(manifest: &Manifest) -> Option<u64> {
    let known = blocks_within_limits(manifest).filter(|(limit, _)| !limit.is_guessed());
    known.map(|(_, blocks)| blocks).min()
}

/// Decides, before every block and within it, whether the campaign has enough samples.
///
/// Rules observe every sample in the order of the journal, including those of an earlier start of the program.
pub trait StoppingRule: Debug {
    /// Takes in one more sample.
    fn observe(&mut self, _row: &Row) {}

    /// Takes in one more call of the campaign's own census.
    fn observe_census(&mut self, _row: &CensusRow) {}

    /// The reason not to begin another block, which would make these calls of each variant and begin when the campaign is
    /// `at` this age.
    fn reason(&self, totals: &Totals, next: &NextCalls, at: Duration) -> Option<String>;

    /// The reason not to make the remaining calls of a step.
    fn reason_within_block(&self, _totals: &Totals, _next: &NextCalls) -> Option<String> {
        None
    }

    /// What the variance of the least certain difference of fleets comes from, if that can be told.
    fn fleet_variances(&self) -> Option<FleetVariances> {
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
    /// Whether the campaign goes on until each frequent CPU model is measured.
    measures_all_models: bool,
    /// A guess at the bill of a call of each variant, in US dollars.
    guessed_costs: Variants<f64>,
}

impl LimitRule {
    /// The rule for the limits of `manifest`.
    pub fn new(manifest: &Manifest) -> Self {
        let calls = manifest.plan.calls_of_variant() as f64;
        let guessed_costs = manifest.variants.map(|_, variant| manifest.guessed_cost_of(variant) / calls);
        Self { limits: manifest.limits, measures_all_models: manifest.measures_all_models(), guessed_costs }
    }

    fn duration(&self, totals: &Totals, at: Duration) -> Option<String> {
        let limit = Duration::from_millis(self.limits.duration_ms?);
        let is_over = Duration::from_millis(totals.elapsed_ms).max(at) >= limit;
        is_over.then(|| format!("the time is over (--duration {})", humantime::format_duration(limit)))
    }

    /// Begins no block that would exceed the number of calls, unless the census has counted CPU models that were hardly
    /// measured.
    fn invocations(&self, totals: &Totals, next: &NextCalls) -> Option<String> {
        let limit = self.limits.invocations?;
        // Attempts of the same call count once.
        let (made, of_block) = (totals.calls_of_blocks(), next.values().sum::<u64>());
        let exceeds = |limit: u64| made + of_block > limit;
        if !exceeds(limit) {
            return None;
        }
        let wants_more =
            || self.measures_all_models && next.keys().any(|variant| !totals.unmeasured_models(*variant).is_empty());
        if !exceeds(limit.saturating_mul(MOST_FOR_MODELS)) && wants_more() {
            return None;
        }
        let more = made.checked_sub(limit).filter(|more| *more > 0);
        let more = more.map(|more| format!(", and {more} more to measure all frequent CPU models")).unwrap_or_default();
        Some(format!("all calls are made (--invocations {limit}{more})"))
    }

    /// Begins no block that would exceed the cost, judged by the calls so far; and no step of a block whose calls turn
    /// out to cost more than expected, because they take longer or are made again.
    fn cost(&self, totals: &Totals, next: &NextCalls) -> Option<String> {
        let limit = self.limits.max_cost_usd?;
        let spent = totals.cost_usd();
        let of_a_call = |variant: VariantIndex| match &totals.variants[variant] {
            VariantTotals { calls: 0, .. } => self.guessed_costs[variant],
            VariantTotals { calls, cost_usd, .. } => cost_usd / *calls as f64,
        };
        let more: f64 = next.iter().map(|(variant, calls)| of_a_call(*variant) * *calls as f64).sum();
        // Sums of the same numbers in a different order may differ in the last digit.
        let is_enough = spent + more > limit * (1.0 + 1e-12);
        is_enough.then(|| format!("the money is spent (--max-cost {limit}): ${spent:.4}"))
    }
}

impl StoppingRule for LimitRule {
    fn reason(&self, totals: &Totals, next: &NextCalls, at: Duration) -> Option<String> {
        let enough = self.duration(totals, at).or_else(|| self.invocations(totals, next));
        enough.or_else(|| self.cost(totals, next))
    }

    fn reason_within_block(&self, totals: &Totals, next: &NextCalls) -> Option<String> {
        self.cost(totals, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{census::Tally, totals::CalledEnvironment};

    fn totals(calls: u64, cost_usd: f64, elapsed_ms: u64) -> Totals {
        let mut totals = Totals::new(2);
        totals.elapsed_ms = elapsed_ms;
        // The second variant costs all of it.
        let [one, other] = VariantIndex::both();
        (totals.variants[one].calls, totals.variants[other].calls) = (calls / 2, calls / 2);
        totals.variants[other].cost_usd = cost_usd;
        totals
    }

    fn rule(limits: CampaignLimits, guessed_cost: f64) -> LimitRule {
        LimitRule { limits, measures_all_models: true, guessed_costs: [guessed_cost / 10.0; 2].into_iter().collect() }
    }

    /// So many calls, half of each variant.
    fn next(calls: u64) -> NextCalls {
        VariantIndex::both().map(|variant| (variant, calls / 2)).into()
    }

    fn cost_limit(guessed_cost: f64) -> LimitRule {
        rule(CampaignLimits { max_cost_usd: Some(0.5), ..CampaignLimits::default() }, guessed_cost)
    }

    #[test]
    fn limits_tell_how_many_blocks_they_allow_where_that_is_known() {
        let mut manifest = Manifest::example();
        manifest.limits =
            CampaignLimits { duration_ms: Some(60_000), invocations: None, max_cost_usd: Some(0.5), until_ci: None };
        let of = |manifest: &Manifest| blocks_within_limits(manifest).collect::<Vec<_>>();
        // Nothing is billed, and no pace is kept.
        assert_eq!(of(&manifest), []);
        (manifest.limits.invocations, manifest.plan.pace_ms) = (Some(11), 7_000);
        let limits = of(&manifest);
        assert_eq!(limits, [(BlockLimit::Invocations, 5), (BlockLimit::Duration, 9)]);
        assert!(!limits.iter().any(|(limit, _)| limit.is_guessed()) && BlockLimit::Cost.is_guessed());
    }

    #[test]
    fn only_whole_blocks_are_begun() {
        let rule = rule(CampaignLimits { invocations: Some(25), ..CampaignLimits::default() }, 0.0);
        assert!(rule.reason(&totals(10, 0.0, 0), &next(10), Duration::ZERO).is_none());
        assert!(rule.reason(&totals(20, 0.0, 0), &next(10), Duration::ZERO).unwrap().contains("--invocations 25"));
    }

    #[test]
    fn twice_the_calls_are_made_at_most_to_measure_a_cpu_model() {
        let rule = rule(CampaignLimits { invocations: Some(25), ..CampaignLimits::default() }, 0.0);
        let [one, _] = VariantIndex::both();
        let after = |calls| {
            let mut totals = totals(calls, 0.0, 0);
            let mut census: Variants<Tally> = [Tally::new(9), Tally::new(9)].into_iter().collect();
            census[one].add(&CensusRow::example("e", "V1"));
            totals.census = Some(census);
            totals.variants[one].environments.insert("f".to_owned(), CalledEnvironment::default());
            rule.reason(&totals, &next(10), Duration::ZERO)
        };
        assert_eq!((after(20), after(40)), (None, None));
        let reason = "all calls are made (--invocations 25, and 25 more to measure all frequent CPU models)";
        assert_eq!(after(50).as_deref(), Some(reason));
    }

    #[test]
    fn a_block_that_would_cost_too_much_is_not_begun() {
        let at_block = |rule: &LimitRule, totals| rule.reason(&totals, &next(10), Duration::ZERO);
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
        assert!(rule.reason_within_block(&totals(42, 0.42, 0), &next(8)).is_none());
        // Two calls have cost 0.06 each.
        assert!(rule.reason_within_block(&totals(42, 0.52, 0), &next(2)).unwrap().contains("--max-cost 0.5"));
    }

    #[test]
    fn no_block_is_begun_after_the_duration_and_one_that_has_begun_is_completed() {
        let rule = rule(CampaignLimits { duration_ms: Some(60_000), ..CampaignLimits::default() }, 0.0);
        assert!(rule.reason(&totals(0, 0.0, 59_999), &next(10), Duration::ZERO).is_none());
        assert!(rule.reason(&totals(0, 0.0, 60_000), &next(10), Duration::ZERO).unwrap().contains("--duration 1m"));
        // The next block would begin too late.
        assert!(
            rule.reason(&totals(0, 0.0, 1_000), &next(10), Duration::from_secs(60)).unwrap().contains("--duration 1m")
        );
        assert!(rule.reason_within_block(&totals(2, 0.0, 120_000), &next(2)).is_none());
    }
    #[test]
    fn the_cost_of_a_block_is_that_of_the_variants_that_it_calls() {
        let (rule, totals, [cheap, dear]) = (cost_limit(0.0), totals(40, 0.4, 0), VariantIndex::both());
        assert!(rule.reason_within_block(&totals, &NextCalls::from([(cheap, 1000)])).is_none());
        assert!(rule.reason_within_block(&totals, &NextCalls::from([(dear, 5)])).is_none());
        assert!(rule.reason_within_block(&totals, &NextCalls::from([(dear, 6)])).is_some());
    }
}
