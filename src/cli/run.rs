//! `duet run`

pub(super) mod campaign_options;
mod census;
mod conduct;
mod configuration_change;
mod environments;
mod plan;
pub(super) mod preflight;
pub(super) mod pricing;
mod progress;
mod resumed;
pub(super) mod subjects;
pub(super) mod unstored_options;
pub(super) mod variant_names;

use super::{
    clean_up::ChangeOptions,
    interruption::{Undoing, interruption},
    output,
};
use crate::{
    campaign::{
        aws::Session,
        configuration::COLD_START_VARIABLE,
        forced_cold_starts::{ChangedFunctions, ColdStartForcer},
        manifest::Manifest,
        owner::Owner,
        run_directory::{self, Journal},
        shell_quoting,
    },
    report::plan as report,
};
use anyhow::{Context, bail};
use clap::Args;
pub(super) use conduct::{MISMATCH, Run};
use plan::PlanOptions;
pub use resumed::RunArgs;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::SystemTime,
};
use unstored_options::UnstoredOptions;

/// Calls two or more functions in turns, in an order that cancels drift, and keeps every sample.
///
/// All of them get the same payloads in every block, in an order drawn from a seed. Every call, failed or not, becomes a
/// row of samples.jsonl in the run directory before the same function is called again.
///
/// Exit codes: 0 the campaign is complete, 1 it could not be run, --before or --after failed, or a function is still
/// changed, 2 wrong arguments, 3 all recent calls of a function failed, 4 equal work gave different results, 130 it was
/// interrupted. After 1 and 130 it can be continued with --resume; so it can after 3, unless the last lines say that it is
/// over.
#[derive(Debug, Args)]
pub struct RunOptions {
    /// Continue the campaign in this run directory at the point where it stopped, with the same plan and the same limits:
    /// one that has reached a limit is over, and none can be raised.
    #[arg(long, value_name = "DIR")]
    resume: Option<PathBuf>,
    /// Continue even if the configuration of a function or the program of an exec: target has changed: samples from before
    /// and after are then mixed, and the report says so.
    #[arg(long, requires = "resume")]
    allow_changed: bool,
    /// The run directory, which must not contain a campaign yet [default: duet-runs/TIME].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the plan, and call nothing: what is called, the calls and the guessed bill of a block, what ends the campaign,
    /// and how many blocks and calls that are: at most, where --invocations or --pace tells; about, where --max-cost does by
    /// the guess.
    #[arg(long)]
    dry_run: bool,
    /// Print events as JSON, one object per line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    given: UnstoredOptions,
    #[command(flatten)]
    change: ChangeOptions,
    #[command(flatten)]
    plan: PlanOptions,
}

impl RunArgs {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        self.check_resume()?;
        self.options.run().await
    }
}

impl RunOptions {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let session = Session::new().context("preparing connections")?;
        let (directory, manifest, is_new) = match &self.resume {
            Some(directory) => (directory.clone(), continued(directory)?, false),
            None => (new_directory(self.out.clone()), self.plan.manifest(&self.given, &session).await?, true),
        };
        self.given.check(&manifest.plan)?;
        let run = Run::prepare(directory, manifest, &self.given, &session).await?;
        let Run { directory, manifest, .. } = &run;
        let (owner, within) = (Owner::this_process(directory), self.change.change_timeout);
        let is_forced = manifest.plan.forces_cold_starts();
        if is_forced || !self.dry_run {
            preflight::check_functions(run.functions(), is_forced, &owner, within).await?;
        }
        if self.dry_run {
            output::print(&report::plan(manifest))?;
            return Ok(ExitCode::SUCCESS);
        }
        let journal = if is_new { Journal::create(directory, manifest)? } else { Journal::open(directory)? };
        if !is_new {
            configuration_change::check(&run, self.allow_changed).await?;
            journal.upgrade(manifest).with_context(|| format!("rewriting the plan in {}", directory.display()))?;
        }
        let changes = Arc::new(ChangedFunctions::read(directory, &owner)?);
        let stop = interruption(undoing(Arc::clone(&changes), directory)).context("catching signals")?;
        let cold = ColdStartForcer::new(owner, changes, within);
        run.conduct(journal, cold, &stop, &session, self.json).await.map(ExitCode::from)
    }
}

/// The directory that the user names, or one with the time as its name.
pub(super) fn new_directory(named: Option<PathBuf>) -> PathBuf {
    named.unwrap_or_else(|| {
        let now = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
        Path::new("duet-runs").join(now.replace(':', ""))
    })
}

/// The campaign to continue.
fn continued(directory: &Path) -> anyhow::Result<Manifest> {
    let manifest = run_directory::manifest(directory)?;
    if let Some(import) = &manifest.imported {
        let files = import.files.join(", ");
        bail!("there is nothing to continue in {}: it was imported from {files}", directory.display());
    }
    if manifest.trial.is_some() {
        bail!("there is nothing to continue in {}: its functions were clones, made for it alone", directory.display());
    }
    Ok(manifest)
}

/// What is to be undone when a campaign is interrupted.
pub(super) fn undoing(
    changes: Arc<ChangedFunctions>,
    directory: &Path,
) -> impl Fn() -> Option<Undoing> + Send + 'static {
    let directory = directory.to_owned();
    move || {
        let open = changes.open();
        (!open.is_empty()).then(|| {
            let functions = open.join(" and ");
            let left = still_changed(&functions, "the program was ended meanwhile", &directory);
            Undoing { doing: format!("changing back {functions}"), left }
        })
    }
}

/// The message that a function is left changed, and how to restore it.
pub(super) fn still_changed(function: &str, reason: &str, directory: &Path) -> String {
    format!(
        "Still changed: {function} with the variable {COLD_START_VARIABLE} ({reason}); remove it with `duet clean-up {}`",
        shell_quoting::word(directory)
    )
}
