//! Times of iterations on the wire.

use serde::{Deserialize, Serialize, Serializer};
use std::{ops::Deref, time::Duration};

/// A duration in whole nanoseconds, as fields that end in `_ns` have it.
pub fn whole_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Times in nanoseconds: whole, or with up to three decimals if they are means of several runs.
///
/// Whole times, the usual case, are written as JSON integers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Nanoseconds(Vec<f64>);

impl Nanoseconds {
    /// Adds the mean time of `runs` runs that took `total` nanoseconds together.
    pub fn push_mean(&mut self, total: u64, runs: u32) {
        let picoseconds = (total as f64 * 1e3 / f64::from(runs)).round();
        self.0.push(picoseconds / 1e3);
    }
}

impl Deref for Nanoseconds {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.0
    }
}

impl FromIterator<f64> for Nanoseconds {
    fn from_iter<I: IntoIterator<Item = f64>>(times: I) -> Self {
        Self(times.into_iter().collect())
    }
}

impl Serialize for Nanoseconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Time {
            Whole(u64),
            Mean(f64),
        }
        // Times are never negative, and a whole f64 below 2⁵³ is that integer exactly.
        let time = |&time: &f64| if time.fract() == 0.0 { Time::Whole(time as u64) } else { Time::Mean(time) };
        serializer.collect_seq(self.0.iter().map(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_times_are_integers_and_means_keep_three_decimals() {
        let mut times = Nanoseconds::default();
        times.push_mean(12_345_678, 1);
        times.push_mean(1000, 3);
        let text = serde_json::to_string(&times).unwrap();
        assert_eq!(text, "[12345678,333.333]");
        assert_eq!(serde_json::from_str::<Nanoseconds>(&text).unwrap(), times);
    }
}
