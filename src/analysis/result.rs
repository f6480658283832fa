//! The result of an analysis: everything that a report shows, computed.

pub use super::{interval::Interval, measures::Measure};

use super::{
    choice::Choice,
    estimate::Sources,
    limits::ConditionTests,
    proportion::Proportion,
    sides::{Side, Sides},
    tried_function::TriedFunction,
    verdict::Verdict,
    visualizer::VisualizerLink,
    warning_kind::{Warning, WarningKind},
};
use crate::{
    campaign::{
        cell_names::{ALL_CELLS, COLD_STARTS},
        import::Import,
        manifest::{Ended, Order},
    },
    protocol::Architecture,
};
use serde::{Serialize, Serializer};
use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

/// The version of this shape; it grows when a field changes its meaning or goes.
pub const SCHEMA: u32 = 2;

/// The analysis of a campaign.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Analysis {
    /// The version of this shape, [`SCHEMA`].
    pub schema: u32,
    /// How it was computed.
    pub method: Method,
    /// Where the samples come from.
    pub campaign: Provenance,
    /// The variants, in the order of the campaign.
    pub variants: Vec<VariantFacts>,
    /// The name of the variant that the others are compared with.
    pub baseline: String,
    /// Each other variant beside the baseline, in the order of the campaign.
    pub comparisons: Vec<PairAnalysis>,
    /// The function whose clones the variants are. None of other campaigns.
    pub trial: Option<TriedFunction>,
    /// Which variant to take. None of campaigns of two variants, unless they are clones or the user asks for it.
    pub choice: Option<Choice>,
    /// All variants in the visualizer of AWS Lambda Power Tuning. Empty where there is no choice, or where they differ in
    /// something else than architecture and memory.
    pub visualizer: Vec<VisualizerLink>,
}

/// A variant beside the baseline, in the blocks that called both. Ratios are the candidate's over the baseline's: below 1
/// the candidate takes less.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairAnalysis {
    #[serde(skip)]
    pub method: Method,
    #[serde(skip)]
    pub campaign: Provenance,
    /// The two that are compared.
    #[serde(rename = "names", serialize_with = "as_names")]
    pub sides: Sides<VariantFacts>,
    /// The warnings, the gravest first.
    pub warnings: Vec<Warning>,
    /// All cells together, by the measure that decides. None if no cell has samples of both sides.
    pub headline: Option<Comparison>,
    /// Each payload or workload.
    pub cells: Vec<CellAnalysis>,
    /// Cold starts.
    pub cold_starts: ColdStarts,
    /// The bill. None if no prices or no billed durations are known.
    pub money: Option<Money>,
    /// The ratio of the headline as it would be with other mixes of CPU models: for each model of a side that has several, by
    /// its proportion of the fleet. Empty where no verdict is given.
    pub mix_scenarios: Vec<MixScenario>,
    /// What a gate holds to limits besides the ratios above.
    #[serde(skip)]
    pub limit_tests: Vec<ConditionTests>,
}

/// How an analysis was computed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Method {
    /// The probability with which intervals cover the truth.
    pub confidence: f64,
    /// Ratios between 1/(1 + margin) and 1 + margin count as equivalent.
    pub margin: f64,
    /// The half-width at which the campaign was to end by itself, which makes its intervals wider. None if it was
    /// looked at once.
    pub until_ci: Option<f64>,
    /// The fewest environments of a variant with which there is a verdict.
    pub minimum_environments: u32,
    /// The fewest blocks with which there is a verdict.
    pub minimum_blocks: u32,
}

/// Where samples come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Provenance {
    /// The version of Lambda Duet that made the campaign.
    pub version: String,
    /// When it was begun, in milliseconds since 1970-01-01 UTC.
    pub created_unix_ms: u64,
    /// How long it took, in milliseconds. None of an import whose blocks have no times.
    pub elapsed_ms: Option<u64>,
    /// The seed of its order. None of an import.
    pub seed: Option<u64>,
    /// Whether every call met an environment that had just started; of an import, whether it is of init durations.
    pub cold: bool,
    /// What was called together, and what in turns. None of an import.
    pub order: Option<Order>,
    /// How many environments of a variant each block calls. None of an import.
    pub environments_per_step: Option<u32>,
    /// The blocks that have samples.
    pub blocks: u64,
    /// The calls, failed ones included; of an import, its measurements.
    pub calls: u64,
    /// Where they are from, if other programs have made them.
    pub imported: Option<Import>,
}

