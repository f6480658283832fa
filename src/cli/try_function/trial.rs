//! Making clones, calling them, and deleting them.

use super::{
    TryArgs,
    apply::{Apply, Ongoing},
    trial_plan::TrialPlan,
};
use crate::{
    analysis::{analyze_samples::Options, result::Analysis},
    campaign::{
        aws::{Lambda, Session},
        clones::{CloneList, CloneSettings, Creation, Remover},
        forced_cold_starts::{ChangedFunctions, ColdStartForcer},
        manifest::Variant,
        run_directory::{self, Journal},
        shell_quoting,
        trial::NotMade,
        variants::{VariantIndex, Variants},
    },
    cli::{
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

/// How long clones may be needed besides the campaign: while they are made and deleted, and their log streams are read.
const BESIDES: Duration = Duration::from_secs(3600);

impl TrialPlan {
    /// Shows the plan, asks, and does it.
    pub(super) async fn run(mut self, args: &TryArgs, session: &Session) -> anyhow::Result<ExitCode> {
        let word = shell_quoting::word(&self.directory);
        if CloneList::is_in(&self.directory) {
            bail!("an earlier trial has left clones in {word}: delete them with `duet clean-up {word}`");
        }
        if run_directory::check_free(&self.directory).is_err() {
            bail!("{word} holds a campaign already: choose another --out");
        }
        if args.dry_run {
            output::print(&self.text())?;
            return Ok(ExitCode::SUCCESS);
        }
        output::line(self.text().trim_end())?;
        args.apply_plan().map(output::line).transpose()?;
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
        note(format_args!("Making {clones}"));
        let measured = self.measure(args, session, journal, &list, &stop).await;
        let is_clean = delete(&list, session, args.change.change_timeout, &self.directory).await;
        list.close();
        run_directory::discard(&self.directory);
        let mut code = measured?;
        let analysis = if code == INTERRUPTED { None } else { Some(report(args, &self.directory).await?) };
        if let Some((role, trial)) = args.apply.zip(self.manifest.trial.as_ref()) {
            let (function, stop, ongoing) = (&trial.function, &stop, &*ongoing);
            let apply = Apply { args, role, session, function, stop, ongoing };
            code = apply.run(code, analysis.as_ref()).await?;
        }
        Ok(if is_clean { ExitCode::from(code) } else { ExitCode::FAILURE })
    }

    /// Makes the clones and the calls. Gives the exit code.
    async fn measure(
        &mut self,
        args: &TryArgs,
        session: &Session,
        journal: Journal,
        list: &CloneList,
        stop: &watch::Receiver<bool>,
    ) -> anyhow::Result<u8> {
        let Some(variants) = self.make(args, session, list, stop).await? else {
            note("Interrupted before the first call.");
            return Ok(INTERRUPTED);
        };
        self.manifest.variants = variants;
        journal.begin(&self.manifest)?;
        let (manifest, directory) = (self.manifest.clone(), self.directory.clone());
        let run = Run::prepare(directory, manifest, &UnstoredOptions::default(), session).await?;
        let changes = Arc::new(ChangedFunctions::read(&self.directory, &self.owner)?);
        let cold = ColdStartForcer::new(self.owner.clone(), changes, args.change.change_timeout);
        run.conduct(journal, cold, stop, session, args.json).await
    }

    /// Makes the clones, and gives the variants that there are then; what cannot be made is recorded in the manifest. None if
    /// that was interrupted.
    async fn make(
        &mut self,
        args: &TryArgs,
        session: &Session,
        list: &CloneList,
        stop: &watch::Receiver<bool>,
    ) -> anyhow::Result<Option<Variants<Variant>>> {
        let duration = Duration::from_millis(self.manifest.limits.duration_ms.unwrap_or_default());
        let mut creation = Creation {
            session,
            lambda: Lambda::new(session).await?,
            template: &self.template,
            list,
            probe: None,
            owner: &self.owner,
            needed: duration + BESIDES,
            within: args.change.change_timeout,
        };
        if let Some(trial) = self.manifest.trial.as_mut().filter(|trial| trial.no_probe.is_none()) {
            match creation.publish_probe(stop).await {
                Ok(probe) => creation.probe = probe,
                Err(failure) => {
                    note(format_args!("Warning: which CPUs clones have will not be known: {failure}"));
                    trial.no_probe = Some(failure.message);
                }
            }
        }
        let mut variants = Vec::new();
        let mut not_made = Vec::new();
        for (index, settings) in VariantIndex::first(self.settings.len()).zip(&self.settings) {
            if *stop.borrow() {
                return Ok(None);
            }
            let variant = &self.manifest.variants[index];
            let made = creation.make(*settings, stop).await;
            if *stop.borrow() {
                return Ok(None);
            }
            match made {
                Ok(clone) => {
                    let made = clone.configuration().await?.configuration;
                    let configuration = made.or_else(|| variant.configuration.clone());
                    variants.push(Variant { configuration, ..variant.clone() });
                }
                Err(failure) if index == self.manifest.baseline => {
                    bail!("the function cannot be cloned as it is: {failure}");
                }
                Err(failure) => {
                    note(format_args!("Not made: {}: {failure}", variant.name));
                    let CloneSettings { architecture, memory_mb } = *settings;
                    not_made.push(NotMade { architecture, memory_mb, reason: failure.message });
                }
            }
        }
        if variants.len() < 2 {
            bail!("no other clone can be made, so there is nothing to compare");
        }
        if let Some(trial) = &mut self.manifest.trial {
            trial.not_made = not_made;
        }
        Ok(Some(variants.into_iter().collect()))
    }
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
    let analysis = of_samples(directory, &manifest, &options)?;
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
