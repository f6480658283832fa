//! The bill of a month, from the billed durations of a campaign.

use super::{
    bill::{Bill, FreeTier, Usage, break_even_slowdown, saving},
    call_sample::{CallSample, observations},
    compare_sets::Analyzer,
    estimate::{self, Clusters, CpuMix, Difference, Fit, Groups, Model, Observation},
    interval::{CONFIDENCE, Interval, normal_quantile},
    measures::Measure,
    proportion::Proportion,
    result::{ColdShare, ColdShareSource, Cost, Money, VolumeSource},
    summary_statistics::ValuesByEnvironment,
    verdict::{MINIMUM_BLOCKS, has_enough},
};
use crate::analysis::sides::{Side, Sides};
use crate::campaign::{insights::Counts, prices::Price};

/// The invocations a month that a bill is for, unless the user says otherwise.
pub const INVOCATIONS_PER_MONTH: f64 = 1e6;

/// The volumes for which savings are told: 10⁵ to 10¹⁰ invocations a month, four for each power of ten.
const VOLUMES: std::ops::RangeInclusive<i32> = 20..=40;

/// The proportion of cold starts that a bill assumes, unless the user says otherwise: about as many as AWS reports of
/// functions in production.
pub const COLD_SHARE: f64 = 0.01;

/// The proportion of invocations that start an environment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ColdStartProportion {
    /// This proportion, which the user assumes.
    Assumed(f64),
    /// What the logs have; there is at least one invocation.
    Counted(Counts),
    /// That of the function which is tried.
    OfFunction(f64),
}

impl ColdShare {
    fn new(cold_starts: ColdStartProportion) -> Self {
        match cold_starts {
            ColdStartProportion::Assumed(proportion) => Self::uncounted(proportion, ColdShareSource::Assumed),
            ColdStartProportion::OfFunction(proportion) => Self::uncounted(proportion, ColdShareSource::Usage),
            ColdStartProportion::Counted(Counts { invocations, cold_starts }) => {
                let Proportion { estimate, low, high } = Proportion::new(cold_starts, invocations);
                Self {
                    value: estimate,
                    interval: Some(Interval { low, high }),
                    invocations: Some(invocations),
                    source: ColdShareSource::Measured,
                }
            }
        }
    }

    fn uncounted(value: f64, source: ColdShareSource) -> Self {
        Self { value, interval: None, invocations: None, source }
    }

    /// The variance of the proportion; 0 unless it was counted.
    fn variance(&self) -> f64 {
        self.invocations.map_or(0.0, |invocations| self.value * (1.0 - self.value) / invocations as f64)
    }
}

/// The user's options for the bill.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BillOptions {
    /// How many invocations a month the bill is for.
    pub invocations_per_month: f64,
    /// Where that number is from.
    pub volume_source: VolumeSource,
    /// How many of them start an environment.
    pub cold_starts: ColdStartProportion,
    /// Whether the free tier is taken off.
    pub free_tier: bool,
}

impl Default for BillOptions {
    fn default() -> Self {
        Self {
            invocations_per_month: INVOCATIONS_PER_MONTH,
            volume_source: VolumeSource::Assumed,
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
    /// The means of both sides in milliseconds.
    means: Sides<f64>,
    /// The half-widths of their intervals. None if too few environments answered.
    half_widths: Sides<Option<f64>>,
}

impl TimeComponent {
    /// The billed durations of the calls that decide, and their fit.
    fn from_calls<'a>(analyzer: &'a Analyzer<'_>) -> Option<(Self, Fit<'a>)> {
        let set = analyzer.set_of_all(|calls| calls.deciding(analyzer.pair.is_cold()));
        let model = analyzer.model(Groups::CellsAndBlocks);
        let times = model.fit(&set.map(|_, cells| observations(cells, Measure::Billed)))?;
        let means = times.means_of_fleets();
        let half_widths = set.map(|side, cells| {
            let of_cells = cells.iter().flat_map(|cell| in_units_of_mean(cell));
            Some(half_width(of_cells, analyzer.mix(side))? * means[side])
        });
        Some((Self { share: 1.0, means, half_widths }, times))
    }

    /// By how much longer calls are billed that started an environment than those that met one, and the fit of that. None if too
    /// few starts were measured to tell how uncertain it is.
    fn from_starts<'a>(analyzer: &'a Analyzer<'_>, share: f64) -> Option<(Self, Fit<'a>)> {
        let (starts, calls) = (analyzer.set_of_all(|calls| calls.cold), analyzer.set_of_all(|calls| calls.warm));
        let values = starts.map(|side, starts| {
            // Which cell met the start is chance, so each is compared with its own cell's calls.
            let cells = starts.iter().zip(&calls[side]);
            cells.filter_map(|(starts, calls)| excesses(starts, calls)).flatten().collect::<Vec<_>>()
        });
        let model = analyzer.model(Groups::One);
        let times = model.fit(&values)?;
        // Of starts in a few blocks nothing tells what has disturbed them.
        let times = match times.difference()?.blocks {
            MINIMUM_BLOCKS.. => times,
            _ => Model { clusters: Clusters::Environments, ..model }.fit(&values)?,
        };
        let means = times.means_of_fleets();
        let half_widths = values.map(|side, values| half_width(values.iter().copied(), analyzer.mix(side)));
        Some((Self { share, means, half_widths }, times))
    }

