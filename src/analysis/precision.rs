//! Ending the calls of variants whose intervals are narrow enough.

use super::{
    compare_sets, estimate::Difference, interval::CONFIDENCE, pair_samples::PairSamples, samples::Samples,
    verdict::has_enough,
};
use crate::campaign::{
    census::CensusRow,
    manifest::Manifest,
    row::Row,
    stopping_rules::{NextCalls, StoppingRule},
    totals::Totals,
    variants::VariantIndex,
};
use std::time::Duration;

/// Ends the calls of a variant as soon as the interval of every cell is narrow enough. The intervals are those that are valid
/// at all looks together, because this looks after every block.
#[derive(Debug)]
pub struct Precision {
    manifest: Manifest,
    samples: Samples,
    target: f64,
}

impl Precision {
    /// The rule of a campaign with `--until-ci`. None if the campaign has no such limit.
    pub fn new(manifest: &Manifest) -> Option<Self> {
        let target = manifest.limits.until_ci?;
        Some(Self { manifest: manifest.clone(), samples: Samples::new(manifest.variants.count()), target })
    }

    /// Half the width of the widest interval, as a share of the ratio. None while a cell has no interval.
    fn half_width(&self, candidate: VariantIndex) -> Option<f64> {
        let pair = PairSamples::new(&self.manifest, &self.samples, candidate);
        let (differences, looks) = compare_sets::deciding_differences(pair);
        // Cells that have not been called yet are missing from the samples.
        if differences.len() < self.manifest.plan.cells.len() {
            return None;
        }
        let known: Option<Vec<Difference>> =
            differences.into_iter().map(|difference| difference.filter(has_enough)).collect();
        let half_widths =
            known?.into_iter().map(|difference| difference.interval(CONFIDENCE, looks).half_width().exp_m1());
        half_widths.max_by(f64::total_cmp)
    }
}

impl StoppingRule for Precision {
    fn observe(&mut self, row: &Row) {
        self.samples.add(row);
    }

    fn observe_census(&mut self, row: &CensusRow) {
        self.samples.add_of_census(row);
    }

    fn reason(&self, _: &Totals, _: &NextCalls, _: Duration) -> Option<String> {
        None
    }

    fn enough_of(&self, candidates: &[VariantIndex]) -> Vec<(VariantIndex, String)> {
        let enough = candidates.iter().filter_map(|candidate| {
            let half_width = self.half_width(*candidate).filter(|half_width| *half_width <= self.target)?;
            let (target, half_width) = (self.target * 100.0, half_width * 100.0);
            let reason = format!("the intervals are narrow enough (--until-ci {target}%): ±{half_width:.2}% at most");
            Some((*candidate, reason))
        });
        enough.collect()
    }
}
