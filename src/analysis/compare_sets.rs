//! Comparing sets of samples: cells, all cells together, starts.

use super::{
    call_sample::{CallSample, observations, values},
    estimate::{Clusters, CpuMix, Difference, Fit, Groups, Model},
    interval::Looks,
    measures::Measure,
    pair_samples::{PairSamples, PairedCalls},
    result::{Comparison, Ratio},
    sides::{Side, Sides},
    summary_statistics::ValuesByEnvironment,
    verdict::{Verdict, environments_needed, fixed_variance, verdicts},
};
use crate::campaign::manifest::{Order, Plan};
use std::collections::BTreeSet;

/// Calls of both sides that are compared with each other: those of one cell, or of several, each with blocks of its own.
pub(super) type Set<'a> = Sides<Vec<&'a [CallSample]>>;

/// A comparison without its verdict, which depends on the others that are made.
pub(super) struct Unjudged {
    comparison: Comparison,
    difference: Option<Difference>,
}

pub(super) struct Analyzer<'a> {
    pub(super) pair: PairSamples<'a>,
    pub(super) margin: f64,
    pub(super) looks: Looks,
    pub(super) primary: Measure,
    /// The mixes of CPU models, if a side's was counted.
    pub(super) mixes: Option<Sides<CpuMix>>,
}

impl<'a> Analyzer<'a> {
    pub(super) fn new(pair: PairSamples<'a>, margin: f64) -> Self {
        let looks = pair.manifest.limits.until_ci.map_or(Looks::Once, Looks::until);
        Self { pair, margin, looks, primary: primary(&pair), mixes: pair.mixes() }
    }

    pub(super) fn compare(&self, set: &Set<'_>, measure: Measure, groups: Groups) -> Unjudged {
        let difference = self.difference(set, measure, self.model(groups));
        let is_of_mix = difference.is_some_and(|difference| difference.is_of_mix);
        let without_census =
            || Some(Ratio::new(&self.difference(set, measure, self.model_without_mix(groups))?, self.looks));
        let mut comparison = Comparison {
            measure,
            statistics: Sides::default(),
            environments: Sides::default(),
            calls: Sides::default(),
            blocks: difference.map_or_else(|| paired_blocks(set), |it| it.blocks),
            sources: difference.and_then(|difference| difference.sources.shares()),
            ratio: difference.as_ref().map(|difference| Ratio::new(difference, self.looks)),
            without_census: is_of_mix.then(without_census).flatten(),
            verdict: Verdict::Withheld,
            environments_needed: None,
        };
        for side in Side::BOTH {
            let values = ValuesByEnvironment::new(values(all_calls(&set[side]), measure), measure != Measure::Billed);
            comparison.calls[side] = values.count();
            comparison.environments[side] = values.environments();
            // Times of different cells have no mean in common, but their cold starts are the same thing: cells of an import
            // of init durations are different functions.
            let is_one_thing = set[side].len() == 1 || (measure == Measure::Init && measure != self.primary);
            if is_one_thing && !self.pair.facts(side).emulated {
                comparison.statistics[side] = values.statistics(self.mix(side).filter(|_| is_of_mix));
            }
        }
        Unjudged { comparison, difference }
    }

    /// How the sides differ. None if an instruction set was emulated, so that times mean nothing.
    pub(super) fn difference(&self, set: &Set<'_>, measure: Measure, model: Model<'_>) -> Option<Difference> {
        if self.pair.is_emulated() {
            return None;
        }
        self.difference_of(model.fit(&set.map(|_, cells| observations(cells, measure)))?, measure)
    }

    /// How the sides differ by a fit of their values.
    pub(super) fn difference_of(&self, fit: Fit<'_>, measure: Measure) -> Option<Difference> {
        let difference = match measure {
            Measure::Billed => fit.log_ratio_of_means(),
            _ => fit.difference(),
        }?;
        let Plan { order, cold, .. } = self.pair.manifest.plan;
        // Environments that are measured hardly tell more of the mix.
        let fixed_variance = fixed_variance(difference.sources.disturbances, order, cold) + difference.sources.mix;
        Some(Difference { fixed_variance, ..difference })
    }

