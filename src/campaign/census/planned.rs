//! A census that a campaign takes of its own variants, in rounds spread through it, so that both see the same time.

use super::{
    allocation::EnvironmentCosts,
    plan::{CensusCall, CensusManifest, CensusPlan},
};
use crate::campaign::{
    environment_source::EnvironmentSource,
    manifest::{Manifest, Variant},
    stopping_rules,
};
use serde::{Deserialize, Serialize};

/// The fewest rounds: they tell whether the mix drifts meanwhile.
pub const MIN_ROUNDS_OF_CAMPAIGN: u32 = 5;

/// The most rounds.
pub const MAX_ROUNDS_OF_CAMPAIGN: u32 = 100;

/// Every so many blocks have a round before them where nothing tells how many blocks there will be.
pub const BLOCKS_BETWEEN_ROUNDS: u64 = 4;

/// What a campaign counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedCensus {
    /// How many environments of each variant.
    pub environments: u32,
    /// In how many rounds. One that is larger than the free concurrency allows is made in several.
    pub rounds: u32,
    /// How long the benchmark service holds each call, in milliseconds.
    pub hold_ms: u32,
    /// Whether that is a plan by what fleets are expected to be: then a round comes before every fourth block, and counts as many
    /// as is cheapest by what is known by then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_allocated: bool,
}

impl PlannedCensus {
    /// How many environments of each variant are to be counted before this block, of so many if that is known.
    pub fn environments_before(&self, block: u64, blocks: Option<u64>) -> u32 {
        // Of R rounds and B blocks, round i, from 0, comes before block i·B/R.
        let due = match blocks {
            Some(blocks) => block.saturating_add(1).saturating_mul(self.rounds.into()).div_ceil(blocks.max(1)),
            None => block / BLOCKS_BETWEEN_ROUNDS + 1,
        };
        let each = u64::from(self.environments.div_ceil(self.rounds));
        // Not more than the environments, which are a u32.
        (due.min(self.rounds.into()) * each).min(self.environments.into()) as u32
    }
}

impl Manifest {
    /// The census that the campaign takes, as the rounds of a census know it; `None` if it takes none, or nothing tells
    /// environments and CPU models.
    pub fn census(&self) -> Option<CensusManifest> {
        let Self { version, created_unix_ms, variants, plan, limits, trial, .. } = self;
        let PlannedCensus { environments, hold_ms, .. } = plan.census?;
        let first = &plan.cells[0];
        let payload = first.payload.clone();
        let has_probe = trial.as_ref().is_some_and(|trial| trial.no_probe.is_none());
        let call = match (plan.environment.clone(), plan.cpu_model.clone()) {
            _ if first.workload.is_some() => CensusCall::Service { hold_ms },
            (Some(environment), Some(cpu_model)) => CensusCall::Own { payload, environment, cpu_model },
            (environment, cpu_model) if has_probe => {
                CensusCall::Probe { payload, environment, cpu_model, accept_status: plan.accept_status.clone() }
            }
            _ => return None,
        };
        let plan = CensusPlan {
            seed: plan.seed,
            environments,
            call,
            concurrency: None,
            max_cost_usd: limits.max_cost_usd.unwrap_or(f64::INFINITY),
            timeout_ms: plan.timeout_ms,
        };
        let census = CensusManifest::new(variants.clone(), plan);
        Some(CensusManifest { version: version.clone(), created_unix_ms: *created_unix_ms, ..census })
    }

    /// A guess at the bill of the census, in US dollars; 0 without one.
    pub fn guessed_cost_of_census(&self) -> f64 {
        self.census().map_or(0.0, |census| census.guessed_cost())
    }

    /// How many environments of each variant the census has to have counted before this block.
    pub fn environments_of_census_before(&self, block: u64) -> u32 {
        self.plan.census.map_or(0, |census| census.environments_before(block, stopping_rules::most_blocks(self)))
    }

    /// Whether the campaign goes on until each frequent CPU model is measured: not where its census is planned for an interval,
    /// which decides then, nor where answers name no environment.
    pub fn measures_all_models(&self) -> bool {
        let is_told = |(_, variant): (_, &Variant)| {
            matches!(
                EnvironmentSource::of(&self.plan, variant),
                EnvironmentSource::Answers | EnvironmentSource::Pointer(_)
            )
        };
        self.plan.census.is_some_and(|census| !census.is_allocated) && self.variants.iter().all(is_told)
    }

