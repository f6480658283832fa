//! What a campaign says about the bill.

use super::{
    bill::{Bill, FreeTier, Usage, break_even_slowdown, saving},
    compare_sets::Analyzer,
    estimate::{self, Clusters, Difference, Groups, Model, Observation},
    interval::{Bounds, CONFIDENCE, normal_quantile},
    measures::Measure,
    proportion::Proportion,
    result::{ColdShare, ColdShareSource, Cost, Interval, Money},
    samples::{CallSample, observations},
    summary_statistics::ValuesByEnvironment,
    verdict::{MINIMUM_BLOCKS, has_enough},
};
use crate::campaign::{
    insights::Counts,
    prices::Price,
    sides::{Side, Sides},
};

/// The invocations a month that a bill is for, unless the user says otherwise.
pub const INVOCATIONS_PER_MONTH: f64 = 1e6;

/// The volumes for which savings are told: 10⁵ to 10¹⁰ invocations a month, four for each power of ten.
const VOLUMES: std::ops::RangeInclusive<i32> = 20..=40;

/// The proportion of cold starts that a bill assumes, unless the user says otherwise: about as many as AWS reports of
/// functions in production.
pub const COLD_SHARE: f64 = 0.01;

/// How many invocations start an environment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ColdStartProportion {
    /// This proportion, which the user assumes.
    Assumed(f64),
    Counted(Counts),
}

impl ColdStartProportion {
    fn value(self) -> f64 {
        match self {
            Self::Assumed(proportion) => proportion,
            Self::Counted(Counts { invocations, cold_starts }) => cold_starts as f64 / invocations.max(1) as f64,
        }
    }

    /// The variance of the proportion; 0 if it is assumed.
    fn variance(self) -> f64 {
        match self {
            Self::Assumed(_) => 0.0,
            Self::Counted(counts) => self.value() * (1.0 - self.value()) / counts.invocations.max(1) as f64,
        }
    }

    fn share(self) -> ColdShare {
        let value = self.value();
        match self {
            Self::Assumed(_) => {
                ColdShare { value, interval: None, invocations: None, source: ColdShareSource::Assumed }
            }
            Self::Counted(Counts { invocations, cold_starts }) => {
                let Proportion { low, high, .. } = Proportion::new(cold_starts, invocations);
                ColdShare {
                    value,
                    interval: Some(Interval { low, high }),
                    invocations: Some(invocations),
                    source: ColdShareSource::Measured,
                }
            }
        }
    }
}

/// What the user may choose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BillOptions {
    /// How many invocations a month the bill is for.
    pub invocations_per_month: f64,
    /// How many of them start an environment.
    pub cold_starts: ColdStartProportion,
    /// Whether the free tier is taken off.
    pub free_tier: bool,
}

impl Default for BillOptions {
    fn default() -> Self {
        Self {
            invocations_per_month: INVOCATIONS_PER_MONTH,
            cold_starts: ColdStartProportion::Assumed(COLD_SHARE),
            free_tier: false,
        }
    }
}

/// What adds to the time that an invocation is billed for: what every one takes, or what starting an environment takes
/// besides.
struct TimeComponent {
    /// The proportion of a month's invocations that have it.
    share: f64,
    model: Model,
    /// Its times in milliseconds, each with its environment and block.
    values: Sides<Vec<Observation>>,
    /// The means of both sides.
    means: Sides<f64>,
    /// The half-widths of their intervals. None if too few environments answered.
    half_widths: Sides<Option<f64>>,
}

impl TimeComponent {
    /// The billed durations of the calls that decide.
    fn from_calls(analyzer: &Analyzer<'_>) -> Option<Self> {
        let set = analyzer.set_of_all(|cell| cell.deciding(analyzer.is_cold()));
        let values = set.map(|_, cells| observations(cells, Measure::Billed));
        let means = estimate::means(&values, Groups::CellsAndBlocks)?;
        let half_widths = set.map(|side, cells| Some(relative_half_width(cells)? * means[side]));
        Some(Self { share: 1.0, model: analyzer.model(Groups::CellsAndBlocks), values, means, half_widths })
    }

    /// By how much longer calls are billed that started an environment than those that met one. None if too few starts
    /// were measured to tell how uncertain that is.
    fn from_starts(analyzer: &Analyzer<'_>, share: f64) -> Option<Self> {
        let (starts, calls) = (analyzer.set_of_all(|cell| &cell.cold), analyzer.set_of_all(|cell| &cell.warm));
        let values = starts.map(|side, starts| {
            // Which cell met the start is chance, so each is compared with its own cell's calls.
            let cells = starts.iter().zip(&calls[side]);
            cells.filter_map(|(starts, calls)| excesses(starts, calls)).flatten().collect::<Vec<_>>()
        });
        let model = analyzer.model(Groups::One);
        // Of starts in a few blocks nothing tells what has disturbed them.
        let model = match estimate::difference(&values, model)?.blocks {
            MINIMUM_BLOCKS.. => model,
            _ => Model { clusters: Clusters::Environments, ..model },
        };
        let means = estimate::means(&values, Groups::One)?;
        let half_widths = values.map(|_, values| half_width(values));
        Some(Self { share, model, values, means, half_widths })
    }

