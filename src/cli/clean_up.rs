//! `duet clean-up`

mod clones;

use super::{
    output::{self, note},
    value_parsers,
};
use crate::campaign::{
    Auth, Target,
    aws::Session,
    caller::{CallOptions, Caller},
    census::{self, CensusFile},
    clones::CloneList,
    cold_start_variable::{Claim, Removal},
    configuration::COLD_START_VARIABLE,
    forced_cold_starts::ChangedFunctions,
    manifest::Variant,
    owner::Owner,
    run_directory::{self, Journal},
    variants::Variants,
};
use anyhow::{Context, anyhow, bail};
use clap::Args;
use clones::Location;
use std::{
    any::Any,
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// Undoes what a campaign or a census has left behind: restores functions that were changed to start anew, by removing the
/// variable LAMBDA_DUET_COLD, and deletes clones that `duet try` has made, with their log groups.
///
/// A campaign does that itself, after Ctrl-C too. If it was killed, or if AWS refused the change, this command does. What is
/// to be deleted is shown first. In the regions of clones it also looks for clones by their names and tags whose run directory
/// is gone, and which no campaign needs any more. Exit codes: 0 nothing is left, 1 something is; the message says what and
/// why.
#[derive(Debug, Args)]
pub struct CleanUpArgs {
    /// Run directories, or functions as lambda:NAME [default: the run directories in ./duet-runs].
    what: Vec<String>,
    /// Also look for clones in this region; may be repeated.
    #[arg(long, value_name = "REGION")]
    region: Vec<String>,
    /// Do not ask before clones are deleted.
    #[arg(long)]
    yes: bool,
    /// Remove the variable even if a campaign that is still running has set it, or something other than a campaign; delete
    /// clones even if nothing tells that they were made where these settings lead.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    change: ChangeOptions,
}

/// How functions are changed.
#[derive(Debug, Args)]
pub(super) struct ChangeOptions {
    /// How long a change in the account may take, of a function's configuration, a clone or a log group, retries included.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = value_parsers::duration)]
    pub change_timeout: Duration,
}

impl CleanUpArgs {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let session = Session::new().context("reading the trusted certificates")?;
        let what = if self.what.is_empty() { left_behind(Path::new("duet-runs"))? } else { self.what.clone() };
        if what.is_empty() && self.region.is_empty() {
            output::print(
                "Nothing is left: no campaign in duet-runs has left a function changed, or a clone; --region REGION looks for \
                 clones whose run directory is gone\n",
            )?;
        }
        let mut code = ExitCode::SUCCESS;
        let named = self.region.iter().map(|region| Location { region: Some(region.clone()), profile: None });
        let mut locations: BTreeSet<Location> = named.collect();
        for what in &what {
            let done = match what.parse::<Target>() {
                Ok(target) => self.function(&target, None, &session.at(&target)).await.map(|line| vec![line]),
                Err(error) if what.starts_with("lambda:") => Err(error.into()),
                Err(_) => self.directory(Path::new(what), &session, &mut locations).await,
            };
            match done {
                Ok(lines) => lines.iter().try_for_each(|line| output::print(&format!("{line}\n")))?,
                Err(error) => {
                    note(format_args!("{what}: {error:#}"));
                    code = ExitCode::FAILURE;
                }
            }
        }
        let (lines, is_done) = clones::search(&self, locations, &session).await?;
        lines.iter().try_for_each(|line| output::print(&format!("{line}\n")))?;
        Ok(if is_done { code } else { ExitCode::FAILURE })
    }

    /// Undoes what the campaign in `directory` has left behind; `locations` gets the places of its clones.
    async fn directory(
        &self,
        directory: &Path,
        session: &Session,
        locations: &mut BTreeSet<Location>,
    ) -> anyhow::Result<Vec<String>> {
        match self.clones_of(directory, session).await? {
            Some((lines, location)) => {
                locations.insert(location);
                Ok(lines)
            }
            None => self.functions_of(directory, session).await,
        }
    }

    /// Restores the functions that the campaign in `directory` has left changed.
    async fn functions_of(&self, directory: &Path, session: &Session) -> anyhow::Result<Vec<String>> {
        let (variants, _lock) = locked_variants(directory)?;
        let changes = ChangedFunctions::read(directory, &Owner::this_process(directory))?;
        let mut lines = Vec::new();
        for function in changes.open() {
            let variant = variants.iter().find(|(_, variant)| variant.target.to_string() == function);
            let (_, variant) =
                variant.ok_or_else(|| anyhow!("{function} is not a function of {}", directory.display()))?;
            let arn = variant.configuration.as_ref().and_then(|configuration| configuration.arn.as_deref());
            lines.push(
                self.function(&variant.target, arn, &session.of_variant(variant)).await.with_context(|| function)?,
            );
            changes.undone(&variant.target)?;
        }
        if lines.is_empty() {
            lines.push(format!("{}: nothing is changed", directory.display()));
        }
        Ok(lines)
    }

    /// Restores a function; `arn`, if known, is the ARN of the function that was changed.
    async fn function(&self, target: &Target, arn: Option<&str>, session: &Session) -> anyhow::Result<String> {
        if target.is_published() {
            bail!("only a function itself is ever changed; name it as lambda:NAME, without a version or an alias");
        }
        let Caller::Function(function) = Caller::new(target, CallOptions::new(Auth::None), session).await? else {
            bail!("only a function is ever changed; name it as lambda:NAME");
        };
        // A configuration that cannot be read is reported below.
        if let Some(changed) = arn
            && let Some(found) = function.configuration().await.ok().and_then(|found| found.configuration?.arn)
            && found != changed
        {
            bail!(
                "{changed} is the one that was changed, and these credentials lead to {found}; use those of its account"
            );
        }
        let owner = Owner::this_process(Path::new("clean-up"));
        let claim = if self.force { Claim::Anybody } else { Claim::Owner(&owner) };
        let Removal { was_there, remark } = function.variables().remove(claim, self.change.change_timeout).await?;
        Ok(match (was_there, remark) {
            (true, None) => format!("{target} is changed back"),
            (true, Some(remark)) => format!("{target} is changed back, but {remark}"),
            (false, None) => format!("{target} is not changed: it has no variable {COLD_START_VARIABLE}"),
            (false, Some(remark)) => format!("{target} is not changed: {remark}"),
        })
    }
}

/// The variants of the campaign or the census in `directory`, and its lock: no other process continues it meanwhile.
fn locked_variants(directory: &Path) -> anyhow::Result<(Variants<Variant>, Box<dyn Any>)> {
    if run_directory::is_there(directory) || !census::is_in(directory) {
        let journal = Journal::open(directory)?;
        return Ok((run_directory::manifest(directory)?.variants, Box::new(journal)));
    }
    let manifest = census::manifest(directory)?;
    let (file, _) = CensusFile::open(directory, &manifest)?;
    Ok((manifest.variants, Box::new(file)))
}

/// The run directories whose campaigns have left something behind.
fn left_behind(runs: &Path) -> anyhow::Result<Vec<String>> {
    let Ok(entries) = fs::read_dir(runs) else { return Ok(Vec::new()) };
    let directories: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut directories = directories.with_context(|| format!("reading {}", runs.display()))?;
    directories.retain(|directory| ChangedFunctions::are_in(directory) || CloneList::is_in(directory));
    directories.sort_unstable();
    Ok(directories.iter().map(|directory| directory.to_string_lossy().into_owned()).collect())
}
