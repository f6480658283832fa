//! When the calls of a variant end, and when the campaign does.

use super::{
    Campaign, CampaignError, Hopeless, Observer, Outcome,
    after_failures::{Remedy, StepFailures, remedy, without_success},
};
use crate::campaign::{manifest::EndReason, stopping_rules::StoppingRule, totals::Totals, variants::VariantIndex};

/// Why a campaign ends whose other variants have all ended.
const NOTHING_LEFT: &str = "all candidates have enough samples, or are given up";

impl Campaign<'_> {
    /// The end of a campaign that has enough, as its rules say.
    pub(super) fn enough(&self, reason: impl Fn(&dyn StoppingRule, &Totals) -> Option<String>) -> Option<Outcome> {
        let reason = self.progress.rules.iter().find_map(|rule| reason(rule.as_ref(), &self.progress.totals))?;
        Some(self.complete(reason))
    }

    /// The end of a campaign that has enough for this reason: it has failed all the same if there is nothing to compare.
    fn complete(&self, reason: String) -> Outcome {
        let mut without_success = without_success(&self.progress.totals);
        let baseline = without_success.iter().position(|hopeless| hopeless.variant == self.manifest.baseline);
        match baseline {
            Some(place) => Outcome::Fruitless(reason, without_success.swap_remove(place)),
            None if without_success.len() + 1 < self.manifest.variants.count() => Outcome::Enough(reason),
            None => Outcome::Fruitless(reason, without_success.swap_remove(0)),
        }
    }

    /// The candidates that are still called.
    fn called_candidates(&self) -> Vec<VariantIndex> {
        self.progress.position.called().filter(|variant| *variant != self.manifest.baseline).collect()
    }

    /// Ends the calls of variants that need no more, and the campaign if no other variant is left.
    pub(super) fn end_variants_that_have_enough(
        &mut self,
        observer: &mut dyn Observer,
    ) -> Result<Option<Outcome>, CampaignError> {
        let called = self.called_candidates();
        let enough: Vec<_> = self.progress.rules.iter().flat_map(|rule| rule.enough_of(&called)).collect();
        if enough.len() == called.len() {
            let reason = enough.into_iter().next().map_or(NOTHING_LEFT.to_owned(), |(_, reason)| reason);
            return Ok(Some(self.complete(reason)));
        }
        for (variant, reason) in enough {
            self.end_variant(variant, EndReason::NarrowInterval)?;
            observer.has_enough(variant, &reason).map_err(CampaignError::Output)?;
        }
        Ok(None)
    }

    /// Goes on without variants that give nothing but failures, unless that leaves nothing to compare.
    pub(super) fn give_up_hopeless(
        &mut self,
        failures: &mut StepFailures,
        observer: &mut dyn Observer,
    ) -> Result<Option<Outcome>, CampaignError> {
        let calls_of_a_step = u64::from(self.manifest.plan.environments);
        for hopeless in failures.hopeless(calls_of_a_step, &self.progress.totals) {
            let outcome = self.give_up(hopeless.clone(), observer)?;
            if self.progress.position.called().all(|variant| variant != hopeless.variant) {
                failures.forget(hopeless.variant);
            }
            if outcome.is_some() {
                return Ok(outcome);
            }
        }
        Ok(None)
    }

    fn give_up(&mut self, hopeless: Hopeless, observer: &mut dyn Observer) -> Result<Option<Outcome>, CampaignError> {
        let variant = hopeless.variant;
        let (called, others): (Vec<_>, Vec<_>) = self.progress.position.called().partition(|called| *called == variant);
        if called.is_empty() {
            return Ok(None);
        }
        let has_ended_well = self.progress.position.has_ended(EndReason::NarrowInterval);
        if variant == self.manifest.baseline || others.len() < 2 && !has_ended_well {
            return Ok(Some(Outcome::Failing(hopeless)));
        }
        match remedy(&self.progress.totals, variant, &others) {
            Remedy::End => Ok(Some(Outcome::Failing(hopeless))),
            Remedy::Wait => Ok(None),
            Remedy::GiveUp => {
                self.end_variant(variant, EndReason::GivenUp)?;
                observer.given_up(&hopeless).map_err(CampaignError::Output)?;
                let is_last = self.called_candidates().is_empty();
                Ok(is_last.then(|| self.complete(NOTHING_LEFT.to_owned())))
            }
        }
    }

    /// Ends the calls of a variant. The manifest stores that, so that the campaign is continued without it.
    fn end_variant(&mut self, variant: VariantIndex, reason: EndReason) -> Result<(), CampaignError> {
        self.progress.position.end(variant, reason);
        self.keep_manifest()
    }

    pub(super) fn keep_manifest(&self) -> Result<(), CampaignError> {
        self.journal.keep_manifest(&self.progress.position.manifest()).map_err(CampaignError::Journal)
    }
}