/// One of the variants.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VariantFacts {
    /// Its short name.
    pub name: String,
    /// What was called.
    pub target: String,
    /// The instruction set, if known.
    pub architecture: Option<Architecture>,
    /// The memory setting in MiB, if known.
    pub memory_mb: Option<u32>,
    /// The calls, failed and throttled ones included.
    pub calls: u64,
    /// Those that met an environment which had to start. None of an import.
    pub cold_calls: Option<u64>,
    /// Those that failed, by kind; throttled calls were made again. None of an import.
    pub failures: Option<BTreeMap<String, u64>>,
    /// The environments that answered; 0 if nothing tells them apart.
    pub environments: u32,
    /// The CPU models of those environments, the most frequent first.
    pub cpus: Vec<CpuProportion>,
    /// The environments that a census has counted. None without one.
    pub census: Option<Census>,
    /// The share of the fleet that models which have not been seen may have, with 95% confidence. None of an import
    /// that does not tell them.
    pub unseen: Option<f64>,
    /// Whether its times mean nothing, because another instruction set was emulated. None of an import.
    pub emulated: Option<bool>,
    /// The builds that answered, such as `0.1.0 (3e8a1d7), rustc 1.95.0, aarch64-unknown-linux-gnu for neoverse-n1`.
    pub builds: Vec<String>,
    /// The most memory that each environment has used, in MiB. None if unknown.
    pub memory: Option<SummaryStatistics>,
    /// The bill of the campaign as estimated, in US dollars. None of an import.
    pub spent_usd: Option<f64>,
    /// When its calls ended before the campaign did, and why.
    pub ended: Option<Ended>,
    /// Its mean by the measure that decides: with several cells the geometric mean of theirs. None if unknown.
    pub time: Option<MeanTime>,
    /// A million invocations, before free tier and higher tiers. None if unknown.
    pub per_million: Option<Cost>,
    /// Whether no other variant takes less time without costing more, or costs less without taking more time. None unless
    /// its time and cost are known and a verdict is given on it, or on another if it is the baseline.
    pub is_on_pareto_front: Option<bool>,
}

/// How long calls of a variant take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MeanTime {
    pub measure: Measure,
    pub mean_ms: f64,
    /// Its 95% interval. None if too few environments answered.
    pub interval: Option<Interval>,
}

/// How many of a variant's environments run on one CPU model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CpuProportion {
    pub model: String,
    pub environments: u32,
    /// Their proportion of the fleet.
    pub proportion: Proportion,
    /// Their proportion as a census tells it, which includes those that were called. None without one.
    pub counted: Option<CountedProportion>,
}

/// How many environments of one CPU model are known where a census has counted them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CountedProportion {
    pub environments: u32,
    pub proportion: Proportion,
}

/// A census of one variant's environments.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Census {
    /// The environments that were counted, those that were also called among them.
    pub environments: u32,
    pub rounds: u32,
    /// Whether the mix has changed between the census and the calls, beyond chance, so that the census is not used.
    pub has_drifted: bool,
}

/// How the ratio depends on the proportion of one CPU model, as far as it is measured; the other models of its side share the
/// rest as they do now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MixScenario {
    pub side: Side,
    pub model: String,
    /// Its proportion now.
    pub now: f64,
    /// From 0 to 1.
    pub points: Vec<MixPoint>,
}

/// The ratio with one proportion of a CPU model, which is taken for certain.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MixPoint {
    pub proportion: f64,
    pub ratio: Ratio,
    pub verdict: Verdict,
}

/// Both sides by one measure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    pub measure: Measure,
    /// The statistics of each side. None if the side has no sample, or if times of different cells would be mixed.
    pub statistics: Sides<Option<SummaryStatistics>>,
    /// The environments of each side that have a part in it; 0 of an import in which nothing tells them apart.
    pub environments: Sides<u32>,
    /// The calls of each side that have a part in it.
    pub calls: Sides<u64>,
    /// The blocks in which both sides have values that have a part in it.
    pub blocks: u32,
    /// Where the uncertainty of the ratio comes from, as shares of its variance. None if there is no ratio, or its variance is 0.
    pub sources: Option<Sources>,
    /// The ratio. None if no block has samples of both sides, or if an instruction set was emulated.
    pub ratio: Option<Ratio>,
    /// The ratio as it would be without a census. None if no census has a part in [`Self::ratio`].
    pub without_census: Option<Ratio>,
    pub verdict: Verdict,
    /// If there is no verdict for want of environments: how many of each side would probably give one. None if no number
    /// would, because blocks are missing.
    pub environments_needed: Option<u64>,
}

