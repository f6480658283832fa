//! Comparing sets of samples: cells, all cells together, starts.

use super::{
    estimate::{self, Clusters, Difference, Groups, Model},
    interval::Looks,
    measures::Measure,
    result::{Comparison, Ratio},
    samples::{CallSample, CellSamples, Samples, observations, values},
    summary_statistics::ValuesByEnvironment,
    verdict::{Verdict, environments_needed, fixed_variance, verdicts},
};
use crate::campaign::{
    manifest::{Manifest, Order},
    sides::{Side, Sides},
};
use std::collections::BTreeSet;

/// Calls of both sides that are compared with each other: those of one cell, or of several, each with blocks of its own.
pub(super) type Set<'a> = Sides<Vec<&'a [CallSample]>>;

pub(super) struct Analyzer<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) samples: &'a Samples,
    pub(super) margin: f64,
    pub(super) looks: Looks,
    pub(super) primary: Measure,
}

impl<'a> Analyzer<'a> {
    pub(super) fn new(manifest: &'a Manifest, samples: &'a Samples, margin: f64) -> Self {
        let looks = manifest.limits.until_ci.map_or(Looks::Once, |target| Looks::EveryBlock(target.ln_1p()));
        Self { manifest, samples, margin, looks, primary: primary(samples, manifest.plan.cold) }
    }

    pub(super) fn is_cold(&self) -> bool {
        self.manifest.plan.cold
    }

    pub(super) fn is_emulated(&self) -> bool {
        self.samples.sides.iter().any(|(_, side)| side.emulated)
    }

    /// The cells in the order of the plan.
    pub(super) fn samples_of_cells(&self) -> impl Iterator<Item = (&'a String, &'a CellSamples)> {
        let cells = self.manifest.plan.cells.iter();
        cells.filter_map(|cell| self.samples.cells.get_key_value(&cell.name))
    }

    /// The comparisons of many sets of calls by one measure, with verdicts that hold for all of them together.
    pub(super) fn compare(&self, sets: &[Set<'_>], measure: Measure, groups: Groups) -> Vec<Comparison> {
        let differences: Vec<_> = sets.iter().map(|set| self.difference(set, measure, groups)).collect();
        let verdicts = verdicts(&differences, self.margin, self.looks);
        let judged = differences.into_iter().zip(verdicts);
        let comparisons = sets.iter().zip(judged).map(|(set, (difference, verdict))| {
            let is_open = matches!(verdict, Verdict::Inconclusive | Verdict::Withheld);
            let environments_needed = difference
                .filter(|_| is_open)
                .and_then(|open| environments_needed(&open, self.margin, self.looks, sets.len()));
            self.comparison(set, measure, difference, verdict, environments_needed)
        });
        comparisons.collect()
    }

    fn comparison(
        &self,
        set: &Set<'_>,
        measure: Measure,
        difference: Option<Difference>,
        verdict: Verdict,
        environments_needed: Option<u64>,
    ) -> Comparison {
        let mut comparison = Comparison {
            measure,
            levels: Sides::default(),
            environments: Sides::default(),
            calls: Sides::default(),
            blocks: difference.map_or_else(|| paired_blocks(set), |it| it.blocks),
            sources: difference.and_then(|difference| difference.sources.shares()),
            ratio: difference.as_ref().map(|difference| Ratio::new(difference, self.looks)),
            verdict,
            environments_needed,
        };
        for side in Side::BOTH {
            let values = ValuesByEnvironment::new(values(all_calls(&set[side]), measure), measure != Measure::Billed);
            comparison.calls[side] = values.count();
            comparison.environments[side] = values.environments();
            // Times of different cells have no mean in common, but their cold starts are the same thing.
            let is_one_thing = set[side].len() == 1 || measure == Measure::Init;
            if is_one_thing && !self.samples.sides[side].emulated {
                comparison.levels[side] = values.levels();
            }
        }
        comparison
    }

    /// How the sides differ. None if an instruction set was emulated, so that times mean nothing.
    fn difference(&self, set: &Set<'_>, measure: Measure, groups: Groups) -> Option<Difference> {
        if self.is_emulated() {
            return None;
        }
        let values = set.map(|_, cells| observations(cells, measure));
        let difference = match measure {
            Measure::Billed => estimate::log_ratio_of_means(values, self.model(groups)),
            _ => estimate::difference(&values, self.model(groups)),
        }?;
        let fixed_variance = fixed_variance(difference.sources.disturbances, self.manifest.plan.order, self.is_cold());
        Some(Difference { fixed_variance, ..difference })
    }

    /// The model by which values are compared within such groups.
    pub(super) fn model(&self, groups: Groups) -> Model {
        let clusters = match self.manifest.plan.order {
            Order::SingleCalls => Clusters::Environments,
            Order::SeparateSteps | Order::JointSteps => Clusters::EnvironmentsAndBlocks,
        };
        Model { groups, clusters }
    }

    pub(super) fn sets_of_cells(&self) -> Vec<Set<'a>> {
        let cells = self.samples_of_cells();
        cells.map(|(_, cell)| cell.deciding(self.is_cold()).map(|_, calls| vec![calls.as_slice()])).collect()
    }

    pub(super) fn set_of_all(&self, pick: impl Fn(&'a CellSamples) -> &'a Sides<Vec<CallSample>>) -> Set<'a> {
        let cells: Vec<_> = self.samples_of_cells().map(|(_, cell)| pick(cell)).collect();
        Sides::<()>::default().map(|side, ()| cells.iter().map(|calls| calls[side].as_slice()).collect())
    }
}

/// The calls of one side, all cells together.
pub(super) fn all_calls<'a>(cells: &[&'a [CallSample]]) -> impl Iterator<Item = &'a CallSample> {
    cells.iter().copied().flatten()
}

/// The blocks in which both sides have calls.
fn paired_blocks(set: &Set<'_>) -> u32 {
    let blocks = set.map(|_, cells| all_calls(cells).map(|call| call.block).collect::<BTreeSet<u32>>());
    blocks.baseline.intersection(&blocks.candidate).count() as u32
}

/// The measure that decides: what the handler measured, where it did; else what Lambda reports; else the client's time.
fn primary(samples: &Samples, is_cold: bool) -> Measure {
    let is_known = |measure: &Measure| {
        let has_values = |calls: &[CallSample]| calls.iter().any(|call| call.value(*measure).is_some());
        let mut cells = samples.cells.values().map(|cell| cell.deciding(is_cold));
        cells.any(|calls| has_values(&calls.baseline) && has_values(&calls.candidate))
    };
    [Measure::Wall, Measure::Duration].into_iter().find(is_known).unwrap_or(Measure::Latency)
}

/// How the sides differ in each cell by the measure that decides, and how often that is looked at.
pub(super) fn deciding_differences(manifest: &Manifest, samples: &Samples) -> (Vec<Option<Difference>>, Looks) {
    let analyzer = Analyzer::new(manifest, samples, 0.0);
    let sets = analyzer.sets_of_cells();
    let difference = |set| analyzer.difference(set, analyzer.primary, Groups::CellsAndBlocks);
    (sets.iter().map(difference).collect(), analyzer.looks)
}
