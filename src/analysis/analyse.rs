//! From samples to what they say.

use super::{
    decision::{MINIMUM_ENVIRONMENTS, Verdict, environments_needed, has_enough_environments, verdicts},
    estimate::{self, Difference, Observation},
    interval::{Bounds, CONFIDENCE, Looks, mean_bounds},
    money::{self, INVOCATIONS_PER_MONTH, Volume},
    result::{
        Analysis, CellAnalysis, Comparison, CpuComparison, CpuShare, Distribution, Interval, Levels, Measure, Method,
        Moment, Money, Provenance, Ratio, SCHEMA, SideFacts, Starts,
    },
    samples::{Block, CellSamples, Record, Samples, SideSamples, observations},
    share::{Share, unseen},
    warning,
};
use crate::{
    campaign::{
        manifest::Manifest,
        sides::{Side, Sides},
    },
    protocol::quantile,
};
use std::collections::BTreeSet;

/// The most points of a series.
const MOMENTS: usize = 120;

/// The most starts that are kept one by one, of each side.
const STARTS: usize = 2000;

/// What the user may choose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Ratios between 1/(1 + margin) and 1 + margin count as equivalent.
    pub margin: f64,
    /// What the bill is for.
    pub volume: Volume,
}

impl Default for Options {
    fn default() -> Self {
        Self { margin: 0.02, volume: Volume { invocations_per_month: INVOCATIONS_PER_MONTH, free_tier: false } }
    }
}

/// Says what the samples of a campaign come to.
pub fn analyse(manifest: &Manifest, samples: &Samples, options: &Options) -> Analysis {
    let subject = Subject::new(manifest, samples, options.margin);
    let warnings = warning::of(manifest, samples);
    let is_withheld = warnings.iter().any(|it| it.kind.withholds());
    let mut analysis = Analysis {
        schema: SCHEMA,
        method: Method {
            confidence: CONFIDENCE,
            margin: options.margin,
            until_ci: manifest.limits.until_ci,
            minimum_environments: MINIMUM_ENVIRONMENTS,
        },
        campaign: provenance(manifest, samples),
        sides: samples.sides.map(|side, it| side_facts(manifest, samples, side, it)),
        warnings,
        headline: subject.headline(),
        cells: subject.cells(),
        starts: subject.starts(),
        money: subject.money(options.volume),
    };
    if is_withheld {
        let comparisons = analysis.cells.iter_mut().flat_map(|it| &mut it.comparisons);
        let comparisons = comparisons.chain(&mut analysis.headline).chain(&mut analysis.starts.comparisons);
        for comparison in comparisons {
            comparison.verdict = Verdict::Withheld;
            comparison.environments_needed = None;
        }
    }
    analysis
}

/// How the sides differ in each cell by the measure that decides, and how often that is looked at.
pub(super) fn deciding_differences(manifest: &Manifest, samples: &Samples) -> (Vec<Option<Difference>>, Looks) {
    let subject = Subject::new(manifest, samples, Options::default().margin);
    let sets = subject.sets_of_cells();
    (subject.differences(&sets, subject.primary, samples.blocks.len()), subject.looks)
}

/// The measure that decides: what the handler measured, where it did; else what Lambda reports; else the client's time.
fn primary(samples: &Samples, is_cold: bool) -> Measure {
    let is_known = |measure: &Measure| {
        let known = |records: &Vec<Record>| records.iter().any(|it| it.value(*measure).is_some());
        let mut cells = samples.cells.values().map(|it| it.deciding(is_cold));
        cells.any(|it| known(&it.baseline) && known(&it.candidate))
    };
    [Measure::Wall, Measure::Duration].into_iter().find(is_known).unwrap_or(Measure::Latency)
}

fn provenance(manifest: &Manifest, samples: &Samples) -> Provenance {
    Provenance {
        version: manifest.version.clone(),
        created_unix_ms: manifest.created_unix_ms,
        elapsed_ms: samples.totals.elapsed_ms,
        seed: manifest.plan.seed,
        cold: manifest.plan.cold,
        environments_per_step: manifest.plan.environments,
        blocks: samples.blocks.len() as u64,
        calls: samples.totals.calls(),
    }
}

