//! The cost of a month, and how much slower the cheaper side may be.
//!
//! As <https://aws.amazon.com/lambda/pricing/> computes it: requests, and the GB-seconds of memory and of ephemeral
//! storage. Everything is monthly and in US dollars.

use crate::campaign::prices::{FREE_EPHEMERAL_MB, Price, Tier, gigabytes};

/// What a function does in a month.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    pub invocations_per_month: f64,
    /// The mean billed duration of an invocation, in milliseconds; starts are billed too and are part of it.
    pub billed_ms: f64,
    /// Its memory setting, in MiB.
    pub memory_mb: u32,
    /// The size of its `/tmp`, in MiB.
    pub ephemeral_mb: u32,
}

/// What a month costs, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bill {
    pub requests_usd: f64,
    /// The time, by memory.
    pub compute_usd: f64,
    /// The time, by ephemeral storage above 512 MB.
    pub storage_usd: f64,
}

/// What is free each month. An account has it once, for all its functions, architectures and regions together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FreeTier {
    pub requests: f64,
    /// GB-seconds of memory; ephemeral storage has none.
    pub gb_seconds: f64,
}

impl FreeTier {
    /// What Lambda gives every account: a million requests and 400 000 GB-seconds a month.
    pub const LAMBDA: Self = Self { requests: 1e6, gb_seconds: 400_000.0 };
    pub const NONE: Self = Self { requests: 0.0, gb_seconds: 0.0 };
}

impl Usage {
    /// The GB-seconds of memory in a month.
    pub fn gb_seconds(&self) -> f64 {
        self.seconds() * gigabytes(self.memory_mb)
    }

    /// The GB-seconds of ephemeral storage in a month that are not free.
    pub fn storage_gb_seconds(&self) -> f64 {
        self.seconds() * gigabytes(self.ephemeral_mb.saturating_sub(FREE_EPHEMERAL_MB))
    }

    fn seconds(&self) -> f64 {
        self.invocations_per_month * self.billed_ms / 1000.0
    }
}

impl Bill {
    /// What `usage` costs at `price`, as if the account had no other function.
    ///
    /// The free tier is taken off first; the tiers of the price count what is left.
    pub fn new(price: &Price, usage: &Usage, free: FreeTier) -> Self {
        Self {
            requests_usd: requests(price, usage, free),
            compute_usd: compute(&price.tiers, (usage.gb_seconds() - free.gb_seconds).max(0.0)),
            storage_usd: price.ephemeral_gb_second_usd * usage.storage_gb_seconds(),
        }
    }

    /// In US dollars a month.
    pub fn total(&self) -> f64 {
        self.requests_usd + self.compute_usd + self.storage_usd
    }
}

/// The part of the baseline's bill that the candidate saves: 0.2 where it costs a fifth less, negative where it costs more.
/// None if the baseline's is 0.
pub fn saving(baseline_usd: f64, candidate_usd: f64) -> Option<f64> {
    (baseline_usd > 0.0).then(|| 1.0 - candidate_usd / baseline_usd)
}

/// How many times as long as the baseline, which is billed for `usage`, the candidate may take before it costs as
/// much, at the same memory and storage: the greatest ratio at which it costs no more.
///
/// None if there is no such ratio: the candidate's requests alone cost more than the baseline, or more time costs
/// nothing, or the baseline is billed for no time.
pub fn break_even_slowdown(baseline: &Price, candidate: &Price, usage: &Usage, free: FreeTier) -> Option<f64> {
    let gb_seconds = usage.gb_seconds();
    let mut left = Bill::new(baseline, usage, free).total() - requests(candidate, usage, free);
    if left < 0.0 || gb_seconds.is_nan() || gb_seconds <= 0.0 {
        return None;
    }
    // Storage costs by the same time; so it is a surcharge on every GB-second of memory.
    let surcharge = candidate.ephemeral_gb_second_usd * usage.storage_gb_seconds() / gb_seconds;
    let free_tier = (free.gb_seconds, 0.0);
    let paid = parts(&candidate.tiers);
    let mut affordable = 0.0;
    for (width, gb_second_usd) in std::iter::once(free_tier).chain(paid) {
        let rate = gb_second_usd + surcharge;
        if left < width * rate {
            return Some((affordable + left / rate) / gb_seconds);
        }
        affordable += width;
        left -= width * rate;
    }
    None
}

fn requests(price: &Price, usage: &Usage, free: FreeTier) -> f64 {
    price.request_usd * (usage.invocations_per_month - free.requests).max(0.0)
}

/// What so many GB-seconds cost, tier by tier.
fn compute(tiers: &[Tier], gb_seconds: f64) -> f64 {
    let mut left = gb_seconds;
    let mut usd = 0.0;
    for (width, gb_second_usd) in parts(tiers) {
        let used = left.min(width);
        usd += used * gb_second_usd;
        left -= used;
    }
    usd
}

/// Each tier's width in GB-seconds, with its price.
fn parts(tiers: &[Tier]) -> impl Iterator<Item = (f64, f64)> {
    let starts = std::iter::once(0.0).chain(tiers.iter().filter_map(|tier| tier.up_to_gb_seconds));
    tiers
        .iter()
        .zip(starts)
        .map(|(tier, start)| (tier.up_to_gb_seconds.unwrap_or(f64::INFINITY) - start, tier.gb_second_usd))
}

#[cfg(test)]
mod tests;
