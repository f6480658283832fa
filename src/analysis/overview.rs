//! The samples of a campaign in a few numbers for each side and cell. It describes and does not judge.

use crate::{
    campaign::{
        row::{FailureKind, Row},
        sides::{Side, Sides},
        totals::Totals,
    },
    protocol::Summary,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The samples so far.
#[derive(Debug, Default)]
pub struct Overview {
    /// Their sums.
    pub totals: Totals,
    times: BTreeMap<String, Sides<Times>>,
    /// Whether a side ran on another instruction set than its own, so that its times mean nothing.
    emulated: Sides<bool>,
}

/// The times of one side in one cell, in milliseconds.
#[derive(Debug, Default)]
struct Times {
    calls: u64,
    failed: u64,
    iterations: Vec<f64>,
    durations: Vec<f64>,
    latencies: Vec<f64>,
    colds: Vec<f64>,
}

/// One side in one cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CellOverview {
    /// The cell.
    pub cell: String,
    /// The side.
    pub side: Side,
    /// The calls, without those that were throttled.
    pub calls: u64,
    /// Those that failed for good.
    pub failed: u64,
    /// Whether its times mean nothing, because it was emulated.
    pub emulated: bool,
    /// One iteration of the workload, in milliseconds: medians of warm calls.
    pub iteration_ms: Option<Summary>,
    /// The function's time by Lambda's report, in milliseconds: warm calls.
    pub duration_ms: Option<Summary>,
    /// The client's time, in milliseconds: warm calls.
    pub latency_ms: Option<Summary>,
    /// The client's time of calls that met an environment which had to start, in milliseconds.
    pub cold_latency_ms: Option<Summary>,
}

impl Overview {
    /// Takes in one more sample.
    pub fn add(&mut self, row: &Row) {
        self.totals.add(row);
        if row.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Throttled) {
            return;
        }
        let times = &mut self.times.entry(row.cell.clone()).or_default()[row.side];
        times.calls += 1;
        if row.failure.is_some() {
            times.failed += 1;
            return;
        }
        let latency = row.latency_ns as f64 / 1e6;
        if row.cold == Some(true) {
            times.colds.push(latency);
            return;
        }
        times.latencies.push(latency);
        times.durations.extend(row.report.as_ref().map(|it| it.duration_ms));
        if let Some(response) = &row.response {
            self.emulated[row.side] |= response.host.emulated;
            let medians = response.results.iter().filter_map(|it| Some(it.summary?.median / 1e6));
            times.iterations.extend(medians);
        }
    }

    /// Every side in every cell.
    pub fn cells(&self) -> Vec<CellOverview> {
        let cells = self.times.iter().flat_map(|(cell, sides)| sides.iter().map(move |(side, it)| (cell, side, it)));
        cells
            .map(|(cell, side, times)| CellOverview {
                cell: cell.clone(),
                side,
                calls: times.calls,
                failed: times.failed,
                emulated: self.emulated[side],
                iteration_ms: Summary::of(&times.iterations),
                duration_ms: Summary::of(&times.durations),
                latency_ms: Summary::of(&times.latencies),
                cold_latency_ms: Summary::of(&times.colds),
            })
            .collect()
    }
}
