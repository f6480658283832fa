//! The times of single calls.

use super::{estimate::Observation, measures::Measure};
use crate::{
    campaign::{platform_report::PlatformReport, row::Row},
    protocol::Sample,
};
use std::mem;

/// The times of one call.
#[derive(Clone, Copy, Debug)]
pub struct CallSample {
    /// Its environment's number among those of its variant.
    pub environment: u32,
    /// The place of its block among those that have samples.
    pub block: u32,
    /// The place of its step in the block.
    pub step: u32,
    /// By measure, in milliseconds; NaN if unknown.
    times_ms: [f32; Measure::ALL.len()],
}

impl CallSample {
    /// Whether neither the function nor Lambda has measured anything.
    pub(super) fn is_of_client_alone(&self) -> bool {
        [Measure::Wall, Measure::Duration].iter().all(|measure| self.times_ms[*measure as usize].is_nan())
    }

    pub(super) fn new(row: &Row, environment: u32, block: u32) -> Self {
        let times_ms = Measure::ALL.map(|measure| time_ms(row, measure).unwrap_or(f64::NAN) as f32);
        Self { environment, block, step: row.step, times_ms }
    }

    /// The value of one measure. None if unknown, or if a time other than a billed duration is 0.
    pub fn value(&self, measure: Measure) -> Option<f64> {
        let value = f64::from(self.times_ms[measure as usize]);
        let least = if measure == Measure::Billed { 0.0 } else { f64::from(f32::MIN_POSITIVE) };
        (value.is_finite() && value >= least).then_some(value)
    }

    fn observation(&self, cell: u32, measure: Measure) -> Option<Observation> {
        let value = self.value(measure)?;
        let value = if measure == Measure::Billed { value } else { value.ln() };
        Some(Observation { environment: self.environment, cell, block: self.block, step: self.step, value })
    }
}

/// The known values of one measure, each with its environment.
pub fn values<'a>(calls: impl Iterator<Item = &'a CallSample>, measure: Measure) -> impl Iterator<Item = (u32, f64)> {
    calls.filter_map(move |call| Some((call.environment, call.value(measure)?)))
}

/// Values of one measure on the scale on which they are compared: logarithms but for what is billed. The calls are
/// those of one cell after the other; the values are in the order of their environments, cells and blocks.
pub fn observations(cells: &[&[CallSample]], measure: Measure) -> Vec<Observation> {
    observations_of(cells, measure, |_| true)
}

/// The same of some of the calls.
pub fn observations_of(
    cells: &[&[CallSample]],
    measure: Measure,
    is_of_them: impl Fn(&CallSample) -> bool,
) -> Vec<Observation> {
    let has_value = |call: &CallSample| is_of_them(call) && call.value(measure).is_some();
    let all = || (0..).zip(cells).flat_map(|(cell, calls)| calls.iter().map(move |call| (cell, call)));
    let calls = || all().filter(|(_, call)| has_value(call));
    // How many values each environment has, and then where its next one goes.
    let mut places = Vec::<usize>::new();
    for (_, call) in calls() {
        let environment = call.environment as usize;
        if environment >= places.len() {
            places.resize(environment + 1, 0);
        }
        places[environment] += 1;
    }
    let mut count = 0;
    places.iter_mut().for_each(|place| count += mem::replace(place, count));
    let mut values = vec![Observation::default(); count];
    for value in calls().filter_map(|(cell, call)| call.observation(cell, measure)) {
        let place = &mut places[value.environment as usize];
        values[*place] = value;
        *place += 1;
    }
    values
}

/// The time of a call by one measure, in milliseconds. None if unknown; the client's time is 0 then.
pub fn time_ms(row: &Row, measure: Measure) -> Option<f64> {
    let report = row.believed_report();
    match measure {
        Measure::Wall => mean_ms(row, |sample| &sample.wall_ns),
        Measure::Cpu => mean_ms(row, |sample| &sample.cpu_ns),
        Measure::Duration => report.and_then(|it| it.duration_ms),
        Measure::Billed => report.and_then(PlatformReport::all_billed_ms),
        Measure::Latency => Some(f64::from(row.latency_ns as f32 / 1e6)),
        Measure::Init => report.and_then(|it| it.init_ms),
    }
}

/// The geometric mean, in milliseconds, of times in nanoseconds. Times of 0 are those of a clock that did not tick: they count as the
/// clock's least. None if there are no times.
fn mean_ms(row: &Row, pick: fn(&Sample) -> &[f64]) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for time in row.response.iter().flat_map(|response| &response.results).flat_map(pick) {
        sum += time.max(1.0).ln();
        count += 1.0;
    }
    (count > 0.0).then(|| f64::exp(sum / count) / 1e6)
}
