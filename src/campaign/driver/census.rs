//! The census that a campaign takes before some of its blocks.

use super::{Campaign, CampaignError, CensusObserver, Observer, Progress};
use crate::campaign::{
    census::{
        BLOCKS_BETWEEN_ROUNDS, CensusFile, CensusManifest, CensusRow, EXPECTED, EnvironmentCosts, Goal, MAX_CENSUS,
        Rounds, Tally, VariantEnd, counted,
    },
    manifest::{Manifest, Plan},
    stopping_rules::StoppingRule,
    unmeasured_models::{LEAST_OF_MODEL, UnmeasuredModel},
    variants::{VariantIndex, Variants},
};
use std::{collections::BTreeSet, io, time::Duration};

/// What the campaign counts, and how.
#[derive(Debug)]
pub(super) struct CensusOfCampaign<'a> {
    rounds: Rounds<'a>,
    /// The variants that were said to be counted no more.
    given_up: BTreeSet<VariantIndex>,
    /// The block before which new environments have started last.
    renewed_before: Option<u64>,
    /// Whether it was said that CPU models are still to be measured.
    has_told_of_models: bool,
}

impl<'a> Campaign<'a> {
    /// Takes this census, whose file is given; [`Progress::with_census`] has what it has counted before.
    pub(crate) fn with_census(self, census: Option<(&'a CensusManifest, CensusFile)>) -> Self {
        let census = census.map(|(manifest, file)| CensusOfCampaign {
            rounds: Rounds::new(manifest, &self.callers, file, self.clock, self.stop.clone()),
            given_up: BTreeSet::new(),
            renewed_before: None,
            has_told_of_models: false,
        });
        Self { census, ..self }
    }

    /// Counts environments until there are as many as the census has to have before this block, or there is a reason to
    /// end; gives whether calls were made.
    pub(super) async fn count_environments(&mut self, observer: &mut dyn Observer) -> Result<bool, CampaignError> {
        let Some(environments) = self.environments_to_count() else { return Ok(false) };
        let Self { manifest, census, progress, cold, clock, .. } = self;
        let Progress { position, totals, rules } = progress;
        let spent = totals.cost_of_samples_usd();
        let (Some(census), Some(tallies)) = (census, &mut totals.census) else { return Ok(false) };
        let goal = Goal {
            variants: position.called().collect(),
            environments,
            max_cost_usd: manifest.limits.max_cost_usd.unwrap_or(f64::INFINITY) - spent,
        };
        let is_late =
            || manifest.limits.duration_ms.is_some_and(|limit| clock.elapsed() >= Duration::from_millis(limit));
        let before = calls(tallies);
        let mut told = Told { rules, observer: observer.census() };
        while !is_late() {
            // On the heap, because the compiler follows futures within each other to a certain depth only.
            let round = Box::pin(census.rounds.next(&goal, tallies, cold, &mut told));
            if round.await?.is_some() {
                break;
            }
        }
        for variant in goal.variants {
            if let Some(VariantEnd::Fruitless(failure)) = tallies[variant].end(goal.environments)
                && census.given_up.insert(variant)
            {
                let reason = failure.map_or(String::new(), |failure| format!(": {}", failure.message));
                let (name, count) = (&manifest.variants[variant].name, tallies[variant].count());
                let text = format!(
                    "the census of {name} ends at {count}: three rounds in a row met no new environment{reason}"
                );
                observer.warning(&text).map_err(CampaignError::Output)?;
            }
        }
        totals.elapsed_ms = totals.elapsed_ms.max(last_ms(tallies));
        let has_counted = calls(tallies) > before;
        if has_counted {
            census.renewed_before = Some(position.block);
        }
        Ok(has_counted)
    }

    /// How many environments of each variant are to be counted before this block; `None` if none are counted before it.
    fn environments_to_count(&self) -> Option<u32> {
        let block = self.progress.position.block;
        if !self.manifest.plan.census?.is_allocated {
            return Some(self.manifest.environments_of_census_before(block));
        }
        let has_counted = self.census.as_ref()?.renewed_before == Some(block);
        if has_counted || !block.is_multiple_of(BLOCKS_BETWEEN_ROUNDS) {
            return None;
        }
        let tallies = self.progress.totals.census.as_ref()?;
        // One more at the least, because the round makes new environments start.
        let least = tallies.iter().map(|(_, tally)| tally.count()).max()? + 1;
        let measured =
            self.manifest.plan.environments.saturating_mul(u32::try_from(block / BLOCKS_BETWEEN_ROUNDS + 1).ok()?);
        Some(counted(measured, self.counted_for_each(tallies)).clamp(least, MAX_CENSUS.max(least)))
    }

    /// How many environments are to be counted for each that is measured, by what is known of the fleets and of the bill.
    fn counted_for_each(&self, tallies: &Variants<Tally>) -> f64 {
        let Progress { position, totals, rules } = &self.progress;
        let variances = rules.iter().find_map(|rule| rule.fleet_variances()).unwrap_or_else(|| EXPECTED.variances());
        let guessed = self.manifest.guessed_costs_of_environment();
        let measured = position.block / BLOCKS_BETWEEN_ROUNDS * u64::from(self.manifest.plan.environments);
        let each =
            |usd: f64, environments: f64, guess: f64| if environments > 0.0 { usd / environments } else { guess };
        let counted: f64 = tallies.iter().map(|(_, tally)| f64::from(tally.count())).sum();
        let of_census: f64 = tallies.iter().map(|(_, tally)| tally.cost_usd).sum();
        variances.counted_for_each(EnvironmentCosts {
            measured: each(totals.cost_of_samples_usd(), measured as f64, guessed.measured),
            counted: each(of_census, counted / tallies.count() as f64, guessed.counted),
        })
    }

    /// Makes new environments start, if the census is over and has counted CPU models of which too few environments were measured:
    /// so that the next calls may meet these. Gives whether that was so.
    pub(super) async fn renew_environments(&mut self, observer: &mut dyn Observer) -> Result<bool, CampaignError> {
        let (Some(census), Some(planned)) = (&mut self.census, &self.manifest.plan.census) else { return Ok(false) };
        if !self.manifest.measures_all_models() {
            return Ok(false);
        }
        let Progress { position, totals, .. } = &self.progress;
        let (block, called) = (position.block, position.called().collect::<BTreeSet<VariantIndex>>());
        let is_over = self.manifest.environments_of_census_before(block) == planned.environments;
        let are_called =
            census.renewed_before.is_none_or(|renewed| block >= renewed + blocks_to_measure(&self.manifest.plan));
        let calls = totals.calls_of_blocks() + position.calls_of_block().values().sum::<u64>();
        let is_last = self.manifest.limits.invocations.is_some_and(|limit| calls > limit);
        if !is_over || !are_called && !is_last {
            return Ok(false);
        }
        let of_variants = called.iter().map(|variant| (*variant, totals.unmeasured_models(*variant)));
        let unmeasured: Vec<_> = of_variants.filter(|(_, models)| !models.is_empty()).collect();
        if unmeasured.is_empty() {
            return Ok(false);
        }
        if !std::mem::replace(&mut census.has_told_of_models, true) {
            observer.warning(&about_models(self.manifest, &unmeasured)).map_err(CampaignError::Output)?;
        }
        if are_called {
            census.renewed_before = Some(block);
            // All of them, so that none is called in environments that have been warm for longer.
            self.force_cold_starts(called).await?;
        }
        Ok(are_called)
    }
}

/// How many blocks it takes to measure environments that are new: the first call of one is a cold start.
fn blocks_to_measure(plan: &Plan) -> u64 {
    if plan.cells.iter().all(|cell| cell.weight > 1) { 1 } else { 2 }
}

/// Why a campaign makes new environments start, and perhaps more calls.
fn about_models(manifest: &Manifest, unmeasured: &[(VariantIndex, Vec<UnmeasuredModel<&str>>)]) -> String {
    let of_variant = |(variant, models): &(VariantIndex, Vec<UnmeasuredModel<&str>>)| {
        let models: Vec<String> = models.iter().map(ToString::to_string).collect();
        format!("{} on {}", manifest.variants[*variant].name, models.join(" and "))
    };
    let models: Vec<String> = unmeasured.iter().map(of_variant).collect();
    let more = manifest.limits.invocations.map(|limit| format!(", with up to {limit} calls more than --invocations"));
    format!(
        "too few environments were measured of CPU models that the census has counted: {}. The campaign starts new environments \
         until each has {LEAST_OF_MODEL}, or the rest are rare{}",
        models.join("; "),
        more.unwrap_or_default()
    )
}

impl Progress<'_> {
    /// The same with the calls of the campaign's own census so far, of which a round makes at most so many calls of each
    /// variant.
    pub(crate) fn with_census(mut self, most: &Variants<u32>, rows: &[CensusRow]) -> Self {
        let mut tallies = most.map(|_, most| Tally::new(*most));
        for row in rows {
            tallies[row.variant].add(row);
            self.rules.iter_mut().for_each(|rule| rule.observe_census(row));
        }
        self.totals.elapsed_ms = self.totals.elapsed_ms.max(last_ms(&tallies));
        self.totals.census = Some(tallies);
        self
    }
}

fn calls(tallies: &Variants<Tally>) -> u64 {
    tallies.iter().map(|(_, tally)| tally.calls).sum()
}

/// When the last answer was there, in milliseconds since the campaign began.
fn last_ms(tallies: &Variants<Tally>) -> u64 {
    tallies.iter().map(|(_, tally)| tally.elapsed_ms).max().unwrap_or_default()
}

/// The observer of a census, after the rules that end the campaign.
struct Told<'o> {
    rules: &'o mut [Box<dyn StoppingRule>],
    observer: &'o mut dyn CensusObserver,
}

impl CensusObserver for Told<'_> {
    fn round(&mut self, variant: VariantIndex, calls: u32, tallies: &Variants<Tally>) -> io::Result<()> {
        self.observer.round(variant, calls, tallies)
    }

    fn row(&mut self, row: &CensusRow, tallies: &Variants<Tally>) -> io::Result<()> {
        self.rules.iter_mut().for_each(|rule| rule.observe_census(row));
        self.observer.row(row, tallies)
    }

    fn backoff(&mut self, variant: VariantIndex, pause: Duration) -> io::Result<()> {
        self.observer.backoff(variant, pause)
    }
}
