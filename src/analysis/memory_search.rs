//! Which memory sizes of a function are worth measuring: those that may still be cheaper or faster than all others.
//!
//! A size that was not measured is bounded by those that were. Less memory never makes a call faster, and more of it makes
//! calls faster in proportion at most, as Lambda gives CPU in proportion to memory; the second does not hold for sizes in
//! which memory itself was short, nor for short calls with less than one CPU.

use super::interval::{CONFIDENCE, Interval, mean_interval};
use crate::{
    campaign::{
        clones::CloneSettings,
        prices::Price,
        row::{Failure, FailureKind, Row},
        trial::LeftOutReason,
        variants::{VariantIndex, Variants},
    },
    protocol::Architecture,
};
use std::collections::BTreeMap;

/// The sizes that are searched, in MiB: one CPU is 1,769 MB, three are 5,307 MB, four are 7,076 MB.
pub const SIZES: [u32; 11] = [128, 256, 512, 1024, 1536, 1769, 2048, 3008, 5307, 7076, 10_240];

/// The sizes that are measured first.
const FIRST: [u32; 3] = [128, 1769, 10_240];

/// How much cheaper or faster a size must seem possible to be, as a share, to be measured.
pub const WORTHWHILE: f64 = 0.05;

/// The memory, in MiB, below which Lambda gives less than one CPU.
const ONE_CPU: u32 = 1769;

/// How long calls with less than one CPU take, in milliseconds, before its quota holds: it is given by periods, and what is
/// done within one may be much faster with a little more memory.
const MANY_PERIODS_MS: f64 = 100.0;

/// The share of calls that may fail before a variant is taken for failing.
const FEW_FAILURES: f64 = 0.05;

/// How much of its memory an environment may use before memory is short.
const FULL: f64 = 0.9;

/// The search among variants, of which the first is the function as it is.
#[derive(Debug)]
pub struct MemorySearch {
    searched: Variants<SearchedVariant>,
}

#[derive(Debug)]
struct SearchedVariant {
    settings: CloneSettings,
    price: Option<Price>,
    /// The ephemeral storage, in MiB.
    ephemeral_mb: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Untried,
    Measured(Finding),
    /// Its calls failed.
    Failed(Failed),
    /// It cannot be made.
    Refused(Refused),
}

/// What calls of a variant have shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// The mean time of a call, in milliseconds.
    pub time: Interval,
    /// Whether calls used all but a little of it, or it is not known what they used.
    pub is_memory_short: bool,
}

/// Why calls of a variant failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// They ran out of memory or of time, as they would with less memory.
    ForMemory,
    ForAnotherReason,
}

/// Why a variant cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It has more memory than there may be.
    ForMemory,
    ForAnotherReason,
}

impl MemorySearch {
    /// A search of variants with these settings, prices and ephemeral storage.
    pub fn new(variants: impl IntoIterator<Item = (CloneSettings, Option<Price>, u32)>) -> Self {
        let searched = variants.into_iter().map(|(settings, price, ephemeral_mb)| SearchedVariant {
            settings,
            price,
            ephemeral_mb,
            state: State::Untried,
        });
        Self { searched: searched.collect() }
    }

    /// Takes in what calls of a variant have shown, or why they failed.
    pub fn called(&mut self, variant: VariantIndex, shown: Result<Finding, Failed>) {
        self.searched[variant].state = shown.map_or_else(State::Failed, State::Measured);
    }

    /// Takes in that a variant cannot be made.
    pub fn refused(&mut self, variant: VariantIndex, why: Refused) {
        self.searched[variant].state = State::Refused(why);
    }

    /// The variants that are to be measured next. None if the search is over.
    pub fn next(&self) -> Vec<VariantIndex> {
        let own = self.searched[VariantIndex::default()].settings;
        let is_first = |variant: &VariantIndex| {
            let memory_mb = self.searched[*variant].settings.memory_mb;
            memory_mb == own.memory_mb || FIRST.contains(&memory_mb)
        };
        let is_untried = |variant: &VariantIndex| self.searched[*variant].state == State::Untried;
        let first: Vec<VariantIndex> = self.searched.indices().filter(is_first).collect();
        if first.iter().all(is_untried) {
            return first;
        }
        self.gaps().into_iter().filter_map(|gap| self.middle_of_candidates(&gap)).collect()
    }

