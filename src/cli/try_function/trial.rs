//! Making clones, calling them, and deleting them.

use super::{
    TryArgs,
    apply::{Apply, Ongoing},
    clone_maker::CloneMaker,
    search::{self, SearchEnd},
    trial_plan::TrialPlan,
};
use crate::{
    analysis::{analyze_samples::Options, result::Analysis},
    campaign::{
        aws::Session,
        clones::{CloneList, Remover},
        forced_cold_starts::ColdStartForcer,
        manifest::{Manifest, Plan, Variant},
        run_directory::{self, Journal},
        shell_quoting,
        trial::Trial,
        variants::{VariantIndex, Variants},
    },
    cli::{
        census_of_fleets::CensusOfFleets,
        interruption::{Undoing, interruption},
        output::{self, note},
        question,
        report::of_samples,
        run::{Run, unstored_options::UnstoredOptions},
        signals::INTERRUPTED,
    },
    report::{campaign::document, terminal, words::counted},
};
use anyhow::{Context, bail};
use serde_json::json;
use std::{path::Path, process::ExitCode, sync::Arc, time::Duration};
use tokio::sync::watch;

impl TrialPlan {
    /// Shows the plan, asks, and does it.
    pub(super) async fn run(self, args: &TryArgs, session: &Session) -> anyhow::Result<ExitCode> {
        let word = shell_quoting::word(&self.directory);
        if CloneList::is_in(&self.directory) {
            bail!("an earlier trial has left clones in {word}: delete them with `duet clean-up {word}`");
        }
        let first_round = search::directory(&self.directory, 1);
        if [&self.directory, &first_round].into_iter().any(|directory| run_directory::check_free(directory).is_err()) {
            bail!("{word} holds a campaign already: choose another --out");
        }
        if args.dry_run {
            output::print(&self.text())?;
            return Ok(ExitCode::SUCCESS);
        }
        args.say(self.text().trim_end())?;
        args.apply_plan().map(|plan| args.say(plan)).transpose()?;
        let clones = counted(self.settings.len() as u64, "clone");
        if !args.yes && !question::ask(&format!("Make these {clones}, call them, and delete them?"))? {
            note("Nothing is made.");
            return Ok(ExitCode::SUCCESS);
        }
        let journal = Journal::reserve(&self.directory)?;
        let trial = self.manifest.trial.as_ref();
        let function = trial.and_then(|trial| trial.function.unqualified_arn().map(str::to_owned));
        let function = function.context("Lambda does not tell the ARN of the function")?;
        let list = CloneList::new(&self.directory, self.campaign.clone(), &function, self.place.clone())?;
        let list = Arc::new(list);
        let ongoing = Arc::new(Ongoing::default());
        let undoing = undoing(Arc::clone(&list), Arc::clone(&ongoing), &self.directory);
        let stop = interruption(undoing).context("catching signals")?;
        if !self.is_search {
            note(format_args!("Making {clones}"));
        }
        let measured = self.measure(args, session, journal, &list, &stop).await;
        let is_clean = delete(&list, session, args.change.change_timeout, &self.directory).await;
        list.close();
        run_directory::discard(&self.directory);
        let mut code = measured?;
        let is_over = code != INTERRUPTED && run_directory::check_free(&self.directory).is_err();
        let analysis = if is_over { Some(report(args, &self.directory).await?) } else { None };
        if let Some((role, trial)) = args.apply.zip(self.manifest.trial.as_ref()) {
            let (function, stop, ongoing) = (&trial.function, &stop, &*ongoing);
            let apply = Apply { args, role, session, function, stop, ongoing, is_clean };
            code = apply.run(code, analysis.as_ref()).await?;
        }
        Ok(if is_clean { ExitCode::from(code) } else { ExitCode::FAILURE })
    }

