//! What a campaign has come to so far, in memory that does not grow with the samples.

use super::{
    failure::{Failure, FailureKind},
    row::Row,
    sides::Sides,
};
use std::collections::{BTreeMap, BTreeSet};

/// The sums over the samples.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    pub sides: Sides<SideTotals>,
    /// When the last call was sent, in milliseconds since the campaign began.
    pub elapsed_ms: u64,
    /// The latest that a call was sent after its step, in nanoseconds.
    pub longest_delay_ns: u64,
    /// The cells whose work was not the same on every call, with two results that differ.
    pub mismatches: BTreeMap<String, [String; 2]>,
    /// The result of each piece of work, as it came first.
    work: BTreeMap<String, String>,
}

/// The sums over the samples of one side.
#[derive(Clone, Debug, Default)]
pub struct SideTotals {
    /// Calls, failed ones and those that were throttled included.
    pub calls: u64,
    /// Calls that met an environment which had to start.
    pub cold: u64,
    /// Failed calls by kind.
    pub failures: BTreeMap<FailureKind, u64>,
    /// The calls that were throttled, or met a transient failure, and were made again.
    pub made_again: u64,
    /// How many calls have failed since the last that did not; those that were made again do not count.
    pub failed_in_a_row: u64,
    /// The failure that came last.
    pub last_failure: Option<Failure>,
    /// The ids of the environments that have answered.
    pub environments: BTreeSet<String>,
    /// The models of the processors that have answered.
    pub cpu_models: BTreeSet<String>,
    /// The bill as estimated, in US dollars.
    pub cost_usd: f64,
}

impl Totals {
    /// Counts one more sample.
    pub fn add(&mut self, row: &Row) {
        self.elapsed_ms = self.elapsed_ms.max(row.elapsed_ms.saturating_add(row.latency_ns / 1_000_000));
        self.longest_delay_ns = self.longest_delay_ns.max(row.delay_ns);
        self.sides[row.side].add(row);
        if let Some(response) = &row.response {
            for sample in &response.results {
                if let Some(checksum) = &sample.checksum {
                    self.compare(&format!("{}: {}", row.cell, sample.workload), checksum);
                }
            }
        }
        if let Some(output) = &row.output_sha256 {
            self.compare(&row.cell, output);
        }
    }

    /// Keeps the first result of each piece of work, and the first that differs.
    fn compare(&mut self, work: &str, result: &str) {
        match self.work.get(work) {
            None => drop(self.work.insert(work.to_owned(), result.to_owned())),
            Some(first) if first != result && !self.mismatches.contains_key(work) => {
                self.mismatches.insert(work.to_owned(), [first.clone(), result.to_owned()]);
            }
            Some(_) => {}
        }
    }

    /// The calls of both sides.
    pub fn calls(&self) -> u64 {
        self.sides.iter().map(|(_, side)| side.calls).sum()
    }

    /// The bill of both sides as estimated, in US dollars.
    pub fn cost_usd(&self) -> f64 {
        self.sides.iter().map(|(_, side)| side.cost_usd).sum()
    }
}

impl SideTotals {
    fn add(&mut self, row: &Row) {
        self.calls += 1;
        self.cold += u64::from(row.cold == Some(true));
        self.cost_usd += row.cost_usd;
        if let Some(failure) = &row.failure {
            *self.failures.entry(failure.kind).or_default() += 1;
            self.made_again += u64::from(row.is_made_again());
            self.failed_in_a_row += u64::from(!row.is_made_again());
            self.last_failure = Some(failure.clone());
        } else {
            self.failed_in_a_row = 0;
        }
        note(&mut self.environments, row.environment());
        note(&mut self.cpu_models, row.cpu_model());
    }

    /// The calls that failed for good: not those that were made again.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum::<u64>() - self.made_again
    }

    /// The calls that gave what was asked for.
    pub fn succeeded(&self) -> u64 {
        self.calls - self.failures.values().sum::<u64>()
    }
}

/// Copies the name only where it is new, which is seldom.
fn note(names: &mut BTreeSet<String>, name: Option<&str>) {
    if let Some(name) = name.filter(|name| !names.contains(*name)) {
        names.insert(name.to_owned());
    }
}
