//! The samples of two variants: a campaign's baseline and one of the others.

use super::{
    call_sample::CallSample,
    estimate::CpuMix,
    samples::{CellSamples, Samples, VariantSamples},
    sides::{Side, Sides},
};
use crate::campaign::{
    manifest::{Manifest, Variant},
    totals::VariantTotals,
    variants::{VariantIndex, Variants},
};
use std::collections::{BTreeMap, BTreeSet};

/// The samples of the baseline and a candidate, in the blocks that called both.
#[derive(Clone, Copy)]
pub(super) struct PairSamples<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) samples: &'a Samples,
    pub(super) variants: Sides<VariantIndex>,
    /// How many of the blocks that have samples called both.
    pub(super) blocks: u32,
}

/// The calls of one cell, or of its part in a pair.
#[derive(Clone, Copy)]
pub(super) struct PairedCalls<'a> {
    /// Calls of environments that had already started.
    pub(super) warm: Sides<&'a [CallSample]>,
    /// Calls that waited for an environment to start.
    pub(super) cold: Sides<&'a [CallSample]>,
}

impl<'a> PairedCalls<'a> {
    /// The calls that decide: warm ones, or in a cold campaign cold starts.
    pub(super) fn deciding(&self, is_cold: bool) -> Sides<&'a [CallSample]> {
        if is_cold { self.cold } else { self.warm }
    }
}

impl<'a> PairSamples<'a> {
    pub(super) fn new(manifest: &'a Manifest, samples: &'a Samples, candidate: VariantIndex) -> Self {
        // The candidate's last block may have been cut short.
        let is_of_both = |number: u64| {
            let ended = manifest.variants[candidate].ended;
            ended.is_none_or(|ended| number < ended.block + u64::from(ended.step > 0))
        };
        let blocks = samples.blocks.partition_point(|block| is_of_both(block.number)) as u32;
        Self { manifest, samples, variants: Sides { baseline: manifest.baseline, candidate }, blocks }
    }

    pub(super) fn is_cold(&self) -> bool {
        self.manifest.plan.cold
    }

    pub(super) fn is_emulated(&self) -> bool {
        Side::BOTH.into_iter().any(|side| self.facts(side).emulated)
    }

    pub(super) fn variant(&self, side: Side) -> &'a Variant {
        &self.manifest.variants[self.variants[side]]
    }

    pub(super) fn facts(&self, side: Side) -> &'a VariantSamples {
        &self.samples.variants[self.variants[side]]
    }

    /// The CPU models of both fleets. None without a census of either.
    pub(super) fn mixes(&self) -> Option<Sides<CpuMix>> {
        let facts = self.variants.map(|side, _| self.facts(side));
        let is_counted = facts.iter().any(|(_, facts)| !facts.census.is_empty());
        is_counted.then(|| facts.map(|_, facts| facts.known_mix()))
    }

    /// The environments of a side that have calls which decide.
    pub(super) fn measured(&self, side: Side) -> BTreeSet<u32> {
        let mut is_measured = vec![false; self.facts(side).environments.len()];
        let calls = self.cells().flat_map(|(_, calls)| calls.deciding(self.is_cold())[side]);
        calls.for_each(|call| is_measured[call.environment as usize] = true);
        (0..).zip(is_measured).filter_map(|(environment, is_measured)| is_measured.then_some(environment)).collect()
    }

    pub(super) fn totals(&self, side: Side) -> &'a VariantTotals {
        &self.samples.totals.variants[self.variants[side]]
    }

    /// The pieces of work for which these two gave different results, with the first two of these.
    pub(super) fn mismatches(&self) -> BTreeMap<&'a str, [&'a str; 2]> {
        self.samples.totals.mismatches(&Side::BOTH.map(|side| self.variants[side]))
    }

    /// The cells in the order of the plan.
    pub(super) fn cells(&self) -> impl Iterator<Item = (&'a str, PairedCalls<'a>)> + use<'a> {
        let (pair, cells) = (*self, self.manifest.plan.cells.iter());
        let known = cells.filter_map(move |cell| pair.samples.cells.get_key_value(&cell.name));
        known.map(move |(name, cell)| (name.as_str(), pair.calls(cell)))
    }

    fn calls(&self, cell: &'a CellSamples) -> PairedCalls<'a> {
        let of = |calls: &'a Variants<Vec<CallSample>>| {
            self.variants.map(|_, variant| {
                let calls = calls[*variant].as_slice();
                // Without an end all blocks are common; with one, calls are in the order of blocks.
                if self.blocks as usize == self.samples.blocks.len() {
                    return calls;
                }
                &calls[..calls.partition_point(|call| call.block < self.blocks)]
            })
        };
        PairedCalls { warm: of(&cell.warm), cold: of(&cell.cold) }
    }

    /// Whether any call of a side gave something to compare.
    pub(super) fn has_values(&self, side: Side) -> bool {
        self.cells().any(|(_, calls)| !calls.warm[side].is_empty() || !calls.cold[side].is_empty())
    }
}
