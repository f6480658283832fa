//! The ratio that a difference of logarithms stands for.

use super::{
    estimate::Difference,
    interval::{CONFIDENCE, Looks},
    result::Ratio,
    verdict::has_enough,
};

impl Ratio {
    /// The ratio of a difference of logarithms.
    pub(super) fn new(difference: &Difference, looks: Looks) -> Self {
        let has_enough = has_enough(difference);
        // Where next to nothing is known an end may be infinite; the largest number says as much.
        let ratio_of = |log_ratio: f64| if log_ratio.exp() == f64::INFINITY { f64::MAX } else { log_ratio.exp() };
        let interval = difference.interval(CONFIDENCE, looks).map(ratio_of);
        Self {
            estimate: difference.estimate.exp(),
            interval: has_enough.then_some(interval),
            log_standard_error: Some(difference.standard_error),
            degrees_of_freedom: Some(difference.degrees_of_freedom),
            p_value: has_enough.then(|| difference.p_value(0.0, looks)),
        }
    }
}
