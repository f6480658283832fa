//! Whether functions are still configured as they were.

use crate::{
    campaign::{
        Target,
        caller::Caller,
        manifest::Manifest,
        readings::{self, Reading},
        sides::{Side, Sides},
        unix_ms,
    },
    cli::output::note,
};
use anyhow::{Context, bail};
use std::{path::Path, sync::Arc};

/// Refuses to mix samples of functions that are configured differently, unless that is wanted.
pub(super) async fn check(
    directory: &Path,
    manifest: &Manifest,
    callers: &Sides<Arc<Caller>>,
    is_allowed: bool,
) -> anyhow::Result<()> {
    let changes = since(directory, manifest, callers).await?;
    for Change { target, is_listed, is_another, text, .. } in &changes {
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
    add(directory, changes.into_iter().map(|change| Reading { is_allowed: true, ..change.reading }))
}

/// Keeps how a function is configured now that the campaign itself has removed what a killed one had left in it.
pub(super) async fn restored(directory: &Path, manifest: &Manifest, side: Side, caller: &Caller) -> anyhow::Result<()> {
    let Caller::Function(function) = caller else { return Ok(()) };
    let looking = || format!("looking at {}", manifest.sides[side].target);
    let Some(configuration) = function.configuration().await.with_context(looking)?.configuration else {
        return Ok(());
    };
    let reading = Reading { unix_ms: unix_ms(), side, configuration, is_allowed: false, is_restored: true };
    add(directory, [reading].into_iter())
}

/// Keeps what has changed while calls were made.
pub(super) async fn keep(directory: &Path, manifest: &Manifest, callers: &Sides<Arc<Caller>>) -> anyhow::Result<()> {
    let changes = match since(directory, manifest, callers).await {
        Ok(changes) => changes,
        // The samples are there all the same.
        Err(error) => {
            note(format_args!("Warning: whether the functions have changed meanwhile is not known: {error:#}"));
            return Ok(());
        }
    };
    for Change { target, text, .. } in &changes {
        note(format_args!("Warning: {target} was changed meanwhile: {text}"));
    }
    add(directory, changes.into_iter().map(|change| change.reading))
}

fn add(directory: &Path, readings: impl Iterator<Item = Reading>) -> anyhow::Result<()> {
    let readings: Vec<Reading> = readings.collect();
    if readings.is_empty() { Ok(()) } else { Ok(readings::add(directory, readings)?) }
}

/// A function that is not configured as it was when it was last looked at.
struct Change<'a> {
    target: &'a Target,
    /// Whether something has changed that is listed; else only the revision tells.
    is_listed: bool,
    /// Whether it is another function, of the same name.
    is_another: bool,
    /// What has changed.
    text: String,
    reading: Reading,
}

/// What has changed since the functions of the campaign in `directory` were last looked at.
async fn since<'a>(
    directory: &Path,
    manifest: &'a Manifest,
    callers: &Sides<Arc<Caller>>,
) -> anyhow::Result<Vec<Change<'a>>> {
    let readings = readings::of(directory)?;
    let mut changes = Vec::new();
    for (side, caller) in callers.iter() {
        let Caller::Function(function) = caller.as_ref() else { continue };
        let target = &manifest.sides[side].target;
        let last = readings.iter().rev().find(|reading| reading.side == side).map(|reading| &reading.configuration);
        let Some(before) = last.or(manifest.sides[side].configuration.as_ref()) else { continue };
        let found = function.configuration().await.with_context(|| format!("looking at {target}"))?;
        let Some(configuration) = found.configuration else {
            note(format_args!(
                "Warning: whether {target} has changed is not known: how it is configured is not told any more"
            ));
            continue;
        };
        let listed = configuration.changes_since(before);
        // A cold campaign makes revisions of its own.
        let is_revised = !manifest.plan.cold && configuration.has_other_revision(before);
        if listed.is_empty() && !is_revised {
            continue;
        }
        let (is_listed, is_another) = (!listed.is_empty(), configuration.is_of_another_function(before));
        let text = if is_listed { listed.join("; ") } else { REVISED.to_owned() };
        let reading = Reading { unix_ms: unix_ms(), side, configuration, is_allowed: false, is_restored: false };
        changes.push(Change { target, is_listed, is_another, text, reading });
    }
    Ok(changes)
}

/// What a revision tells that differs alone.
const REVISED: &str =
    "it has another revision, though nothing that is compared has changed; perhaps the value of a variable";
