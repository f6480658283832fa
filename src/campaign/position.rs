//! The position of a campaign in its schedule, as its samples show.

use super::{
    manifest::{EndReason, Ended, Manifest, Order, Plan, Variant},
    row::Row,
    schedule::{self, Call, Step},
    stopping_rules::NextCalls,
    variants::{VariantIndex, Variants},
};
use std::collections::{BTreeMap, BTreeSet};

/// The first incomplete step, and its remaining calls.
#[derive(Debug)]
pub struct Position<'a> {
    manifest: &'a Manifest,
    /// The first block with separate steps.
    separate_from: Option<u64>,
    /// The variants that are not called any more.
    ended: Variants<Option<Ended>>,
    /// The number of the block.
    pub block: u64,
    /// The index of the step in the block.
    pub step: u32,
    /// The steps of the block.
    steps: Vec<Step>,
    /// The remaining calls of the step, each with the number of attempts so far.
    open: BTreeMap<(VariantIndex, u32), u32>,
}

impl<'a> Position<'a> {
    /// The beginning of the campaign.
    pub fn new(manifest: &'a Manifest) -> Self {
        let mut position = Self {
            manifest,
            separate_from: manifest.plan.separate_from,
            ended: manifest.variants.map(|_, variant| variant.ended),
            block: 0,
            step: 0,
            steps: Vec::new(),
            open: BTreeMap::new(),
        };
        position.begin_block(0);
        position
    }

