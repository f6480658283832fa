//! From values to positions, for any values.

use crate::report::words::{percent_change, significant, without_trailing_zeros};

/// One direction of a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    pub pixels: (f64, f64),
}

/// The largest range that a chart has: beyond it nothing could be told apart.
const DECADES: f64 = 24.0;

impl Axis {
    /// An axis on which equal ratios are equally far apart, from `pixels.0` to `pixels.1`. It holds all of these
    /// values that are finite and above 0, with some room.
    pub fn logarithmic(values: impl IntoIterator<Item = f64>, pixels: (f64, f64)) -> Self {
        let logs = values.into_iter().filter(has_logarithm).map(f64::log10);
        let (low, high) = range(logs.filter(|log| log.abs() < DECADES));
        let room = ((high - low) * 0.04).max(0.01);
        Self { low: low - room, high: high + room, logarithmic: true, pixels }
    }

    /// An axis on which equal differences are equally far apart; it holds all of these values that are finite.
    pub fn linear(values: impl IntoIterator<Item = f64>, pixels: (f64, f64)) -> Self {
        let limit = 10f64.powf(DECADES);
        let (low, high) = range(values.into_iter().filter(|value| value.abs() < limit));
        // Identical values get a range too.
        let high = if high - low > 1e-9 * low.abs().max(high.abs()) { high } else { low + low.abs().max(1.0) };
        Self { low, high, logarithmic: false, pixels }
    }

    fn scaled(&self, value: f64) -> f64 {
        if self.logarithmic { value.log10() } else { value }
    }

    /// Where a value is; at the end of the axis where it is beyond that.
    pub fn at(&self, value: f64) -> f64 {
        let share = (self.scaled(value) - self.low) / (self.high - self.low);
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }

    /// Whether a value is on the axis.
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&self.scaled(value))
    }

    /// The ends, as values.
    fn ends(&self) -> (f64, f64) {
        if self.logarithmic { (10f64.powf(self.low), 10f64.powf(self.high)) } else { (self.low, self.high) }
    }

    /// About so many round values.
    fn ticks(&self, about: usize) -> Vec<f64> {
        // Round values may all lie beyond a short axis; then less round ones are better than none.
        let mut tries = (0..4).map(|more| self.round(about + more * 3));
        tries.clone().find(|ticks| ticks.len() >= 3).or_else(|| tries.next()).unwrap_or_default()
    }

    fn round(&self, about: usize) -> Vec<f64> {
        let (low, high) = self.ends();
        // Within a factor of three, round differences read better than round ratios.
        let ticks = if self.logarithmic && high > 3.0 * low {
            self.round_ratios(about)
        } else {
            round_differences(low, high, about)
        };
        ticks.into_iter().filter(|tick| self.holds(*tick)).collect()
    }

    /// The ticks of ratios, each with its position and its label: differences in percent, factors where it is far.
    pub fn ratio_ticks(&self, about: usize) -> Vec<(f64, String)> {
        let (low, high) = self.ends();
        let is_wide = high > 3.0 * low;
        self.labelled(about, |ratio| if is_wide { format!("×{}", short(ratio)) } else { percent_change(ratio) })
    }

    /// The ticks, each with its position and its label.
    pub fn labelled(&self, about: usize, label: impl Fn(f64) -> String) -> Vec<(f64, String)> {
        self.ticks(about).into_iter().map(|tick| (self.at(tick), label(tick))).collect()
    }

    fn round_ratios(&self, about: usize) -> Vec<f64> {
        let (first, last) = (self.low.floor() as i32, self.high.ceil() as i32);
        let decades = self.high - self.low;
        let digits: &[f64] = match about as f64 / decades {
            9.0.. => &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
            3.0.. => &[1.0, 2.0, 5.0],
            2.0.. => &[1.0, 3.0],
            _ => &[1.0],
        };
        let step = ((decades / about as f64).ceil() as i32).max(1);
        let powers = (first..=last).filter(|power| power % step == 0);
        powers.flat_map(|power| digits.iter().map(move |digit| digit * 10f64.powi(power))).collect()
    }
}

/// Whether a value has a place on a logarithmic axis.
pub fn has_logarithm(value: &f64) -> bool {
    value.is_finite() && *value > 0.0
}

/// The smallest and the largest of these values; 0 without any.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.map(|value| (value, value)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or_default()
}

fn round_differences(low: f64, high: f64, about: usize) -> Vec<f64> {
    let rough = (high - low) / about as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0].into_iter().map(|digit| digit * power).find(|step| *step >= rough).unwrap_or(10.0 * power);
    let (first, last) = ((low / step).ceil(), (high / step).floor());
    // Where a range is tiny beside its values, steps vanish in rounding.
    if !(first.is_finite() && last.is_finite() && last - first < 100.0) {
        return vec![low, high];
    }
    (0..=(last - first).max(0.0) as u32).map(|index| (first + f64::from(index)) * step).collect()
}

/// A round value without the zeros that it ends with.
pub fn short(value: f64) -> String {
    without_trailing_zeros(&significant(value)).replace(".00e", "e")
}

/// A count as people say it: `20k`, `5M`, `1B`.
pub fn thousands(value: f64) -> String {
    match value {
        1e9.. => format!("{}B", short(value / 1e9)),
        1e6.. => format!("{}M", short(value / 1e6)),
        1e3.. => format!("{}k", short(value / 1e3)),
        _ => short(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_round() {
        let about = |values: [f64; 2]| Axis::logarithmic(values, (0.0, 100.0)).ticks(6);
        let near = |ticks: Vec<f64>| ticks.iter().map(|tick| format!("{tick:.2}")).collect::<Vec<_>>().join(" ");
        assert_eq!(near(about([0.8, 1.1])), "0.80 0.90 1.00 1.10");
        assert_eq!(near(about([0.5, 20.0])), "0.50 1.00 2.00 5.00 10.00 20.00");
        assert_eq!(near(about([1.0, 1e6])), "1.00 100.00 10000.00 1000000.00");
        assert_eq!(near(Axis::linear([0.0, 9.0], (0.0, 100.0)).ticks(5)), "0.00 2.00 4.00 6.00 8.00");
    }

    proptest! {
        #[test]
        fn any_values_have_places_and_few_ticks(values in prop::collection::vec(any::<f64>(), 0..6), value in any::<f64>()) {
            for axis in [Axis::linear(values.iter().copied(), (10.0, 90.0)), Axis::logarithmic(values.clone(), (10.0, 90.0))] {
                prop_assert!((10.0..=90.0).contains(&axis.at(value)));
                let ticks = axis.ticks(6);
                prop_assert!(ticks.len() <= 24, "{ticks:?}");
                prop_assert!(ticks.iter().all(|tick| tick.is_finite()));
            }
        }
    }
}
