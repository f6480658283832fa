//! How many calls a round makes, and what they have found so far: pure functions of rows.

use super::row::CensusRow;
use crate::campaign::failure::Failure;
use std::collections::BTreeMap;

/// A variant is not called any more after so many rounds in a row that met no new environment.
const FRUITLESS_ROUNDS: u32 = 3;

/// An environment that was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The model of its CPU.
    pub model: String,
    /// The round in which it has answered first.
    pub round: u32,
}

/// What is known of a variant.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// The environments that have answered.
    pub environments: BTreeMap<String, Counted>,
    pub calls: u64,
    /// Calls that failed for another reason than that there were too many.
    pub failed: u64,
    pub throttled: u64,
    pub cost_usd: f64,
    /// How many rounds were begun.
    pub rounds: u32,
    pub last_failure: Option<Failure>,
    /// When the last answer was there, in milliseconds since the census began.
    pub elapsed_ms: u64,
    /// The most calls of the next round.
    most: u32,
    /// How many rounds in a row have met no new environment.
    fruitless: u32,
    /// How many rounds in a row were throttled.
    throttled_in_a_row: u32,
    open: Round,
}

/// What the calls of a round have met so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Round {
    calls: u32,
    new: u32,
    throttled: u32,
}

/// Why no more calls of a variant are made.
#[derive(Clone, Debug, PartialEq)]
pub enum VariantEnd {
    /// As many environments as wanted are counted.
    Counted,
    /// The last rounds met no new environment; with the last failure if calls failed.
    Fruitless(Option<Failure>),
}

impl Tally {
    /// Of a variant that was not called yet, and of which a round makes at most so many calls.
    pub fn new(most: u32) -> Self {
        Self {
            environments: BTreeMap::new(),
            calls: 0,
            failed: 0,
            throttled: 0,
            cost_usd: 0.0,
            rounds: 0,
            last_failure: None,
            elapsed_ms: 0,
            most,
            fruitless: 0,
            throttled_in_a_row: 0,
            open: Round::default(),
        }
    }

    /// Takes in a call. The first of another round ends the round before, which a killed program may have left open.
    pub fn add(&mut self, row: &CensusRow) {
        if row.round != self.rounds {
            self.end_round();
            self.rounds = row.round;
        }
        self.calls += 1;
        self.open.calls += 1;
        self.cost_usd += row.cost_usd;
        self.elapsed_ms = self.elapsed_ms.max(row.elapsed_ms + row.latency_ms);
        if row.is_throttled() {
            self.throttled += 1;
            self.open.throttled += 1;
        } else if row.failure.is_some() {
            self.failed += 1;
        }
        if row.failure.is_some() {
            self.last_failure.clone_from(&row.failure);
        }
        if let Some((environment, model)) = row.counted()
            && !self.environments.contains_key(environment)
        {
            let counted = Counted { model: model.to_owned(), round: row.round };
            self.environments.insert(environment.to_owned(), counted);
            self.open.new += 1;
        }
    }

    /// Takes the consequences of the calls since the last end of a round.
    pub(super) fn end_round(&mut self) {
        let Round { calls, new, throttled } = std::mem::take(&mut self.open);
        if calls == 0 {
            return;
        }
        if throttled > 0 {
            self.most = (calls / 2).max(1);
            self.throttled_in_a_row += 1;
        } else {
            self.throttled_in_a_row = 0;
        }
        // Where there were too many calls, fewer may meet an environment.
        let may_improve = throttled > 0 && calls > 1;
        self.fruitless = if new > 0 { 0 } else { self.fruitless + u32::from(!may_improve) };
    }

    /// How many rounds in a row were throttled; `None` if the last one was not.
    pub(super) fn throttled_in_a_row(&self) -> Option<u32> {
        Some(self.throttled_in_a_row).filter(|rounds| *rounds > 0)
    }

    pub fn count(&self) -> u32 {
        self.environments.len() as u32
    }

    /// How many calls the next round makes, if `wanted` environments are to be counted and `affordable` calls can be paid.
    /// Until an environment is counted it is one call: nothing else tells that the function can be counted at all.
    pub(super) fn calls_of_round(&self, wanted: u32, affordable: u32) -> u32 {
        let calls = if self.environments.is_empty() { 1 } else { wanted.saturating_sub(self.count()).min(self.most) };
        calls.min(affordable)
    }

    /// Why no more calls are made, if that is so.
    pub fn end(&self, wanted: u32) -> Option<VariantEnd> {
        if self.count() >= wanted {
            return Some(VariantEnd::Counted);
        }
        (self.fruitless >= FRUITLESS_ROUNDS).then(|| VariantEnd::Fruitless(self.last_failure.clone()))
    }

    /// The mean bill of the calls so far, in US dollars; `None` before the first.
    fn mean_cost(&self) -> Option<f64> {
        (self.calls > self.throttled).then(|| self.cost_usd / (self.calls - self.throttled) as f64)
    }

