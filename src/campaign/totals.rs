//! Running totals of a campaign, in memory that does not grow with the samples.

use super::{
    census::Tally,
    failure::{Failure, FailureKind},
    row::Row,
    variants::{VariantIndex, Variants},
};
use std::collections::{BTreeMap, BTreeSet};

/// The totals of all samples.
#[derive(Clone, Debug)]
pub struct Totals {
    pub variants: Variants<VariantTotals>,
    /// What the campaign's own census has counted; `None` if it takes none.
    pub census: Option<Variants<Tally>>,
    /// When the last call was sent, in milliseconds since the campaign began.
    pub elapsed_ms: u64,
    /// The longest delay of a call after the start of its step, in nanoseconds.
    pub longest_delay_ns: u64,
    /// The results of each piece of work, in the order in which they came: at most two of each variant.
    work: BTreeMap<String, Vec<WorkResult>>,
}

/// A result of a piece of work, and the variants that gave it.
#[derive(Clone, Debug)]
struct WorkResult {
    result: String,
    variants: BTreeSet<VariantIndex>,
}

/// The totals of one variant.
#[derive(Clone, Debug, Default)]
pub struct VariantTotals {
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
    /// When the first of these was sent, in milliseconds since the campaign began.
    pub failing_since_ms: Option<u64>,
    /// When the last answer came, and when the last success did.
    pub last_answer_ms: Option<u64>,
    pub last_success_ms: Option<u64>,
    /// The last failure.
    pub last_failure: Option<Failure>,
    /// The environments that were called, by their ids.
    pub environments: BTreeMap<String, CalledEnvironment>,
    /// Cold starts that succeeded in an environment without a name: each has one of its own.
    unnamed_cold_starts: u64,
    /// Other calls that succeeded in an environment without a name.
    unnamed_calls: u64,
    /// The models of the processors that have answered.
    pub cpu_models: BTreeSet<String>,
    /// The estimated bill, in US dollars.
    pub cost_usd: f64,
}

/// What is known of an environment that was called. Only campaigns that take a census know more than the first.
#[derive(Clone, Debug, Default)]
pub struct CalledEnvironment {
    /// Whether a call has succeeded.
    has_succeeded: bool,
    /// The cells of which a call has succeeded that was no cold start.
    pub(super) measured_cells: BTreeSet<String>,
    /// The model of its processor, if its answers told that.
    pub(super) cpu_model: Option<String>,
}

impl Totals {
    /// The totals of `variants` variants before the first sample.
    pub fn new(variants: usize) -> Self {
        Self {
            variants: Variants::defaults(variants),
            census: None,
            elapsed_ms: 0,
            longest_delay_ns: 0,
            work: BTreeMap::new(),
        }
    }

    /// Counts one more sample.
    pub fn add(&mut self, row: &Row) {
        self.elapsed_ms = self.elapsed_ms.max(row.end_ms());
        self.longest_delay_ns = self.longest_delay_ns.max(row.delay_ns);
        self.variants[row.variant].add(row);
        if let Some(response) = &row.response {
            for sample in &response.results {
                if let Some(checksum) = &sample.checksum {
                    self.keep_result(row.variant, &format!("{}: {}", row.cell, sample.workload), checksum);
                }
            }
        }
        if let Some(output) = &row.output_sha256 {
            self.keep_result(row.variant, &row.cell, output);
        }
    }

    fn keep_result(&mut self, variant: VariantIndex, work: &str, result: &str) {
        let Some(results) = self.work.get_mut(work) else {
            self.work.insert(work.to_owned(), vec![WorkResult::new(variant, result)]);
            return;
        };
        if let Some(known) = results.iter_mut().find(|known| known.result == result) {
            known.variants.insert(variant);
        } else if results.iter().filter(|known| known.variants.contains(&variant)).count() < 2 {
            results.push(WorkResult::new(variant, result));
        }
    }

