//! The position of a campaign in its schedule, as its samples show.

use super::{
    manifest::{Order, Plan},
    row::Row,
    schedule::{self, Call, Step},
    sides::Side,
};
use std::collections::BTreeMap;

/// The first incomplete step, and its remaining calls.
#[derive(Debug)]
pub struct Position<'a> {
    pub(super) plan: &'a Plan,
    /// The first block with separate steps.
    separate_from: Option<u64>,
    /// The number of the block.
    pub block: u64,
    /// The index of the step in the block.
    pub step: u32,
    /// The steps of the block.
    steps: Vec<Step>,
    /// The remaining calls of the step, each with the number of attempts so far.
    open: BTreeMap<(Side, u32), u32>,
}

impl<'a> Position<'a> {
    /// The beginning of the campaign.
    pub fn new(plan: &'a Plan) -> Self {
        let (steps, open) = (Vec::new(), BTreeMap::new());
        let mut position = Self { plan, separate_from: plan.separate_from, block: 0, step: 0, steps, open };
        position.begin_block(0);
        position
    }

    /// The order of the block.
    pub fn order(&self) -> Order {
        self.plan.order_of(self.block, self.separate_from)
    }

    /// Makes steps separate from the next block on and returns its number; `None` if that was decided before.
    pub fn separate(&mut self) -> Option<u64> {
        let is_new = self.separate_from.is_none();
        let from = *self.separate_from.get_or_insert(self.block + 1);
        is_new.then_some(from)
    }

    /// The calls of the step, in the order in which they are sent.
    fn calls(&self) -> &[Call] {
        &self.steps[self.step as usize]
    }

    /// The remaining calls of the step, in the order in which they are sent.
    pub fn open(&self) -> Vec<Call> {
        let calls = self.calls().iter().copied();
        calls.filter(|call| self.open.contains_key(&(call.side, call.slot))).collect()
    }

    /// How often a remaining call was attempted.
    pub fn attempts(&self, call: Call) -> u32 {
        self.open[&(call.side, call.slot)]
    }

    /// Whether a block is about to begin.
    pub fn is_at_block(&self) -> bool {
        self.step == 0 && self.is_at_step()
    }

    /// Whether a step is about to begin.
    pub fn is_at_step(&self) -> bool {
        self.open.len() == self.calls().len() && self.open.values().all(|attempts| *attempts == 0)
    }

    /// Checks that a sample, which the schedule has at its place, is of a remaining call: that none is missing before it.
    ///
    /// # Errors
    /// With the calls that remain.
    pub fn check(&self, row: &Row) -> Result<(), String> {
        let (attempts, calls) = (self.open.get(&(row.side, row.slot)), self.calls());
        let cell = &self.plan.cells[calls[0].cell].name;
        if (row.block, row.step, Some(&row.attempt), &row.cell) == (self.block, self.step, attempts, cell) {
            return Ok(());
        }
        let is_called = |side: &Side| calls.iter().any(|call| call.side == *side);
        let sides: Vec<&str> = Side::BOTH.into_iter().filter(is_called).map(Side::as_str).collect();
        Err(format!(
            "the schedule has block {}, step {} ({}, {cell}) here, which this sample does not belong to",
            self.block,
            self.step,
            sides.join(" and ")
        ))
    }

    /// Takes in the outcome of a remaining call.
    pub fn settle(&mut self, row: &Row) {
        debug_assert_eq!(self.check(row), Ok(()));
        self.take(row);
        if !self.open.is_empty() {
            return;
        }
        if self.step as usize + 1 < self.steps.len() {
            self.begin_step(self.step + 1);
        } else {
            self.begin_block(self.block + 1);
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
        let cells = &self.plan.cells;
        let is_row = |call: &Call| (call.side, call.slot) == (row.side, row.slot) && cells[call.cell].name == row.cell;
        if !self.calls().iter().any(is_row) {
            if !cells.iter().any(|cell| cell.name == row.cell) {
                return Err(format!("cell is {:?}, which campaign.json does not have", row.cell));
            }
            return Err(format!(
                "side is {}, slot is {} and cell is {:?}, which the schedule does not have in block {}, step {}",
                row.side, row.slot, row.cell, row.block, row.step
            ));
        }
        let expected = match self.open.get(&(row.side, row.slot)) {
            Some(attempts) if row.attempt >= *attempts => None,
            Some(attempts) => Some(format!("a line before has attempt {}", attempts - 1)),
            None => Some("a line before has the last attempt at this call".to_owned()),
        };
        if let Some(expected) = expected {
            return Err(format!("slot is {} and attempt is {}, but {expected}", row.slot, row.attempt));
        }
        self.take(row);
        Ok(())
    }

    fn take(&mut self, row: &Row) {
        if row.is_made_again() {
            self.open.insert((row.side, row.slot), row.attempt + 1);
        } else {
            self.open.remove(&(row.side, row.slot));
        }
    }

    fn begin_block(&mut self, block: u64) {
        self.block = block;
        self.steps = schedule::block(self.plan, block, self.order());
        self.begin_step(0);
    }

    fn begin_step(&mut self, step: u32) {
        self.step = step;
        self.open = self.calls().iter().map(|call| ((call.side, call.slot), 0)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{
        failure::{Failure, FailureKind},
        manifest::Manifest,
    };

    #[test]
    fn a_missing_sample_is_passed_over_by_a_reader_and_refused_by_a_campaign() {
        let plan = Plan { order: Order::JointSteps, ..Manifest::example().plan };
        let [baseline, candidate] = Side::BOTH.map(|side| Row { side, ..Row::example() });
        let next_block = Row { block: 1, ..Row::example() };
        let mut position = Position::new(&plan);
        position.check(&candidate).unwrap();
        position.settle(&candidate);
        let error = position.check(&next_block).unwrap_err();
        assert!(error.contains("block 0, step 0 (baseline and candidate, a)"), "{error}");
        position.check(&baseline).unwrap();
        position.settle(&baseline);
        position.check(&next_block).unwrap();

        let mut position = Position::new(&plan);
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
}
