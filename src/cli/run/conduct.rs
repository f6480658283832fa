//! A campaign from its first call to its last.

use super::{
    census::CensusSoFar, configuration_change, environments, preflight, progress, still_changed,
    unstored_options::UnstoredOptions,
};
use crate::{
    analysis::precision::Precision,
    campaign::{
        Target,
        answer_comparison::AnswerComparison,
        aws::Session,
        caller::{CallOptions, Caller, FunctionCaller},
        driver::{Campaign, Finished, Outcome, Progress},
        forced_cold_starts::ColdStartForcer,
        hooks::{HookRunner, PreparedHooks},
        manifest::Manifest,
        run_directory::{self, Journal},
        shell_quoting,
        stop_request::unless_asked,
        stopping_rules::StoppingRule,
        totals::Totals,
        variants::{VariantIndex, Variants},
    },
    cli::{output::note, reaper::Reaped, signals::INTERRUPTED},
};
use anyhow::{Context, anyhow};
use futures_util::future::join_all;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::watch;

/// Exit code if the program itself has failed.
const FAILED: u8 = 1;
/// Exit code if all recent calls of one variant failed.
const FAILING: u8 = 3;
/// Exit code if calls of equal work gave different results.
pub(in crate::cli) const MISMATCH: u8 = 4;

/// A campaign, its run directory, and the callers of its variants.
pub(in crate::cli) struct Run {
    pub(in crate::cli) directory: PathBuf,
    pub(in crate::cli) manifest: Manifest,
    pub(super) callers: Variants<Arc<Caller>>,
    /// Whether log streams that tell environments are read at the end.
    reads_log_streams: bool,
}

impl Run {
    /// Prepares to call the variants; none is called yet.
    pub(in crate::cli) async fn prepare(
        directory: PathBuf,
        manifest: Manifest,
        given: &UnstoredOptions,
        session: &Session,
    ) -> anyhow::Result<Self> {
        let mut callers = Vec::new();
        for variant in manifest.variants.indices() {
            callers.push(caller(variant, &directory, &manifest, given, session).await?);
        }
        Ok(Self { directory, manifest, callers: callers.into_iter().collect(), reads_log_streams: true })
    }

    /// The same without what log streams tell, for which it need not wait then.
    pub(in crate::cli) fn without_log_streams(self) -> Self {
        Self { reads_log_streams: false, ..self }
    }

    /// The variants that are Lambda functions.
    pub(super) fn functions(&self) -> impl Iterator<Item = (VariantIndex, &Target, &FunctionCaller)> {
        self.callers.iter().filter_map(|(variant, caller)| match caller.as_ref() {
            Caller::Function(function) => Some((variant, &self.manifest.variants[variant].target, function)),
            Caller::Endpoint(_) | Caller::Process(_) => None,
        })
    }

    /// Makes the calls that are still to be made, until a limit is reached or `stop` turns true; then reads the log
    /// streams that tell environments. Gives the exit code.
    pub(in crate::cli) async fn conduct(
        &self,
        journal: Journal,
        cold: ColdStartForcer,
        stop: &watch::Receiver<bool>,
        session: &Session,
        json: bool,
    ) -> anyhow::Result<u8> {
        let Self { directory, manifest, callers, .. } = self;
        let is_local = manifest.variants.iter().any(|(_, variant)| variant.target.is_process());
        let _reaped = is_local.then(Reaped::start).transpose()?;
        let until_ci = Precision::new(manifest).map(|rule| Box::new(rule) as Box<dyn StoppingRule>);
        let mut so_far = Progress::new(manifest, run_directory::rows(directory, manifest)?, until_ci)?;
        let planned = manifest.census();
        let mut census = None;
        if let Some(planned) = &planned {
            let CensusSoFar { manifest, file, rows, most } = self.census_so_far(planned).await?;
            so_far = so_far.with_census(&most, &rows);
            census = Some((manifest, file));
        }
        let comparison = AnswerComparison::read(directory, &manifest.plan).context("reading the first answers")?;
        let hooks = hooks(directory, manifest, session).await?;
        let mut progress = progress::ProgressDisplay::new(json, directory, manifest)?;
        let ready = make_ready(self, &cold, stop).await;
        // If the output itself has failed, this cannot be written either.
        let is_ready = ready.inspect_err(|error| drop(progress.fail(error, &so_far.totals)))?;
        if !is_ready {
            progress.end(&Outcome::Interrupted, &so_far.totals).context("writing the output")?;
            return Ok(INTERRUPTED);
        }
        let campaign = Campaign::new(manifest, callers, cold, comparison, journal, so_far, stop.clone());
        let campaign = campaign.with_hooks(hooks).with_census(census);
        let Finished { end, totals, still_changed: left } = campaign.run(&mut progress).await;
        join_all(callers.iter().map(|(_, caller)| caller.end())).await;
        for (target, failure) in &left {
            note(still_changed(&target.to_string(), &failure.message, directory));
        }
        configuration_change::keep(self).await?;
        let end = match end {
            Ok(_) if !run_directory::is_there(directory) => {
                Err(anyhow!("{} is gone, and its samples with it", directory.display()))
            }
            end => end.with_context(|| samples_are_kept(manifest, directory)),
        };
        let end = end.inspect_err(|error| drop(progress.fail(error, &totals)))?;
        if self.reads_log_streams {
            environments::collect(self, session, &end, stop, &progress).await.context("writing the output")?;
        }
        progress.end(&end, &totals).context("writing the output")?;
        let is_one_given_up = progress.has_given_up(&totals);
        Ok(if left.is_empty() { exit_code(&end, is_one_given_up, &totals) } else { FAILED })
    }
}

