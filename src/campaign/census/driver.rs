//! Taking a census, round by round, and keeping every call.

use super::{file::CensusFile, plan::CensusManifest, round::Tally, row::CensusRow};
use crate::campaign::{
    Target,
    caller::Caller,
    driver::{
        LONGEST_PAUSE,
        calls::{self, Calls, CampaignClock},
        catching, go_on_with,
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
use std::{io, sync::Arc, time::Duration};
use tokio::sync::watch;

/// A census that is being taken.
#[derive(Debug)]
pub struct Census<'a> {
    rounds: Rounds<'a>,
    cold: &'a ColdStartForcer,
    tallies: Variants<Tally>,
}

/// The rounds of a census. What is changed for them is not changed back.
#[derive(Debug)]
pub(in crate::campaign) struct Rounds<'a> {
    manifest: &'a CensusManifest,
    callers: Variants<Arc<Caller>>,
    file: CensusFile,
    clock: CampaignClock,
    payload: Bytes,
    pauses: Pauses,
    /// Turns true if the census is to end.
    stop: watch::Receiver<bool>,
}

/// How far rounds go.
#[derive(Clone, Debug)]
pub(in crate::campaign) struct Goal {
    /// The variants that are counted.
    pub variants: Vec<VariantIndex>,
    /// How many environments of each are to be counted.
    pub environments: u32,
    /// The most that the calls of the census may have cost then, in US dollars.
    pub max_cost_usd: f64,
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
        let rounds = Rounds::new(manifest, callers, file, CampaignClock::begun(before_ms), stop);
        Self { rounds, cold, tallies }
    }

    /// Makes rounds until there is a reason to end. What was changed for them is undone in any case, a panic included.
    pub async fn run(mut self, observer: &mut dyn Observer) -> FinishedCensus {
        let ended = catching(self.rounds(observer)).await;
        let still_changed = self.undo().await;
        match ended {
            Ok(end) => FinishedCensus { end, tallies: self.tallies, still_changed },
            Err(panic) => go_on_with(panic, &still_changed),
        }
    }

    /// Changes back what is changed.
    async fn undo(&self) -> Vec<(Target, Failure)> {
        let Rounds { manifest, callers, .. } = &self.rounds;
        let functions = manifest.variants.iter().map(|(variant, of)| (&of.target, callers[variant].as_ref()));
        self.cold.undo_all(functions).await
    }

    async fn rounds(&mut self, observer: &mut dyn Observer) -> Result<CensusOutcome, CensusError> {
        let CensusManifest { plan, variants, .. } = self.rounds.manifest;
        let goal = Goal {
            variants: variants.indices().collect(),
            environments: plan.environments,
            max_cost_usd: plan.max_cost_usd,
        };
        loop {
            if let Some(outcome) = self.rounds.next(&goal, &mut self.tallies, self.cold, observer).await? {
                return Ok(outcome);
            }
        }
    }
}

impl<'a> Rounds<'a> {
    /// Rounds of the census `manifest`, by this clock; they end when `stop` turns true.
    pub(in crate::campaign) fn new(
        manifest: &'a CensusManifest,
        callers: &Variants<Arc<Caller>>,
        file: CensusFile,
        clock: CampaignClock,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let (callers, payload) = (callers.clone(), manifest.plan.call.payload());
        Self { manifest, callers, file, clock, payload, pauses: Pauses::new(), stop }
    }

    /// Makes the next round of each variant that has had the fewest; gives the outcome if there is a reason to end.
    pub(in crate::campaign) async fn next(
        &mut self,
        goal: &Goal,
        tallies: &mut Variants<Tally>,
        cold: &ColdStartForcer,
        observer: &mut dyn Observer,
    ) -> Result<Option<CensusOutcome>, CensusError> {
        let next = next_visits(goal, self.manifest.plan.seed, tallies);
        if next.is_empty() {
            return Ok(Some(CensusOutcome::Over));
        }
        for variant in next {
            let count = self.calls_of_round(goal, variant, tallies);
            if count == 0 {
                return Ok(Some(CensusOutcome::Cost));
            }
            if !self.force(variant, cold).await? {
                return Ok(Some(CensusOutcome::Interrupted));
            }
            observer.round(variant, count, tallies).map_err(CensusError::Output)?;
            self.make_calls((variant, count), tallies, observer).await?;
            tallies[variant].end_round();
            if let Some(rounds) = tallies[variant].throttled_in_a_row() {
                let pause = self.pauses.after(rounds, LONGEST_PAUSE);
                observer.backoff(variant, pause).map_err(CensusError::Output)?;
                unless_asked(&self.stop, tokio::time::sleep(pause)).await;
            }
        }
        Ok(None)
    }

    /// Makes the next calls of a variant meet new environments; false if the census is to end.
    async fn force(&self, variant: VariantIndex, cold: &ColdStartForcer) -> Result<bool, CensusError> {
        if *self.stop.borrow() {
            return Ok(false);
        }
        let target = &self.manifest.variants[variant].target;
        let forced = cold.force(target, &self.callers[variant], &self.stop).await;
        forced.map_err(|failure| CensusError::Cold { target: target.clone(), failure })?;
        Ok(!*self.stop.borrow())
    }

    fn calls_of_round(&self, goal: &Goal, variant: VariantIndex, tallies: &Variants<Tally>) -> u32 {
        let spent: f64 = tallies.iter().map(|(_, tally)| tally.cost_usd).sum();
        let guess = self.manifest.plan.guessed_cost(&self.manifest.variants[variant]);
        let affordable = tallies[variant].affordable(goal.max_cost_usd - spent, guess);
        tallies[variant].calls_of_round(goal.environments, affordable)
    }

    /// Makes the calls of one round, all at the same moment.
    async fn make_calls(
        &mut self,
        (variant, count): (VariantIndex, u32),
        tallies: &mut Variants<Tally>,
        observer: &mut dyn Observer,
    ) -> Result<(), CensusError> {
        let plan = &self.manifest.plan;
        let round = tallies[variant].rounds + 1;
        let mut calls = Calls::new((0..count).map(|slot| Call { variant, cell: 0, slot }), true);
        let time = Duration::from_millis(plan.timeout_ms);
        calls.release(|call, begin| {
            calls::made(Arc::clone(&self.callers[variant]), call, self.payload.clone(), time, (self.clock, begin))
        });
        // An error of the observer ends the census, but not before all answers are kept.
        let mut shown = Ok(());
        while let Some(returned) = calls.returned().await {
            for returned in returned {
                let known = &tallies[variant].environments;
                let is_new = |environment: &str| !known.contains_key(environment);
                let row = CensusRow::new(&plan.call, &self.manifest.variants[variant], round, returned, is_new);
                self.file.append(std::slice::from_ref(&row)).map_err(CensusError::File)?;
                tallies[variant].add(&row);
                shown = shown.and_then(|()| observer.row(&row, tallies));
            }
        }
        shown.map_err(CensusError::Output)
    }
}

/// The variants that are called next, in the order drawn for their round: those that have had the fewest rounds, so that all
/// see the same time.
fn next_visits(goal: &Goal, seed: u64, tallies: &Variants<Tally>) -> Vec<VariantIndex> {
    let is_open = |variant: &VariantIndex| tallies[*variant].end(goal.environments).is_none();
    let open = || goal.variants.iter().copied().filter(is_open);
    let Some(rounds) = open().map(|variant| tallies[variant].rounds).min() else { return Vec::new() };
    let mut next: Vec<VariantIndex> = open().filter(|variant| tallies[*variant].rounds == rounds).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(rounds.into());
    next.shuffle(&mut rng);
    next
}
