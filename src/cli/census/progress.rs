//! The display of a census while it is taken.

use crate::{
    campaign::{
        census::{CensusManifest, CensusRow, Observer, Tally},
        variants::{VariantIndex, Variants},
    },
    cli::output::line,
    report::census::so_far,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{collections::BTreeSet, io, time::Duration};

/// How many different failures are shown; the rest are counted.
const FAILURES_SHOWN: usize = 3;

/// A live display on a terminal, and only failures elsewhere.
pub(super) struct CensusProgress<'a> {
    manifest: &'a CensusManifest,
    bar: ProgressBar,
    /// The failure messages that have been shown.
    shown: BTreeSet<String>,
}

impl<'a> CensusProgress<'a> {
    pub(super) fn new(manifest: &'a CensusManifest) -> Self {
        let length = u64::from(manifest.plan.environments) * manifest.variants.count() as u64;
        let style = ProgressStyle::with_template("{wide_bar} {percent}%\n{msg}").expect("the template is well-formed");
        let target = ProgressDrawTarget::stderr_with_hz(5);
        let bar = ProgressBar::with_draw_target(Some(length), target).with_style(style);
        Self { manifest, bar, shown: BTreeSet::new() }
    }

    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// The tallies of all variants, a line each.
    fn show(&self, tallies: &Variants<Tally>) {
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_position(tallies.iter().map(|(_, tally)| u64::from(tally.count())).sum());
        let name = |variant: VariantIndex| &self.manifest.variants[variant].name;
        let lines = tallies.iter().map(|(variant, tally)| so_far(name(variant), tally));
        self.bar.set_message(lines.collect::<Vec<_>>().join("\n"));
    }
}

impl Observer for CensusProgress<'_> {
    fn round(&mut self, _: VariantIndex, _: u32, tallies: &Variants<Tally>) -> io::Result<()> {
        self.show(tallies);
        Ok(())
    }

    fn row(&mut self, row: &CensusRow, tallies: &Variants<Tally>) -> io::Result<()> {
        if let Some(failure) = &row.failure
            && self.shown.len() < FAILURES_SHOWN
            && self.shown.insert(failure.message.clone())
        {
            let name = &self.manifest.variants[row.variant].name;
            self.bar.suspend(|| line(format_args!("{name}: {}: {}", failure.kind, failure.message)))?;
        }
        self.show(tallies);
        Ok(())
    }

    fn backoff(&mut self, variant: VariantIndex, pause: Duration) -> io::Result<()> {
        let name = &self.manifest.variants[variant].name;
        self.bar.set_message(format!("{name} is throttled: the next round is smaller, in {} ms", pause.as_millis()));
        Ok(())
    }
}
