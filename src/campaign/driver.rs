//! Making the calls of a campaign, block by block, and keeping every sample.

mod after_failures;
pub(super) mod calls;
mod census;
mod ends;
mod hooks;
mod progress;
mod warnings;

pub use after_failures::without_success;
pub use progress::Progress;

use super::{
    Target,
    answer_comparison::{AnswerComparison, AnswerDifference},
    call_to_row::{Returned, row_of},
    caller::Caller,
    census::{CensusError, Observer as CensusObserver},
    failure::Failure,
    forced_cold_starts::ColdStartForcer,
    hooks::{HookFailure, HookRunner},
    manifest::{Manifest, Order},
    pauses::Pauses,
    pointer_check::PointerCheck,
    row::Row,
    run_directory::Journal,
    schedule::Call,
    stop_request::unless_asked,
    totals::Totals,
    variants::{VariantIndex, Variants},
};
use after_failures::StepFailures;
use calls::{Calls, CampaignClock};
use census::CensusOfCampaign;
use futures_util::future::join_all;
use hyper::body::Bytes;
use std::{
    any::Any,
    collections::BTreeSet,
    future::{Future, poll_fn},
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
    task::Poll,
    thread,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// The longest pause before calls are made again.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// A campaign that runs.
#[derive(Debug)]
pub struct Campaign<'a> {
    manifest: &'a Manifest,
    callers: Variants<Arc<Caller>>,
    cold: ColdStartForcer,
    journal: Journal,
    progress: Progress<'a>,
    clock: CampaignClock,
    payloads: Vec<Bytes>,
    pointers: PointerCheck<'a>,
    comparison: AnswerComparison,
    /// Turns true if the campaign is to end.
    stop: watch::Receiver<bool>,
    pauses: Pauses,
    is_first_step_over: Variants<bool>,
    hooks: Option<Box<dyn HookRunner>>,
    census: Option<CensusOfCampaign<'a>>,
    /// The block before which hooks were run, and after which they are still to be run.
    open_block: Option<u64>,
}

/// Observer of a campaign. An error ends the campaign, whose course would remain unknown.
pub trait Observer {
    /// A block begins.
    fn block(&mut self, number: u64, totals: &Totals) -> io::Result<()>;
    /// A sample is on disk.
    fn row(&mut self, row: &Row, totals: &Totals) -> io::Result<()>;
    /// The user has to know this while the campaign goes on.
    fn warning(&mut self, text: &str) -> io::Result<()>;
    /// Two answers that should be equal are not.
    fn difference(&mut self, difference: &AnswerDifference) -> io::Result<()>;
    /// Calls wait because they are made again.
    fn backoff(&mut self, variant: VariantIndex, calls: usize, pause: Duration) -> io::Result<()>;
    /// A variant is given up, and the campaign goes on with the others.
    fn given_up(&mut self, hopeless: &Hopeless) -> io::Result<()>;
    /// A variant has enough samples for this reason, and the campaign goes on with the others.
    fn has_enough(&mut self, variant: VariantIndex, reason: &str) -> io::Result<()>;
    /// The observer of the campaign's own census.
    fn census(&mut self) -> &mut dyn CensusObserver;
}

/// The result of a campaign.
#[derive(Debug)]
pub struct Finished {
    /// Why it ended; the samples so far are kept in any case.
    pub end: Result<Outcome, CampaignError>,
    pub totals: Totals,
    /// The functions that it could not change back, with the reason.
    pub still_changed: Vec<(Target, Failure)>,
}

/// Why a campaign came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has enough samples, for this reason.
    Enough(String),
    /// It was asked to end.
    Interrupted,
    /// A variant gives nothing but failures, and too few others are left to compare: it goes on when that is mended.
    Failing(Hopeless),
    /// A limit is reached, for this reason, and this variant gave nothing but failures, so that nothing can be compared.
    Fruitless(String, Hopeless),
}

/// A variant that gives nothing but failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hopeless {
    pub variant: VariantIndex,
    /// How many calls failed in a row.
    pub calls: u64,
    /// The last failure.
    pub failure: Failure,
}

/// Why a campaign cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    /// Samples cannot be written.
    #[error("a sample cannot be written: {0}")]
    Journal(io::Error),
    /// The observer cannot show how the campaign goes on.
    #[error("writing the output: {0}")]
    Output(io::Error),
    /// Cold starts cannot be forced.
    #[error("forcing cold starts of {target}: {failure}")]
    Cold {
        /// What is called.
        target: Target,
        /// The reason.
        failure: Failure,
    },
    /// Calls of the census cannot be written.
    #[error("a call of the census cannot be written: {0}")]
    Census(io::Error),
    /// What is run around blocks has failed.
    #[error(transparent)]
    Hook(#[from] HookFailure),
}