    /// Makes the clones and the calls. Gives the exit code.
    async fn measure(
        &self,
        args: &TryArgs,
        session: &Session,
        journal: Journal,
        list: &CloneList,
        stop: &watch::Receiver<bool>,
    ) -> anyhow::Result<u8> {
        let mut maker = CloneMaker::new(self, args, session, list, stop).await?;
        let (variants, search, limits, code) = if self.is_search {
            match search::search(self, args, session, &mut maker, stop).await? {
                SearchEnd::Over { kept, search, code } => {
                    let limits = search::remaining(self.manifest.limits, &search);
                    (maker.made(kept)?, Some(search), limits, code)
                }
                SearchEnd::Ended(code) => {
                    let directory = shell_quoting::word(&self.directory);
                    note(format_args!("There is no campaign; the samples of the search are kept in {directory}."));
                    return Ok(code);
                }
            }
        } else {
            let all = || VariantIndex::first(self.settings.len());
            if !maker.make(all()).await? {
                note("Interrupted before the first call.");
                return Ok(INTERRUPTED);
            }
            (maker.made(all())?, None, self.manifest.limits, 0)
        };
        let (not_made, no_probe) = (maker.not_made, maker.no_probe);
        let trial = self.manifest.trial.clone().map(|trial| Trial { not_made, no_probe, search, ..trial });
        let manifest = without_untold_census(Manifest { trial, limits, ..self.with(variants) });
        journal.begin(&manifest)?;
        let run = Run::prepare(self.directory.clone(), manifest, &UnstoredOptions::default(), session).await?;
        let of_campaign = self.conduct(run, args, session, journal, stop).await?;
        Ok(if of_campaign == 0 { code } else { of_campaign })
    }

    /// Makes the calls of a round or of the campaign. Gives the exit code.
    pub(super) async fn conduct(
        &self,
        run: Run,
        args: &TryArgs,
        session: &Session,
        journal: Journal,
        stop: &watch::Receiver<bool>,
    ) -> anyhow::Result<u8> {
        let cold = ColdStartForcer::of_clones(self.owner.clone(), args.change.change_timeout);
        run.conduct(journal, cold, stop, session, args.json).await
    }

    /// The campaign with some of its variants, of which the first is the baseline.
    pub(super) fn with(&self, variants: Variants<Variant>) -> Manifest {
        Manifest { variants, ..self.manifest.clone() }
    }
}

/// The same without a census that nothing tells, because the probe could not be made.
fn without_untold_census(manifest: Manifest) -> Manifest {
    if manifest.plan.census.is_none() || manifest.census().is_some() {
        return manifest;
    }
    note("Warning: there will be no census: without the probe nothing tells which CPUs the clones have");
    Manifest { plan: Plan { census: None, ..manifest.plan }, ..manifest }
}

/// Deletes all clones of the list. False if some are left, which are named with how to delete them.
async fn delete(list: &CloneList, session: &Session, within: Duration, directory: &Path) -> bool {
    let deleted = async { Remover::new(session, within).await?.delete_all(list).await };
    match deleted.await {
        Ok(_) => {
            note("All that was made is deleted");
            true
        }
        Err(failure) => {
            note(still_there(list, &failure.message, directory));
            false
        }
    }
}

/// The message that clones are left, and how to delete them.
fn still_there(list: &CloneList, reason: &str, directory: &Path) -> String {
    let names: Vec<String> = list.open().unwrap_or_default().iter().map(ToString::to_string).collect();
    format!(
        "Still there: {} ({reason}); delete them with `duet clean-up {}`",
        names.join(", "),
        shell_quoting::word(directory)
    )
}

fn undoing(
    list: Arc<CloneList>,
    ongoing: Arc<Ongoing>,
    directory: &Path,
) -> impl Fn() -> Option<Undoing> + Send + 'static {
    let directory = directory.to_owned();
    move || {
        let clones = || Undoing {
            doing: "deleting the clones".to_owned(),
            left: still_there(&list, "the program was ended meanwhile", &directory),
        };
        ongoing.undoing().or_else(|| (!list.is_empty()).then(clones))
    }
}

/// Prints what was found, and gives it.
async fn report(args: &TryArgs, directory: &Path) -> anyhow::Result<Analysis> {
    let manifest = run_directory::manifest(directory)?;
    let options = Options { volume: args.volume.of(&manifest).await?, ..args.choice.options() };
    let analysis = of_samples(directory, &manifest, &CensusOfFleets::default(), &options)?;
    if args.json {
        output::print(&(json!({ "event": "report", "report": analysis }).to_string() + "\n"))?;
        return Ok(analysis);
    }
    output::print(&terminal::summary(&document(&analysis)))?;
    let directory = shell_quoting::word(directory);
    note(format_args!(
        "With charts: duet report {directory} --html FILE; with details: duet report {directory} --details"
    ));
    Ok(analysis)
}
