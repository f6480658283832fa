//! What calls that are made close to each other have in common besides their environment.
//!
//! Whatever disturbs a machine or a network for a moment hits several environments of a side together, so that their calls
//! of one block are not independent. How much they have in common shows in the scores of whole blocks: where calls are
//! independent, the square of a block's score is the sum of the squares of its environments' scores, but for chance.
//!
//! Where the calls of both sides alternate at random, neighbours tell how much of what calls vary by is disturbances.

use super::fit::{Fit, Observation, by_environment};
use crate::campaign::sides::{Side, Sides};

/// The variance of the difference as blocks tell it, beside that which environments have in the same blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Disturbances {
    /// By the scores of blocks.
    pub of_blocks: f64,
    /// By the scores of environments in single blocks, as if nothing disturbed them together.
    pub of_calls: f64,
    pub degrees_of_freedom: f64,
    /// The blocks that have values of both sides.
    pub blocks: u32,
}

/// The scores of one block.
#[derive(Clone, Copy, Debug, Default)]
struct Block {
    score: f64,
    weights: Sides<f64>,
}

impl Fit {
    /// What the values have in common by blocks. Whatever an environment is slower by in a cell is taken out first: it is
    /// no disturbance, and counts elsewhere.
    pub(super) fn disturbances(&self, values: &Sides<Vec<Observation>>) -> Disturbances {
        let last = values.iter().flat_map(|(_, it)| it).map(|it| it.block).max().unwrap_or_default();
        let mut blocks = vec![Block::default(); last as usize + 1];
        let mut of_calls = 0.0;
        for (side, values) in values.iter() {
            for mut calls in by_environment(values.iter().copied().filter(|it| self.has(it))) {
                let total = calls.len() as f64;
                calls.sort_by_key(|it| (it.cell, it.block));
                let mut scores: Vec<(u32, f64, f64)> = Vec::new();
                for of_cell in calls.chunk_by(|one, other| one.cell == other.cell) {
                    let usual = self.mean_residual(side, of_cell);
                    for visit in of_cell.chunk_by(|one, other| one.block == other.block) {
                        let share = visit.len() as f64 / of_cell.len() as f64;
                        let mean = self.mean_residual(side, visit);
                        // As much as it would vary if the environment's own mean were known.
                        let deviation = if share < 1.0 { (mean - usual) / (1.0 - share).sqrt() } else { mean };
                        let (weight, group) = (visit.len() as f64 / total, self.group(&visit[0]));
                        let loading = weight * self.centred_side(side, group);
                        let Block { weights, .. } = &mut blocks[visit[0].block as usize];
                        weights[side] += loading.abs();
                        scores.push((visit[0].block, loading * deviation, weight / self.weight_of(group)));
                    }
                }
                scores.sort_by_key(|(block, ..)| *block);
                for of_block in scores.chunk_by(|one, other| one.0 == other.0) {
                    let score: f64 = of_block.iter().map(|(_, score, _)| score).sum();
                    let own = of_block.iter().map(|(.., own)| own).sum::<f64>() / of_block.len() as f64;
                    blocks[of_block[0].0 as usize].score += score;
                    // The environment has moved its group's mean towards itself.
                    of_calls += score.powi(2) / (1.0 - own).max(1e-6);
                }
            }
        }
        let paired = blocks.iter().filter(|it| it.weights.baseline > 0.0 && it.weights.candidate > 0.0);
        // A block's score varies as its weight does, if disturbances are as large in all blocks.
        let expected = blocks.iter().map(|it| (it.weights.baseline + it.weights.candidate).powi(2));
        let (sum, squares) = expected.fold((0.0, 0.0), |(sum, squares), it| (sum + it, squares + it * it));
        let information = self.information.powi(2);
        Disturbances {
            of_blocks: blocks.iter().map(|it| it.score.powi(2)).sum::<f64>() / information,
            of_calls: of_calls / information,
            degrees_of_freedom: (sum.powi(2) / squares - 1.0).max(0.1),
            blocks: paired.count() as u32,
        }
    }

    /// How much of what single calls vary by the call before has in common with them, whichever side it was of: the
    /// correlation of one call and the next.
    pub(super) fn shared_by_neighbours(&self, values: &Sides<Vec<Observation>>) -> f64 {
        let mut deviations: Vec<(u32, u32, f64)> = Vec::new();
        for (side, values) in values.iter() {
            for mut calls in by_environment(values.iter().copied().filter(|it| self.has(it))) {
                calls.sort_by_key(|it| it.cell);
                for of_cell in calls.chunk_by(|one, other| one.cell == other.cell) {
                    // The only call of an environment would be its own mean.
                    let usual = if of_cell.len() > 1 { self.mean_residual(side, of_cell) } else { 0.0 };
                    let deviation = |it: &Observation| self.residual_of(side, it) - usual;
                    deviations.extend(of_cell.iter().map(|it| (it.block, it.step, deviation(it))));
                }
            }
        }
        deviations.sort_by_key(|(block, step, _)| (*block, *step));
        let (mut products, mut neighbours) = (0.0, 0);
        for of_block in deviations.chunk_by(|one, other| one.0 == other.0) {
            products += of_block.windows(2).map(|pair| pair[0].2 * pair[1].2).sum::<f64>();
            neighbours += of_block.len() - 1;
        }
        let squares: f64 = deviations.iter().map(|it| it.2.powi(2)).sum();
        let correlation = products / neighbours.max(1) as f64 / (squares / deviations.len() as f64);
        if correlation.is_finite() { correlation.clamp(0.0, 1.0) } else { 0.0 }
    }

    fn residual_of(&self, side: Side, it: &Observation) -> f64 {
        self.residual(side, self.group(it), it.value)
    }

    fn mean_residual(&self, side: Side, calls: &[Observation]) -> f64 {
        calls.iter().map(|it| self.residual_of(side, it)).sum::<f64>() / calls.len() as f64
    }
}