    /// The difference of what this part adds to both sides' means, each in units of the side's `whole` mean.
    fn difference(&self, times: Fit<'_>, whole: Sides<f64>) -> Option<Difference> {
        times.in_units_of(whole.map(|_, whole| whole / self.share))?.difference()
    }
}

/// How much longer each start is billed than the mean of other calls of its cell. None if there are no other calls.
fn excesses(starts: &[CallSample], calls: &[CallSample]) -> Option<Vec<Observation>> {
    let calls = observations(&[calls], Measure::Billed);
    let usual = estimate::mean(&calls);
    let starts = observations(&[starts], Measure::Billed).into_iter();
    (!calls.is_empty()).then(|| starts.map(|start| Observation { value: start.value - usual, ..start }).collect())
}

/// The billed durations of a cell in units of their mean: cells may take times of different orders, and so have an interval
/// in common.
fn in_units_of_mean(cell: &[CallSample]) -> Vec<Observation> {
    let values = observations(&[cell], Measure::Billed);
    // A cell that costs nothing adds nothing.
    let unit = match estimate::mean(&values) {
        mean if mean > 0.0 => mean,
        _ => 1.0,
    };
    values.into_iter().map(|call| Observation { value: call.value / unit, ..call }).collect()
}

/// The half-width of the interval of their mean. None if there are fewer than two environments.
fn half_width(values: impl IntoIterator<Item = Observation>, mix: Option<&CpuMix>) -> Option<f64> {
    let values = values.into_iter().map(|observation| (observation.environment, observation.value));
    ValuesByEnvironment::new(values, false).mean(mix).1.map(Interval::half_width)
}

/// The billed time of an invocation in the month.
struct Billed {
    parts: Vec<TimeComponent>,
    cold_share: ColdShare,
    /// The means of both sides in milliseconds, cells weighted as in the fit.
    means: Sides<f64>,
    /// The logarithm of the candidate's mean over the baseline's. None if nothing tells how uncertain it is.
    log_ratio: Option<Difference>,
}

impl Billed {
    /// None if a side has no billed duration.
    fn new(analyzer: &Analyzer<'_>, cold_starts: ColdStartProportion) -> Option<Self> {
        let mut parts = vec![TimeComponent::from_calls(analyzer)?];
        let cold_share = ColdShare::new(cold_starts);
        let is_cold = analyzer.pair.is_cold();
        let starts = if is_cold { None } else { TimeComponent::from_starts(analyzer, cold_share.value) };
        let cold_share = match starts {
            _ if is_cold => ColdShare::uncounted(1.0, ColdShareSource::Campaign),
            None => ColdShare::uncounted(0.0, ColdShareSource::Unknown),
            Some(_) => cold_share,
        };
        parts.extend(starts.filter(|(starts, _)| starts.share > 0.0));
        let (parts, times): (Vec<TimeComponent>, Vec<Fit<'_>>) = parts.into_iter().unzip();
        let mean = |side: Side| parts.iter().map(|part| part.share * part.means[side]).sum();
        let means = Sides { baseline: mean(Side::Baseline), candidate: mean(Side::Candidate) };
        let mut billed = Self { parts, cold_share, means, log_ratio: None };
        billed.log_ratio = billed.estimated_log_ratio(times);
        Some(billed)
    }

    /// How much longer a start is billed than another call of a side, in milliseconds; 0 if starts are left out.
    fn start_ms(&self, side: Side) -> f64 {
        self.parts.get(1).map_or(0.0, |starts| starts.means[side])
    }

    /// The logarithm of the ratio. To first order it moves as the means of the parts do in units of the whole (the delta
    /// method), and calls and starts move independently.
    fn estimated_log_ratio(&self, times: Vec<Fit<'_>>) -> Option<Difference> {
        let whole = self.means;
        if whole.baseline <= 0.0 || whole.candidate <= 0.0 {
            return None;
        }
        let differences = self.parts.iter().zip(times).map(|(part, times)| part.difference(times, whole));
        let differences = differences.collect::<Option<Vec<Difference>>>()?;
        let mut parts: Vec<(f64, f64)> = differences.iter().map(Difference::variance).collect();
        if let Some(invocations) = self.cold_share.invocations {
            // Both sides have the same proportion, so that its error counts as far as their starts differ.
            let slope =
                self.start_ms(Side::Candidate) / whole.candidate - self.start_ms(Side::Baseline) / whole.baseline;
            parts.push((slope.powi(2) * self.cold_share.variance(), invocations as f64));
        }
        let (standard_error, degrees_of_freedom) = estimate::welch(&parts);
        let estimate = (whole.candidate / whole.baseline).ln();
        Some(Difference { estimate, standard_error, degrees_of_freedom, ..differences[0] })
    }

    /// The interval of a side's mean in milliseconds.
    fn interval(&self, side: Side) -> Option<Interval> {
        let squares: Option<Vec<f64>> =
            self.parts.iter().map(|part| Some((part.share * part.half_widths[side]?).powi(2))).collect();
        let of_share = (normal_quantile() * self.start_ms(side)).powi(2) * self.cold_share.variance();
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
        let Bill { requests_usd, compute_usd, storage_usd } = bill(mean_ms);
        let interval = interval_ms.map(|interval| interval.map(|billed_ms| bill(billed_ms).total()));
        Cost { requests_usd, compute_usd, storage_usd, total_usd: bill(mean_ms).total(), interval }
    }
}

impl Analyzer<'_> {
    /// The memory size that Lambda bills, in MiB: the one that most of its reports have, else that of the configuration.
    fn billed_memory_mb(&self, side: Side) -> u32 {
        let reported = &self.pair.facts(side).quality.memory_mb;
        let most = reported.iter().max_by_key(|(_, reports)| **reports).map(|(memory_mb, _)| *memory_mb);
        most.unwrap_or_else(|| self.pair.variant(side).memory_mb())
    }

