//! A simulated campaign.

use super::super::estimate::{CpuMix, Observation};
use crate::analysis::sides::{Side, Sides};
use std::collections::BTreeSet;

/// A simulated campaign.
#[derive(Debug)]
pub(super) struct Campaign {
    /// The last block.
    pub(super) last_block: u32,
    /// The logarithms of times.
    pub(super) values: Sides<Vec<Observation>>,
    /// Of each environment that is called, its first block and its CPU model.
    pub(super) called: Sides<Vec<(u32, u16)>>,
    /// How many of each CPU model are counted in each block. None without a census.
    pub(super) counted: Option<Sides<Vec<Vec<u32>>>>,
}

impl Campaign {
    /// The same, as far as it is known after a block.
    pub(super) fn until(&self, block: u32) -> Self {
        let first_blocks = |rounds: &Sides<Vec<Vec<u32>>>| rounds.map(|_, rounds| rounds[..=block as usize].to_vec());
        Self {
            last_block: block,
            values: self.values.map(|_, values| values.iter().copied().filter(|value| value.block <= block).collect()),
            called: self.called.clone(),
            counted: self.counted.as_ref().map(first_blocks),
        }
    }

    /// Whether the mean of a side's fleet can be told, as far as its CPU models go.
    pub(super) fn is_measured(&self, side: Side) -> bool {
        let environments: BTreeSet<u32> = (0..self.called[side].len() as u32).collect();
        self.mixes().is_none_or(|mixes| mixes[side].measured(&environments).are_enough())
    }

    /// What is known of the mixes of CPU models. None without a census.
    pub(super) fn mixes(&self) -> Option<Sides<CpuMix>> {
        let counted = self.counted.as_ref()?;
        Some(self.called.map(|side, environments| {
            let called = environments.iter().filter(|(first, _)| *first <= self.last_block);
            let models = environments.iter().map(|(_, model)| model + 1).max().unwrap_or_default();
            let of_model = |model| called.clone().filter(|(_, other)| *other == model).count() as u32;
            CpuMix {
                of_environments: environments.iter().map(|(_, model)| Some(*model)).collect(),
                rounds: counted[side].clone(),
                called: (0..models).map(of_model).collect(),
                assumed: Vec::new(),
            }
        }))
    }
}