fn side_facts(manifest: &Manifest, samples: &Samples, side: Side, it: &SideSamples) -> SideFacts {
    let party = &manifest.sides[side];
    let totals = &samples.totals.sides[side];
    let configuration = party.configuration.as_ref();
    let environments = if it.unknown_environments > 0 { 0 } else { it.environments.len() as u32 };
    let memory = it.environments.iter().zip(0..).map(|(it, number)| (number, f64::from(it.max_memory_mb)));
    let memory = memory.filter(|(_, it)| *it > 0.0).collect();
    SideFacts {
        name: party.name.clone(),
        target: party.target.to_string(),
        architecture: configuration.map(|it| it.architecture).or(it.architecture),
        memory_mb: configuration.map(|it| it.memory_mb).or(it.memory_mb),
        calls: totals.calls,
        cold_calls: totals.cold,
        failures: totals.failures.iter().map(|(kind, count)| (kind.to_string(), *count)).collect(),
        environments,
        cpus: cpus(it),
        unseen: unseen(environments),
        emulated: it.emulated,
        builds: it.builds.iter().cloned().collect(),
        memory: levels(memory, false),
        spent_usd: totals.cost_usd,
    }
}

/// The CPU models of one side, the most frequent first.
pub(super) fn cpus(side: &SideSamples) -> Vec<CpuShare> {
    let known = side.environments.iter().filter(|it| it.cpu.is_some()).count() as u32;
    let share = |(number, model): (usize, &String)| {
        let environments = side.environments.iter().filter(|it| it.cpu == Some(number as u16)).count() as u32;
        CpuShare { model: model.clone(), environments, share: Share::of(environments, known) }
    };
    let mut cpus: Vec<CpuShare> = side.cpu_models.iter().enumerate().map(share).collect();
    cpus.sort_by(|one, other| other.environments.cmp(&one.environments).then_with(|| one.model.cmp(&other.model)));
    cpus
}

/// Records of both sides that are compared with each other: those of one cell, or of several, each with blocks of its
/// own.
type Set<'a> = Sides<Vec<&'a [Record]>>;

/// What is analysed, and how.
struct Subject<'a> {
    manifest: &'a Manifest,
    samples: &'a Samples,
    margin: f64,
    looks: Looks,
    primary: Measure,
}

impl<'a> Subject<'a> {
    fn new(manifest: &'a Manifest, samples: &'a Samples, margin: f64) -> Self {
        let looks = manifest.limits.until_ci.map_or(Looks::Once, |target| Looks::EveryBlock(target.ln_1p()));
        Self { manifest, samples, margin, looks, primary: primary(samples, manifest.plan.cold) }
    }

    fn is_cold(&self) -> bool {
        self.manifest.plan.cold
    }

    fn is_emulated(&self) -> bool {
        self.samples.sides.iter().any(|(_, it)| it.emulated)
    }

    /// The cells in the order of the plan.
    fn samples_of_cells(&self) -> impl Iterator<Item = (&'a String, &'a CellSamples)> {
        let cells = self.manifest.plan.cells.iter();
        cells.filter_map(|it| self.samples.cells.get_key_value(&it.name))
    }

