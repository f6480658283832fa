//! Where a campaign stands, as its samples tell.

use super::{
    manifest::Plan,
    row::Row,
    schedule::{self, Step},
};
use std::collections::BTreeMap;

/// The first step that is not complete, and the calls of it that are still to be made.
#[derive(Debug)]
pub struct Position<'a> {
    plan: &'a Plan,
    /// The number of the block.
    pub block: u64,
    /// The place of the step in the block.
    pub step: u32,
    /// The steps of the block.
    order: Vec<Step>,
    /// The slots that are still to be called, each with the number of attempts so far.
    open: BTreeMap<u32, u32>,
}

impl<'a> Position<'a> {
    /// The beginning.
    pub fn new(plan: &'a Plan) -> Self {
        Self { plan, block: 0, step: 0, order: schedule::block(plan, 0), open: Self::slots(plan) }
    }

    fn slots(plan: &Plan) -> BTreeMap<u32, u32> {
        (0..plan.environments).map(|slot| (slot, 0)).collect()
    }

    /// The step that comes next.
    pub fn next(&self) -> Step {
        self.order[self.step as usize]
    }

    /// Whether a block is about to begin.
    pub fn is_at_block(&self) -> bool {
        self.step == 0 && self.is_at_step()
    }

    /// Whether a step is about to begin.
    pub fn is_at_step(&self) -> bool {
        self.open.len() == self.plan.environments as usize && self.open.values().all(|it| *it == 0)
    }

    /// The slots that are still to be called, each with the number of attempts so far.
    pub fn open(&self) -> &BTreeMap<u32, u32> {
        &self.open
    }

    /// Takes note of what became of a call.
    ///
    /// # Errors
    /// When the schedule has no such call at this place.
    pub fn settle(&mut self, row: &Row) -> Result<(), String> {
        let Step { side, cell } = self.next();
        let cell = &self.plan.cells[cell].name;
        let expected = (self.block, self.step, side, cell.as_str(), Some(&row.attempt));
        let found = (row.block, row.step, row.side, row.cell.as_str(), self.open.get(&row.slot));
        if found != expected {
            return Err(format!(
                "the schedule has block {}, step {} ({side}, {cell}) here, which this sample does not belong to",
                self.block, self.step
            ));
        }
        if row.is_made_again() {
            self.open.insert(row.slot, row.attempt + 1);
        } else {
            self.open.remove(&row.slot);
        }
        if self.open.is_empty() {
            self.advance();
        }
        Ok(())
    }

    fn advance(&mut self) {
        self.open = Self::slots(self.plan);
        self.step += 1;
        if self.step as usize == self.order.len() {
            self.step = 0;
            self.block += 1;
            self.order = schedule::block(self.plan, self.block);
        }
    }
}
