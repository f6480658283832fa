//! Taking a census, round by round, and keeping every call.

use super::{file::CensusFile, plan::CensusManifest, round::Tally, row::CensusRow};
use crate::campaign::{
    Target,
    caller::Caller,
    driver::{
        calls::{self, Calls, CampaignClock},
        catching,
    },
    failure::Failure,
    forced_cold_starts::ColdStartForcer,
    pauses::Pauses,
    schedule::Call,
    stop_request::unless_asked,
    variants::{VariantIndex, Variants},
};
use hyper::body::Bytes;
use rand::{SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};
use std::{
    io::{self, Write},
    panic::resume_unwind,
    sync::Arc,
    time::Duration,
};
use tokio::sync::watch;

/// The longest pause after a throttled round.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// A census that is being taken.
#[derive(Debug)]
pub struct Census<'a> {
    manifest: &'a CensusManifest,
    callers: Variants<Arc<Caller>>,
    cold: &'a ColdStartForcer,
    file: CensusFile,
    tallies: Variants<Tally>,
    clock: CampaignClock,
    payload: Bytes,
    pauses: Pauses,
    /// Turns true if the census is to end.
    stop: watch::Receiver<bool>,
}

/// Observer of a census. An error ends the census, whose course would remain unknown.
pub trait Observer {
    /// A round of so many calls of a variant begins.
    fn round(&mut self, variant: VariantIndex, calls: u32, tallies: &Variants<Tally>) -> io::Result<()>;
    /// A call is on disk.
    fn row(&mut self, row: &CensusRow, tallies: &Variants<Tally>) -> io::Result<()>;
    /// Calls of a variant were throttled: the next round is smaller, and waits.
    fn backoff(&mut self, variant: VariantIndex, pause: Duration) -> io::Result<()>;
}

/// The result of taking a census.
#[derive(Debug)]
pub struct FinishedCensus {
    /// Why it ended; the rows so far are kept in any case.
    pub end: Result<CensusOutcome, CensusError>,
    pub tallies: Variants<Tally>,
    /// The functions that it could not change back, with the reason.
    pub still_changed: Vec<(Target, Failure)>,
}

/// Why a census came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CensusOutcome {
    /// No variant has to be called any more; [`Tally::end`] says why.
    Over,
    /// The next call may cost more than is left.
    Cost,
    /// It was asked to end.
    Interrupted,
}

/// Why a census cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum CensusError {
    /// Rows cannot be written.
    #[error("a call cannot be written: {0}")]
    File(io::Error),
    /// The observer cannot show how the census goes on.
    #[error("writing the output: {0}")]
    Output(io::Error),
    /// Cold starts cannot be forced.
    #[error("forcing cold starts of {target}: {failure}")]
    Cold { target: Target, failure: Failure },
}

impl<'a> Census<'a> {
    /// A census that goes on where `tallies` end; it ends itself when `stop` turns true.
    pub fn new(
        manifest: &'a CensusManifest,
        callers: &Variants<Arc<Caller>>,
        cold: &'a ColdStartForcer,
        file: CensusFile,
        tallies: Variants<Tally>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let before_ms = tallies.iter().map(|(_, tally)| tally.elapsed_ms).max().unwrap_or_default();
        Self {
            manifest,
            callers: callers.clone(),
            cold,
            file,
            tallies,
            clock: CampaignClock::begun(before_ms),
            payload: manifest.plan.call.payload(),
            pauses: Pauses::new(),
            stop,
        }
    }

    /// Makes rounds until there is a reason to end. What was changed for them is undone in any case, a panic included.
    pub async fn run(mut self, observer: &mut dyn Observer) -> FinishedCensus {
        let ended = catching(self.rounds(observer)).await;
        let still_changed = self.undo().await;
        match ended {
            Ok(end) => FinishedCensus { end, tallies: self.tallies, still_changed },
            Err(panic) => {
                for (target, failure) in still_changed {
                    let _ = writeln!(io::stderr(), "{target} is still changed: {failure}");
                }
                resume_unwind(panic)
            }
        }
    }

    /// Changes back what is changed.
    async fn undo(&self) -> Vec<(Target, Failure)> {
        let functions = self.manifest.variants.iter().map(|(variant, of)| (&of.target, self.callers[variant].as_ref()));
        self.cold.undo_all(functions).await
    }