    /// What environments may cost, by the guess.
    pub fn guessed_costs_of_environment(&self) -> EnvironmentCosts {
        let of_block = self.guessed_cost() / f64::from(self.plan.environments);
        let of_census = self.census().map_or(0.0, |census| census.guessed_cost() / f64::from(census.plan.environments));
        EnvironmentCosts { measured: of_block * BLOCKS_BETWEEN_ROUNDS as f64, counted: of_census }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{manifest::CampaignLimits, trial::Trial};

    const TEN: PlannedCensus = PlannedCensus { environments: 10, rounds: 5, hold_ms: 1500, is_allocated: false };

    fn before(census: PlannedCensus, blocks: Option<u64>, up_to: u64) -> Vec<u32> {
        (0..up_to).map(|block| census.environments_before(block, blocks)).collect()
    }

    #[test]
    fn rounds_are_spread_over_the_blocks() {
        // Before the blocks 0, 2, 4, 6 and 8.
        assert_eq!(before(TEN, Some(10), 10), [2, 2, 4, 4, 6, 6, 8, 8, 10, 10]);
        // 0, 1 (7/5), 2 (14/5), 4 (21/5) and 5 (28/5).
        assert_eq!(before(TEN, Some(7), 7), [2, 4, 6, 6, 8, 10, 10]);
        // Several rounds before one block.
        assert_eq!(before(TEN, Some(2), 3), [6, 10, 10]);
        assert_eq!(before(TEN, Some(1), 1), [10]);
        assert_eq!(before(TEN, None, 9), [2, 2, 2, 2, 4, 4, 4, 4, 6]);
        assert_eq!(TEN.environments_before(u64::MAX, Some(3)), 10);
    }

    #[test]
    fn the_last_round_has_what_the_others_leave() {
        let uneven = PlannedCensus { environments: 7, ..TEN };
        assert_eq!(before(uneven, Some(5), 5), [2, 4, 6, 7, 7]);
        assert_eq!(before(PlannedCensus { environments: u32::MAX, ..TEN }, Some(5), 5)[4], u32::MAX);
    }

    #[test]
    fn the_blocks_are_those_that_the_calls_allow_whatever_they_may_cost() {
        let mut manifest = Manifest::example();
        manifest.plan.census = Some(TEN);
        // Two calls a block.
        manifest.limits = CampaignLimits { invocations: Some(20), max_cost_usd: Some(1e-6), ..manifest.limits };
        assert_eq!(manifest.environments_of_census_before(2), 4);
        manifest.limits.invocations = None;
        assert_eq!(manifest.environments_of_census_before(3), 2);
        manifest.plan.census = None;
        assert_eq!(manifest.environments_of_census_before(3), 0);
    }

    #[test]
    fn functions_of_the_users_own_get_the_first_payload() {
        let mut manifest = Manifest::example();
        manifest.plan.census = Some(TEN);
        assert_eq!(manifest.census(), None);
        (manifest.plan.environment, manifest.plan.cpu_model) = (Some("/id".to_owned()), Some("/cpu".to_owned()));
        let call = manifest.census().unwrap().plan.call;
        assert!(
            matches!(call, CensusCall::Own { payload, cpu_model, .. } if (&*payload, &*cpu_model) == ("{}", "/cpu"))
        );
        manifest.plan.cells[0].workload = Some("math/fft".to_owned());
        assert_eq!(manifest.census().unwrap().plan.call, CensusCall::Service { hold_ms: 1500 });
    }

    #[test]
    fn clones_are_counted_by_their_probe_unless_answers_name_both() {
        let mut manifest = Manifest::example();
        (manifest.plan.census, manifest.trial) = (Some(TEN), Some(Trial::example()));
        let call = |manifest: &Manifest| manifest.census().map(|census| census.plan.call);
        let payload = || "{}".to_owned();
        let probe = |environment| CensusCall::Probe {
            payload: payload(),
            environment,
            cpu_model: None,
            accept_status: vec!["404".parse().unwrap()],
        };
        manifest.plan.accept_status = vec!["404".parse().unwrap()];
        assert_eq!(call(&manifest), Some(probe(None)));
        let environment = || "/id".to_owned();
        manifest.plan.environment = Some(environment());
        assert_eq!(call(&manifest), Some(probe(Some(environment()))));
        let without_probe = Trial { no_probe: Some("its code is an image".to_owned()), ..Trial::example() };
        let image = Manifest { trial: Some(without_probe), ..manifest.clone() };
        assert_eq!((call(&image), image.guessed_cost_of_census()), (None, 0.0));
        for mut manifest in [manifest, image] {
            manifest.plan.cpu_model = Some("/cpu".to_owned());
            let own = CensusCall::Own { payload: payload(), environment: environment(), cpu_model: "/cpu".to_owned() };
            assert_eq!(call(&manifest), Some(own));
        }
    }
}
