//! `duet run`

mod configuration_change;
mod environments;
mod interruption;
mod plan;
mod preflight;
pub(super) mod pricing;
mod progress;
mod resumed;
mod unstored_options;
mod variant_names;

use super::{
    clean_up::ChangeOptions,
    output::{self, note},
    reaper::Reaped,
    signals::INTERRUPTED,
};
use crate::{
    analysis::precision::Precision,
    campaign::{
        Target,
        answer_comparison::AnswerComparison,
        aws::Session,
        caller::{CallOptions, Caller, FunctionCaller},
        cold_start_variable::Owner,
        driver::{Campaign, Finished, Outcome, Progress},
        forced_cold_starts::{ChangedFunctions, ColdStartForcer},
        manifest::Manifest,
        run_directory::{self, Journal},
        shell_quoting,
        stop_request::unless_asked,
        stopping_rules::StoppingRule,
        totals::Totals,
        variants::{VariantIndex, Variants},
    },
    report::plan as report,
};
use anyhow::{Context, anyhow, bail};
use clap::Args;
use interruption::interruption;
use plan::PlanOptions;
pub use resumed::RunArgs;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::SystemTime,
};
use tokio::sync::watch;
use unstored_options::UnstoredOptions;
pub(super) use unstored_options::check_variables;

/// Exit code if all recent calls of one variant failed.
const FAILING: u8 = 3;
/// Exit code if calls of equal work gave different results.
const MISMATCH: u8 = 4;

/// Calls two or more functions in turns, in an order that cancels drift, and keeps every sample.
///
/// All of them get the same payloads in every block, in an order drawn from a seed. Every call, failed or not, becomes a
/// row of samples.jsonl in the run directory before the same function is called again.
///
/// Exit codes: 0 the campaign is complete, 1 it could not be run or a function is still changed, 2 wrong arguments, 3
/// all recent calls of a function failed, 4 equal work gave different results, 130 it was interrupted. After 1 and 130
/// it can be continued with --resume; so it can after 3, unless the last lines say that it is over.
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
            None => (self.directory(), self.plan.manifest(&self.given, &session).await?, true),
        };
        self.given.check(&manifest.plan)?;
        let mut callers = Vec::new();
        for variant in manifest.variants.indices() {
            callers.push(self.caller(variant, &directory, &manifest, &session).await?);
        }
        let callers = callers.into_iter().collect();
        let run = Run { directory, manifest, callers };
        let Run { directory, manifest, callers } = &run;
        let (owner, within) = (Owner::this_process(directory), self.change.change_timeout);
        if manifest.plan.cold || !self.dry_run {
            preflight::check_functions(&run, &owner, within).await?;
        }
        if self.dry_run {
            output::print(&report::plan(manifest))?;
            return Ok(ExitCode::SUCCESS);
        }
        let is_local = manifest.variants.iter().any(|(_, variant)| variant.target.is_process());
        let _reaped = is_local.then(Reaped::start).transpose()?;
        let journal = if is_new { Journal::create(directory, manifest)? } else { Journal::open(directory)? };
        if !is_new {
            configuration_change::check(&run, self.allow_changed).await?;
            journal.upgrade(manifest).with_context(|| format!("rewriting the plan in {}", directory.display()))?;
        }
        let changes = Arc::new(ChangedFunctions::read(directory, &owner)?);
        let stop = interruption(Arc::clone(&changes), directory).context("catching signals")?;
        let cold = ColdStartForcer::new(owner, changes, within);
        let until_ci = Precision::new(manifest).map(|rule| Box::new(rule) as Box<dyn StoppingRule>);
        let so_far = Progress::new(manifest, run_directory::rows(directory, manifest)?, until_ci)?;
        let comparison = AnswerComparison::read(directory, &manifest.plan).context("reading the first answers")?;
        let mut progress = progress::ProgressDisplay::new(self.json, directory, manifest)?;
        let prepared = prepare(&run, &cold, &stop).await;
        // If the output itself has failed, this cannot be written either.
        let is_ready = prepared.inspect_err(|error| drop(progress.fail(error, &so_far.totals)))?;
        if !is_ready {
            progress.end(&Outcome::Interrupted, &so_far.totals).context("writing the output")?;
            return Ok(ExitCode::from(INTERRUPTED));
        }
        let campaign = Campaign::new(manifest, callers, cold, comparison, journal, so_far, stop.clone());
        let Finished { end, totals, still_changed } = campaign.run(&mut progress).await;
        for (target, failure) in &still_changed {
            note(interruption::still_changed(&target.to_string(), &failure.message, directory));
        }
        configuration_change::keep(&run).await?;
        let end = match end {
            Ok(_) if !run_directory::is_there(directory) => {
                Err(anyhow!("{} is gone, and its samples with it", directory.display()))
            }
            end => end.with_context(|| resume(directory)),
        };
        let end = end.inspect_err(|error| drop(progress.fail(error, &totals)))?;
        environments::collect(&run, &session, &end, &stop, &progress).await.context("writing the output")?;
        progress.end(&end, &totals).context("writing the output")?;
        let is_one_given_up = progress.has_given_up(&totals);
        Ok(if still_changed.is_empty() { exit_code(&end, is_one_given_up, &totals) } else { ExitCode::FAILURE })
    }

    fn directory(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| {
            let now = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
            Path::new("duet-runs").join(now.replace(':', ""))
        })
    }

    async fn caller(
        &self,
        variant: VariantIndex,
        directory: &Path,
        manifest: &Manifest,
        session: &Session,
    ) -> anyhow::Result<Arc<Caller>> {
        let plan = &manifest.plan;
        let log = directory.join(format!("variant-{variant}.log"));
        let variant = &manifest.variants[variant];
        let session = session.of_variant(variant);
        preflight::warn_of_move(variant, plan.auth, &session).await?;
        let options = CallOptions {
            api_key: self.given.api_key.as_deref(),
            tenant: plan.tenant.as_deref(),
            accept_status: &plan.accept_status,
            method: plan.method.as_ref(),
            headers: &self.given.headers,
            variables: &self.given.variables,
            log: Some(&log),
            ..CallOptions::new(plan.auth)
        };
        let caller = Caller::new(&variant.target, options, &session).await;
        caller.map(Arc::new).with_context(|| format!("preparing calls of {}", variant.target))
    }
}

