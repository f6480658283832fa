//! What the user has to know after a step.

use super::{Campaign, Observer};
use crate::campaign::manifest::Order;
use std::{io, mem};

impl Campaign<'_> {
    /// Warns if cold starts of a variant are forced and its first step has met none.
    pub(super) fn warn_without_cold_starts(&mut self, observer: &mut dyn Observer) -> io::Result<()> {
        if !self.manifest.plan.cold || !self.progress.position.is_at_step() {
            return Ok(());
        }
        for (variant, totals) in self.progress.totals.variants.iter() {
            let is_over = totals.calls - totals.made_again >= u64::from(self.manifest.plan.environments);
            if is_over
                && !mem::replace(&mut self.is_first_step_over[variant], true)
                && totals.succeeded() > 0
                && totals.cold == 0
            {
                observer.warning(&format!(
                    "no call of {} met an environment that had to start, though the function was changed for that: either \
                     Lambda's reports are missing, or what answers is not Lambda",
                    self.manifest.variants[variant].name
                ))?;
            }
        }
        Ok(())
    }

    /// Warns of pointers that find nothing, after a step of each variant; of single calls, after a block of them.
    pub(super) fn warn_of_pointers(&mut self, observer: &mut dyn Observer) -> io::Result<()> {
        let has_seen_enough =
            self.progress.position.order() != Order::SingleCalls || self.progress.position.is_at_block();
        for (index, variant) in self.manifest.variants.iter().filter(|_| has_seen_enough) {
            for warning in self.pointers.warnings(index, &variant.name) {
                observer.warning(&warning)?;
            }
        }
        Ok(())
    }
}