    pub(super) fn plan(&self) -> &'a Plan {
        &self.manifest.plan
    }

    /// The manifest with what was decided since the campaign began.
    pub fn manifest(&self) -> Manifest {
        let plan = Plan { separate_from: self.separate_from, ..self.manifest.plan.clone() };
        let variants =
            self.manifest.variants.map(|index, variant| Variant { ended: self.ended[index], ..variant.clone() });
        Manifest { plan, variants, ..self.manifest.clone() }
    }

    /// The variants that are still called.
    pub fn called(&self) -> impl Iterator<Item = VariantIndex> {
        self.ended.iter().filter(|(_, ended)| ended.is_none()).map(|(variant, _)| variant)
    }

    /// Whether the calls of a variant ended for this reason.
    pub fn has_ended(&self, reason: EndReason) -> bool {
        self.ended.iter().any(|(_, ended)| ended.is_some_and(|ended| ended.reason == reason))
    }

    /// The calls of the next block.
    pub fn calls_of_block(&self) -> NextCalls {
        self.called().map(|variant| (variant, self.plan().calls_of_variant())).collect()
    }

    /// The remaining calls of the step, by variant.
    pub fn open_calls(&self) -> NextCalls {
        let mut calls = NextCalls::new();
        self.open.keys().for_each(|(variant, _)| *calls.entry(*variant).or_default() += 1);
        calls
    }

    /// Ends the calls of a variant: the step has no more of them, nor have later steps.
    pub fn end(&mut self, variant: VariantIndex, reason: EndReason) {
        let (block, is_begun) = (self.block, !self.is_at_step());
        let step = self.step + u32::from(is_begun);
        self.ended[variant] = Some(Ended { block, step, reason });
        match step {
            0 => self.begin_block(block),
            _ if is_begun => self.leave_ended(),
            _ => {
                self.begin_step(step);
                self.advance();
            }
        }
    }

    /// Leaves out the remaining calls of variants whose calls end with this step.
    pub fn leave_ended(&mut self) {
        let (ended, block, step) = (&self.ended, self.block, self.step);
        let is_last =
            |variant: VariantIndex| ended[variant].is_some_and(|ended| (ended.block, ended.step) == (block, step + 1));
        self.open.retain(|(variant, _), _| !is_last(*variant));
        self.advance();
    }

    /// The order of the block.
    pub fn order(&self) -> Order {
        self.plan().order_of(self.block, self.separate_from)
    }

    /// Makes steps separate from the next block on and returns its number; `None` if that was decided before.
    pub fn separate(&mut self) -> Option<u64> {
        let is_new = self.separate_from.is_none();
        let from = *self.separate_from.get_or_insert(self.block + 1);
        is_new.then_some(from)
    }

    /// The calls of the step, in the order in which they are sent.
    fn calls(&self) -> impl Iterator<Item = Call> {
        let step = self.steps[self.step as usize].iter().copied();
        step.filter(|call| self.is_called_at(call.variant, self.step))
    }

    fn is_called_at(&self, variant: VariantIndex, step: u32) -> bool {
        self.ended[variant].is_none_or(|ended| (ended.block, ended.step) > (self.block, step))
    }

    /// The remaining calls of the step, in the order in which they are sent.
    pub fn open(&self) -> Vec<Call> {
        self.calls().filter(|call| self.open.contains_key(&(call.variant, call.slot))).collect()
    }

    /// How often a remaining call was attempted.
    pub fn attempts(&self, call: Call) -> u32 {
        self.open[&(call.variant, call.slot)]
    }

    /// Whether a block is about to begin.
    pub fn is_at_block(&self) -> bool {
        self.step == 0 && self.is_at_step()
    }

    /// Whether a step is about to begin.
    pub fn is_at_step(&self) -> bool {
        self.open.len() == self.calls().count() && self.open.values().all(|attempts| *attempts == 0)
    }

    /// Checks that a sample, which the schedule has at its place, is of a remaining call: that none is missing before it.
    ///
    /// # Errors
    /// With the calls that remain.
    pub fn check(&mut self, row: &Row) -> Result<(), String> {
        if (row.block, row.step) > (self.block, self.step) {
            self.leave_ended();
        }
        let attempts = self.open.get(&(row.variant, row.slot));
        let cell = self.cell();
        if (row.block, row.step, Some(&row.attempt), row.cell.as_str()) == (self.block, self.step, attempts, cell) {
            return Ok(());
        }
        let called: BTreeSet<VariantIndex> = self.calls().map(|call| call.variant).collect();
        let names: Vec<&str> = called.into_iter().map(|called| self.manifest.variants[called].name.as_str()).collect();
        Err(format!(
            "the schedule has block {}, step {} ({}, {cell}) here, which this sample does not belong to",
            self.block,
            self.step,
            names.join(" and ")
        ))
    }

    /// Takes in the outcome of a remaining call.
    pub fn settle(&mut self, row: &Row) {
        debug_assert!(self.open.contains_key(&(row.variant, row.slot)));
        self.take(row);
        self.advance();
    }

    /// Goes on to the next step that has calls, if this one has none left.
    fn advance(&mut self) {
        while self.open.is_empty() {
            if self.step as usize + 1 < self.steps.len() {
                self.begin_step(self.step + 1);
            } else {
                self.begin_block(self.block + 1);
            }
        }
    }

    /// Takes in a stored sample, before which others may be missing.
    ///
    /// # Errors
    /// The fields that do not fit the schedule or earlier samples.
    pub fn follow(&mut self, row: &Row) -> Result<(), String> {
        if (row.block, row.step) < (self.block, self.step) {
            return Err(format!(
                "block is {} and step is {}, behind block {}, step {}: samples stand in the order in which they were taken",
                row.block, row.step, self.block, self.step
            ));
        }
        if row.block > self.block {
            self.begin_block(row.block);
        }
        if row.step as usize >= self.steps.len() {
            return Err(format!("step is {}; by campaign.json it is below {}", row.step, self.steps.len()));
        }
        if row.step > self.step {
            self.begin_step(row.step);
        }
        match self.open.get(&(row.variant, row.slot)) {
            Some(attempts) if row.attempt >= *attempts && row.cell == self.cell() => {
                self.take(row);
                Ok(())
            }
            _ => Err(self.misfit(row)),
        }
    }

    /// The cell of the step's calls.
    fn cell(&self) -> &str {
        &self.plan().cells[self.steps[self.step as usize][0].cell].name
    }

    /// Why a row is none of the step, which is that of the row.
    fn misfit(&self, row: &Row) -> String {
        let cells = &self.plan().cells;
        let is_row =
            |call: Call| (call.variant, call.slot) == (row.variant, row.slot) && cells[call.cell].name == row.cell;
        if !cells.iter().any(|cell| cell.name == row.cell) {
            return format!("cell is {:?}, which campaign.json does not have", row.cell);
        }
        if !self.calls().any(is_row) {
            return format!(
                "variant is {}, slot is {} and cell is {:?}, which the schedule does not have in block {}, step {}",
                row.variant, row.slot, row.cell, row.block, row.step
            );
        }
        let before = match self.open.get(&(row.variant, row.slot)) {
            Some(attempts) => format!("a line before has attempt {}", attempts.saturating_sub(1)),
            None => "a line before has the last attempt at this call".to_owned(),
        };
        format!("slot is {} and attempt is {}, but {before}", row.slot, row.attempt)
    }

    fn take(&mut self, row: &Row) {
        if row.is_made_again() {
            self.open.insert((row.variant, row.slot), row.attempt + 1);
        } else {
            self.open.remove(&(row.variant, row.slot));
        }
    }

    fn begin_block(&mut self, block: u64) {
        self.block = block;
        let called = self.ended.indices().filter(|variant| self.is_called_at(*variant, 0)).collect::<Vec<_>>();
        self.steps = schedule::block(self.plan(), &called, block, self.order());
        self.begin_step(0);
    }

    fn begin_step(&mut self, step: u32) {
        self.step = step;
        self.open = self.calls().map(|call| ((call.variant, call.slot), 0)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{
        failure::{Failure, FailureKind},
        manifest::Manifest,
    };
    use proptest::prelude::*;

    fn row(block: u64, variant: usize) -> Row {
        let variant = VariantIndex::first(variant + 1).last().unwrap();
        Row { block, variant, ..Row::example() }
    }

    #[test]
    fn a_missing_sample_is_passed_over_by_a_reader_and_refused_by_a_campaign() {
        let example = Manifest::example();
        let manifest = Manifest { plan: Plan { order: Order::JointSteps, ..example.plan.clone() }, ..example };
        let [baseline, candidate] = [row(0, 0), row(0, 1)];
        let next_block = Row { block: 1, ..Row::example() };
        let mut position = Position::new(&manifest);
        position.check(&candidate).unwrap();
        position.settle(&candidate);
        let error = position.check(&next_block).unwrap_err();
        assert!(error.contains("block 0, step 0 (x and y, a)"), "{error}");
        position.check(&baseline).unwrap();
        position.settle(&baseline);
        position.check(&next_block).unwrap();

        let mut position = Position::new(&manifest);
        position.follow(&candidate).unwrap();
        let error = position.follow(&candidate).unwrap_err();
        assert_eq!(error, "slot is 0 and attempt is 0, but a line before has the last attempt at this call");
        let throttled = Some(Failure::new(FailureKind::Throttled, "slow down"));
        position.follow(&Row { attempt: 2, failure: throttled, ..baseline.clone() }).unwrap();
        let error = position.follow(&Row { attempt: 1, ..baseline.clone() }).unwrap_err();
        assert_eq!(error, "slot is 0 and attempt is 1, but a line before has attempt 2");
        position.follow(&next_block).unwrap();
        assert!(position.follow(&baseline).unwrap_err().contains("behind block 1, step 0"));
    }

    #[derive(Clone, Copy, Debug)]
    enum Fate {
        Succeeds,
        IsMadeAgain,
        Ends,
    }

    fn fate() -> impl Strategy<Value = Fate> {
        prop_oneof![6 => Just(Fate::Succeeds), 2 => Just(Fate::IsMadeAgain), 1 => Just(Fate::Ends)]
    }

    proptest! {
        /// A campaign of four variants, some of which end while their calls are made again.
        #[test]
        fn samples_before_and_after_a_variant_has_ended_are_read_as_they_were_taken(
            fates in prop::collection::vec(fate(), 1..120),
            order in prop_oneof![Just(Order::JointSteps), Just(Order::SeparateSteps), Just(Order::SingleCalls)],
        ) {
            let example = Manifest::example();
            let variants = (0..4).map(|_| example.variants[VariantIndex::default()].clone()).collect();
            let manifest =
                Manifest { plan: Plan { order, environments: 2, ..example.plan.clone() }, variants, ..example };
            let (mut position, mut rows) = (Position::new(&manifest), Vec::new());
            for fate in fates {
                let call = position.open()[0];
                let failure = match fate {
                    Fate::Succeeds => None,
                    _ => Some(Failure::new(FailureKind::Throttled, "slow down")),
                };
                let (variant, slot, attempt) = (call.variant, call.slot, position.attempts(call));
                let (block, step) = (position.block, position.step);
                let row = Row { block, step, variant, slot, attempt, failure, ..Row::example() };
                prop_assert_eq!(position.check(&row), Ok(()));
                position.settle(&row);
                rows.push(row);
                let is_candidate = variant != manifest.baseline && position.called().any(|called| called == variant);
                if matches!(fate, Fate::Ends) && is_candidate {
                    position.end(variant, EndReason::GivenUp);
                }
            }
            let kept = position.manifest();
            let (mut again, mut reader) = (Position::new(&kept), Position::new(&kept));
            for row in &rows {
                prop_assert_eq!(again.check(row), Ok(()));
                again.settle(row);
                prop_assert_eq!(reader.follow(row), Ok(()));
            }
            again.leave_ended();
            prop_assert_eq!((again.block, again.step, again.open()), (position.block, position.step, position.open()));
        }
    }
}
