//! Running totals of a campaign, in memory that does not grow with the samples.

use super::{
    failure::{Failure, FailureKind},
    row::Row,
    sides::Sides,
};
use std::collections::{BTreeMap, BTreeSet};

/// The totals of all samples.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    pub sides: Sides<SideTotals>,
    /// When the last call was sent, in milliseconds since the campaign began.
    pub elapsed_ms: u64,
    /// The longest delay of a call after the start of its step, in nanoseconds.
    pub longest_delay_ns: u64,
    /// The pieces of work that gave different results, with two of these.
    pub mismatches: BTreeMap<String, [String; 2]>,
    /// The first result of each piece of work.
    work: BTreeMap<String, String>,
}

/// The totals of one side.
#[derive(Clone, Debug, Default)]
pub struct SideTotals {
    /// Calls, including those that failed or were throttled.
    pub calls: u64,
    /// Cold starts.
    pub cold: u64,
    /// Failed calls by kind.
    pub failures: BTreeMap<FailureKind, u64>,
    /// Calls that were made again after being throttled or a transient failure.
    pub made_again: u64,
    /// Failed calls since the last success, without those that were made again.
    pub failed_in_a_row: u64,
    /// The last failure.
    pub last_failure: Option<Failure>,
    /// The ids of the environments that have answered.
    pub environments: BTreeSet<String>,
    /// The models of the processors that have answered.
    pub cpu_models: BTreeSet<String>,
    /// The estimated bill, in US dollars.
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

    /// The estimated bill of both sides, in US dollars.
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

    /// Calls that failed for good, without those that were made again.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum::<u64>() - self.made_again
    }

    /// Calls that succeeded.
    pub fn succeeded(&self) -> u64 {
        self.calls - self.failures.values().sum::<u64>()
    }
}

/// Adds a name. It is copied only if it is new, which is rare.
fn note(names: &mut BTreeSet<String>, name: Option<&str>) {
    if let Some(name) = name.filter(|name| !names.contains(*name)) {
        names.insert(name.to_owned());
    }
}