impl From<CensusError> for CampaignError {
    fn from(error: CensusError) -> Self {
        match error {
            CensusError::File(error) => Self::Census(error),
            CensusError::Output(error) => Self::Output(error),
            CensusError::Cold { target, failure } => Self::Cold { target, failure },
        }
    }
}

impl<'a> Campaign<'a> {
    /// A campaign that goes on where `progress` ends; it ends itself when `stop` turns true.
    pub fn new(
        manifest: &'a Manifest,
        callers: &Variants<Arc<Caller>>,
        cold: ColdStartForcer,
        comparison: AnswerComparison,
        journal: Journal,
        progress: Progress<'a>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let clock = CampaignClock::begun(progress.totals.elapsed_ms);
        Self {
            manifest,
            callers: callers.clone(),
            cold,
            journal,
            progress,
            clock,
            payloads: manifest.plan.cells.iter().map(|cell| cell.payload.clone().into()).collect(),
            pointers: PointerCheck::new(&manifest.plan, manifest.variants.count()),
            comparison,
            stop,
            pauses: Pauses::new(),
            is_first_step_over: Variants::defaults(manifest.variants.count()),
            hooks: None,
            census: None,
            open_block: None,
        }
    }

    /// Makes calls until there is a reason to end. What was changed for them is undone, and what is to be run after a block
    /// is run, in any case, a panic included.
    pub async fn run(mut self, observer: &mut dyn Observer) -> Finished {
        let ended = catching(self.blocks(observer)).await;
        let closed = self.close_block(observer).await;
        let still_changed = self.undo().await;
        match ended {
            Ok(end) => {
                let end = hooks::with_last_hook(end, closed, observer);
                Finished { end, totals: self.progress.totals, still_changed }
            }
            Err(panic) => {
                if let Err(error) = closed {
                    let _ = writeln!(io::stderr(), "{error}");
                }
                go_on_with(panic, &still_changed)
            }
        }
    }

    /// Changes back what is changed.
    async fn undo(&self) -> Vec<(Target, Failure)> {
        let functions: BTreeSet<VariantIndex> =
            self.manifest.variants.indices().map(|variant| self.manifest.first_of_function(variant)).collect();
        let function =
            |variant: VariantIndex| (&self.manifest.variants[variant].target, self.callers[variant].as_ref());
        self.cold.undo_all(functions.into_iter().map(function)).await
    }

    async fn blocks(&mut self, observer: &mut dyn Observer) -> Result<Outcome, CampaignError> {
        let pace = Duration::from_millis(self.manifest.plan.pace_ms);
        let mut last_block: Option<Instant> = None;
        loop {
            self.close_complete_block(observer).await?;
            if self.progress.position.is_at_block() {
                let rest = last_block.map_or(Duration::ZERO, |begin| pace.saturating_sub(begin.elapsed()));
                let calls = self.progress.position.calls_of_block();
                let at = self.clock.elapsed() + rest;
                if let Some(end) = self.enough(|rule, totals| rule.reason(totals, &calls, at)) {
                    return Ok(end);
                }
                if let Some(end) = self.end_variants_that_have_enough(observer)? {
                    return Ok(end);
                }
                if !rest.is_zero() {
                    unless_asked(&self.stop, tokio::time::sleep(rest)).await;
                }
                if self.count_environments(observer).await? || self.renew_environments(observer).await? {
                    // That has taken time, and perhaps money.
                    continue;
                }
                last_block = Some(Instant::now());
                observer.block(self.progress.position.block, &self.progress.totals).map_err(CampaignError::Output)?;
            } else {
                let calls = self.progress.position.open_calls();
                if let Some(end) = self.enough(|rule, totals| rule.reason_within_block(totals, &calls)) {
                    return Ok(end);
                }
            }
            if *self.stop.borrow() {
                return Ok(Outcome::Interrupted);
            }
            if !self.open_block().await? || *self.stop.borrow() {
                return Ok(Outcome::Interrupted);
            }
            if self.manifest.plan.cold && self.progress.position.is_at_step() {
                let open = self.progress.position.open();
                self.force_cold_starts(open.iter().map(|call| call.variant).collect()).await?;
                if *self.stop.borrow() {
                    return Ok(Outcome::Interrupted);
                }
            }
            if let Some(end) = self.step(observer).await? {
                return Ok(end);
            }
        }
    }

