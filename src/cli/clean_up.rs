//! `duet clean-up`

use super::{
    output::{self, note},
    value_parsers,
};
use crate::campaign::{
    Auth, Target,
    aws::Session,
    caller::{CallOptions, Caller},
    cold_start_variable::{Claim, Owner, Removal},
    configuration::COLD_START_VARIABLE,
    forced_cold_starts::ChangedFunctions,
    run_directory::{self, Journal},
};
use anyhow::{Context, anyhow, bail};
use clap::Args;
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// Restores functions that a campaign with --cold has left changed: removes the variable LAMBDA_DUET_COLD.
///
/// A campaign restores its functions itself, after Ctrl-C too. If it was killed, or if Lambda refused the change, the
/// next campaign on the same functions or this command restores them. Exit codes: 0 nothing is changed any more, 1
/// something still is; the message says what and why.
#[derive(Debug, Args)]
pub struct CleanUpArgs {
    /// Run directories, or functions as lambda:NAME [default: the run directories in ./duet-runs].
    what: Vec<String>,
    /// Remove the variable even if a campaign that is still running has set it, or something other than a campaign.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    change: ChangeOptions,
}

/// How functions are changed.
#[derive(Debug, Args)]
pub(super) struct ChangeOptions {
    /// How long a change of a function's configuration may take, retries included.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = value_parsers::duration)]
    pub change_timeout: Duration,
}

impl CleanUpArgs {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let session = Session::new().context("reading the trusted certificates")?;
        let what = if self.what.is_empty() { left_behind(Path::new("duet-runs"))? } else { self.what.clone() };
        if what.is_empty() {
            output::print("Nothing is changed: no campaign in duet-runs has left a function changed\n")?;
        }
        let mut code = ExitCode::SUCCESS;
        for what in &what {
            let done = match what.parse::<Target>() {
                Ok(target) => self.function(&target, None, &session.at(&target)).await.map(|line| vec![line]),
                Err(error) if what.starts_with("lambda:") => Err(error.into()),
                Err(_) => self.directory(Path::new(what), &session).await,
            };
            match done {
                Ok(lines) => lines.iter().try_for_each(|line| output::print(&format!("{line}\n")))?,
                Err(error) => {
                    note(format_args!("{what}: {error:#}"));
                    code = ExitCode::FAILURE;
                }
            }
        }
        Ok(code)
    }

    /// Restores the functions that the campaign in `directory` has left changed.
    async fn directory(&self, directory: &Path, session: &Session) -> anyhow::Result<Vec<String>> {
        // Locks the campaign, so that no other process continues it meanwhile.
        let _journal = Journal::open(directory)?;
        let changes = ChangedFunctions::read(directory, &Owner::this_process(directory))?;
        let mut lines = Vec::new();
        let manifest = run_directory::manifest(directory)?;
        for function in changes.open() {
            let variant = manifest.variants.iter().find(|(_, variant)| variant.target.to_string() == function);
            let (_, variant) = variant.ok_or_else(|| anyhow!("{function} is not a function of this campaign"))?;
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

/// The run directories whose campaigns have left functions changed.
fn left_behind(runs: &Path) -> anyhow::Result<Vec<String>> {
    let Ok(entries) = fs::read_dir(runs) else { return Ok(Vec::new()) };
    let directories: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut directories = directories.with_context(|| format!("reading {}", runs.display()))?;
    directories.retain(|directory| ChangedFunctions::are_in(directory));
    directories.sort_unstable();
    Ok(directories.iter().map(|directory| directory.to_string_lossy().into_owned()).collect())
}