    /// The difference of what this part adds to both sides' means, each in units of the side's `whole` mean.
    fn difference(&self, whole: Sides<f64>) -> Option<Difference> {
        let values = self.values.map(|side, values| {
            let unit = self.share / whole[side];
            values.iter().map(|call| Observation { value: call.value * unit, ..*call }).collect::<Vec<_>>()
        });
        estimate::difference(&values, self.model)
    }
}

/// How much longer each start is billed than the mean of other calls of its cell. None if there are no other calls.
fn excesses(starts: &[CallSample], calls: &[CallSample]) -> Option<Vec<Observation>> {
    let usual = mean(&observations(&[calls], Measure::Billed))?;
    let starts = observations(&[starts], Measure::Billed).into_iter();
    Some(starts.map(|start| Observation { value: start.value - usual, ..start }).collect())
}

/// The half-width of the interval of the billed durations, each in units of its cell's mean: cells may take times of
/// different orders, and so have an interval in common.
fn relative_half_width(cells: &[&[CallSample]]) -> Option<f64> {
    let relative: Vec<Observation> = cells.iter().flat_map(|cell| in_units_of_mean(cell)).collect();
    half_width(&relative)
}

fn in_units_of_mean(cell: &[CallSample]) -> Vec<Observation> {
    let values = observations(&[cell], Measure::Billed);
    // A cell that costs nothing adds nothing.
    let mean = mean(&values).filter(|mean| *mean > 0.0).unwrap_or(1.0);
    values.into_iter().map(|call| Observation { value: call.value / mean, ..call }).collect()
}

fn mean(values: &[Observation]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().map(|it| it.value).sum::<f64>() / values.len() as f64)
}

/// The half-width of the interval of their mean. None if there are fewer than two environments.
fn half_width(values: &[Observation]) -> Option<f64> {
    let values = values.iter().map(|observation| (observation.environment, observation.value));
    ValuesByEnvironment::new(values, false).bounds().map(Bounds::half_width)
}

/// What an invocation of a month is billed for.
struct Billed {
    parts: Vec<TimeComponent>,
    cold_share: ColdShare,
    /// The variance of that proportion; 0 unless it was counted.
    share_variance: f64,
    /// The means of both sides in milliseconds, cells weighted as in the fit.
    means: Sides<f64>,
}

impl Billed {
    /// None if a side has no billed duration.
    fn new(analyzer: &Analyzer<'_>, cold_starts: ColdStartProportion) -> Option<Self> {
        let mut parts = vec![TimeComponent::from_calls(analyzer)?];
        let known = |value, source| ColdShare { value, interval: None, invocations: None, source };
        let cold_share = match TimeComponent::from_starts(analyzer, cold_starts.value()) {
            _ if analyzer.is_cold() => known(1.0, ColdShareSource::Campaign),
            None => known(0.0, ColdShareSource::Unknown),
            Some(starts) => {
                parts.extend(Some(starts).filter(|_| cold_starts.value() > 0.0));
                cold_starts.share()
            }
        };
        let share_variance = if parts.len() > 1 { cold_starts.variance() } else { 0.0 };
        let mean = |side: Side| parts.iter().map(|part| part.share * part.means[side]).sum();
        let means = Sides { baseline: mean(Side::Baseline), candidate: mean(Side::Candidate) };
        Some(Self { parts, cold_share, share_variance, means })
    }

    /// How much longer a start is billed than another call of a side, in milliseconds; 0 if starts are left out.
    fn start_ms(&self, side: Side) -> f64 {
        self.parts.get(1).map_or(0.0, |starts| starts.means[side])
    }

    /// The logarithm of the candidate's mean over the baseline's. To first order it moves as the means of the parts do
    /// in units of the whole (the delta method), and calls and starts move independently.
    fn log_ratio(&self) -> Option<Difference> {
        let whole = self.means;
        if whole.baseline <= 0.0 || whole.candidate <= 0.0 {
            return None;
        }
        let differences: Option<Vec<Difference>> = self.parts.iter().map(|part| part.difference(whole)).collect();
        let differences = differences?;
        let variances = differences.iter().map(|part| (part.standard_error.powi(2), part.degrees_of_freedom));
        let mut parts: Vec<(f64, f64)> = variances.collect();
        if let Some(invocations) = self.cold_share.invocations {
            // Both sides have the same proportion, so that its error counts as far as their starts differ.
            let slope =
                self.start_ms(Side::Candidate) / whole.candidate - self.start_ms(Side::Baseline) / whole.baseline;
            parts.push((slope.powi(2) * self.share_variance, invocations as f64));
        }
        let (standard_error, degrees_of_freedom) = estimate::welch(&parts);
        let estimate = (whole.candidate / whole.baseline).ln();
        Some(Difference { estimate, standard_error, degrees_of_freedom, ..differences[0] })
    }