async fn caller(
    variant: VariantIndex,
    directory: &Path,
    manifest: &Manifest,
    given: &UnstoredOptions,
    session: &Session,
) -> anyhow::Result<Arc<Caller>> {
    let plan = &manifest.plan;
    let log = directory.join(format!("variant-{variant}.log"));
    let variant = &manifest.variants[variant];
    let session = session.of_variant(variant);
    preflight::warn_of_move(variant, plan.auth, &session).await?;
    let options = CallOptions {
        api_key: given.api_key.as_deref(),
        tenant: plan.tenant.as_deref(),
        accept_status: &plan.accept_status,
        method: plan.method.as_ref(),
        headers: &given.headers,
        variables: &given.variables,
        log: Some(&log),
        ..CallOptions::new(plan.auth)
    };
    let caller = Caller::new(&variant.target, options, &session).await;
    caller.map(Arc::new).with_context(|| format!("preparing calls of {}", variant.target))
}

/// What is run around the blocks of the campaign.
async fn hooks(
    directory: &Path,
    manifest: &Manifest,
    session: &Session,
) -> anyhow::Result<Option<Box<dyn HookRunner>>> {
    let Some(hooks) = &manifest.plan.hooks else { return Ok(None) };
    let hooks = PreparedHooks::new(hooks, directory, session).await.context("preparing --before and --after")?;
    Ok(Some(Box::new(hooks)))
}

/// Waits until the functions are ready, and restores what a killed campaign has left changed; false if the campaign was
/// asked to end meanwhile.
async fn make_ready(run: &Run, cold: &ColdStartForcer, stop: &watch::Receiver<bool>) -> anyhow::Result<bool> {
    let payload = &run.manifest.plan.cells[0].payload;
    let waiting = preflight::wait_until_ready(run.functions(), payload);
    let Some(ready) = unless_asked(stop, waiting).await else { return Ok(false) };
    ready?;
    if run.manifest.trial.is_some() {
        // Clones are new.
        return Ok(true);
    }
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
fn exit_code(end: &Outcome, is_one_given_up: bool, totals: &Totals) -> u8 {
    match end {
        Outcome::Interrupted => INTERRUPTED,
        Outcome::Failing(_) | Outcome::Fruitless(..) => FAILING,
        Outcome::Enough(_) if !totals.all_mismatches().is_empty() => MISMATCH,
        Outcome::Enough(_) if is_one_given_up => FAILING,
        Outcome::Enough(_) => 0,
    }
}

/// What there is of a campaign that has not come to its end, and how to continue it.
pub(super) fn samples_are_kept(manifest: &Manifest, directory: &Path) -> String {
    let directory = shell_quoting::word(directory);
    match &manifest.trial {
        // Its functions are deleted.
        Some(_) => format!("the samples so far are kept in {directory}"),
        None => format!("the samples so far are kept; continue with `duet run --resume {directory}`"),
    }
}
