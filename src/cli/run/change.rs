//! Whether functions are still configured as they were.

use super::unix_ms;
use crate::campaign::{
    Target,
    caller::Caller,
    manifest::Manifest,
    readings::{self, Reading},
    sides::Sides,
};
use anyhow::Context;
use std::{path::Path, sync::Arc};

/// A function that is not configured as it was when it was last looked at.
pub(super) struct Change<'a> {
    pub target: &'a Target,
    /// Whether something has changed that is listed; else only the revision tells.
    pub is_listed: bool,
    /// What has changed.
    pub text: String,
    pub reading: Reading,
}

/// What has changed since the functions of the campaign in `directory` were last looked at.
pub(super) async fn since<'a>(
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
        let Some(configuration) = found.configuration else { continue };
        let listed = configuration.changes_since(before);
        // A cold campaign makes revisions of its own.
        let is_revised = !manifest.plan.cold && configuration.has_other_revision(before);
        if listed.is_empty() && !is_revised {
            continue;
        }
        let is_listed = !listed.is_empty();
        let text = if is_listed { listed.join("; ") } else { REVISED.to_owned() };
        let reading = Reading { unix_ms: unix_ms(), side, configuration, is_allowed: false };
        changes.push(Change { target, is_listed, text, reading });
    }
    Ok(changes)
}

/// What a revision tells that differs alone.
const REVISED: &str =
    "it has another revision, though nothing that is compared has changed; perhaps the value of a variable";
