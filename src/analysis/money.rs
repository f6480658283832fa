//! What a campaign says about the bill.

use super::{
    analyzer::Analyzer,
    bill::{Bill, FreeTier, Usage, break_even_slowdown, saving},
    decision::{MINIMUM_BLOCKS, has_enough},
    estimate::{self, Clusters, Difference, Groups, Model, Observation},
    interval::{Bounds, CONFIDENCE, normal_quantile},
    measure::Measure,
    proportion::Proportion,
    result::{ColdShare, ColdShareSource, Cost, Interval, Money},
    samples::{Record, observations},
    summary_statistics::Values,
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
pub enum ColdStarts {
    /// This proportion, which the user assumes.
    Assumed(f64),
    Counted(Counts),
}

impl ColdStarts {
    fn value(self) -> f64 {
        match self {
            Self::Assumed(proportion) => proportion,
            Self::Counted(Counts { invocations, cold_starts }) => cold_starts as f64 / invocations.max(1) as f64,
        }
    }

    /// The variance of the proportion: of one that is assumed there is none.
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
    pub cold_starts: ColdStarts,
    /// Whether the free tier is taken off.
    pub free_tier: bool,
}

impl Default for BillOptions {
    fn default() -> Self {
        Self {
            invocations_per_month: INVOCATIONS_PER_MONTH,
            cold_starts: ColdStarts::Assumed(COLD_SHARE),
            free_tier: false,
        }
    }
}

/// What adds to the time that an invocation is billed for: what every one takes, or what starting an environment takes
/// besides.
struct Part {
    /// The proportion of a month's invocations that have it.
    share: f64,
    model: Model,
    /// Its times in milliseconds, each with its environment and block.
    values: Sides<Vec<Observation>>,
    /// The means of both sides.
    means: Sides<f64>,
    /// Half the widths of their intervals; none where too few environments answered.
    half_widths: Sides<Option<f64>>,
}

impl Part {
    /// The billed durations of the calls that decide.
    fn from_calls(analyzer: &Analyzer<'_>) -> Option<Self> {
        let set = analyzer.set_of_all(|cell| cell.deciding(analyzer.is_cold()));
        let values = |cells: &[&[Record]]| observations(cells, Measure::Billed);
        let means = estimate::means(&set.map(|_, cells| values(cells)), Groups::CellsAndBlocks)?;
        // Cells may take times of different orders: in units of their means they have an interval in common.
        let half_width = |side: Side, cells: &[&[Record]]| {
            let of_cell = |cell: &&[Record]| {
                let values = values(&[cell]);
                // A cell that costs nothing adds nothing.
                let mean = mean(&values).filter(|mean| *mean > 0.0).unwrap_or(1.0);
                values.into_iter().map(move |it| Observation { value: it.value / mean, ..it }).collect::<Vec<_>>()
            };
            let relative: Vec<Observation> = cells.iter().flat_map(of_cell).collect();
            Some(half_width(&relative)? * means[side])
        };
        let half_widths = set.map(|side, cells| half_width(side, cells));
        Some(Self {
            share: 1.0,
            model: analyzer.model(Groups::CellsAndBlocks),
            values: set.map(|_, cells| values(cells)),
            means,
            half_widths,
        })
    }

    /// By how much longer than the calls of environments that were there those are billed that started one. None where
    /// too few starts were measured to tell how uncertain that is.
    fn from_starts(analyzer: &Analyzer<'_>, share: f64) -> Option<Self> {
        let (starts, calls) = (analyzer.set_of_all(|cell| &cell.cold), analyzer.set_of_all(|cell| &cell.warm));
        let values = starts.map(|side, cells| {
            // Which cell met the start is chance, so each is compared with its own cell's calls.
            let of_cell = |(starts, calls): (&&[Record], &&[Record])| {
                let usual = mean(&observations(&[calls], Measure::Billed));
                let starts = observations(&[starts], Measure::Billed).into_iter();
                usual.map(|usual| starts.map(move |it| Observation { value: it.value - usual, ..it }))
            };
            cells.iter().zip(&calls[side]).filter_map(of_cell).flatten().collect::<Vec<_>>()
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
}

fn mean(values: &[Observation]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().map(|it| it.value).sum::<f64>() / values.len() as f64)
}

/// Half the width of the interval of their mean; none of fewer than two environments.
fn half_width(values: &[Observation]) -> Option<f64> {
    let Bounds { low, high } = Values::new(values.iter().map(|it| (it.environment, it.value)), false).bounds()?;
    Some((high - low) / 2.0)
}

/// What an invocation of a month is billed for.
struct Billed {
    parts: Vec<Part>,
    cold_share: ColdShare,
    /// The variance of that proportion, where it was counted.
    share_variance: f64,
    /// The means of both sides in milliseconds, all cells alike often as their weights say.
    means: Sides<f64>,
}

impl Billed {
    /// None where a side has no billed duration.
    fn new(analyzer: &Analyzer<'_>, cold_starts: ColdStarts) -> Option<Self> {
        let mut parts = vec![Part::from_calls(analyzer)?];
        let known = |value, source| ColdShare { value, interval: None, invocations: None, source };
        let cold_share = match Part::from_starts(analyzer, cold_starts.value()) {
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

    /// How much longer a start is billed than another call of a side, in milliseconds; nothing where starts are left out.
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
        let of_part = |part: &Part| {
            let in_units = |side: Side, values: &[Observation]| {
                let unit = part.share / whole[side];
                values.iter().map(|it| Observation { value: it.value * unit, ..*it }).collect::<Vec<_>>()
            };
            estimate::difference(&part.values.map(|side, values| in_units(side, values)), part.model)
        };
        let differences: Option<Vec<Difference>> = self.parts.iter().map(of_part).collect();
        let differences = differences?;
        let mut parts: Vec<(f64, f64)> =
            differences.iter().map(|it| (it.standard_error.powi(2), it.degrees_of_freedom)).collect();
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

impl Analyzer<'_> {
    /// The memory size that Lambda bills, in MiB: the one that most of its reports have, else that of the configuration.
    fn billed_memory_mb(&self, side: Side) -> u32 {
        let reported = &self.samples.sides[side].quality.memory_mb;
        let most = reported.iter().max_by_key(|(_, reports)| **reports).map(|(memory_mb, _)| *memory_mb);
        most.unwrap_or_else(|| self.manifest.sides[side].memory_mb())
    }

    /// The bill of both sides. None where a side has no price or no billed duration.
    pub(super) fn money(&self, volume: BillOptions) -> Option<Money> {
        let prices = Sides {
            baseline: self.manifest.sides.baseline.price.as_ref()?,
            candidate: self.manifest.sides.candidate.price.as_ref()?,
        };
        if self.is_emulated() {
            return None;
        }
        let billed = Billed::new(self, volume.cold_starts)?;
        let difference = billed.log_ratio().filter(has_enough);
        let usage = |side: Side, billed_ms: f64, invocations_per_month: f64| Usage {
            invocations_per_month,
            billed_ms,
            memory_mb: self.billed_memory_mb(side),
            ephemeral_mb: self.manifest.sides[side].ephemeral_mb(),
        };
        let free = if volume.free_tier { FreeTier::LAMBDA } else { FreeTier::NONE };
        let bill = |side: Side, billed_ms: f64, invocations: f64, free: FreeTier| {
            Bill::new(prices[side], &usage(side, billed_ms, invocations), free)
        };
        let intervals = billed.means.map(|side, _| difference.as_ref().and_then(|_| billed.interval(side)));
        let cost = |invocations: f64, free: FreeTier| {
            billed.means.map(|side, mean| {
                let total = |billed_ms: f64| bill(side, billed_ms, invocations, free).total();
                let Bill { requests_usd, compute_usd, storage_usd } = bill(side, *mean, invocations, free);
                let interval = intervals[side].map(|it| Interval { low: total(it.low), high: total(it.high) });
                Cost { requests_usd, compute_usd, storage_usd, total_usd: total(*mean), interval }
            })
        };
        let monthly = cost(volume.invocations_per_month, free);
        // The baseline as it is, the candidate as the ratio of billed durations has it.
        let savings_at = |log_ratio: f64| {
            let candidate = billed.means.baseline * log_ratio.exp();
            let candidate = bill(Side::Candidate, candidate, volume.invocations_per_month, free).total();
            saving(monthly.baseline.total_usd, candidate).unwrap_or_default()
        };
        let bounds = difference.map(|it| it.bounds(CONFIDENCE, self.looks));
        let by_volume = VOLUMES.map(|quarter| {
            let invocations = 10_f64.powf(f64::from(quarter) / 4.0);
            (invocations, billed.means.map(|side, mean| bill(side, *mean, invocations, free).total()))
        });
        let baseline = usage(Side::Baseline, billed.means.baseline, volume.invocations_per_month);
        Some(Money {
            prices: prices.map(|_, it: &&Price| format!("{}, {}", it.region, it.date)),
            invocations_per_month: volume.invocations_per_month,
            free_tier: volume.free_tier,
            cold_share: billed.cold_share,
            monthly,
            per_million: cost(1e6, FreeTier::NONE),
            savings: saving(monthly.baseline.total_usd, monthly.candidate.total_usd).unwrap_or_default(),
            savings_interval: bounds.map(|it| Interval { low: savings_at(it.high), high: savings_at(it.low) }),
            break_even: break_even_slowdown(prices.baseline, prices.candidate, &baseline, free),
            by_volume: by_volume.collect(),
        })
    }
}