/// The candidate's mean over the baseline's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ratio {
    pub estimate: f64,
    /// Its 95% interval. None if too few environments or blocks have samples.
    pub interval: Option<Interval>,
    /// The standard error of its logarithm. None if it cannot be told.
    pub log_standard_error: Option<f64>,
    /// The degrees of freedom of that error.
    pub degrees_of_freedom: Option<f64>,
    /// The probability of a ratio as far from 1 if there were no difference, not adjusted for other cells.
    pub p_value: Option<f64>,
}

/// Where values lie, each environment weighing the same in the mean. Milliseconds, or MiB of memory.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SummaryStatistics {
    /// The mean: geometric but for what is billed and for memory, where it is arithmetic.
    pub mean: f64,
    /// Its 95% interval. None if too few environments answered.
    pub interval: Option<Interval>,
    /// The smallest.
    pub min: f64,
    /// The median.
    pub p50: f64,
    /// The 90th percentile.
    pub p90: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

/// One payload or workload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CellAnalysis {
    pub name: String,
    /// What is compared, the measure that decides first.
    pub comparisons: Vec<Comparison>,
    /// The measure that decides, for each pair of CPU models. Empty if both sides have one model.
    pub by_cpu: Vec<CpuComparison>,
    /// The distribution of the measure that decides, by CPU model.
    pub distributions: Sides<Vec<Distribution>>,
    /// The measure that decides in the course of the campaign.
    pub series: Vec<SeriesPoint>,
}

/// One CPU model of the candidate beside one of the baseline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CpuComparison {
    pub models: Sides<String>,
    pub environments: Sides<u32>,
    pub ratio: Ratio,
}

/// The values of one CPU model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Distribution {
    /// The model; empty where unknown.
    pub cpu: String,
    pub environments: u32,
    pub calls: u64,
    /// The percentiles 0, 1, …, 100, in milliseconds.
    pub percentiles: Vec<f64>,
}

/// A stretch of the campaign.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SeriesPoint {
    /// The first of its blocks.
    pub block: u64,
    /// When, in seconds of the campaign's own time. None of an import whose blocks have no times.
    pub elapsed_s: Option<f64>,
    /// Each side's geometric mean in milliseconds.
    pub mean_ms: Sides<Option<f64>>,
    /// The environments that answered.
    pub environments: Sides<u32>,
}

/// Cold starts, all cells together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColdStarts {
    /// How long environments took to start, and how long calls took that waited for that.
    pub comparisons: Vec<Comparison>,
    /// The init durations, in milliseconds: sorted, at most some thousand of each side.
    pub init_ms: Sides<Vec<f64>>,
}

/// The bill.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Money {
    /// The region whose prices these are, their date, and their table, for each side.
    pub prices: Sides<String>,
    /// How many invocations a month the bill is for.
    pub invocations_per_month: f64,
    /// Where that number is from.
    pub volume_source: VolumeSource,
    /// Whether the free tier is taken off.
    pub free_tier: bool,
    /// How many of the invocations start an environment.
    pub cold_share: ColdShare,
    /// A month's bill of each side, all cells alike often, in US dollars.
    pub monthly: Sides<Cost>,
    /// A million invocations of each side, before free tier and higher tiers.
    pub per_million: Sides<Cost>,
    /// By how much of the baseline's monthly bill the candidate's is lower, as a share; below 0 it is higher.
    pub savings: f64,
    /// Its 95% interval.
    pub savings_interval: Option<Interval>,
    /// How many times as long as the baseline the candidate may be billed before it costs as much, at the baseline's
    /// memory. None if there is no such ratio.
    pub break_even: Option<f64>,
    /// Savings by volume: invocations a month, and each side's bill.
    pub by_volume: Vec<(f64, Sides<f64>)>,
}

/// Where the number of invocations of a bill is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VolumeSource {
    /// The user's, or the default.
    Assumed,
    /// The function's own use before it was tried.
    Usage,
}

/// The proportion of invocations that start an environment, which Lambda bills too.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ColdShare {
    /// The proportion, from 0 to 1.
    pub value: f64,
    /// Its 95% interval. None unless it was counted.
    pub interval: Option<Interval>,
    /// The invocations in which it was counted. None unless it was counted.
    pub invocations: Option<u64>,
    /// Where it is from.
    pub source: ColdShareSource,
}

/// Where the proportion of cold starts on a bill is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ColdShareSource {
    /// The user's, or the default.
    Assumed,
    /// Counted in the functions' logs of the days before the campaign.
    Measured,
    /// The function's own use before it was tried.
    Usage,
    /// All calls of the campaign were cold starts.
    Campaign,
    /// The campaign has measured too few cold starts to put any on the bill.
    Unknown,
}

