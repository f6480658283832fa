//! The samples of a campaign, kept small: ten million of them are to fit into a gigabyte.

use super::{
    call_sample::CallSample,
    counted_environments::{CountedEnvironments, RoundOfCensus},
    data_quality::Quality,
    estimate::CpuMix,
};
use crate::{
    campaign::{
        census::CensusRow, later_configurations::Reading, log_streams::LogStreams, row::Row, totals::Totals,
        variants::Variants,
    },
    protocol::{Architecture, Build, Response, Sample, SampleWarningKind, Status},
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The samples so far.
#[derive(Debug)]
pub struct Samples {
    /// Their sums.
    pub totals: Totals,
    /// What is known of each variant.
    pub variants: Variants<VariantSamples>,
    /// The samples of each cell, by its name.
    pub cells: BTreeMap<String, CellSamples>,
    /// The blocks that have samples, in their order.
    pub blocks: Vec<BlockStart>,
    /// What single answers say about their own quality.
    pub flags: DataFlags,
    /// How functions were configured that have changed since the campaign began, the earliest first.
    pub readings: Vec<Reading>,
    /// What the log streams tell that were collected.
    pub log_streams: LogStreams,
}

/// A block that has samples.
#[derive(Clone, Copy, Debug)]
pub struct BlockStart {
    /// Its number in the schedule.
    pub number: u64,
    /// When it began, in milliseconds of the campaign's own time.
    pub elapsed_ms: u64,
}

/// What single answers say about their own quality.
#[derive(Clone, Copy, Debug, Default)]
pub struct DataFlags {
    /// Answers whose deadline came before all their iterations.
    pub truncated: u64,
    /// Answers with iterations that were too short to be timed one by one.
    pub short_iterations: u64,
    /// The coarsest clock that a host has, in nanoseconds.
    pub coarsest_clock_ns: u64,
}

/// What is known of one variant.
#[derive(Debug, Default)]
pub struct VariantSamples {
    pub environments: Vec<EnvironmentFacts>,
    /// The environments' numbers by their names; all unnamed ones are "".
    numbers: HashMap<String, u32>,
    pub cpu_models: Vec<String>,
    /// Whether its times mean nothing.
    pub emulated: bool,
    /// The builds that answered.
    pub builds: BTreeSet<String>,
    /// What they were compiled from and with, the target left out.
    pub sources: BTreeSet<String>,
    /// What they were compiled for.
    pub architecture: Option<Architecture>,
    /// The memory setting that the function reports, in MiB.
    pub memory_mb: Option<u32>,
    /// Calls whose environment is unknown.
    pub unknown_environments: u64,
    /// Contradictions between its calls.
    pub quality: Quality,
    /// Environments of which only failures are known.
    failed: HashSet<String>,
    /// The environments that a census has counted.
    pub census: CountedEnvironments,
    /// How many of the numbers stand for unnamed environments whose calls were left out later.
    unused_numbers: u32,
}

/// What is known of one environment.
#[derive(Clone, Copy, Debug)]
pub struct EnvironmentFacts {
    /// Its CPU model's number among those of its variant. None if unknown.
    pub cpu: Option<u16>,
    /// The most memory that it has used, in MiB; 0 where unknown.
    pub max_memory_mb: f32,
}

#[derive(Debug)]
pub struct CellSamples {
    /// Calls of environments that had already started.
    pub warm: Variants<Vec<CallSample>>,
    /// Calls that waited for an environment to start.
    pub cold: Variants<Vec<CallSample>>,
}

impl Samples {
    /// The samples of so many variants, none so far.
    pub fn new(variants: usize) -> Self {
        Self {
            totals: Totals::new(variants),
            variants: Variants::defaults(variants),
            cells: BTreeMap::new(),
            blocks: Vec::new(),
            flags: DataFlags::default(),
            readings: Vec::new(),
            log_streams: LogStreams::default(),
        }
    }

    /// Takes in one more sample.
    pub fn add(&mut self, row: &Row) {
        self.totals.add(row);
        let block = self.block(row);
        let variant = &mut self.variants[row.variant];
        if let Some(response) = &row.response {
            variant.learn(response);
            self.flags.add(response);
        }
        if row.failure.is_some() {
            return variant.note_failure(row);
        }
        if row.report.is_some() && variant.quality.reported == 0 {
            // This is the first report: Lambda does report, so those of earlier calls are missing.
            self.cells.values_mut().for_each(|cell| cell.warm[row.variant].retain(|call| !call.is_of_client_alone()));
            variant.forget_unknown_environments();
        }
        if self.log_streams == LogStreams::OfEnvironments && self.lacks_log_stream(row) {
            return;
        }
        let variant = &mut self.variants[row.variant];
        let is_first = variant.is_first(row);
        variant.quality.add(row, is_first);
        let is_cold = variant.is_cold(row, is_first);
        if is_cold.is_none() && row.environment().is_none() {
            return;
        }
        let environment = variant.environment(row);
        variant.quality.hold_to_one_call_at_a_time(row, environment);
        let variants = self.variants.count();
        let cell = match self.cells.get_mut(&row.cell) {
            Some(cell) => cell,
            None => self.cells.entry(row.cell.clone()).or_insert_with(|| CellSamples::new(variants)),
        };
        let Some(is_cold) = is_cold else { return };
        let calls = if is_cold { &mut cell.cold } else { &mut cell.warm };
        calls[row.variant].push(CallSample::new(row, environment, block));
    }

    /// Whether a call is left out because its log stream was not found, though that of others of its variant was; it is
    /// counted. A cold start means a new environment all the same.
    fn lacks_log_stream(&mut self, row: &Row) -> bool {
        let variant = &mut self.variants[row.variant];
        let is_found = row.environment().is_some();
        if is_found && variant.quality.named == 0 {
            // This is the first one that was found: those of earlier calls are missing.
            let unnamed = variant.numbers.get("").copied();
            let is_unnamed = |call: &CallSample| Some(call.environment) == unnamed;
            self.cells.values_mut().for_each(|cell| cell.warm[row.variant].retain(|call| !is_unnamed(call)));
            variant.quality.unlogged += variant.unknown_environments;
            variant.forget_unknown_environments();
        }
        let is_left_out = !is_found && variant.quality.named > 0 && row.cold != Some(true);
        variant.quality.unlogged += u64::from(is_left_out);
        is_left_out
    }

    /// Takes in a call of the campaign's own census.
    pub fn add_of_census(&mut self, row: &CensusRow) {
        if let Some((environment, cpu_model)) = row.counted() {
            let round = (row.variant.get(), row.round);
            self.variants[row.variant].count_environment(round, environment, cpu_model);
        }
    }

    /// The place of a sample's block among those that have samples.
    fn block(&mut self, row: &Row) -> u32 {
        let place = match self.blocks.last() {
            Some(last) if last.number == row.block => self.blocks.len() - 1,
            Some(last) if last.number > row.block => self.blocks.partition_point(|block| block.number < row.block),
            _ => {
                self.blocks.push(BlockStart { number: row.block, elapsed_ms: row.elapsed_ms });
                self.blocks.len() - 1
            }
        };
        place as u32
    }
}

impl VariantSamples {
    /// Counts an environment of a census, in one of its rounds; the second time it is counted changes nothing.
    pub fn count_environment(&mut self, round: RoundOfCensus, environment: &str, cpu_model: &str) {
        let model = self.model(cpu_model);
        self.census.add(round, environment, model);
        // Calls of an environment that the census has started may not tell its CPU.
        if let Some(number) = self.numbers.get(environment) {
            self.environments[*number as usize].cpu.get_or_insert(model);
        }
    }

    /// How many environments were called or counted, if so many of those that were called are told apart.
    pub fn known_environments(&self, called: u32) -> u32 {
        called.max(self.known_mix().total())
    }

    /// The CPU models of the environments that were called or counted.
    pub fn known_mix(&self) -> CpuMix {
        let mut is_counted = vec![false; self.environments.len()];
        for (name, number) in &self.numbers {
            is_counted[*number as usize] = self.census.has(name);
        }
        let mut called = vec![0; self.cpu_models.len()];
        for (environment, _) in self.environments.iter().zip(is_counted).filter(|(_, is_counted)| !is_counted) {
            environment.cpu.iter().for_each(|model| called[usize::from(*model)] += 1);
        }
        let of_environments = self.environments.iter().map(|environment| environment.cpu).collect();
        CpuMix { of_environments, rounds: self.census.rounds(), called, assumed: Vec::new() }
    }

    fn learn(&mut self, response: &Response) {
        self.emulated |= response.host.emulated;
        self.architecture = Some(response.function.architecture);
        self.memory_mb = Some(response.function.memory_mb);
        let Build { version, git_revision, rustc, target, target_cpu, .. } = &*response.build;
        // A campaign meets one build or two.
        if self.builds.len() < 8 {
            self.builds.insert(format!("{version} ({git_revision}), {rustc}, {target} for {target_cpu}"));
            self.sources.insert(format!("{version} ({git_revision}), {rustc}"));
        }
    }

    /// Whether this is the first call of an environment that is known by name. One that a census has met is warm.
    fn is_first(&self, row: &Row) -> bool {
        let is_met = |id: &str| self.numbers.contains_key(id) || self.failed.contains(id);
        let is_counted = |id: &str| row.cold != Some(true) && self.census.has(id);
        row.environment().is_some_and(|id| !is_met(id) && !is_counted(id))
    }

    /// A failed call has met its environment all the same.
    fn note_failure(&mut self, row: &Row) {
        if self.is_first(row) {
            self.failed.extend(row.environment().map(str::to_owned));
        }
    }

    /// Whether a call met an environment that had to start. If Lambda reports nothing at all, as with HTTP endpoints, the
    /// environments' names have to do; if they have no names either, all calls count as warm, and no verdict is given.
    ///
    /// None if nothing tells.
    fn is_cold(&self, row: &Row, is_first: bool) -> Option<bool> {
        row.cold.or((self.quality.reported == 0 && !is_first).then_some(false))
    }

    /// How many environments have a name that one of another variant has too.
    pub fn environments_of_both(&self, other: &Self) -> usize {
        self.numbers.keys().filter(|name| !name.is_empty() && other.numbers.contains_key(*name)).count()
    }

    /// How many environments have answered.
    pub fn count(&self) -> u32 {
        self.environments.len() as u32 - self.unused_numbers
    }

    /// Forgets the unnamed environments of calls that turn out to lack their reports.
    fn forget_unknown_environments(&mut self) {
        self.unknown_environments = 0;
        self.unused_numbers += u32::from(self.numbers.remove("").is_some());
    }

    /// The number of the environment that answered, with what is known of it.
    fn environment(&mut self, row: &Row) -> u32 {
        let number = match row.environment() {
            Some(id) => self.number(id, row),
            // A cold start means a new environment, even without a name.
            None if row.cold == Some(true) => self.new_environment(row),
            None => {
                self.unknown_environments += 1;
                // All of them count as one, which is never enough for an interval.
                self.number("", row)
            }
        };
        let rss =
            row.response.iter().flat_map(|response| &response.results).map(|sample| sample.memory.max_rss_bytes).max();
        let memory_mb = match rss {
            Some(bytes) => bytes as f32 / (1024.0 * 1024.0),
            None => row.report.as_ref().and_then(|it| it.max_memory_mb).unwrap_or_default() as f32,
        };
        // The first answer of an environment may not be the one that tells.
        if self.environments[number as usize].cpu.is_none() {
            self.environments[number as usize].cpu = self.cpu(row);
        }
        let facts = &mut self.environments[number as usize];
        facts.max_memory_mb = facts.max_memory_mb.max(memory_mb);
        number
    }

    fn number(&mut self, id: &str, row: &Row) -> u32 {
        if let Some(number) = self.numbers.get(id) {
            return *number;
        }
        let number = self.new_environment(row);
        self.numbers.insert(id.to_owned(), number);
        number
    }

    fn new_environment(&mut self, row: &Row) -> u32 {
        let cpu = self.cpu(row);
        self.environments.push(EnvironmentFacts { cpu, max_memory_mb: 0.0 });
        self.environments.len() as u32 - 1
    }

    /// The number of the CPU model that a row names, or else a census of its environment.
    fn cpu(&mut self, row: &Row) -> Option<u16> {
        match row.cpu_model() {
            Some(name) => Some(self.model(name)),
            None => self.census.model(row.environment()?),
        }
    }

    fn model(&mut self, name: &str) -> u16 {
        let known = self.cpu_models.iter().position(|known| known == name);
        if known.is_none() {
            self.cpu_models.push(name.to_owned());
        }
        known.unwrap_or(self.cpu_models.len() - 1) as u16
    }
}

impl DataFlags {
    fn add(&mut self, response: &Response) {
        let is_truncated = |sample: &Sample| matches!(sample.status, Status::Truncated | Status::Skipped);
        self.truncated += u64::from(response.results.iter().any(is_truncated));
        let mut warnings = response.results.iter().flat_map(|sample| &sample.warnings);
        let is_short = warnings.any(|warning| warning.kind == SampleWarningKind::ShortIterations);
        self.short_iterations += u64::from(is_short);
        self.coarsest_clock_ns = self.coarsest_clock_ns.max(response.host.clock.resolution_ns);
    }
}

impl CellSamples {
    /// The calls that decide: warm ones, or in a cold campaign cold starts.
    pub fn deciding(&self, is_cold: bool) -> &Variants<Vec<CallSample>> {
        if is_cold { &self.cold } else { &self.warm }
    }

    fn new(variants: usize) -> Self {
        Self { warm: Variants::defaults(variants), cold: Variants::defaults(variants) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{platform_report::PlatformReport, variants::VariantIndex};

    fn row(environment: Option<&str>, cold: bool) -> Row {
        let report = PlatformReport { duration_ms: Some(0.5), billed_ms: Some(1.0), ..PlatformReport::default() };
        let environment = environment.map(str::to_owned);
        Row { environment, report: Some(report), cold: Some(cold), ..Row::example() }
    }

    /// How many warm calls and environments are left, and how many calls were left out.
    fn left(log_streams: LogStreams, rows: &[Row]) -> (usize, u32, u64) {
        let mut samples = Samples { log_streams, ..Samples::new(2) };
        rows.iter().for_each(|row| samples.add(row));
        let variant = &samples.variants[VariantIndex::default()];
        assert_eq!(variant.unknown_environments > 0, variant.numbers.contains_key(""));
        (samples.cells["a"].warm[VariantIndex::default()].len(), variant.count(), variant.quality.unlogged)
    }

    #[test]
    fn a_census_tells_the_cpu_of_an_environment_that_it_has_started() {
        let of_census = CensusRow::of_clone("s");
        let called = [row(Some("s"), false), row(Some("s"), false)];
        let cpus = |samples: &Samples| {
            let variant = &samples.variants[VariantIndex::default()];
            let models = variant.environments.iter().map(|facts| Some(&*variant.cpu_models[usize::from(facts.cpu?)]));
            (models.map(|model| model.map(str::to_owned)).collect::<Vec<_>>(), variant.known_mix().total())
        };
        let v1 = Some("V1".to_owned());
        let (mut before, mut after) = (Samples::new(2), Samples::new(2));
        before.add_of_census(&of_census);
        called.iter().for_each(|row| before.add(row));
        called.iter().for_each(|row| after.add(row));
        assert_eq!(cpus(&after), (vec![None], 0));
        after.add_of_census(&of_census);
        // It was counted and called, and is one environment.
        assert_eq!((cpus(&before), cpus(&after)), ((vec![v1.clone()], 1), (vec![v1], 1)));
        // That its first call is warm is no wonder, unless nothing has started it before.
        let quality = |samples: &Samples| samples.variants[VariantIndex::default()].quality.first_reported_warm;
        assert_eq!((quality(&before), quality(&after)), (0, 1));
    }

    #[test]
    fn calls_that_are_not_in_the_log_are_left_out_where_others_are() {
        let [missing, found, cold] = [row(None, false), row(Some("s"), false), row(None, true)];
        let (missing, found) = (|| missing.clone(), || found.clone());
        let rows = [missing(), missing(), found(), missing(), found(), cold];
        assert_eq!(left(LogStreams::OfEnvironments, &rows), (2, 2, 3));
        // Nothing of this variant was found.
        assert_eq!(left(LogStreams::OfEnvironments, &[missing(), missing()]), (2, 1, 0));
        // A function's own names are another matter.
        assert_eq!(left(LogStreams::Unread, &rows[..5]), (5, 2, 0));
    }
}
