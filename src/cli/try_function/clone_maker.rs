//! Making the clones of a plan, all at once or some after others.

use super::{TryArgs, trial_plan::TrialPlan};
use crate::{
    campaign::{
        aws::{Lambda, Session},
        clones::{CloneList, CloneSettings, Creation},
        manifest::Variant,
        trial::NotMade,
        variants::{VariantIndex, Variants},
    },
    cli::output::note,
};
use anyhow::bail;
use std::time::Duration;
use tokio::sync::watch;

/// How long clones may be needed besides the campaign: while they are made and deleted, and their log streams are read.
const BESIDES: Duration = Duration::from_secs(3600);

/// How many times as long as the campaign its search and itself may take: each of a few rounds has the same limit.
const SEARCHED: u32 = 8;

/// The clones of a plan that are made so far.
pub(super) struct CloneMaker<'a> {
    plan: &'a TrialPlan,
    creation: Creation<'a>,
    stop: &'a watch::Receiver<bool>,
    made: Variants<Option<Variant>>,
    pub(super) not_made: Vec<NotMade>,
    /// Why they have no probe, if they have none.
    pub(super) no_probe: Option<String>,
}

impl<'a> CloneMaker<'a> {
    /// Makes the probe, and no clone yet.
    pub(super) async fn new(
        plan: &'a TrialPlan,
        args: &TryArgs,
        session: &'a Session,
        list: &'a CloneList,
        stop: &'a watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let duration = Duration::from_millis(plan.manifest.limits.duration_ms.unwrap_or_default());
        let mut creation = Creation {
            session,
            lambda: Lambda::new(session).await?,
            template: &plan.template,
            list,
            probe: None,
            owner: &plan.owner,
            needed: if plan.is_search { SEARCHED * duration } else { duration } + BESIDES,
            within: args.change.change_timeout,
        };
        let mut no_probe = plan.manifest.trial.as_ref().and_then(|trial| trial.no_probe.clone());
        if no_probe.is_none() {
            match creation.publish_probe(stop).await {
                Ok(probe) => creation.probe = probe,
                Err(failure) => {
                    note(format_args!("Warning: which CPUs clones have will not be known: {failure}"));
                    no_probe = Some(failure.message);
                }
            }
        }
        let made = Variants::defaults(plan.settings.len());
        Ok(Self { plan, creation, stop, made, not_made: Vec::new(), no_probe })
    }

    /// Makes the clones of these variants; those that cannot be made are recorded. False if it was interrupted.
    ///
    /// # Errors
    /// When that of the function as it is cannot be made.
    pub(super) async fn make(&mut self, variants: impl IntoIterator<Item = VariantIndex>) -> anyhow::Result<bool> {
        for index in variants {
            if *self.stop.borrow() {
                return Ok(false);
            }
            let settings = self.plan.settings[index.get()];
            let made = self.creation.make(settings, self.stop).await;
            if *self.stop.borrow() {
                return Ok(false);
            }
            let variant = &self.plan.manifest.variants[index];
            match made {
                Ok(clone) => {
                    let made = clone.configuration().await?.configuration;
                    let configuration = made.or_else(|| variant.configuration.clone());
                    self.made[index] = Some(Variant { configuration, ..variant.clone() });
                }
                Err(failure) if index == self.plan.manifest.baseline => {
                    bail!("the function cannot be cloned as it is: {failure}");
                }
                Err(failure) => {
                    note(format_args!("Not made: {}: {failure}", variant.name));
                    let CloneSettings { architecture, memory_mb } = settings;
                    self.not_made.push(NotMade { architecture, memory_mb, reason: failure.message });
                }
            }
        }
        Ok(true)
    }

    /// Those of these variants that are made.
    ///
    /// # Errors
    /// When there are not two, which could be compared.
    pub(super) fn made(&self, variants: impl IntoIterator<Item = VariantIndex>) -> anyhow::Result<Variants<Variant>> {
        let made: Vec<Variant> = variants.into_iter().filter_map(|index| self.made[index].clone()).collect();
        if made.len() < 2 {
            bail!("no other clone can be made, so there is nothing to compare");
        }
        Ok(made.into_iter().collect())
    }

    /// Why this variant could not be made, if that is so.
    pub(super) fn reason_of(&self, variant: VariantIndex) -> Option<&str> {
        let CloneSettings { architecture, memory_mb } = self.plan.settings[variant.get()];
        let is_of = |not_made: &&NotMade| (not_made.architecture, not_made.memory_mb) == (architecture, memory_mb);
        self.not_made.iter().find(is_of).map(|not_made| not_made.reason.as_str())
    }

    pub(super) fn is_made(&self, variant: VariantIndex) -> bool {
        self.made[variant].is_some()
    }
}
