//! How environments will be told, before the campaign begins.

use crate::{
    campaign::{
        Target,
        environment_source::EnvironmentSource,
        manifest::{Manifest, Variant},
    },
    cli::{output::note, wrong_arguments::refuse},
};

/// Warns of variants whose environments nothing will tell. Refuses to end a campaign by its intervals if environments are
/// only told when it has ended.
pub(super) fn check(manifest: &Manifest) -> anyhow::Result<()> {
    for (_, variant) in manifest.variants.iter() {
        match EnvironmentSource::of(&manifest.plan, variant) {
            EnvironmentSource::Unknown => note(warning(variant)),
            EnvironmentSource::LogStreams(log) if manifest.limits.until_ci.is_some() => refuse!(
                "--until-ci takes environments that are known while the campaign runs, and those of {} are read from log \
                 streams of {log} when it has ended: say where answers name them (--environment POINTER), or leave \
                 --until-ci out",
                variant.target
            ),
            _ => {}
        }
    }
    Ok(())
}

fn warning(variant: &Variant) -> String {
    let target = &variant.target;
    let or = match target {
        Target::Function { .. } => ", use --cold, or name a region, in which its log is",
        Target::Endpoint { .. } => ", or name the function itself (lambda:NAME), whose log streams tell it",
        Target::Process { .. } | Target::Import { .. } => "",
    };
    format!(
        "Warning: nothing will tell which environment of {target} gives an answer, so there can be no verdict: say where \
         answers name it (--environment POINTER){or}"
    )
}