    /// The comparisons of many sets of records by one measure, with verdicts that hold for all of them together.
    fn compare(&self, sets: &[Set<'_>], measure: Measure, blocks: usize) -> Vec<Comparison> {
        let differences = self.differences(sets, measure, blocks);
        let verdicts = verdicts(&differences, self.margin, self.looks);
        let comparison = |((set, difference), verdict): ((&Set<'_>, &Option<Difference>), Verdict)| {
            let known = |it: &Vec<&[Record]>| {
                let values = it.iter().copied().flatten().filter_map(|it| Some((it.environment, it.value(measure)?)));
                values.collect::<Vec<_>>()
            };
            let is_open = matches!(verdict, Verdict::Inconclusive | Verdict::Withheld);
            let mut comparison = Comparison {
                measure,
                levels: Sides::default(),
                environments: Sides::default(),
                calls: Sides::default(),
                ratio: difference.as_ref().map(|it| self.ratio(it)),
                verdict,
                environments_needed: difference
                    .filter(|_| is_open)
                    .map(|it| environments_needed(&it, self.margin, self.looks)),
            };
            for side in Side::BOTH {
                let values = known(&set[side]);
                comparison.calls[side] = values.len() as u64;
                comparison.environments[side] = count_environments(values.iter().map(|it| it.0));
                // Times of different cells have no level in common.
                if set[side].len() == 1 && !self.samples.sides[side].emulated {
                    comparison.levels[side] = levels(values, measure != Measure::Billed);
                }
            }
            comparison
        };
        sets.iter().zip(&differences).zip(verdicts).map(comparison).collect()
    }

    /// How the sides differ in each set of records; none where times mean nothing.
    fn differences(&self, sets: &[Set<'_>], measure: Measure, blocks: usize) -> Vec<Option<Difference>> {
        let difference = |set: &Set<'_>| {
            let values = set.map(|_, it| observations(it, measure, blocks));
            match measure {
                Measure::Billed => estimate::log_ratio_of_means(&values),
                _ => estimate::difference(&values),
            }
        };
        match self.is_emulated() {
            true => vec![None; sets.len()],
            false => sets.iter().map(difference).collect(),
        }
    }

    fn ratio(&self, difference: &Difference) -> Ratio {
        let may_have_interval = has_enough_environments(difference);
        let bounds = difference.bounds(CONFIDENCE, self.looks);
        Ratio {
            estimate: difference.estimate.exp(),
            interval: may_have_interval.then(|| exponential(bounds)),
            log_standard_error: Some(difference.standard_error),
            degrees_of_freedom: Some(difference.degrees_of_freedom),
            p_value: may_have_interval.then(|| difference.p_value(0.0, self.looks)),
        }
    }

    /// All cells together.
    fn headline(&self) -> Option<Comparison> {
        let set = self.set_of_all(|it| it.deciding(self.is_cold()));
        let has_samples = |it: &Vec<&[Record]>| it.iter().any(|it| !it.is_empty());
        if set.iter().any(|(_, it)| !has_samples(it)) {
            return None;
        }
        self.compare(&[set], self.primary, self.samples.blocks.len()).pop()
    }

    fn sets_of_cells(&self) -> Vec<Set<'a>> {
        let cells = self.samples_of_cells();
        cells.map(|(_, it)| it.deciding(self.is_cold()).map(|_, it| vec![it.as_slice()])).collect()
    }

    fn set_of_all(&self, pick: impl Fn(&'a CellSamples) -> &'a Sides<Vec<Record>>) -> Set<'a> {
        let records: Vec<_> = self.samples_of_cells().map(|(_, it)| pick(it)).collect();
        Sides::<()>::default().map(|side, ()| records.iter().map(|it| it[side].as_slice()).collect())
    }

    fn cells(&self) -> Vec<CellAnalysis> {
        let cells: Vec<_> = self.samples_of_cells().collect();
        let sets: Vec<_> = cells.iter().map(|(_, it)| it.deciding(self.is_cold()).map(|_, it| it.as_slice())).collect();
        let rest = Measure::ALL.into_iter().filter(|it| *it != self.primary && *it != Measure::Init);
        let compared = self.sets_of_cells();
        let blocks = self.samples.blocks.len();
        let mut by_measure: Vec<_> = std::iter::once(self.primary)
            .chain(rest)
            .map(|measure| self.compare(&compared, measure, blocks).into_iter())
            .collect();
        let mut analyses = Vec::new();
        for ((name, _), records) in cells.into_iter().zip(&sets) {
            let comparisons = by_measure.iter_mut().filter_map(Iterator::next);
            let is_known = |it: &Comparison| it.calls.iter().any(|(_, calls)| *calls > 0);
            analyses.push(CellAnalysis {
                name: name.clone(),
                comparisons: comparisons.filter(is_known).collect(),
                by_cpu: self.by_cpu(records),
                distributions: records.map(|side, it| self.distributions(side, it)),
                series: self.series(records),
            });
        }
        analyses
    }

    /// The records of one side by the CPU model that they were measured on, without those of which none is known.
    fn by_model(&self, side: Side, records: &[Record]) -> Vec<(&'a str, Vec<Record>)> {
        let facts = &self.samples.sides[side];
        let of_model = |(number, model): (usize, &'a String)| {
            let is_of_model = |it: &&Record| facts.environments[it.environment as usize].cpu == Some(number as u16);
            (model.as_str(), records.iter().filter(is_of_model).copied().collect::<Vec<_>>())
        };
        let models = facts.cpu_models.iter().enumerate().map(of_model);
        models.filter(|(_, records)| !records.is_empty()).collect()
    }

    fn by_cpu(&self, records: &Sides<&[Record]>) -> Vec<CpuComparison> {
        let models = records.map(|side, it| self.by_model(side, it));
        if self.is_emulated() || models.iter().all(|(_, it)| it.len() < 2) {
            return Vec::new();
        }
        let pairs = models.baseline.iter().flat_map(|one| models.candidate.iter().map(move |other| (one, other)));
        let comparison = |((one, baseline), (other, candidate)): (&(&str, Vec<Record>), &(&str, Vec<Record>))| {
            let values =
                Sides { baseline, candidate }.map(|_, it| observations(&[it], self.primary, self.samples.blocks.len()));
            let difference = estimate::difference(&values)?;
            Some(CpuComparison {
                models: Sides { baseline: (*one).to_owned(), candidate: (*other).to_owned() },
                environments: difference.environments,
                ratio: self.ratio(&difference),
            })
        };
        pairs.filter_map(|(one, other)| comparison((one, other))).collect()
    }

    fn distributions(&self, side: Side, records: &[Record]) -> Vec<Distribution> {
        if self.samples.sides[side].emulated {
            return Vec::new();
        }
        let mut groups = self.by_model(side, records);
        if groups.is_empty() && !records.is_empty() {
            groups.push(("", records.to_vec()));
        }
        let distribution = |(cpu, records): (&str, Vec<Record>)| {
            let mut values: Vec<f64> = records.iter().filter_map(|it| it.value(self.primary)).collect();
            values.sort_unstable_by(f64::total_cmp);
            if values.is_empty() {
                return None;
            }
            let percentiles = (0..=100).map(|it| quantile(&values, f64::from(it) / 100.0)).collect();
            Some(Distribution {
                cpu: cpu.to_owned(),
                environments: count_environments(records.iter().map(|it| it.environment)),
                calls: values.len() as u64,
                percentiles,
            })
        };
        groups.into_iter().filter_map(distribution).collect()
    }

    /// The campaign in stretches of as many blocks each as make a series that can be drawn.
    fn series(&self, records: &Sides<&[Record]>) -> Vec<Moment> {
        let blocks = &self.samples.blocks;
        let length = blocks.len().div_ceil(MOMENTS).max(1);
        let stretches = blocks.len().div_ceil(length);
        let stretched = records.map(|side, records| {
            let mut stretches = vec![(0.0, 0_u32, BTreeSet::new()); stretches];
            for record in records.iter().filter(|_| !self.samples.sides[side].emulated) {
                let Some(value) = record.value(self.primary) else { continue };
                let (sum, count, environments) = &mut stretches[record.block as usize / length];
                *sum += value.ln();
                *count += 1;
                environments.insert(record.environment);
            }
            stretches
        });
        let moment = |(stretch, block): (usize, &Block)| Moment {
            block: block.number,
            elapsed_s: block.elapsed_ms as f64 / 1e3,
            mean_ms: stretched.map(|_, it| {
                let (sum, count, _) = &it[stretch];
                (*count > 0).then(|| f64::exp(sum / f64::from(*count)))
            }),
            environments: stretched.map(|_, it| it[stretch].2.len() as u32),
        };
        let moments = blocks.iter().step_by(length).enumerate().map(moment);
        moments.filter(|it| it.environments.iter().any(|(_, it)| *it > 0)).collect()
    }

    fn starts(&self) -> Starts {
        let set = [self.set_of_all(|it| &it.cold)];
        let blocks = self.samples.blocks.len();
        let compared = [Measure::Init, Measure::Latency, Measure::Billed].into_iter().flat_map(|measure| {
            // In a warm campaign starts come where environments happen to be missing, mostly in its first block. They
            // are one block then, or one for each cell where the payload has a part in the time.
            let blocks = match measure {
                _ if self.is_cold() => blocks,
                Measure::Init => 0,
                _ => 1,
            };
            self.compare(&set, measure, blocks)
        });
        let mut comparisons: Vec<_> = compared.filter(|it| it.calls.iter().any(|(_, calls)| *calls > 0)).collect();
        for comparison in comparisons.iter_mut().filter(|it| it.measure == Measure::Init) {
            // Starts of different cells are the same thing.
            comparison.levels = self.of_both(|side| {
                let records = set[0][side].iter().copied().flatten();
                levels(records.filter_map(|it| Some((it.environment, it.value(Measure::Init)?))).collect(), true)
            });
        }
        let init_ms = self.of_both(|side| {
            let records = set[0][side].iter().copied().flatten();
            let times: Vec<f64> = records.filter_map(|it| it.value(Measure::Init)).collect();
            let step = times.len().div_ceil(STARTS).max(1);
            let mut times: Vec<f64> = times.into_iter().step_by(step).collect();
            times.sort_unstable_by(f64::total_cmp);
            Some(times)
        });
        Starts { comparisons, init_ms: init_ms.map(|_, it| it.clone().unwrap_or_default()) }
    }

    /// The bill, of the calls that decide.
    fn money(&self, volume: Volume) -> Option<Money> {
        if self.is_emulated() {
            return None;
        }
        let set = self.set_of_all(|it| it.deciding(self.is_cold()));
        let values = |cells: &[&[Record]]| observations(cells, Measure::Billed, self.samples.blocks.len());
        let relative = set.map(|_, cells| {
            let of_cell = |cell: &&[Record]| {
                let values = values(&[cell]);
                let mean = values.iter().map(|it| it.value).sum::<f64>() / values.len() as f64;
                // A cell that costs nothing adds nothing.
                let mean = if mean > 0.0 { mean } else { 1.0 };
                values.into_iter().map(|it| Observation { value: it.value / mean, ..it }).collect::<Vec<_>>()
            };
            cells.iter().flat_map(of_cell).collect::<Vec<_>>()
        });
        money::money(self.manifest, &set.map(|_, it| values(it)), &relative, self.looks, volume)
    }

    /// The same of each side whose times mean something.
    fn of_both<T>(&self, make: impl Fn(Side) -> Option<T>) -> Sides<Option<T>> {
        self.samples.sides.map(|side, it| if it.emulated { None } else { make(side) })
    }
}

/// How many environments these values are of.
fn count_environments(environments: impl Iterator<Item = u32>) -> u32 {
    environments.collect::<BTreeSet<_>>().len() as u32
}

fn exponential(Bounds { low, high }: Bounds) -> Interval {
    // Where next to nothing is known an end may be beyond all numbers; the largest one says as much.
    Interval { low: low.exp(), high: high.exp().min(f64::MAX) }
}

/// The levels of values, each with its environment; none of no values.
fn levels(mut values: Vec<(u32, f64)>, is_geometric: bool) -> Option<Levels> {
    values.sort_unstable_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let on_scale = |value: f64| if is_geometric { value.ln() } else { value };
    let off_scale = |value: f64| if is_geometric { value.exp().min(f64::MAX) } else { value };
    let of_environment = values.chunk_by(|one, other| one.0 == other.0);
    let means: Vec<f64> =
        of_environment.map(|it| it.iter().map(|it| on_scale(it.1)).sum::<f64>() / it.len() as f64).collect();
    let mean = means.iter().sum::<f64>() / means.len() as f64;
    let bounds = mean_bounds(&means, CONFIDENCE).filter(|_| means.len() >= MINIMUM_ENVIRONMENTS as usize);
    let mut sorted: Vec<f64> = values.into_iter().map(|it| it.1).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    if sorted.is_empty() {
        return None;
    }
    let at = |share| quantile(&sorted, share);
    Some(Levels {
        mean: off_scale(mean),
        interval: bounds.map(|Bounds { low, high }| Interval { low: off_scale(low), high: off_scale(high) }),
        min: at(0.0),
        p50: at(0.5),
        p90: at(0.9),
        p95: at(0.95),
        p99: at(0.99),
        max: at(1.0),
    })
}