/// What something costs, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    pub requests_usd: f64,
    /// GB-seconds.
    pub compute_usd: f64,
    /// Ephemeral storage above 512 MB.
    pub storage_usd: f64,
    pub total_usd: f64,
    /// The 95% interval of all of it. None if too few environments answered.
    pub interval: Option<Interval>,
}

impl Analysis {
    /// The comparison of a candidate with the baseline; `None` of the baseline itself.
    pub fn comparison_of(&self, candidate: &str) -> Option<&PairAnalysis> {
        self.comparisons.iter().find(|pair| pair.names().candidate == candidate)
    }

    /// The names of the variants that may be ranked: those on which a verdict is given, and then the baseline too.
    pub fn ranked(&self) -> BTreeSet<&str> {
        let judged = self.comparisons.iter().filter(|pair| pair.verdict() != Verdict::Withheld);
        judged.flat_map(|pair| [pair.names().baseline, pair.names().candidate]).collect()
    }

    /// The comparison, if there is only one.
    pub fn only_pair(&self) -> Option<&PairAnalysis> {
        match self.comparisons.as_slice() {
            [pair] => Some(pair),
            _ => None,
        }
    }

    /// The same, if no choice is to be made.
    pub fn pair_without_choice(&self) -> Option<&PairAnalysis> {
        self.only_pair().filter(|_| self.choice.is_none())
    }
}

impl Provenance {
    /// Whether CPU models are known, or at least asked for.
    pub fn may_have_cpus(&self) -> bool {
        self.imported.as_ref().is_none_or(Import::tells_cpu_models)
    }
}

impl PairAnalysis {
    /// The names of both sides.
    pub fn names(&self) -> Sides<&str> {
        self.sides.map(|_, facts| facts.name.as_str())
    }

    /// All comparisons, each with the name of its cell in files.
    pub fn named_comparisons(&self) -> impl Iterator<Item = (&str, &Comparison)> {
        let headline = (ALL_CELLS, self.headline.as_slice());
        let cells = self.cells.iter().map(|cell| (cell.name.as_str(), cell.comparisons.as_slice()));
        let starts = (COLD_STARTS, self.cold_starts.comparisons.as_slice());
        let groups = iter::once(headline).chain(cells).chain([starts]);
        groups.flat_map(|(cell, comparisons)| comparisons.iter().map(move |comparison| (cell, comparison)))
    }

    /// Why not even the times of a side can be used, the gravest reason first.
    pub fn spoiled_by(&self, side: Side) -> impl Iterator<Item = WarningKind> {
        let is_of_side = move |warning: &&Warning| warning.side.is_none_or(|of| of == side);
        self.warnings.iter().filter(is_of_side).map(|warning| warning.kind).filter(|kind| kind.spoils_times())
    }

    /// The verdict on all cells together.
    pub fn verdict(&self) -> Verdict {
        self.headline.as_ref().map_or(Verdict::Withheld, |headline| headline.verdict)
    }

    /// Forgets how many environments a side has and their CPU model, where nothing tells them apart and all were taken for one.
    pub(super) fn forget_unknown_environments(&mut self) {
        for side in Side::BOTH.into_iter().filter(|side| self.sides[*side].environments == 0) {
            let of_cells = self.cells.iter_mut().flat_map(|cell| &mut cell.comparisons);
            of_cells.chain(&mut self.headline).for_each(|comparison| comparison.environments[side] = 0);
            for cell in &mut self.cells {
                cell.series.iter_mut().for_each(|point| point.environments[side] = 0);
                for distribution in &mut cell.distributions[side] {
                    (distribution.cpu, distribution.environments) = (String::new(), 0);
                }
            }
        }
    }

    pub(super) fn cell(&self, name: &str) -> Option<&CellAnalysis> {
        self.cells.iter().find(|cell| cell.name == name)
    }

    /// Whether there is no verdict on the campaign because of a warning. Too few environments or blocks of one cell are no
    /// reason, as long as all cells together have enough.
    pub fn withholds(&self, warning: &Warning) -> bool {
        let is_withheld = self.verdict() == Verdict::Withheld;
        let is_too_few = matches!(warning.kind, WarningKind::TooFewEnvironments | WarningKind::TooFewBlocks);
        warning.kind.withholds() || (is_too_few && is_withheld)
    }
}

impl CellAnalysis {
    pub fn deciding(&self) -> Option<&Comparison> {
        self.comparisons.first()
    }
}

fn as_names<S: Serializer>(sides: &Sides<VariantFacts>, serializer: S) -> Result<S::Ok, S::Error> {
    sides.map(|_, facts| facts.name.as_str()).serialize(serializer)
}