    /// Why each variant is left out of the campaign; `None` for those that are not. The function as it is never is, nor is
    /// its memory on the other architecture, if it works there.
    pub fn reasons(&self) -> Variants<Option<LeftOutReason>> {
        let own_mb = self.searched[VariantIndex::default()].settings.memory_mb;
        let mut reasons = self.searched.map(|variant, _| self.reason_of_outcome(variant));
        let measured = self.measured();
        let (mut kept, mut by_badness): (Vec<VariantIndex>, Vec<VariantIndex>) =
            measured.iter().partition(|variant| self.searched[**variant].settings.memory_mb == own_mb);
        // The best come first, so that each is left out for one that is not.
        let badness = |variant: &VariantIndex| {
            let most_ms = self.finding(*variant).map_or(f64::INFINITY, |finding| finding.time.high);
            most_ms * self.searched[*variant].cost(most_ms)
        };
        by_badness.sort_by(|one, other| badness(one).total_cmp(&badness(other)));
        for variant in by_badness.iter().copied() {
            if self.is_no_better(variant, &kept) {
                reasons[variant] = Some(LeftOutReason::NoBetter);
            } else {
                kept.push(variant);
            }
        }
        if let ([_], [best, ..]) = (&*kept, &*by_badness) {
            // A campaign has something to compare with.
            reasons[*best] = None;
        }
        let is_untried = |variant: &VariantIndex| self.searched[*variant].state == State::Untried;
        for variant in self.searched.indices().filter(is_untried) {
            let of_bounds = if self.is_no_better(variant, &measured) {
                LeftOutReason::NoBetter
            } else {
                LeftOutReason::NotMeasured
            };
            reasons[variant].get_or_insert(of_bounds);
        }
        reasons
    }

    fn measured(&self) -> Vec<VariantIndex> {
        self.searched.indices().filter(|variant| self.finding(*variant).is_some()).collect()
    }

    fn finding(&self, variant: VariantIndex) -> Option<Finding> {
        match self.searched[variant].state {
            State::Measured(finding) => Some(finding),
            State::Untried | State::Failed(_) | State::Refused(_) => None,
        }
    }

    /// Why a variant gives no time: what became of it, or of another size of its architecture.
    fn reason_of_outcome(&self, variant: VariantIndex) -> Option<LeftOutReason> {
        let SearchedVariant { settings: CloneSettings { architecture, memory_mb }, state, .. } =
            &self.searched[variant];
        match state {
            State::Measured(_) => return None,
            State::Failed(_) => return Some(LeftOutReason::Failed),
            State::Refused(_) => return Some(LeftOutReason::NotMade),
            State::Untried => {}
        }
        let others = self.searched.iter().map(|(_, other)| other);
        let mut others = others.filter(|other| other.settings.architecture == *architecture);
        others.find_map(|other| match other.state {
            State::Failed(Failed::ForMemory) if *memory_mb < other.settings.memory_mb => Some(LeftOutReason::Failed),
            State::Refused(Refused::ForMemory) if *memory_mb > other.settings.memory_mb => Some(LeftOutReason::NotMade),
            _ => None,
        })
    }

    /// The runs of sizes between those that were tried, for each architecture, of sizes that may still be measured.
    fn gaps(&self) -> Vec<Vec<VariantIndex>> {
        let mut by_size: BTreeMap<(Architecture, u32), VariantIndex> = BTreeMap::new();
        for variant in self.searched.indices() {
            let CloneSettings { architecture, memory_mb } = self.searched[variant].settings;
            by_size.insert((architecture, memory_mb), variant);
        }
        let by_size: Vec<(Architecture, VariantIndex)> =
            by_size.into_iter().map(|((architecture, _), variant)| (architecture, variant)).collect();
        let is_open = |variant: VariantIndex| {
            self.searched[variant].state == State::Untried && self.reason_of_outcome(variant).is_none()
        };
        let runs =
            by_size.chunk_by(|(one, variant), (other, next)| one == other && is_open(*variant) && is_open(*next));
        let variants =
            |run: &[(Architecture, VariantIndex)]| run.iter().map(|(_, variant)| *variant).collect::<Vec<_>>();
        runs.map(variants).filter(|run| run.iter().all(|variant| is_open(*variant))).collect()
    }

    fn middle_of_candidates(&self, gap: &[VariantIndex]) -> Option<VariantIndex> {
        let measured = self.measured();
        let candidates: Vec<VariantIndex> =
            gap.iter().copied().filter(|variant| !self.is_no_better(*variant, &measured)).collect();
        candidates.get(candidates.len() / 2).copied()
    }

    /// Whether one of the rivals is, at its worst, about as fast and as cheap as this variant at its best.
    fn is_no_better(&self, variant: VariantIndex, rivals: &[VariantIndex]) -> bool {
        let least_ms = self.least_ms(variant);
        let least_usd = self.searched[variant].cost(least_ms);
        rivals.iter().any(|rival| {
            self.finding(*rival).is_some_and(|finding| {
                let (most_ms, most_usd) = (finding.time.high, self.searched[*rival].cost(finding.time.high));
                most_ms <= least_ms * (1.0 + WORTHWHILE) && most_usd <= least_usd * (1.0 + WORTHWHILE)
            })
        })
    }

