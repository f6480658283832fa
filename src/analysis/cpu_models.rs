//! Which CPU models a variant runs on.

use super::{
    proportion::Proportion,
    result::{Census, CountedProportion, CpuProportion, PairAnalysis},
    samples::VariantSamples,
};

/// The CPU models of one variant, the most frequent first.
pub(super) fn cpus(variant: &VariantSamples) -> Vec<CpuProportion> {
    let known = variant.environments.iter().filter(|environment| environment.cpu.is_some()).count() as u32;
    let is_counted = !variant.census.is_empty();
    let counts = if is_counted { variant.known_mix().counts() } else { Vec::new() };
    let cpus = variant.cpu_models.iter().enumerate().map(|(number, model)| {
        let of_model = variant.environments.iter().filter(|environment| environment.cpu == Some(number as u16));
        let environments = of_model.count() as u32;
        let counted = counts.get(number).map(|environments| CountedProportion {
            environments: *environments,
            proportion: Proportion::new(*environments, counts.iter().sum::<u32>()),
        });
        // A census may be all that is known.
        let proportion = if known > 0 { Proportion::new(environments, known) } else { Proportion::UNKNOWN };
        CpuProportion { model: model.clone(), environments, proportion, counted }
    });
    let mut cpus: Vec<CpuProportion> = cpus.collect();
    let frequency = |cpu: &CpuProportion| cpu.counted.map_or(cpu.environments, |counted| counted.environments);
    cpus.sort_by(|one, other| frequency(other).cmp(&frequency(one)).then_with(|| one.model.cmp(&other.model)));
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
