//! The position of a campaign in its schedule, as its samples show.

use super::{
    manifest::Plan,
    row::Row,
    schedule::{self, Call, Order, Step},
    sides::Side,
};
use std::collections::BTreeMap;

/// The first incomplete step, and its remaining calls.
#[derive(Debug)]
pub struct Position<'a> {
    plan: &'a Plan,
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
        let mut position = Self {
            plan,
            separate_from: plan.separate_from,
            block: 0,
            step: 0,
            steps: Vec::new(),
            open: BTreeMap::new(),
        };
        position.begin_block();
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

    /// The remaining calls of the step, in the order in which they are sent, each with the number of attempts so far.
    pub fn open(&self) -> Vec<(Call, u32)> {
        let calls = self.steps[self.step as usize].iter();
        calls.filter_map(|call| Some((*call, *self.open.get(&(call.side, call.slot))?))).collect()
    }

    /// Whether a block is about to begin.
    pub fn is_at_block(&self) -> bool {
        self.step == 0 && self.is_at_step()
    }

    /// Whether a step is about to begin.
    pub fn is_at_step(&self) -> bool {
        self.open.len() == self.steps[self.step as usize].len() && self.open.values().all(|attempt| *attempt == 0)
    }

    /// Takes in the outcome of a call.
    ///
    /// # Errors
    /// When the schedule has no such call at this place.
    pub fn settle(&mut self, row: &Row) -> Result<(), String> {
        let cell = self.steps[self.step as usize][0].cell;
        let cell = &self.plan.cells[cell].name;
        let call = (row.side, row.slot);
        let expected = (self.block, self.step, cell.as_str(), Some(&row.attempt));
        let found = (row.block, row.step, row.cell.as_str(), self.open.get(&call));
        if found != expected {
            let sides: Vec<&str> =
                Side::BOTH.iter().filter(|side| self.has(**side)).map(|side| side.as_str()).collect();
            return Err(format!(
                "the schedule has block {}, step {} ({}, {cell}) here, which this sample does not belong to",
                self.block,
                self.step,
                sides.join(" and ")
            ));
        }
        if row.is_made_again() {
            self.open.insert(call, row.attempt + 1);
        } else {
            self.open.remove(&call);
        }
        if self.open.is_empty() {
            self.advance();
        }
        Ok(())
    }

    /// Whether the step calls a side.
    fn has(&self, side: Side) -> bool {
        self.steps[self.step as usize].iter().any(|call| call.side == side)
    }

    fn advance(&mut self) {
        self.step += 1;
        if self.step as usize == self.steps.len() {
            self.block += 1;
            self.begin_block();
        } else {
            self.begin_step();
        }
    }

    fn begin_block(&mut self) {
        self.step = 0;
        self.steps = schedule::block(self.plan, self.block, self.order());
        self.begin_step();
    }

    fn begin_step(&mut self) {
        let calls = self.steps[self.step as usize].iter();
        self.open = calls.map(|call| ((call.side, call.slot), 0)).collect();
    }
}
