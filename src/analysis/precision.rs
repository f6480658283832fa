//! Ending the calls of variants whose intervals are narrow enough.

use super::{
    compare_sets,
    estimate::Difference,
    interval::{CONFIDENCE, Looks},
    pair_samples::PairSamples,
    samples::Samples,
    sides::Sides,
    verdict::has_enough,
};
use crate::campaign::{
    census::{CensusRow, FleetVariances},
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
    pub(super) manifest: Manifest,
    pub(super) samples: Samples,
    pub(super) target: f64,
}

impl Precision {
    /// The rule of a campaign with `--until-ci`. None if the campaign has no such limit.
    pub fn new(manifest: &Manifest) -> Option<Self> {
        let target = manifest.limits.until_ci?;
        Some(Self { manifest: manifest.clone(), samples: Samples::new(manifest.variants.count()), target })
    }

    fn pair(&self, candidate: VariantIndex) -> PairSamples<'_> {
        PairSamples::new(&self.manifest, &self.samples, candidate)
    }

    /// Half the width of the widest interval, as a share of the ratio. None while a cell has no interval.
    fn half_width(&self, candidate: VariantIndex) -> Option<f64> {
        let (differences, looks) = compare_sets::deciding_differences(self.pair(candidate));
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

    fn fleet_variances(&self) -> Option<FleetVariances> {
        let of_candidate = |candidate| {
            let pair = self.pair(candidate);
            let known = pair.mixes().map_or(0.0, |mixes| mean(mixes.map(|_, mix| mix.total())));
            let (differences, _) = compare_sets::deciding_differences(pair);
            differences.into_iter().flatten().map(move |difference| (difference, known))
        };
        let all = self.manifest.candidates().flat_map(of_candidate);
        let least_certain = all.max_by(|(one, _), (other, _)| one.standard_error.total_cmp(&other.standard_error));
        let (Difference { sources, environments, .. }, known) =
            least_certain.filter(|(difference, _)| difference.is_of_mix)?;
        Some(FleetVariances {
            within_models: (sources.environments + sources.calls) * mean(environments),
            between_models: sources.mix * known,
        })
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

fn mean(counts: Sides<u32>) -> f64 {
    f64::from(counts.baseline + counts.candidate) / 2.0
}

/// The variance of a difference whose interval extends as far to either side as a campaign's limit says, if all of it is known.
pub fn variance_of_target(until_ci: f64) -> f64 {
    let half_width = until_ci.ln_1p();
    let known =
        Difference { standard_error: half_width / 2.0, degrees_of_freedom: f64::INFINITY, ..Difference::default() };
    (half_width / known.critical_value(1.0 - CONFIDENCE, Looks::until(until_ci))).powi(2)
}