    /// How many calls can be paid with `left_usd`, if each costs as much as those so far, or else as guessed.
    pub(super) fn affordable(&self, left_usd: f64, guessed_usd: f64) -> u32 {
        let each = self.mean_cost().unwrap_or(guessed_usd);
        // The cast is one of the nearest number, also of the infinite.
        if each > 0.0 { (left_usd / each).max(0.0) as u32 } else { u32::MAX }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::failure::FailureKind;

    /// What a call meets: an environment, or a failure.
    fn row(round: u32, met: Result<&str, FailureKind>) -> CensusRow {
        let example = CensusRow { round, elapsed_ms: u64::from(round) * 10, ..CensusRow::example("", "V1") };
        match met {
            Ok(environment) => CensusRow { environment: Some(environment.to_owned()), ..example },
            Err(kind) => CensusRow {
                environment: None,
                cpu_model: None,
                cost_usd: if kind == FailureKind::Throttled { 0.0 } else { example.cost_usd },
                failure: Some(Failure::new(kind, "no")),
                ..example
            },
        }
    }

    /// The tally after rounds of these calls, each round being ended.
    fn after(most: u32, rounds: &[&[Result<&str, FailureKind>]]) -> Tally {
        let mut tally = Tally::new(most);
        for (round, calls) in (1..).zip(rounds) {
            calls.iter().for_each(|met| tally.add(&row(round, *met)));
            tally.end_round();
        }
        tally
    }

    #[test]
    fn the_first_round_is_one_call_and_later_ones_take_what_is_left() {
        assert_eq!(after(500, &[]).calls_of_round(1000, u32::MAX), 1);
        let one = after(500, &[&[Ok("a")]]);
        assert_eq!(one.calls_of_round(1000, u32::MAX), 500);
        assert_eq!(one.calls_of_round(300, u32::MAX), 299);
        assert_eq!(one.calls_of_round(300, 7), 7);
        assert_eq!(one.calls_of_round(1, u32::MAX), 0);
        // A failure tells nothing, so the next round is one call again.
        assert_eq!(after(500, &[&[Err(FailureKind::Function)]]).calls_of_round(1000, u32::MAX), 1);
    }

    #[test]
    fn environments_count_once_however_often_they_answer() {
        let tally = after(500, &[&[Ok("a")], &[Ok("a"), Ok("b"), Ok("b")]]);
        assert_eq!((tally.count(), tally.calls, tally.rounds, tally.elapsed_ms), (2, 4, 2, 23));
        assert_eq!((tally.cost_usd, tally.end(3), tally.end(2)), (1.0, None, Some(VariantEnd::Counted)));
        let unnamed = CensusRow { cpu_model: None, ..row(3, Ok("c")) };
        let mut tally = tally;
        tally.add(&unnamed);
        assert_eq!(tally.count(), 2);
    }

    #[test]
    fn a_throttled_round_halves_those_after_it_and_its_calls_are_left() {
        const THROTTLED: Result<&str, FailureKind> = Err(FailureKind::Throttled);
        let tally = after(4, &[&[Ok("a")], &[Ok("b"), Ok("c"), THROTTLED, THROTTLED]]);
        assert_eq!((tally.count(), tally.calls_of_round(100, u32::MAX), tally.throttled, tally.failed), (3, 2, 2, 0));
        assert_eq!(tally.throttled_in_a_row(), Some(1));
        // Fewer calls than the most: half of those.
        let tally = after(500, &[&[Ok("a")], &[THROTTLED; 3]]);
        assert_eq!(tally.calls_of_round(100, u32::MAX), 1);
        assert_eq!(tally.end(100), None);
        // Single calls cannot become fewer.
        let shut = after(500, &[&[THROTTLED], &[THROTTLED], &[THROTTLED]]);
        assert!(matches!(shut.end(100), Some(VariantEnd::Fruitless(Some(failure))) if failure.message == "no"));
        assert_eq!(shut.throttled_in_a_row(), Some(3));
        let open = after(500, &[&[Ok("a")], &[THROTTLED; 2], &[THROTTLED, Ok("b")], &[Ok("c")]]);
        assert_eq!(open.throttled_in_a_row(), None);
    }

    #[test]
    fn three_rounds_in_a_row_without_a_new_environment_are_the_last() {
        let again: &[_] = &[Ok("a"), Ok("a")];
        assert_eq!(after(9, &[&[Ok("a")], again, again]).end(5), None);
        assert_eq!(after(9, &[&[Ok("a")], again, again, again]).end(5), Some(VariantEnd::Fruitless(None)));
        assert_eq!(after(9, &[&[Ok("a")], again, again, &[Ok("b")], again]).end(5), None);
    }

    #[test]
    fn a_round_that_was_cut_off_is_ended_by_the_next() {
        let mut cut = Tally::new(9);
        for (round, met) in [(1, Ok("a")), (2, Err(FailureKind::Throttled)), (2, Ok("b")), (3, Ok("c"))] {
            cut.add(&row(round, met));
        }
        cut.end_round();
        assert_eq!((cut.rounds, cut.calls_of_round(100, u32::MAX)), (3, 1));
    }

    #[test]
    fn calls_that_can_be_paid_are_reckoned_by_the_guess_and_then_by_the_bill() {
        let tally = Tally::new(9);
        assert_eq!(tally.affordable(1.0, 0.3), 3);
        assert_eq!(tally.affordable(1.0, 0.0), u32::MAX);
        assert_eq!(tally.affordable(-1.0, 0.3), 0);
        let tally = after(9, &[&[Ok("a")], &[Err(FailureKind::Throttled)]]);
        assert_eq!(tally.affordable(1.0, 0.3), 4);
    }
}
