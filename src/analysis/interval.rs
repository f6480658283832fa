//! From an estimate and its standard error to intervals and p-values: for a look at the end of a campaign, and for
//! looks after every block.

use super::estimate::Difference;
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// The probability with which intervals cover the truth.
pub const CONFIDENCE: f64 = 0.95;

/// How often a campaign is looked at before its result is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Looks {
    /// Once, when it is complete.
    Once,
    /// After every block, until the interval's half-width on the logarithmic scale is this.
    ///
    /// The intervals are then valid at all looks together. They are those of a mixture of normal distributions (Robbins
    /// 1970; Howard, Ramdas, McAuliffe & Sekhon 2021), which are tightest about where the campaign is to end, used for
    /// estimates with estimated variances as Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024) justify for large
    /// samples; for small ones, the normal quantile becomes Student's at the same probability.
    EveryBlock(f64),
}

impl Looks {
    /// Those of a campaign that ends once its intervals are as narrow as its limit says.
    pub fn until(until_ci: f64) -> Self {
        Self::EveryBlock(until_ci.ln_1p())
    }
}

/// What the mixture expects of a difference: standard deviations in units of the half-width that is wanted, with their
/// weights. Most of it is on the first, which makes intervals tightest when they are as narrow as wanted; the others keep
/// those of a campaign that ends earlier from being much wider than they need be.
const MIXTURE: [(f64, f64); 3] = [(1.0, 0.8), (4.0, 0.1), (16.0, 0.1)];

/// An interval, of 95% unless something else is said.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    pub fn half_width(self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// Whether the value lies on one side of it.
    pub fn excludes(self, value: f64) -> bool {
        self.low > value || self.high < value
    }

    /// The interval on another scale, given by an increasing function.
    pub fn map(self, scale: impl Fn(f64) -> f64) -> Self {
        Self { low: scale(self.low), high: scale(self.high) }
    }
}

impl Difference {
    /// The interval that covers the true difference with a probability of `confidence`.
    pub fn interval(&self, confidence: f64, looks: Looks) -> Interval {
        let radius = self.standard_error * self.critical_value(1.0 - confidence, looks) + self.bias;
        Interval { low: self.estimate - radius, high: self.estimate + radius }
    }

    /// How many standard errors wide the interval is on either side that leaves out the truth with a probability of `alpha`.
    pub(super) fn critical_value(&self, alpha: f64, looks: Looks) -> f64 {
        match looks {
            Looks::Once => upper_quantile(&student(self.degrees_of_freedom), alpha / 2.0),
            Looks::EveryBlock(target) => {
                // Where the mixture's likelihood ratio reaches 1/α.
                let is_beyond = |normal: f64| self.log_likelihood_ratio(normal, target) > -alpha.ln();
                to_student(first_beyond(is_beyond), self.degrees_of_freedom)
            }
        }
    }

    /// The smallest error probability at which the interval excludes that the difference is `null`.
    pub fn p_value(&self, null: f64, looks: Looks) -> f64 {
        let distance = ((self.estimate - null).abs() - self.bias).max(0.0);
        if self.standard_error <= 0.0 {
            return if distance > 0.0 { 0.0 } else { 1.0 };
        }
        let statistic = distance / self.standard_error;
        match looks {
            Looks::Once => 2.0 * student(self.degrees_of_freedom).cdf(-statistic),
            Looks::EveryBlock(target) => {
                let normal = to_normal(statistic, self.degrees_of_freedom);
                (-self.log_likelihood_ratio(normal, target)).exp().min(1.0)
            }
        }
    }

    /// Whether the interval may exclude 0, however many degrees of freedom there are.
    pub(super) fn may_exclude_zero(&self, alpha: f64, looks: Looks) -> bool {
        let distance = (self.estimate.abs() - self.bias).max(0.0);
        match looks {
            Looks::Once => distance > Normal::standard().inverse_cdf(1.0 - alpha / 2.0) * self.standard_error,
            Looks::EveryBlock(target) => {
                self.standard_error <= 0.0
                    || self.log_likelihood_ratio(distance / self.standard_error, target) > -alpha.ln()
            }
        }
    }

    /// The smallest error probability at which the whole interval lies within `margin` of 0 (two one-sided tests,
    /// Schuirmann 1987, each at half of it, so that it is decided by the interval that is shown).
    pub fn p_equivalence(&self, margin: f64, looks: Looks) -> f64 {
        if self.estimate.abs() >= margin {
            return 1.0;
        }
        self.p_value(-margin, looks).max(self.p_value(margin, looks))
    }

    /// The logarithm of how much more likely an estimate so many standard errors away from the null is under the
    /// mixture than under the null.
    fn log_likelihood_ratio(&self, normal: f64, target: f64) -> f64 {
        let logarithms = MIXTURE.map(|(scale, weight)| {
            let information = (scale * target / self.standard_error).powi(2);
            let exponent = if information.is_finite() { information / (1.0 + information) } else { 1.0 };
            weight.ln() - 0.5 * information.ln_1p() + 0.5 * normal.powi(2) * exponent
        });
        // The largest is factored out, so that exp() cannot overflow.
        let largest = logarithms.into_iter().fold(f64::NEG_INFINITY, f64::max);
        if largest.is_finite() {
            largest + logarithms.iter().map(|logarithm| (logarithm - largest).exp()).sum::<f64>().ln()
        } else {
            largest
        }
    }
}

