//! Which CPU models a variant runs on.

use super::{
    proportion::Proportion,
    result::{Census, CountedProportion, CpuProportion, PairAnalysis},
    samples::VariantSamples,
};
use std::cmp::Reverse;

/// The CPU models of one variant, the most frequent first.
pub(super) fn cpus(variant: &VariantSamples) -> Vec<CpuProportion> {
    let known = variant.environments.iter().filter(|environment| environment.cpu.is_some()).count() as u32;
    let counts = (0..).zip(&variant.cpu_models).map(|(number, model)| {
        let of_model = variant.environments.iter().filter(|environment| environment.cpu == Some(number));
        (model.as_str(), of_model.count() as u32)
    });
    let mut cpus = by_frequency(counts, known);
    if !variant.census.is_empty() {
        let mix = variant.known_mix();
        let counts = mix.counts();
        for (number, model) in variant.cpu_models.iter().enumerate() {
            let environments = counts.get(number).copied().unwrap_or_default();
            let counted = CountedProportion { environments, proportion: mix.proportion(number) };
            cpus.iter_mut().filter(|cpu| cpu.model == *model).for_each(|cpu| cpu.counted = Some(counted));
        }
        cpus.sort_by_key(|cpu| Reverse(cpu.counted.map(|counted| counted.environments)));
    }
    cpus
}

/// The CPU models that so many of `known` environments have, the most frequent first.
pub(super) fn by_frequency<'a>(counts: impl IntoIterator<Item = (&'a str, u32)>, known: u32) -> Vec<CpuProportion> {
    let cpus = counts.into_iter().map(|(model, environments)| CpuProportion {
        model: model.to_owned(),
        environments,
        // A census may be all that tells models.
        proportion: if known > 0 { Proportion::new(environments, known) } else { Proportion::UNKNOWN },
        counted: None,
    });
    let mut cpus: Vec<CpuProportion> = cpus.collect();
    cpus.sort_by(|one, other| other.environments.cmp(&one.environments).then_with(|| one.model.cmp(&other.model)));
    cpus
}

/// The census of a variant. None without one.
pub(super) fn census(variant: &VariantSamples) -> Option<Census> {
    let mix = Some(variant.known_mix()).filter(|_| !variant.census.is_empty())?;
    Some(Census {
        environments: variant.census.count(),
        rounds: mix.rounds.len() as u32,
        has_drifted: mix.has_drifted(),
    })
}

/// The environments whose CPU model is known.
pub(super) fn environments(cpus: &[CpuProportion]) -> u32 {
    cpus.iter().map(|cpu| cpu.environments).sum()
}

/// The environments of one CPU model.
pub(super) fn environments_of(cpus: &[CpuProportion], model: &str) -> u32 {
    cpus.iter().find(|cpu| cpu.model == model).map_or(0, |cpu| cpu.environments)
}

impl PairAnalysis {
    /// Whether the CPU model of any environment is known.
    pub fn has_cpu_models(&self) -> bool {
        self.sides.iter().any(|(_, facts)| !facts.cpus.is_empty())
    }
}