/// The campaign to continue.
fn continued(directory: &Path) -> anyhow::Result<Manifest> {
    let manifest = run_directory::manifest(directory)?;
    if let Some(import) = &manifest.imported {
        let files = import.files.join(", ");
        bail!("there is nothing to continue in {}: it was imported from {files}", directory.display());
    }
    Ok(manifest)
}

/// A campaign, its run directory, and the callers of its variants.
struct Run {
    directory: PathBuf,
    manifest: Manifest,
    callers: Variants<Arc<Caller>>,
}

impl Run {
    /// The variants that are Lambda functions.
    fn functions(&self) -> impl Iterator<Item = (VariantIndex, &Target, &FunctionCaller)> {
        self.callers.iter().filter_map(|(variant, caller)| match caller.as_ref() {
            Caller::Function(function) => Some((variant, &self.manifest.variants[variant].target, function)),
            Caller::Endpoint(_) | Caller::Process(_) => None,
        })
    }
}

/// Waits until the functions are ready, and restores what a killed campaign has left changed; false if the campaign was
/// asked to end meanwhile.
async fn prepare(run: &Run, cold: &ColdStartForcer, stop: &watch::Receiver<bool>) -> anyhow::Result<bool> {
    let Some(ready) = unless_asked(stop, preflight::wait_until_ready(run)).await else { return Ok(false) };
    ready?;
    for (variant, caller) in run.callers.iter() {
        let target = &run.manifest.variants[variant].target;
        let Some(restored) = unless_asked(stop, preflight::clean_up(target, caller, cold)).await else {
            note(format_args!(
                "What a killed campaign may have left in {target} is not undone: `duet clean-up {target}` does that"
            ));
            return Ok(false);
        };
        if restored? {
            configuration_change::restored(run, variant).await?;
        }
    }
    Ok(true)
}

/// The exit code for the outcome of a campaign.
fn exit_code(end: &Outcome, is_one_given_up: bool, totals: &Totals) -> ExitCode {
    match end {
        Outcome::Interrupted => ExitCode::from(INTERRUPTED),
        Outcome::Failing(_) | Outcome::Fruitless(..) => ExitCode::from(FAILING),
        Outcome::Enough(_) if !totals.all_mismatches().is_empty() => ExitCode::from(MISMATCH),
        Outcome::Enough(_) if is_one_given_up => ExitCode::from(FAILING),
        Outcome::Enough(_) => ExitCode::SUCCESS,
    }
}

/// How to continue the campaign.
fn resume(directory: &Path) -> String {
    format!("the samples so far are kept; continue with `duet run --resume {}`", shell_quoting::word(directory))
}