    /// Makes the calls of one step that are still open, once each.
    async fn step(&mut self, observer: &mut dyn Observer) -> Result<Option<Outcome>, CampaignError> {
        let mut calls = Calls::new(self.progress.position.open(), self.manifest.plan.concurrent);
        calls.release(|call, begin| self.call(call, begin));
        let mut failures = StepFailures::new(self.manifest.variants.count());
        // An error of the observer ends the campaign, but not before all answers are kept.
        let mut shown = Ok(());
        while let Some(returned) = calls.returned().await {
            let (rows, differences) = self.keep(returned)?;
            for row in rows {
                self.progress.add(&row);
                shown = shown.and_then(|()| observer.row(&row, &self.progress.totals));
                failures.add(row);
            }
            for difference in differences {
                shown = shown.and_then(|()| observer.difference(&difference));
            }
            if shown.is_ok() && !*self.stop.borrow() {
                calls.release(|call, begin| self.call(call, begin));
            }
        }
        shown.and_then(|()| self.warn_without_cold_starts(observer)).map_err(CampaignError::Output)?;
        self.warn_of_pointers(observer).map_err(CampaignError::Output)?;
        self.separate_if_throttled(&failures, observer)?;
        if let Some(outcome) = self.give_up_hopeless(&mut failures, observer)? {
            return Ok(Some(outcome));
        }
        self.back_off(&failures, observer).await?;
        Ok(None)
    }

    /// Writes the rows of returned calls to the journal, all at once, and compares their answers with earlier ones.
    fn keep(&mut self, returned: Vec<Returned>) -> Result<(Vec<Row>, Vec<AnswerDifference>), CampaignError> {
        let Progress { position, totals, .. } = &self.progress;
        let (mut rows, mut differences) = (Vec::new(), Vec::new());
        for returned in returned {
            let output = returned.answer.output.as_ref().ok().cloned();
            let call = returned.call;
            let mut row = row_of(self.manifest, position, returned, (totals, &rows));
            if let Some(output) = output {
                self.pointers.observe(call.variant, &output);
                let difference = self.comparison.add(&self.manifest.plan, call.cell, &output, &mut row);
                differences.extend(difference.map_err(CampaignError::Journal)?);
            }
            rows.push(row);
        }
        self.journal.append(&rows).map_err(CampaignError::Journal)?;
        Ok((rows, differences))
    }

    /// Waits if calls are made again, longer each time.
    async fn back_off(&mut self, failures: &StepFailures, observer: &mut dyn Observer) -> Result<(), CampaignError> {
        let Some(attempt) = failures.attempt else { return Ok(()) };
        let pause = self.pauses.after(attempt, LONGEST_PAUSE);
        for (variant, calls) in failures.counts() {
            observer.backoff(variant, calls, pause).map_err(CampaignError::Output)?;
        }
        unless_asked(&self.stop, tokio::time::sleep(pause)).await;
        Ok(())
    }

    /// Makes the next calls of these variants meet environments that have just started; all at once, because Lambda may take its
    /// time. One change is enough for variants that are one function.
    async fn force_cold_starts(&self, variants: BTreeSet<VariantIndex>) -> Result<(), CampaignError> {
        let force = async |variant: VariantIndex| {
            let target = &self.manifest.variants[variant].target;
            let forced = self.cold.force(target, &self.callers[variant], &self.stop).await;
            forced.map_err(|failure| CampaignError::Cold { target: target.clone(), failure })
        };
        let functions: BTreeSet<VariantIndex> =
            variants.into_iter().map(|variant| self.manifest.first_of_function(variant)).collect();
        join_all(functions.into_iter().map(force)).await.into_iter().collect()
    }

    /// Calls each variant by itself from the next block on if there was not enough concurrency for all. The manifest stores
    /// that, so that the campaign is continued like that.
    fn separate_if_throttled(
        &mut self,
        failures: &StepFailures,
        observer: &mut dyn Observer,
    ) -> Result<(), CampaignError> {
        let plan = &self.manifest.plan;
        let throttled = failures.throttled_together(self.manifest);
        if throttled == 0 || plan.order != Order::JointSteps {
            return Ok(());
        }
        let Some(from) = self.progress.position.separate() else { return Ok(()) };
        self.keep_manifest()?;
        let text = format!(
            "{throttled} of {} calls that were made together were throttled: from block {} on, each variant is \
             called by itself",
            self.progress.position.called().count() as u64 * u64::from(plan.environments),
            from + 1
        );
        observer.warning(&text).map_err(CampaignError::Output)
    }

    fn call(&self, call: Call, begin: Instant) -> impl Future<Output = Returned> + use<> {
        let caller = Arc::clone(&self.callers[call.variant]);
        let time = Duration::from_millis(self.manifest.plan.timeout_ms);
        calls::made(caller, call, self.payloads[call.cell].clone(), time, (self.clock, begin))
    }
}

/// Goes on with a panic, after a message for each function that could not be changed back.
pub(super) fn go_on_with(panic: Box<dyn Any + Send>, still_changed: &[(Target, Failure)]) -> ! {
    for (target, failure) in still_changed {
        let _ = writeln!(io::stderr(), "{target} is still changed: {failure}");
    }
    resume_unwind(panic)
}

/// The result of `work`, or its panic.
pub(super) async fn catching<T>(work: impl Future<Output = T>) -> thread::Result<T> {
    let mut work = Box::pin(work);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

#[cfg(test)]
mod tests;