/// The interval of the mean of one side from the means of its environments. None if there are fewer than two.
pub fn mean_interval(means: &[f64], confidence: f64) -> Option<Interval> {
    let count = means.len() as f64;
    if means.len() < 2 {
        return None;
    }
    let mean = means.iter().sum::<f64>() / count;
    let variance = means.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let radius = upper_quantile(&student(count - 1.0), (1.0 - confidence) / 2.0) * (variance / count).sqrt();
    Some(Interval { low: mean - radius, high: mean + radius })
}

/// The standard normal distribution's quantile that leaves half of what is not covered above it.
pub(super) fn normal_quantile() -> f64 {
    Normal::standard().inverse_cdf((1.0 + CONFIDENCE) / 2.0)
}

pub(super) fn student(degrees_of_freedom: f64) -> StudentsT {
    // Above 1e9 Student's is the normal distribution to nine digits; fewer than 0.1 degrees of freedom do not occur.
    StudentsT::new(0.0, 1.0, degrees_of_freedom.clamp(0.1, 1e9)).expect("the parameters are finite and positive")
}

/// Student's quantile where the normal distribution has `normal`, both above 0.
fn to_student(normal: f64, degrees_of_freedom: f64) -> f64 {
    // Below this a tail would underflow to 0, whose quantile is infinite; no real sample comes near it.
    let tail = Normal::standard().cdf(-normal).max(1e-280);
    upper_quantile(&student(degrees_of_freedom), tail)
}

/// The reverse of [`to_student`].
fn to_normal(statistic: f64, degrees_of_freedom: f64) -> f64 {
    let tail = student(degrees_of_freedom).cdf(-statistic).max(1e-280);
    upper_quantile(&Normal::standard(), tail)
}

/// Where a symmetric distribution leaves `tail` above it: the library's own inverses fail far out.
pub(super) fn upper_quantile(distribution: &impl ContinuousCDF<f64, f64>, tail: f64) -> f64 {
    first_beyond(|quantile| distribution.cdf(-quantile) < tail)
}

/// The least number above 0 for which `is_beyond` holds, by bisection; it must hold for all above it.
pub(super) fn first_beyond(is_beyond: impl Fn(f64) -> bool) -> f64 {
    let mut high = 1.0;
    while !is_beyond(high) && high < 1e100 {
        high *= 2.0;
    }
    let mut low = 0.0;
    // As many halvings as a number has digits.
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if is_beyond(middle) { high = middle } else { low = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn difference(estimate: f64, standard_error: f64, degrees_of_freedom: f64) -> Difference {
        Difference { estimate, standard_error, degrees_of_freedom, ..Difference::default() }
    }

    proptest! {
        #[test]
        fn an_interval_and_its_p_value_say_the_same(
            estimate in -1.0..1.0,
            standard_error in 1e-4..1.0,
            degrees_of_freedom in 0.5..500.0,
            target in prop::option::of(0.001..0.2),
        ) {
            let difference = difference(estimate, standard_error, degrees_of_freedom);
            let looks = target.map_or(Looks::Once, Looks::EveryBlock);
            let interval = difference.interval(CONFIDENCE, looks);
            let p_value = difference.p_value(0.0, looks);
            // But for rounding at the very edge.
            prop_assume!((p_value - 0.05).abs() > 1e-6);
            prop_assert_eq!(p_value < 0.05, interval.low > 0.0 || interval.high < 0.0, "{} {:?}", p_value, interval);
            let margin = 0.02;
            let p_equivalence = difference.p_equivalence(margin, looks);
            prop_assume!((p_equivalence - 0.05).abs() > 1e-6);
            prop_assert_eq!(p_equivalence < 0.05, interval.low > -margin && interval.high < margin);
        }

        #[test]
        fn intervals_valid_at_many_looks_are_wider(
            standard_error in 1e-6..10.0,
            degrees_of_freedom in 0.5..500.0,
            target in 0.001..0.2,
        ) {
            let difference = difference(0.0, standard_error, degrees_of_freedom);
            let [once, often] =
                [Looks::Once, Looks::EveryBlock(target)].map(|looks| difference.interval(CONFIDENCE, looks).half_width());
            prop_assert!(often > once && often.is_finite(), "{} {}", once, often);
        }
    }

    #[test]
    fn without_any_spread_the_interval_is_a_point() {
        let difference = difference(0.1, 0.0, 16.0);
        for looks in [Looks::Once, Looks::EveryBlock(0.02)] {
            let Interval { low, high } = difference.interval(CONFIDENCE, looks);
            assert_eq!((low, high), (0.1, 0.1), "{looks:?}");
            assert_eq!(difference.p_value(0.0, looks), 0.0);
            assert_eq!(difference.p_value(0.1, looks), 1.0);
        }
    }
}