    /// The least time that a call may take, in milliseconds.
    fn least_ms(&self, variant: VariantIndex) -> f64 {
        if let Some(finding) = self.finding(variant) {
            return finding.time.low;
        }
        let CloneSettings { architecture, memory_mb } = self.searched[variant].settings;
        let bounds = self.searched.indices().filter_map(|other| {
            let other_mb = self.searched[other].settings.memory_mb;
            let Finding { time, is_memory_short } =
                self.finding(other).filter(|_| self.searched[other].settings.architecture == architecture)?;
            let has_more = other_mb > memory_mb;
            let speedup = if has_more { 1.0 } else { f64::from(memory_mb) / f64::from(other_mb) };
            let is_elastic = !is_memory_short && (other_mb >= ONE_CPU || time.low >= MANY_PERIODS_MS);
            (has_more || is_elastic).then_some(time.low / speedup)
        });
        bounds.fold(0.0, f64::max)
    }
}

impl SearchedVariant {
    /// What a call costs, in US dollars; without a price, what it takes of memory.
    fn cost(&self, time_ms: f64) -> f64 {
        let memory_mb = self.settings.memory_mb;
        let of_call = |price: &Price| price.of_call(time_ms, memory_mb, self.ephemeral_mb);
        self.price.as_ref().map_or(time_ms * f64::from(memory_mb), of_call)
    }
}

impl Finding {
    /// What the calls of one variant have shown: the mean of what Lambda bills, or of the client's time where it does not
    /// say that. The first block is left out, in which environments start. `None` if there is nothing else. A variant fails
    /// if some of its calls do: the times of the others would be those of light payloads.
    ///
    /// The calls of a block are answered by as many environments, so that they tell how much environments differ; further
    /// blocks, which the same environments answer, make the interval no narrower.
    pub fn of_calls(rows: &[&Row]) -> Option<Result<Self, Failed>> {
        let rows: Vec<&Row> = rows.iter().copied().filter(|row| !row.is_made_again()).collect();
        let (succeeded, failed): (Vec<&Row>, Vec<&Row>) = rows.iter().copied().partition(|row| row.failure.is_none());
        if failed.len() as f64 > FEW_FAILURES * rows.len() as f64 {
            return Some(Err(Failed::of_calls(&failed)));
        }
        let measured: Vec<&Row> = succeeded.into_iter().filter(|row| row.block > 0 && row.cold != Some(true)).collect();
        let billed = |row: &Row| row.believed_report()?.all_billed_ms();
        let is_billed = measured.iter().all(|row| billed(row).is_some());
        let mut blocks: BTreeMap<u64, BTreeMap<u32, Vec<f64>>> = BTreeMap::new();
        for row in &measured {
            let ms = billed(row).filter(|_| is_billed).unwrap_or_else(|| row.latency_ms());
            blocks.entry(row.block).or_default().entry(row.slot).or_default().push(ms);
        }
        let mean = |calls: &Vec<f64>| calls.iter().sum::<f64>() / calls.len() as f64;
        let of_environments = |slots: &BTreeMap<u32, Vec<f64>>| slots.values().map(mean).collect();
        let blocks: Vec<Vec<f64>> = blocks.values().map(of_environments).collect();
        let is_memory_short = measured.iter().any(|row| is_memory_short(row));
        Some(Ok(Self { time: interval_of_mean(&blocks)?, is_memory_short }))
    }
}

impl Failed {
    fn of_calls(failed: &[&Row]) -> Self {
        let is_for_memory = |failure: &Failure| {
            failure.kind == FailureKind::Timeout
                || ["OutOfMemory", "Task timed out", "signal: killed"].iter().any(|part| failure.message.contains(part))
        };
        let is_for_memory = failed.iter().filter_map(|row| row.failure.as_ref()).all(is_for_memory);
        if is_for_memory { Self::ForMemory } else { Self::ForAnotherReason }
    }
}

fn is_memory_short(row: &Row) -> bool {
    let used = row.report.as_ref().and_then(|report| report.max_memory_mb.zip(report.memory_mb));
    used.is_none_or(|(most, of)| f64::from(most) >= FULL * f64::from(of))
}

/// The interval of the mean of all blocks' values. Those of one block are independent; those of two may be of the same
/// environments, so that the intervals of blocks are averaged.
fn interval_of_mean(blocks: &[Vec<f64>]) -> Option<Interval> {
    let unknown = Interval { low: 0.0, high: f64::INFINITY };
    let of_blocks: Vec<Interval> =
        blocks.iter().map(|values| mean_interval(values, CONFIDENCE).unwrap_or(unknown)).collect();
    let average = |bound: fn(&Interval) -> f64| of_blocks.iter().map(bound).sum::<f64>() / of_blocks.len() as f64;
    let (low, high) = (average(|interval| interval.low), average(|interval| interval.high));
    (!of_blocks.is_empty()).then_some(Interval { low: low.max(0.0), high })
}

#[cfg(test)]
mod tests;
