//! Deleting clones that a killed `duet try` has left.

use super::CleanUpArgs;
use crate::{
    campaign::{
        aws::{AwsService, Lambda, Session, endpoint},
        caller::FunctionCaller,
        clones::{self, CloneList, Leftover, Remover},
        function_arn::FunctionArn,
        run_directory,
    },
    cli::{
        output::{line, note},
        question,
    },
    report::words::counted,
};
use anyhow::{Context, bail};
use std::{collections::BTreeSet, path::Path};

/// Where clones may be that no list names: a region, and the profile that was used there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Location {
    pub(super) region: Option<String>,
    pub(super) profile: Option<String>,
}

impl CleanUpArgs {
    /// Deletes the clones that the campaign in `directory` has left, and says where they were; none if there is no list.
    pub(super) async fn clones_of(
        &self,
        directory: &Path,
        session: &Session,
    ) -> anyhow::Result<Option<(Vec<String>, Location)>> {
        let Some(list) = CloneList::read(directory)? else { return Ok(None) };
        let (resources, place) = (list.open()?, list.place());
        line(format_args!("{}: made for a trial of {}, {place}:", directory.display(), list.function()))?;
        for resource in &resources {
            line(format_args!("  {}", resource.text()))?;
        }
        let session = session.at_place(place);
        if !self.force {
            check_place(&list, &session).await?;
        }
        self.confirm()?;
        let remover = Remover::new(&session, self.change.change_timeout).await?;
        let lines = remover.delete_all(&list).await?;
        list.close();
        run_directory::discard(directory);
        let region = place.region.clone();
        let profile = place.profile.clone().filter(|_| place.is_profile_fixed);
        Ok(Some((lines, Location { region, profile })))
    }

    /// Deletes what was found in a region, which no list names.
    async fn delete_found(&self, found: &[Leftover], region: &str, session: &Session) -> anyhow::Result<Vec<String>> {
        if found.is_empty() {
            return Ok(vec![format!("No other clones are left in {region}")]);
        }
        let campaigns: BTreeSet<_> = found.iter().map(|leftover| leftover.resource.campaign()).collect();
        let campaigns = counted(campaigns.len() as u64, "campaign");
        line(format_args!(
            "Clones in {region} of {campaigns} that no run directory here names, and that are not needed:"
        ))?;
        for leftover in found {
            line(format_args!("  {}", leftover.text()))?;
        }
        self.confirm()?;
        let remover = Remover::new(session, self.change.change_timeout).await?;
        let mut lines = Vec::new();
        for leftover in found {
            let deleted = remover.delete_leftover(leftover).await.with_context(|| leftover.text())?;
            lines.push(format!("{}: {deleted}", leftover.resource));
        }
        Ok(lines)
    }

    fn confirm(&self) -> anyhow::Result<()> {
        if !self.yes && !question::ask("Delete them?")? {
            bail!("nothing is deleted");
        }
        Ok(())
    }
}

/// Checks that these settings lead to where the clones were made: elsewhere they would seem to be deleted.
async fn check_place(list: &CloneList, session: &Session) -> anyhow::Result<()> {
    let now = endpoint(session.config().await?, AwsService::LAMBDA).await?;
    if let Some(then) = list.place().endpoint.as_ref().filter(|then| **then != now) {
        bail!("they were made at {then}, and these settings lead to {now}: set AWS_ENDPOINT_URL, or use --force");
    }
    let function = list.function();
    let name = FunctionArn(function).name().unwrap_or(function);
    let found = FunctionCaller::new(Lambda::new(session).await?, name, None, None).configuration().await;
    let found = found.map(|found| found.configuration.and_then(|known| known.unqualified_arn().map(str::to_owned)));
    let reason = match found {
        Ok(Some(arn)) if arn == function => return Ok(()),
        Ok(Some(arn)) => format!("these credentials lead to {arn}"),
        Ok(None) => "its ARN cannot be read".to_owned(),
        Err(failure) => failure.to_string(),
    };
    bail!(
        "whether these credentials are of the account of {function} cannot be told ({reason}): use those with which the clones \
         were made, or --force if the function is deleted"
    )
}

/// Looks for clones in these places, and deletes them; false if some are left.
pub(super) async fn search(
    args: &CleanUpArgs,
    locations: BTreeSet<Location>,
    session: &Session,
) -> anyhow::Result<(Vec<String>, bool)> {
    let (mut lines, mut is_done) = (Vec::new(), true);
    for location in locations {
        let is_asked_for = location.region.as_ref().is_some_and(|region| args.region.contains(region));
        let session = session.with(location.region.clone(), location.profile);
        let found = match clones::find(&session, args.change.change_timeout).await {
            Ok(found) => found,
            Err(failure) => {
                note(format_args!("Looking for clones that no run directory names: {failure}"));
                // What the lists name is deleted: this look was in passing.
                is_done &= !is_asked_for;
                continue;
            }
        };
        let region = location.region.unwrap_or_else(|| "the region of the profile".to_owned());
        match args.delete_found(&found, &region, &session).await {
            Ok(deleted) => lines.extend(deleted),
            Err(error) => {
                note(format_args!("{error:#}"));
                is_done = false;
            }
        }
    }
    Ok((lines, is_done))
}
