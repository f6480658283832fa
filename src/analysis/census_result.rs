//! What a census has found.

use super::{cpu_models::by_frequency, proportion::unseen, result::CpuProportion};
use crate::{
    campaign::{
        census::{CensusManifest, Tally, VariantEnd},
        failure::Failure,
        manifest::Variant,
        region,
        variants::Variants,
    },
    protocol::Architecture,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The CPU models of all variants.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CensusResult {
    /// When the census was begun, in milliseconds since 1970-01-01 UTC.
    pub created_unix_ms: u64,
    /// From its begin to its last answer, in milliseconds, without pauses between two starts of the program.
    pub elapsed_ms: u64,
    /// The estimated bill, in US dollars.
    pub cost_usd: f64,
    pub variants: Vec<VariantCensus>,
}

/// The CPU models of a variant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VariantCensus {
    pub name: String,
    pub target: String,
    pub region: Option<String>,
    pub architecture: Option<Architecture>,
    /// The distinct environments whose CPU model is known.
    pub environments: u32,
    /// The models, the most frequent first.
    pub cpus: Vec<CpuProportion>,
    /// The largest proportion of the fleet that a model which was not seen may have, with 95% confidence.
    pub unseen: f64,
    pub rounds: u32,
    pub calls: u64,
    pub failed: u64,
    pub throttled: u64,
    pub cost_usd: f64,
    pub end: EndOfCensus,
    /// The last failure, if nothing but failures came of the last rounds.
    pub failure: Option<Failure>,
}

/// Why a variant is not called any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndOfCensus {
    /// As many environments as wanted are counted.
    Counted,
    /// The last rounds met no new environment.
    Fruitless,
    /// The census ended before.
    Open,
}

impl CensusResult {
    pub fn new(manifest: &CensusManifest, tallies: &Variants<Tally>) -> Self {
        let variants = tallies.iter().map(|(variant, tally)| {
            VariantCensus::new(&manifest.variants[variant], tally, tally.end(manifest.plan.environments))
        });
        Self {
            created_unix_ms: manifest.created_unix_ms,
            elapsed_ms: tallies.iter().map(|(_, tally)| tally.elapsed_ms).max().unwrap_or_default(),
            cost_usd: tallies.iter().map(|(_, tally)| tally.cost_usd).sum(),
            variants: variants.collect(),
        }
    }

    /// The variants of which nothing was counted because their calls failed.
    pub fn failing(&self) -> impl Iterator<Item = &VariantCensus> {
        self.variants.iter().filter(|variant| variant.environments == 0 && variant.failure.is_some())
    }
}

impl VariantCensus {
    fn new(variant: &Variant, tally: &Tally, end: Option<VariantEnd>) -> Self {
        let (end, failure) = match end {
            Some(VariantEnd::Counted) => (EndOfCensus::Counted, None),
            Some(VariantEnd::Fruitless(failure)) => (EndOfCensus::Fruitless, failure),
            None => (EndOfCensus::Open, None),
        };
        Self {
            name: variant.name.clone(),
            target: variant.target.to_string(),
            region: region::of_variant(variant),
            architecture: variant.configuration.as_ref().map(|configuration| configuration.architecture),
            environments: tally.count(),
            cpus: cpus(tally),
            unseen: unseen(tally.count()),
            rounds: tally.rounds,
            calls: tally.calls,
            failed: tally.failed,
            throttled: tally.throttled,
            cost_usd: tally.cost_usd,
            end,
            failure,
        }
    }
}

fn cpus(tally: &Tally) -> Vec<CpuProportion> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for model in tally.environments.values() {
        *counts.entry(model).or_default() += 1;
    }
    by_frequency(counts, tally.count())
}