    /// How each side is charged. None if a side has no price.
    fn tariffs(&self) -> Option<Sides<Tariff<'_>>> {
        let tariff = |side: Side| {
            Some(Tariff {
                price: self.pair.variant(side).price.as_ref()?,
                memory_mb: self.billed_memory_mb(side),
                ephemeral_mb: self.pair.variant(side).ephemeral_mb(),
            })
        };
        Some(Sides { baseline: tariff(Side::Baseline)?, candidate: tariff(Side::Candidate)? })
    }

    /// The bill of both sides. None if a side has no price or no billed duration, or if an instruction set was emulated.
    pub(super) fn monthly_bill(&self, options: BillOptions) -> Option<MonthlyBill<'_>> {
        let tariffs = self.tariffs()?;
        if self.pair.is_emulated() {
            return None;
        }
        let billed = Billed::new(self, options.cold_starts)?;
        let free = if options.free_tier { FreeTier::LAMBDA } else { FreeTier::NONE };
        Some(MonthlyBill { tariffs, billed, invocations_per_month: options.invocations_per_month, free })
    }

    /// The same, with intervals, as a report has it.
    pub(super) fn money(&self, options: BillOptions) -> Option<Money> {
        let bill = self.monthly_bill(options)?;
        let MonthlyBill { tariffs, billed, invocations_per_month, free, .. } = &bill;
        let difference = bill.log_ratio().filter(has_enough);
        let intervals = billed.means.map(|side, _| difference.and_then(|_| billed.interval(side)));
        let cost = |invocations: f64, free: FreeTier| {
            billed.means.map(|side, mean| tariffs[side].cost(*mean, intervals[side], invocations, free))
        };
        let monthly = cost(*invocations_per_month, *free);
        let savings_at =
            |log_ratio: f64| saving(monthly.baseline.total_usd, bill.candidate_usd(log_ratio)).unwrap_or_default();
        let log_ratios = difference.map(|difference| difference.interval(CONFIDENCE, self.looks));
        let by_volume = VOLUMES.map(|quarter| {
            let invocations = 10_f64.powf(f64::from(quarter) / 4.0);
            (invocations, billed.means.map(|side, mean| tariffs[side].bill(*mean, invocations, *free).total()))
        });
        let baseline = tariffs.baseline.usage(billed.means.baseline, *invocations_per_month);
        Some(Money {
            prices: tariffs.map(|_, tariff| tariff.price.list()),
            invocations_per_month: *invocations_per_month,
            volume_source: options.volume_source,
            free_tier: options.free_tier,
            cold_share: billed.cold_share,
            monthly,
            per_million: cost(1e6, FreeTier::NONE),
            savings: saving(monthly.baseline.total_usd, monthly.candidate.total_usd).unwrap_or_default(),
            savings_interval: log_ratios
                .map(|Interval { low, high }| Interval { low: savings_at(high), high: savings_at(low) }),
            break_even: break_even_slowdown(tariffs.baseline.price, tariffs.candidate.price, &baseline, *free),
            by_volume: by_volume.collect(),
        })
    }
}

/// What both sides are billed for in a month.
pub(super) struct MonthlyBill<'a> {
    tariffs: Sides<Tariff<'a>>,
    billed: Billed,
    invocations_per_month: f64,
    free: FreeTier,
}

impl MonthlyBill<'_> {
    /// The logarithm of the candidate's billed time over the baseline's. None if nothing tells how uncertain it is.
    pub(super) fn log_ratio(&self) -> Option<Difference> {
        self.billed.log_ratio
    }

    pub(super) fn baseline_usd(&self) -> f64 {
        let baseline_ms = self.billed.means.baseline;
        self.tariffs.baseline.bill(baseline_ms, self.invocations_per_month, self.free).total()
    }

    /// The candidate's bill, if this is the logarithm of the ratio of billed times and the baseline's is as it is.
    pub(super) fn candidate_usd(&self, log_ratio: f64) -> f64 {
        let candidate_ms = self.billed.means.baseline * log_ratio.exp();
        self.tariffs.candidate.bill(candidate_ms, self.invocations_per_month, self.free).total()
    }
}
