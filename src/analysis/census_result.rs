//! What a census has found.

use super::{
    counted_environments::CountedEnvironments, cpu_models::by_frequency, estimate::CpuMix, proportion::unseen,
    result::CpuProportion,
};
use crate::{
    campaign::{
        census::{CensusManifest, Counted, Tally, VariantEnd},
        failure::Failure,
        manifest::Variant,
        region,
        variants::Variants,
    },
    protocol::Architecture,
};
use serde::Serialize;
use std::collections::BTreeSet;

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

/// The models, with intervals as reports have them: wider by how much rounds disagree.
fn cpus(tally: &Tally) -> Vec<CpuProportion> {
    let models: BTreeSet<&str> = tally.environments.values().map(|counted| counted.model.as_str()).collect();
    let number_of = |model: &str| models.iter().position(|known| *known == model);
    let mut counted = CountedEnvironments::default();
    for (environment, Counted { model, round }) in &tally.environments {
        number_of(model).into_iter().for_each(|number| counted.add((0, *round), environment, number as u16));
    }
    let mix = CpuMix { rounds: counted.rounds(), ..CpuMix::default() };
    let mut cpus = by_frequency(models.iter().copied().zip(mix.counts()), tally.count());
    for cpu in &mut cpus {
        number_of(&cpu.model).into_iter().for_each(|number| cpu.proportion = mix.proportion(number));
    }
    cpus
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{analysis::proportion::Proportion, campaign::census::CensusRow};

    /// The half width of a model's interval where six rounds of twenty environments have so many with another model.
    fn half_width(of_rounds: [u32; 6]) -> f64 {
        let mut tally = Tally::new(500);
        for (round, other) in (1..).zip(of_rounds) {
            for number in 0..20 {
                let model = if number < other { "N1" } else { "V2" };
                tally.add(&CensusRow { round, ..CensusRow::example(&format!("{round}-{number}"), model) });
            }
        }
        let cpus = cpus(&tally);
        assert_eq!((cpus[0].model.as_str(), cpus[0].environments, cpus[0].proportion.estimate), ("V2", 90, 0.75));
        (cpus[0].proportion.high - cpus[0].proportion.low) / 2.0
    }

    #[test]
    fn rounds_that_disagree_make_intervals_wider() {
        let alike = half_width([5; 6]);
        let Proportion { low, high, .. } = Proportion::new(90_u32, 120_u32);
        assert!((alike - (high - low) / 2.0).abs() < 0.001, "{alike} {low} {high}");
        // Whole rounds are of one model: it is as if there were six environments.
        let apart = half_width([0, 0, 20, 0, 10, 0]);
        assert!(apart > 3.0 * alike, "{apart} {alike}");
    }
}
