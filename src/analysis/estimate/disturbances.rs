//! What calls that are made close to each other have in common besides their environment.
//!
//! Whatever disturbs a machine or a network for a moment hits several environments of a side together, so that their calls
//! of one block are not independent. How much they have in common shows in the scores of whole blocks: where calls are
//! independent, the square of a block's score is the sum of the squares of its environments' scores, but for chance.
//!
//! Where the calls of both sides alternate at random, neighbours tell how much of what calls vary by is disturbances.

use super::{
    fit::{Contrast, Fit},
    values::{Call, Cluster, Mean},
};
use crate::analysis::sides::Sides;

/// The variance of the difference as blocks tell it, beside that which environments have in the same blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Disturbances {
    /// V_block: Σ over blocks (Σ of its u)².
    pub v_block: f64,
    /// V_both: Σ over environments and blocks (Σ of its u)², as if nothing disturbed several environments together.
    pub v_both: f64,
    /// Those of V_block: b − 1, or fewer if the blocks differ in weight.
    pub degrees_of_freedom: f64,
    /// b, the blocks that have values of both sides.
    pub blocks: u32,
}

/// One block's part of V_block.
#[derive(Clone, Copy)]
struct BlockSums<const K: usize> {
    /// The sum of its scores by each contrast.
    u: [f64; K],
    /// The sums of its loadings' absolute values.
    weights: Sides<[f64; K]>,
}

/// The scores that an environment has in one cell and block.
struct VisitScores<const K: usize> {
    block: u32,
    u: [f64; K],
    /// w/W.
    own: f64,
}

impl Fit<'_> {
    /// V_block and V_both by each contrast. How much slower an environment is in a cell is taken out first: it is no
    /// disturbance, and counts in V_environment.
    pub(super) fn disturbances<const K: usize>(&self, contrasts: &[Contrast; K]) -> [Disturbances; K] {
        let nothing = BlockSums { u: [0.0; K], weights: Sides { baseline: [0.0; K], candidate: [0.0; K] } };
        let mut blocks = vec![nothing; self.values.blocks];
        let mut v_both = [0.0; K];
        let mut of_visits: Vec<VisitScores<K>> = Vec::new();
        for cluster in &self.values.environments {
            let (visits, Cluster { side, stratum, .. }) = (self.values.visits(cluster), cluster);
            let total = count(visits);
            of_visits.clear();
            for of_cell in visits.chunk_by(|one, other| self.values.cell(one.place) == self.values.cell(other.place)) {
                let (usual, values_of_cell) = (self.mean_residual(*stratum, of_cell), count(of_cell));
                for visit in of_cell {
                    let h = f64::from(visit.count) / values_of_cell;
                    let mean = self.mean_residual(*stratum, std::slice::from_ref(visit));
                    // As much as it would vary if the environment's own mean were known.
                    let deviation = if h < 1.0 { (mean - usual) / (1.0 - h).sqrt() } else { mean };
                    let (weight, group) = (f64::from(visit.count) / total, self.values.group(visit.place));
                    let block = self.values.block(visit.place);
                    let loadings = contrasts.each_ref().map(|contrast| weight * contrast.slope(*stratum, group));
                    let weights = &mut blocks[block as usize].weights[*side];
                    weights.iter_mut().zip(loadings).for_each(|(sum, loading)| *sum += loading.abs());
                    let (u, own) = (loadings.map(|loading| loading * deviation), weight / self.weight_of(group));
                    of_visits.push(VisitScores { block, u, own });
                }
            }
            of_visits.sort_by_key(|visit| visit.block);
            for of_block in of_visits.chunk_by(|one, other| one.block == other.block) {
                let own = of_block.iter().map(|visit| visit.own).sum::<f64>() / of_block.len() as f64;
                for (k, v_both) in v_both.iter_mut().enumerate() {
                    let u: f64 = of_block.iter().map(|visit| visit.u[k]).sum();
                    blocks[of_block[0].block as usize].u[k] += u;
                    // The environment has moved its group's mean towards itself.
                    *v_both += u.powi(2) / (1.0 - own).max(1e-6);
                }
            }
        }
        std::array::from_fn(|k| {
            let weights = || blocks.iter().map(|block| block.weights.map(|_, weights| weights[k]));
            let is_paired = |weights: &Sides<f64>| weights.iter().all(|(_, weight)| *weight > 0.0);
            // A block's score varies as its weight does, if disturbances are as large in all blocks.
            let expected = weights().map(|weights| (weights.baseline + weights.candidate).powi(2));
            let (sum, squares) =
                expected.fold((0.0, 0.0), |(sum, squares), share| (sum + share, squares + share * share));
            Disturbances {
                v_block: blocks.iter().map(|block| block.u[k].powi(2)).sum(),
                v_both: v_both[k],
                degrees_of_freedom: (sum.powi(2) / squares - 1.0).max(0.1),
                blocks: weights().filter(is_paired).count() as u32,
            }
        })
    }

    /// The share of the variance of single calls that neighbouring calls have in common, whichever sides they are of: the
    /// correlation of one call and the next.
    pub(super) fn shared_by_neighbours(&self) -> f64 {
        let mut deviations: Vec<(u32, u32, f64)> = Vec::new();
        for cluster in &self.values.environments {
            let (calls, stratum) = (self.values.calls(cluster), cluster.stratum);
            let residual = |call: &Call| self.residual(stratum, self.values.group(call.place), call.value);
            for of_cell in calls.chunk_by(|one, other| self.values.cell(one.place) == self.values.cell(other.place)) {
                // The only call of an environment would be its own mean.
                let usual = match of_cell {
                    [_] => 0.0,
                    _ => of_cell.iter().map(residual).sum::<f64>() / of_cell.len() as f64,
                };
                let deviation = |call: &Call| (self.values.block(call.place), call.step, residual(call) - usual);
                deviations.extend(of_cell.iter().map(deviation));
            }
        }
        deviations.sort_by_key(|(block, step, _)| (*block, *step));
        let (mut products, mut neighbours) = (0.0, 0);
        for of_block in deviations.chunk_by(|one, other| one.0 == other.0) {
            products += of_block.windows(2).map(|pair| pair[0].2 * pair[1].2).sum::<f64>();
            neighbours += of_block.len() - 1;
        }
        let squares: f64 = deviations.iter().map(|(.., deviation)| deviation.powi(2)).sum();
        let correlation = products / neighbours.max(1) as f64 / (squares / deviations.len() as f64);
        if correlation.is_finite() { correlation.clamp(0.0, 1.0) } else { 0.0 }
    }

    fn mean_residual(&self, stratum: usize, visits: &[Mean]) -> f64 {
        let residual = |visit: &Mean| self.residual(stratum, self.values.group(visit.place), visit.value);
        visits.iter().map(|visit| f64::from(visit.count) * residual(visit)).sum::<f64>() / count(visits)
    }
}

/// How many values visits have.
fn count(visits: &[Mean]) -> f64 {
    visits.iter().map(|visit| f64::from(visit.count)).sum()
}
