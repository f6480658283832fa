//! Which CPU models a variant runs on.

use super::{
    proportion::Proportion,
    result::{CpuProportion, PairAnalysis},
    samples::VariantSamples,
};

/// The CPU models of one variant, the most frequent first.
pub(super) fn cpus(variant: &VariantSamples) -> Vec<CpuProportion> {
    let known = variant.environments.iter().filter(|environment| environment.cpu.is_some()).count() as u32;
    let counts = (0..).zip(&variant.cpu_models).map(|(number, model)| {
        let of_model = variant.environments.iter().filter(|environment| environment.cpu == Some(number));
        (model.as_str(), of_model.count() as u32)
    });
    by_frequency(counts, known)
}

/// The CPU models that so many of `known` environments have, the most frequent first.
pub(super) fn by_frequency<'a>(counts: impl IntoIterator<Item = (&'a str, u32)>, known: u32) -> Vec<CpuProportion> {
    let cpus = counts.into_iter().map(|(model, environments)| CpuProportion {
        model: model.to_owned(),
        environments,
        proportion: Proportion::new(environments, known),
    });
    let mut cpus: Vec<CpuProportion> = cpus.collect();
    cpus.sort_by(|one, other| other.environments.cmp(&one.environments).then_with(|| one.model.cmp(&other.model)));
    cpus
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