    /// The interval of a side's mean in milliseconds.
    fn interval(&self, side: Side) -> Option<Interval> {
        let squares: Option<Vec<f64>> =
            self.parts.iter().map(|part| Some((part.share * part.half_widths[side]?).powi(2))).collect();
        let of_share = (normal_quantile() * self.start_ms(side)).powi(2) * self.share_variance;
        let (mean, half) = (self.means[side], (squares?.iter().sum::<f64>() + of_share).sqrt());
        Some(Interval { low: (mean - half).max(0.0), high: mean + half })
    }
}

/// How a side is charged.
struct Tariff<'a> {
    price: &'a Price,
    memory_mb: u32,
    ephemeral_mb: u32,
}

impl Tariff<'_> {
    fn usage(&self, billed_ms: f64, invocations_per_month: f64) -> Usage {
        Usage { invocations_per_month, billed_ms, memory_mb: self.memory_mb, ephemeral_mb: self.ephemeral_mb }
    }

    fn bill(&self, billed_ms: f64, invocations_per_month: f64, free: FreeTier) -> Bill {
        Bill::new(self.price, &self.usage(billed_ms, invocations_per_month), free)
    }

    /// What a month costs at a mean billed duration, with the interval that follows from that of the mean.
    fn cost(&self, mean_ms: f64, interval_ms: Option<Interval>, invocations_per_month: f64, free: FreeTier) -> Cost {
        let bill = |billed_ms: f64| self.bill(billed_ms, invocations_per_month, free);
        let total = |billed_ms: f64| bill(billed_ms).total();
        let Bill { requests_usd, compute_usd, storage_usd } = bill(mean_ms);
        let interval = interval_ms.map(|Interval { low, high }| Interval { low: total(low), high: total(high) });
        Cost { requests_usd, compute_usd, storage_usd, total_usd: total(mean_ms), interval }
    }
}

impl Analyzer<'_> {
    /// The memory size that Lambda bills, in MiB: the one that most of its reports have, else that of the configuration.
    fn billed_memory_mb(&self, side: Side) -> u32 {
        let reported = &self.samples.sides[side].quality.memory_mb;
        let most = reported.iter().max_by_key(|(_, reports)| **reports).map(|(memory_mb, _)| *memory_mb);
        most.unwrap_or_else(|| self.manifest.sides[side].memory_mb())
    }

    /// How each side is charged. None if a side has no price.
    fn tariffs(&self) -> Option<Sides<Tariff<'_>>> {
        let tariff = |side: Side| {
            Some(Tariff {
                price: self.manifest.sides[side].price.as_ref()?,
                memory_mb: self.billed_memory_mb(side),
                ephemeral_mb: self.manifest.sides[side].ephemeral_mb(),
            })
        };
        Some(Sides { baseline: tariff(Side::Baseline)?, candidate: tariff(Side::Candidate)? })
    }

    /// The bill of both sides. None if a side has no price or no billed duration.
    pub(super) fn money(&self, options: BillOptions) -> Option<Money> {
        let tariffs = self.tariffs()?;
        if self.is_emulated() {
            return None;
        }
        let billed = Billed::new(self, options.cold_starts)?;
        let difference = billed.log_ratio().filter(has_enough);
        let intervals = billed.means.map(|side, _| difference.as_ref().and_then(|_| billed.interval(side)));
        let invocations_per_month = options.invocations_per_month;
        let free = if options.free_tier { FreeTier::LAMBDA } else { FreeTier::NONE };
        let cost = |invocations: f64, free: FreeTier| {
            billed.means.map(|side, mean| tariffs[side].cost(*mean, intervals[side], invocations, free))
        };
        let monthly = cost(invocations_per_month, free);
        // The baseline as it is, the candidate as the ratio of billed durations has it.
        let savings_at = |log_ratio: f64| {
            let candidate_ms = billed.means.baseline * log_ratio.exp();
            let candidate = tariffs.candidate.bill(candidate_ms, invocations_per_month, free);
            saving(monthly.baseline.total_usd, candidate.total()).unwrap_or_default()
        };
        let bounds = difference.map(|it| it.bounds(CONFIDENCE, self.looks));
        let by_volume = VOLUMES.map(|quarter| {
            let invocations = 10_f64.powf(f64::from(quarter) / 4.0);
            (invocations, billed.means.map(|side, mean| tariffs[side].bill(*mean, invocations, free).total()))
        });
        let baseline = tariffs.baseline.usage(billed.means.baseline, invocations_per_month);
        Some(Money {
            prices: tariffs.map(|_, tariff| format!("{}, {}", tariff.price.region, tariff.price.date)),
            invocations_per_month,
            free_tier: options.free_tier,
            cold_share: billed.cold_share,
            monthly,
            per_million: cost(1e6, FreeTier::NONE),
            savings: saving(monthly.baseline.total_usd, monthly.candidate.total_usd).unwrap_or_default(),
            savings_interval: bounds
                .map(|Bounds { low, high }| Interval { low: savings_at(high), high: savings_at(low) }),
            break_even: break_even_slowdown(tariffs.baseline.price, tariffs.candidate.price, &baseline, free),
            by_volume: by_volume.collect(),
        })
    }
}
