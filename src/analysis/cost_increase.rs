//! By how much the candidate's bill is higher than the baseline's, held to a limit.

use super::{
    campaign_bill::{BillOptions, MonthlyBill},
    compare_sets::Analyzer,
    estimate::Difference,
    interval::{CONFIDENCE, Looks},
    result::Ratio,
    tested::{Found, Tested},
    verdict::{fixed_variance, has_enough, what_is_missing},
};
use crate::campaign::{Target, manifest::Variant};

/// Logarithms of ratios of billed times beyond which there are none.
const WIDEST: f64 = 30.0;

impl Analyzer<'_> {
    /// The bill, held to an increase of this proportion.
    pub(super) fn cost_increase(&self, limit: f64, options: BillOptions) -> Result<Tested, String> {
        let bill = self.monthly_bill(options);
        let bill = bill.ok_or_else(|| self.why_there_is_no_bill())?;
        let difference = bill.log_ratio().ok_or("nothing tells how uncertain the bill is")?;
        if !has_enough(&difference) {
            let fewest = difference.environments.baseline.min(difference.environments.candidate);
            return Err(what_is_missing(fewest, difference.blocks).unwrap_or_default());
        }
        let plan = &self.pair.manifest.plan;
        let fixed_variance = fixed_variance(difference.sources.disturbances, plan.order, plan.cold);
        let difference = Difference { fixed_variance, ..difference };
        let found = Found::Ratio(bill.ratio(&difference, self.looks));
        Ok(Tested::difference(found, difference, bill.largest_log_ratio(limit)))
    }

    fn why_there_is_no_bill(&self) -> &'static str {
        let manifest = self.pair.manifest;
        let is_process = |(_, variant): (_, &Variant)| matches!(variant.target, Target::Process { .. });
        if manifest.imported.is_some() {
            "an import has no bill, because what calls cost is not known; leave --max-cost-increase out"
        } else if manifest.variants.iter().any(is_process) {
            "programs on this machine have no bill; leave --max-cost-increase out"
        } else {
            "no bill is known; it takes prices and billed durations of both sides"
        }
    }
}

impl MonthlyBill<'_> {
    /// The candidate's bill over the baseline's.
    fn ratio(&self, difference: &Difference, looks: Looks) -> Ratio {
        let ratio_at = |log_ratio: f64| match (self.candidate_usd(log_ratio), self.baseline_usd()) {
            (0.0, 0.0) => 1.0,
            (_, 0.0) => f64::MAX,
            (candidate, baseline) => candidate / baseline,
        };
        Ratio {
            estimate: ratio_at(difference.estimate),
            interval: Some(difference.interval(CONFIDENCE, looks).map(ratio_at)),
            log_standard_error: None,
            degrees_of_freedom: None,
            p_value: None,
        }
    }

    /// The logarithm of the largest ratio of billed times at which the candidate's bill is no more than this proportion
    /// higher: infinite if that is so at every ratio or at none.
    fn largest_log_ratio(&self, limit: f64) -> f64 {
        let allowed = self.baseline_usd() * (1.0 + limit);
        let is_allowed = |log_ratio: f64| self.candidate_usd(log_ratio) <= allowed;
        let (mut low, mut high) = (-WIDEST, WIDEST);
        if !is_allowed(low) {
            return f64::NEG_INFINITY;
        }
        if is_allowed(high) {
            return f64::INFINITY;
        }
        // As many halvings as a number has digits.
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if is_allowed(middle) { low = middle } else { high = middle }
        }
        low
    }
}