    /// The pieces of work for which some of these variants gave different results, with the first two of these.
    pub fn mismatches<'a>(&'a self, among: &[VariantIndex]) -> BTreeMap<&'a str, [&'a str; 2]> {
        let mismatch = |(work, results): (&'a String, &'a Vec<WorkResult>)| {
            let is_among = |known: &&WorkResult| among.iter().any(|variant| known.variants.contains(variant));
            let mut results = results.iter().filter(is_among).map(|known| known.result.as_str());
            Some((work.as_str(), [results.next()?, results.next()?]))
        };
        self.work.iter().filter_map(mismatch).collect()
    }

    /// The pieces of work that gave different results, with the first two of these.
    pub fn all_mismatches(&self) -> BTreeMap<&str, [&str; 2]> {
        self.mismatches(&self.variants.indices().collect::<Vec<_>>())
    }

    /// The calls of all variants.
    pub fn calls(&self) -> u64 {
        self.variants.iter().map(|(_, variant)| variant.calls).sum()
    }

    /// The same without those that were made again.
    pub fn calls_of_blocks(&self) -> u64 {
        self.calls() - self.variants.iter().map(|(_, variant)| variant.made_again).sum::<u64>()
    }

    /// The estimated bill of all variants, the census included, in US dollars.
    pub fn cost_usd(&self) -> f64 {
        let of_census = self.census.iter().flat_map(Variants::iter).map(|(_, tally)| tally.cost_usd);
        self.cost_of_samples_usd() + of_census.sum::<f64>()
    }

    /// The same without the census.
    pub fn cost_of_samples_usd(&self) -> f64 {
        self.variants.iter().map(|(_, variant)| variant.cost_usd).sum()
    }

    /// Whether a call of the variant, sample or not, has met this environment.
    pub fn has_met(&self, variant: VariantIndex, environment: &str) -> bool {
        self.variants[variant].environments.contains_key(environment)
            || self.census.as_ref().is_some_and(|census| census[variant].environments.contains_key(environment))
    }
}

impl WorkResult {
    fn new(variant: VariantIndex, result: &str) -> Self {
        Self { result: result.to_owned(), variants: BTreeSet::from([variant]) }
    }
}

impl VariantTotals {
    fn add(&mut self, row: &Row) {
        self.calls += 1;
        self.cold += u64::from(row.cold == Some(true));
        self.cost_usd += row.cost_usd;
        if let Some(failure) = &row.failure {
            *self.failures.entry(failure.kind).or_default() += 1;
            self.made_again += u64::from(row.is_made_again());
            self.last_failure = Some(failure.clone());
            if !row.is_made_again() {
                self.failed_in_a_row += 1;
                let since = self.failing_since_ms.unwrap_or(row.elapsed_ms);
                self.failing_since_ms = Some(since.min(row.elapsed_ms));
            }
        } else {
            self.forgive();
            self.last_success_ms = self.last_success_ms.max(Some(row.end_ms()));
        }
        self.last_answer_ms = self.last_answer_ms.max(Some(row.end_ms()));
        self.note_environment(row);
        note(&mut self.cpu_models, row.cpu_model());
    }

    fn note_environment(&mut self, row: &Row) {
        let has_succeeded = row.failure.is_none();
        match row.environment() {
            Some(name) => match self.environments.get_mut(name) {
                Some(known) => known.has_succeeded |= has_succeeded,
                None => {
                    let new = CalledEnvironment { has_succeeded, ..CalledEnvironment::default() };
                    self.environments.insert(name.to_owned(), new);
                }
            },
            None if !has_succeeded => {}
            None if row.cold == Some(true) => self.unnamed_cold_starts += 1,
            None => self.unnamed_calls += 1,
        }
    }

    /// How many environments have answered, as reports count them; `None` if nothing tells those of some calls apart.
    pub fn answering_environments(&self) -> Option<u64> {
        let named = self.environments.values().filter(|environment| environment.has_succeeded).count() as u64;
        (self.unnamed_calls == 0).then_some(named + self.unnamed_cold_starts)
    }

    /// Forgets the failures in a row.
    pub fn forgive(&mut self) {
        (self.failed_in_a_row, self.failing_since_ms) = (0, None);
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
pub(super) fn note(names: &mut BTreeSet<String>, name: Option<&str>) {
    if let Some(name) = name.filter(|name| !names.contains(*name)) {
        names.insert(name.to_owned());
    }
}