    /// The model by which values are compared within such groups.
    pub(super) fn model(&self, groups: Groups) -> Model<'_> {
        Model { mixes: self.mixes.as_ref(), ..self.model_without_mix(groups) }
    }

    /// The CPU models of a side's fleet, if a census has counted.
    pub(super) fn mix(&self, side: Side) -> Option<&CpuMix> {
        self.mixes.as_ref().map(|mixes| &mixes[side])
    }

    /// The same without what a census has counted.
    pub(super) fn model_without_mix(&self, groups: Groups) -> Model<'static> {
        let clusters = match self.pair.manifest.plan.order {
            Order::SingleCalls => Clusters::Environments,
            Order::SeparateSteps | Order::JointSteps => Clusters::EnvironmentsAndBlocks,
        };
        Model { groups, clusters, mixes: None }
    }

    pub(super) fn sets_of_cells(&self) -> Vec<Set<'a>> {
        let is_cold = self.pair.is_cold();
        self.pair.cells().map(|(_, calls)| calls.deciding(is_cold).map(|_, calls| vec![*calls])).collect()
    }

    pub(super) fn set_of_all(&self, pick: impl Fn(PairedCalls<'a>) -> Sides<&'a [CallSample]>) -> Set<'a> {
        let cells: Vec<_> = self.pair.cells().map(|(_, calls)| pick(calls)).collect();
        Sides::<()>::default().map(|side, ()| cells.iter().map(|calls| calls[side]).collect())
    }
}

impl Unjudged {
    /// Gives verdicts that hold for all of these comparisons together.
    pub(super) fn judge(family: &mut [&mut Self], margin: f64, looks: Looks) {
        let differences: Vec<Option<Difference>> = family.iter().map(|unjudged| unjudged.difference).collect();
        let verdicts = verdicts(&differences, margin, looks);
        let tests = family.len();
        for (Self { comparison, difference }, verdict) in family.iter_mut().zip(verdicts) {
            let is_open = matches!(verdict, Verdict::Inconclusive | Verdict::Withheld);
            let open = difference.filter(|_| is_open);
            comparison.verdict = verdict;
            comparison.environments_needed =
                open.and_then(|difference| environments_needed(&difference, margin, looks, tests));
        }
    }

    pub(super) fn measure(&self) -> Measure {
        self.comparison.measure
    }

    /// The comparison, once it is judged.
    pub(super) fn into_comparison(self) -> Comparison {
        self.comparison
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

/// The measure that decides: what was imported; or what the handler measured, where it did; else what Lambda reports; else
/// the client's time.
fn primary(pair: &PairSamples<'_>) -> Measure {
    if let Some(import) = &pair.manifest.imported {
        return import.measure.into();
    }
    let is_known = |measure: &Measure| {
        let has_values = |calls: &[CallSample]| calls.iter().any(|call| call.value(*measure).is_some());
        let mut cells = pair.cells().map(|(_, calls)| calls.deciding(pair.is_cold()));
        cells.any(|calls| has_values(calls.baseline) && has_values(calls.candidate))
    };
    [Measure::Wall, Measure::Duration].into_iter().find(is_known).unwrap_or(Measure::Latency)
}

/// How the sides differ in each cell by the measure that decides, and how often that is looked at.
pub(super) fn deciding_differences(pair: PairSamples<'_>) -> (Vec<Option<Difference>>, Looks) {
    let analyzer = Analyzer::new(pair, 0.0);
    let sets = analyzer.sets_of_cells();
    let model = analyzer.model(Groups::CellsAndBlocks);
    let difference = |set| analyzer.difference(set, analyzer.primary, model);
    (sets.iter().map(difference).collect(), analyzer.looks)
}
