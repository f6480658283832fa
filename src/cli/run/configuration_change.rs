//! Changes of functions and of programs since the campaign began.

use super::Run;
use crate::{
    campaign::{
        Target,
        caller::Caller,
        later_configurations::{self, Identity, Reading},
        program::Program,
        unix_ms,
        variants::VariantIndex,
    },
    cli::output::note,
};
use anyhow::{Context, bail};
use std::path::Path;

/// Refuses to continue with a changed configuration, which would mix samples, unless that is allowed.
pub(super) async fn check(run: &Run, is_allowed: bool) -> anyhow::Result<()> {
    let changes: Vec<Change<'_>> = since(run).await?.into_iter().collect::<Result<_, _>>()?;
    for Change { target, is_listed, is_another, text, reading } in &changes {
        if reading.identity == Identity::Program(None) {
            bail!("{target} is not as it was before: {text}; put it back, or begin a new campaign");
        }
        if *is_another {
            bail!(
                "{target} is another function than before: {text}; use the credentials that the campaign was begun with"
            );
        }
        if *is_listed && !is_allowed {
            bail!("{target} is not as it was before: {text}; begin a new campaign, or mix both with --allow-changed");
        }
        note(format_args!("Warning: {target} is not as it was before: {text}"));
    }
    add(&run.directory, changes.into_iter().map(|change| Reading { is_allowed: true, ..change.reading }))
}

/// Stores the configuration of a function after the campaign has removed what a killed one had left in it.
pub(super) async fn restored(run: &Run, restored: VariantIndex) -> anyhow::Result<()> {
    let Some((variant, target, function)) = run.functions().find(|(variant, ..)| *variant == restored) else {
        return Ok(());
    };
    let found = function.configuration().await.with_context(|| format!("looking at {target}"))?;
    let readings = found.configuration.into_iter().map(|configuration| Reading {
        unix_ms: unix_ms(),
        variant,
        identity: Identity::Configuration(Box::new(configuration)),
        is_allowed: false,
        is_restored: true,
    });
    add(&run.directory, readings)
}

/// Stores what has changed during the campaign.
pub(super) async fn keep(run: &Run) -> anyhow::Result<()> {
    let mut readings = Vec::new();
    for change in since(run).await.unwrap_or_else(|error| vec![Err(error)]) {
        match change {
            Ok(Change { target, text, reading, .. }) => {
                note(format_args!("Warning: {target} was changed meanwhile: {text}"));
                readings.push(reading);
            }
            // This does not invalidate the samples, nor what is known of the other variants.
            Err(error) => {
                note(format_args!("Warning: whether something has changed meanwhile is not known: {error:#}"));
            }
        }
    }
    add(&run.directory, readings.into_iter())
}

fn add(directory: &Path, readings: impl Iterator<Item = Reading>) -> anyhow::Result<()> {
    let readings: Vec<Reading> = readings.collect();
    if readings.is_empty() { Ok(()) } else { Ok(later_configurations::add(directory, readings)?) }
}

/// A function, or a program, that has changed since it was last read.
struct Change<'a> {
    target: &'a Target,
    /// Whether a known setting has changed; otherwise only the revision has.
    is_listed: bool,
    /// Whether this is another function with the same name.
    is_another: bool,
    /// What has changed.
    text: String,
    reading: Reading,
}

/// The changes since the functions and programs of the campaign were last read, and why others cannot be told.
///
/// # Errors
/// When the earlier readings cannot be read.
async fn since(run: &Run) -> anyhow::Result<Vec<anyhow::Result<Change<'_>>>> {
    let Run { directory, manifest, .. } = run;
    let readings = later_configurations::read(directory)?;
    let mut changes = Vec::new();
    for (variant, caller) in run.callers.iter() {
        let target = &manifest.variants[variant].target;
        let last = readings.iter().rev().find(|reading| reading.variant == variant);
        let begun = || Identity::of(&manifest.variants[variant]);
        let Some(before) = last.map(|reading| reading.identity.clone()).or_else(begun) else { continue };
        let identity = match identity(target, caller).await.with_context(|| format!("looking at {target}")) {
            Ok(Some(identity)) => identity,
            Ok(None) => {
                note(format_args!(
                    "Warning: whether {target} has changed is not known: its configuration cannot be read any more"
                ));
                continue;
            }
            Err(error) => {
                changes.push(Err(error));
                continue;
            }
        };
        let listed = identity.changes_since(&before);
        // A campaign that forces cold starts makes new revisions itself.
        let is_revised = !manifest.plan.forces_cold_starts() && identity.has_other_revision(&before);
        if listed.is_empty() && !is_revised {
            continue;
        }
        let (is_listed, is_another) = (!listed.is_empty(), identity.is_of_another_function(&before));
        let text = if is_listed { listed.join("; ") } else { REVISED.to_owned() };
        let reading = Reading { unix_ms: unix_ms(), variant, identity, is_allowed: false, is_restored: false };
        changes.push(Ok(Change { target, is_listed, is_another, text, reading }));
    }
    Ok(changes)
}

/// What a target is now. None if its configuration cannot be read, or it has none.
async fn identity(target: &Target, caller: &Caller) -> anyhow::Result<Option<Identity>> {
    Ok(match (caller, target) {
        (Caller::Function(function), _) => {
            let found = function.configuration().await?;
            found.configuration.map(|known| Identity::Configuration(Box::new(known)))
        }
        (Caller::Process(_), Target::Process { path }) => Some(Identity::Program(Program::read_again(path)?)),
        (Caller::Process(_) | Caller::Endpoint(_), _) => None,
    })
}

/// The message if nothing but the revision has changed.
const REVISED: &str =
    "it has another revision, though nothing that is compared has changed; perhaps the value of a variable";
