//! What a campaign says about the bill.

use super::{
    bill::{Bill, FreeTier, Usage, break_even_slowdown},
    estimate::{self, Observation},
    interval::{CONFIDENCE, Looks},
    levels::Values,
    result::{Cost, Interval, Measure, Money},
    samples::{Record, observations},
    subject::Subject,
};
use crate::campaign::{
    manifest::Manifest,
    prices::Price,
    sides::{Side, Sides},
};

/// The invocations a month that a bill is for, unless the user says otherwise.
pub const INVOCATIONS_PER_MONTH: f64 = 1e6;

/// The volumes for which savings are told: 10⁵ to 10¹⁰ invocations a month, four for each power of ten.
const VOLUMES: std::ops::RangeInclusive<i32> = 20..=40;

/// What the user may choose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Volume {
    /// How many invocations a month the bill is for.
    pub invocations_per_month: f64,
    /// Whether the free tier is taken off.
    pub free_tier: bool,
}

/// The bill of both sides from billed durations in milliseconds, all cells alike often as their weights say: each with
/// its environment and block, and for the interval of a side each also as a share of its cell's mean.
///
/// None where a side has no price or no billed duration.
fn money(
    manifest: &Manifest,
    billed: Sides<Vec<Observation>>,
    relative: &Sides<Vec<Observation>>,
    looks: Looks,
    volume: Volume,
) -> Option<Money> {
    let prices = Sides {
        baseline: manifest.sides.baseline.price.as_ref()?,
        candidate: manifest.sides.candidate.price.as_ref()?,
    };
    let means = estimate::means(&billed)?;
    let difference = estimate::log_ratio_of_means(billed);
    let difference = difference.filter(super::decision::has_enough_environments);
    let usage = |side: Side, billed_ms: f64, invocations_per_month: f64| Usage {
        invocations_per_month,
        billed_ms,
        memory_mb: manifest.sides[side].memory_mb(),
        ephemeral_mb: manifest.sides[side].ephemeral_mb(),
    };
    let free = if volume.free_tier { FreeTier::LAMBDA } else { FreeTier::NONE };
    let bill = |side: Side, billed_ms: f64, invocations: f64, free: FreeTier| {
        Bill::of(prices[side], &usage(side, billed_ms, invocations), free)
    };
    let bounds = |it: &[Observation]| Values::of(it.iter().map(|it| (it.environment, it.value)), false).bounds();
    let of_side = relative.map(|_, it| difference.as_ref().and(bounds(it)));
    let cost = |invocations: f64, free: FreeTier| {
        means.map(|side, mean| {
            let total = |billed_ms: f64| bill(side, billed_ms, invocations, free).total();
            let Bill { requests_usd, compute_usd, storage_usd } = bill(side, *mean, invocations, free);
            let interval =
                of_side[side].map(|it| Interval { low: total(mean * it.low.max(0.0)), high: total(mean * it.high) });
            Cost { requests_usd, compute_usd, storage_usd, total_usd: total(*mean), interval }
        })
    };
    let monthly = cost(volume.invocations_per_month, free);
    // The baseline as it is, the candidate as the ratio of billed durations has it.
    let savings_at = |log_ratio: f64| {
        let candidate = means.baseline * log_ratio.exp();
        let candidate = bill(Side::Candidate, candidate, volume.invocations_per_month, free).total();
        saved(monthly.baseline.total_usd, candidate)
    };
    let bounds = difference.map(|it| it.bounds(CONFIDENCE, looks));
    let by_volume = VOLUMES.map(|quarter| {
        let invocations = 10_f64.powf(f64::from(quarter) / 4.0);
        (invocations, means.map(|side, mean| bill(side, *mean, invocations, free).total()))
    });
    let baseline = usage(Side::Baseline, means.baseline, volume.invocations_per_month);
    Some(Money {
        prices: prices.map(|_, it: &&Price| format!("{}, {}", it.region, it.date)),
        invocations_per_month: volume.invocations_per_month,
        free_tier: volume.free_tier,
        monthly,
        per_million: cost(1e6, FreeTier::NONE),
        savings: saved(monthly.baseline.total_usd, monthly.candidate.total_usd),
        savings_interval: bounds.map(|it| Interval { low: savings_at(it.high), high: savings_at(it.low) }),
        break_even: break_even_slowdown(prices.baseline, prices.candidate, &baseline, free),
        by_volume: by_volume.collect(),
    })
}

impl Subject<'_> {
    /// The bill, of the calls that decide.
    pub(super) fn money(&self, volume: Volume) -> Option<Money> {
        if self.is_emulated() || self.manifest.sides.iter().any(|(_, it)| it.price.is_none()) {
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
        money(self.manifest, set.map(|_, it| values(it)), &relative, self.looks, volume)
    }
}

/// The part of a bill that another saves; nothing of a bill of nothing.
fn saved(baseline: f64, candidate: f64) -> f64 {
    if baseline > 0.0 { 1.0 - candidate / baseline } else { 0.0 }
}