    async fn rounds(&mut self, observer: &mut dyn Observer) -> Result<CensusOutcome, CensusError> {
        loop {
            let next = next_visits(self.manifest, &self.tallies);
            if next.is_empty() {
                return Ok(CensusOutcome::Over);
            }
            for variant in next {
                if let Some(outcome) = self.round(variant, observer).await? {
                    return Ok(outcome);
                }
            }
        }
    }

    /// Makes the calls of one round, all at the same moment, after the function was made to start anew.
    async fn round(
        &mut self,
        variant: VariantIndex,
        observer: &mut dyn Observer,
    ) -> Result<Option<CensusOutcome>, CensusError> {
        let count = self.calls_of_round(variant);
        if count == 0 {
            return Ok(Some(CensusOutcome::Cost));
        }
        let target = &self.manifest.variants[variant].target;
        if *self.stop.borrow() {
            return Ok(Some(CensusOutcome::Interrupted));
        }
        let forced = self.cold.force(target, &self.callers[variant], &self.stop).await;
        forced.map_err(|failure| CensusError::Cold { target: target.clone(), failure })?;
        if *self.stop.borrow() {
            return Ok(Some(CensusOutcome::Interrupted));
        }
        observer.round(variant, count, &self.tallies).map_err(CensusError::Output)?;
        self.make_calls(variant, count, observer).await?;
        self.tallies[variant].end_round();
        if let Some(rounds) = self.tallies[variant].throttled_in_a_row() {
            let pause = self.pauses.after(rounds, LONGEST_PAUSE);
            observer.backoff(variant, pause).map_err(CensusError::Output)?;
            unless_asked(&self.stop, tokio::time::sleep(pause)).await;
        }
        Ok(None)
    }

    fn calls_of_round(&self, variant: VariantIndex) -> u32 {
        let plan = &self.manifest.plan;
        let spent: f64 = self.tallies.iter().map(|(_, tally)| tally.cost_usd).sum();
        let guess = plan.guessed_cost(&self.manifest.variants[variant]);
        let affordable = self.tallies[variant].affordable(plan.max_cost_usd - spent, guess);
        self.tallies[variant].calls_of_round(plan.environments, affordable)
    }

    async fn make_calls(
        &mut self,
        variant: VariantIndex,
        count: u32,
        observer: &mut dyn Observer,
    ) -> Result<(), CensusError> {
        let plan = &self.manifest.plan;
        let round = self.tallies[variant].rounds + 1;
        let mut calls = Calls::new((0..count).map(|slot| Call { variant, cell: 0, slot }), true);
        let time = Duration::from_millis(plan.timeout_ms);
        calls.release(|call, begin| {
            calls::made(Arc::clone(&self.callers[variant]), call, self.payload.clone(), time, (self.clock, begin))
        });
        // An error of the observer ends the census, but not before all answers are kept.
        let mut shown = Ok(());
        while let Some(returned) = calls.returned().await {
            for returned in returned {
                let known = &self.tallies[variant].environments;
                let is_new = |environment: &str| !known.contains_key(environment);
                let row = CensusRow::new(&plan.call, &self.manifest.variants[variant], round, returned, is_new);
                self.file.append(std::slice::from_ref(&row)).map_err(CensusError::File)?;
                self.tallies[variant].add(&row);
                shown = shown.and_then(|()| observer.row(&row, &self.tallies));
            }
        }
        shown.map_err(CensusError::Output)
    }
}

/// The variants that are called next, in the order drawn for their round: those that have had the fewest rounds, so that all
/// see the same time.
fn next_visits(manifest: &CensusManifest, tallies: &Variants<Tally>) -> Vec<VariantIndex> {
    let is_open = |tally: &Tally| tally.end(manifest.plan.environments).is_none();
    let open = || tallies.iter().filter(|(_, tally)| is_open(tally));
    let Some(rounds) = open().map(|(_, tally)| tally.rounds).min() else { return Vec::new() };
    let mut next: Vec<VariantIndex> =
        open().filter(|(_, tally)| tally.rounds == rounds).map(|(variant, _)| variant).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(manifest.plan.seed);
    rng.set_stream(rounds.into());
    next.shuffle(&mut rng);
    next
}
