//! Ending a campaign once its intervals are narrow enough.

use super::{compare_sets, estimate::Difference, interval::CONFIDENCE, samples::Samples, verdict::has_enough};
use crate::campaign::{manifest::Manifest, row::Row, stopping_rules::StoppingRule, totals::Totals};
use std::time::Duration;

/// Ends a campaign as soon as the interval of every cell is narrow enough. The intervals are those that are valid at all looks
/// together, because this looks after every block.
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
        Some(Self { manifest: manifest.clone(), samples: Samples::default(), target })
    }

    /// Half the width of the widest interval, as a share of the ratio. None while a cell has no interval.
    fn half_width(&self) -> Option<f64> {
        let (differences, looks) = compare_sets::deciding_differences(&self.manifest, &self.samples);
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

    fn reason(&self, _: &Totals, _: Duration) -> Option<String> {
        let half_width = self.half_width().filter(|half_width| *half_width <= self.target)?;
        let (target, half_width) = (self.target * 100.0, half_width * 100.0);
        Some(format!("the intervals are narrow enough (--until-ci {target}%): ±{half_width:.2}% at most"))
    }
}
