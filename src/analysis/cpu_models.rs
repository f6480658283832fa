//! Which CPU models a side runs on.

use super::{proportion::Proportion, result::CpuProportion, samples::SideSamples};

/// The CPU models of one side, the most frequent first.
pub(super) fn cpus(side: &SideSamples) -> Vec<CpuProportion> {
    let known = side.environments.iter().filter(|it| it.cpu.is_some()).count() as u32;
    let cpus = side.cpu_models.iter().enumerate().map(|(number, model)| {
        let environments = side.environments.iter().filter(|it| it.cpu == Some(number as u16)).count() as u32;
        CpuProportion { model: model.clone(), environments, share: Proportion::new(environments, known) }
    });
    let mut cpus: Vec<CpuProportion> = cpus.collect();
    cpus.sort_by(|one, other| other.environments.cmp(&one.environments).then_with(|| one.model.cmp(&other.model)));
    cpus
}
