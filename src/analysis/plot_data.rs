//! The data of charts: distributions, CPU models, the course of a campaign, cold starts.

use super::{
    call_sample::{CallSample, observations_of, values},
    compare_sets::{Analyzer, Unjudged, all_calls},
    estimate::{Groups, Observation},
    measures::Measure,
    result::{ColdStarts, Comparison, CpuComparison, Distribution, Ratio, SeriesPoint},
    samples::BlockStart,
    summary_statistics::ValuesByEnvironment,
};
use crate::analysis::sides::{Side, Sides};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// The most points of a series.
const POINTS: usize = 120;

/// The most cold starts that are kept one by one, of each side.
const COLD_STARTS: usize = 2000;

/// A CPU model, and the values that were measured on it.
type ValuesOfModel<'a> = (&'a str, Vec<Observation>);

impl<'a> Analyzer<'a> {
    /// The values of one side by the CPU model that they were measured on, without those whose model is unknown.
    fn by_model(&self, side: Side, calls: &[CallSample]) -> Vec<ValuesOfModel<'a>> {
        let facts = self.pair.facts(side);
        let models = facts.cpu_models.iter().enumerate().map(|(number, model)| {
            let is_of_model =
                |call: &CallSample| facts.environments[call.environment as usize].cpu == Some(number as u16);
            (model.as_str(), observations_of(&[calls], self.primary, is_of_model))
        });
        models.filter(|(_, values)| !values.is_empty()).collect()
    }

    pub(super) fn by_cpu(&self, calls: &Sides<&[CallSample]>) -> Vec<CpuComparison> {
        if self.pair.is_emulated() || Side::BOTH.into_iter().all(|side| self.pair.facts(side).cpu_models.len() < 2) {
            return Vec::new();
        }
        let models = calls.map(|side, calls| self.by_model(side, calls));
        let model = self.model_without_mix(Groups::CellsAndBlocks);
        let pairs = models.baseline.iter().flat_map(|one| models.candidate.iter().map(move |other| (one, other)));
        let pairs: Vec<(&ValuesOfModel<'_>, &ValuesOfModel<'_>)> = pairs.collect();
        let compare = |((one, baseline), (other, candidate)): &(&ValuesOfModel<'_>, &ValuesOfModel<'_>)| {
            let fit = model.fit(&Sides { baseline, candidate })?;
            let difference = self.difference_of(fit, self.primary)?;
            Some(CpuComparison {
                models: Sides { baseline: (*one).to_owned(), candidate: (*other).to_owned() },
                environments: difference.environments,
                ratio: Ratio::new(&difference, self.looks),
            })
        };
        pairs.par_iter().filter_map(compare).collect()
    }

    pub(super) fn distributions(&self, side: Side, calls: &[CallSample]) -> Vec<Distribution> {
        let facts = self.pair.facts(side);
        if facts.emulated {
            return Vec::new();
        }
        let known = facts.cpu_models.iter().map(String::as_str).zip((0..).map(Some));
        let distributions = known.chain([("", None)]).filter_map(|(cpu, number)| {
            let of_cpu = calls.iter().filter(|call| facts.environments[call.environment as usize].cpu == number);
            let values = ValuesByEnvironment::new(values(of_cpu, self.primary), true);
            Some(Distribution {
                cpu: cpu.to_owned(),
                environments: values.environments(),
                calls: values.count(),
                percentiles: values.percentiles()?,
            })
        });
        distributions.collect()
    }

    /// The campaign in stretches of as many blocks each as make a series that can be drawn.
    pub(super) fn series(&self, calls: &Sides<&[CallSample]>) -> Vec<SeriesPoint> {
        // Imported blocks need not be in the order of their times.
        let mut blocks: Vec<(usize, &BlockStart)> = self.pair.samples.blocks.iter().enumerate().collect();
        blocks.sort_by_key(|(_, block)| block.elapsed_ms);
        let mut places = vec![0; blocks.len()];
        blocks.iter().enumerate().for_each(|(place, (block, _))| places[*block] = place);
        let has_times = self.pair.manifest.imported.as_ref().is_none_or(|import| import.has_times);
        let length = blocks.len().div_ceil(POINTS).max(1);
        let stretches = blocks.len().div_ceil(length);
        let stretched = calls.map(|side, calls| {
            let mut stretches = vec![(0.0, 0_u32, BTreeSet::new()); stretches];
            for call in calls.iter().filter(|_| !self.pair.facts(side).emulated) {
                let Some(value) = call.value(self.primary) else { continue };
                let (sum, count, environments) = &mut stretches[places[call.block as usize] / length];
                *sum += value.ln();
                *count += 1;
                environments.insert(call.environment);
            }
            stretches
        });
        let points = blocks.iter().step_by(length).enumerate().map(|(index, (_, block))| {
            let point = stretched.map(|_, stretches| &stretches[index]);
            SeriesPoint {
                block: block.number,
                elapsed_s: has_times.then_some(block.elapsed_ms as f64 / 1e3),
                mean_ms: point.map(|_, (sum, count, _)| (*count > 0).then(|| f64::exp(sum / f64::from(*count)))),
                environments: point.map(|_, (.., environments)| environments.len() as u32),
            }
        });
        points.filter(|point| point.environments.iter().any(|(_, count)| *count > 0)).collect()
    }

    /// Cold starts, unless they are what the campaign decides by.
    pub(super) fn cold_starts(&self) -> UnjudgedColdStarts {
        if self.primary == Measure::Init {
            return UnjudgedColdStarts { comparisons: Vec::new(), init_ms: Sides::default() };
        }
        let set = self.set_of_all(|calls| calls.cold);
        let compared = [Measure::Init, Measure::Latency, Measure::Billed].into_iter().map(|measure| {
            // In a warm campaign starts come where environments happen to be missing, mostly in its first block. They
            // are one group then, or one for each cell where the payload has a part in the time.
            let groups = match measure {
                _ if self.pair.is_cold() => Groups::CellsAndBlocks,
                Measure::Init => Groups::One,
                _ => Groups::Cells,
            };
            self.compare(&set, measure, groups)
        });
        let init_ms = set.map(|side, cells| if self.pair.facts(side).emulated { Vec::new() } else { init_ms(cells) });
        UnjudgedColdStarts { comparisons: compared.collect(), init_ms }
    }
}

/// Cold starts whose comparisons are not judged yet.
pub(super) struct UnjudgedColdStarts {
    pub(super) comparisons: Vec<Unjudged>,
    init_ms: Sides<Vec<f64>>,
}

impl UnjudgedColdStarts {
    /// The cold starts, once their comparisons are judged, with those that say something.
    pub(super) fn into_analysis(self) -> ColdStarts {
        // If each cell met cold starts of one side only, there is nothing to show.
        let says_something = |comparison: &Comparison| {
            comparison.ratio.is_some() || comparison.statistics.iter().any(|(_, statistics)| statistics.is_some())
        };
        let comparisons = self.comparisons.into_iter().map(Unjudged::into_comparison);
        ColdStarts { comparisons: comparisons.filter(says_something).collect(), init_ms: self.init_ms }
    }
}

/// The init durations of one side's cold starts, sorted, thinned out evenly to at most [`COLD_STARTS`].
fn init_ms(cells: &[&[CallSample]]) -> Vec<f64> {
    let times: Vec<f64> = all_calls(cells).filter_map(|call| call.value(Measure::Init)).collect();
    let step = times.len().div_ceil(COLD_STARTS).max(1);
    let mut times: Vec<f64> = times.into_iter().step_by(step).collect();
    times.sort_unstable_by(f64::total_cmp);
    times
}
