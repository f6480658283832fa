//! Two things measured in turns, and what their times say about the ratio of the two.

use std::fmt;

/// Times of two things, pair by pair.
pub struct Pairs(Vec<(f64, f64)>);

impl Pairs {
    /// Takes `rounds` pairs of times, after `begin` each. Which of the two comes first changes with every
    /// pair, so that neither what drifts nor what the one leaves in the caches for the other favours either.
    pub fn in_turns(
        rounds: usize,
        mut begin: impl FnMut(),
        mut subject: impl FnMut() -> f64,
        mut standard: impl FnMut() -> f64,
    ) -> Self {
        let pair = |round| {
            begin();
            if round % 2 == 0 {
                let first = subject();
                (first, standard())
            } else {
                let first = standard();
                (subject(), first)
            }
        };
        Self((0..rounds).map(pair).collect())
    }

    /// The median time of each.
    pub fn medians(&self) -> (f64, f64) {
        (median(self.0.iter().map(|pair| pair.0)), median(self.0.iter().map(|pair| pair.1)))
    }

    /// The subject's time as a multiple of the standard's.
    pub fn ratio(&self) -> Ratio {
        let ratios = || self.0.iter().map(|(subject, standard)| subject / standard);
        let (low, high) = median_interval(&sorted(ratios()));
        Ratio { median: median(ratios()), low, high }
    }
}

/// The median of the pairs' ratios, and its 95% interval.
#[derive(Clone, Copy)]
pub struct Ratio {
    pub median: f64,
    low: f64,
    high: f64,
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, low, high } = self;
        f.pad(&format!("{median:.3} [{low:.3}, {high:.3}]"))
    }
}

/// The median of `values`, of which there is one at least.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let sorted = sorted(values);
    f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The distribution-free 95% interval of the median: order statistics by the normal approximation
/// of the binomial distribution. Of 6 to 10 values it is their range, which covers at least that.
fn median_interval(sorted: &[f64]) -> (f64, f64) {
    let n = sorted.len() as f64;
    let half_width = 1.96 * n.sqrt() / 2.0;
    let at = |rank: f64| sorted[(rank as usize).clamp(1, sorted.len()) - 1];
    (at((n / 2.0 - half_width).floor()), at((n / 2.0 + half_width).ceil() + 1.0))
}
