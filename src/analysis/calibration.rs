//! How often the estimator errs on simulated fleets, where the truth is known, and how often those of other tools do.

pub(crate) mod fleet;
pub(crate) mod naive;

use super::{
    estimate::{self, Clusters, Difference, Groups, Model, Observation, Variance},
    interval::{CONFIDENCE, Interval, Looks},
    verdict::{Verdict, has_enough, verdicts},
};
use crate::analysis::sides::Sides;
use fleet::Scenario;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use serde::Serialize;
use std::thread;

/// The true differences for which power is reported, as shares of the baseline's time.
pub const EFFECTS: [f64; 3] = [0.02, 0.05, 0.10];

/// The margin of equivalence that verdicts are given with here.
const MARGIN: f64 = 0.02;

/// The half-width at which a campaign that is looked at after every block would end.
const TARGET: f64 = 0.02;

/// A way to compare two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimator {
    /// What `duet report` does.
    Shipped,
    /// The same model with CR2, and the degrees of freedom that this has where all values have the same variance.
    Cr2,
    /// Welch's t test on the means of environments, blocks left out.
    EnvironmentMeans,
    /// Welch's t test on all invocations, as if they were independent.
    PooledWelch,
    /// Means of invocations without a fifth of them at each end, as AWS Lambda Power Tuning has them; it gives no
    /// interval, so here it gets Yuen's (1974).
    TrimmedMean,
    /// What `duet run --until-ci` does: looking after every block.
    ShippedEveryBlock,
    /// Welch's t test on all invocations, after every block.
    PooledWelchEveryBlock,
}

impl Estimator {
    pub const ALL: [Self; 7] = [
        Self::Shipped,
        Self::Cr2,
        Self::EnvironmentMeans,
        Self::PooledWelch,
        Self::TrimmedMean,
        Self::ShippedEveryBlock,
        Self::PooledWelchEveryBlock,
    ];

    /// Its name for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shipped => "duet report",
            Self::Cr2 => "CR2, its own df",
            Self::EnvironmentMeans => "Welch, environments",
            Self::PooledWelch => "Welch, invocations",
            Self::TrimmedMean => "20% trimmed mean",
            Self::ShippedEveryBlock => "duet run --until-ci",
            Self::PooledWelchEveryBlock => "Welch, every block",
        }
    }

    fn looks(self) -> Looks {
        match self {
            Self::ShippedEveryBlock => Looks::EveryBlock(TARGET),
            _ => Looks::Once,
        }
    }

    fn is_repeated(self) -> bool {
        matches!(self, Self::ShippedEveryBlock | Self::PooledWelchEveryBlock)
    }

    fn difference(self, values: &Sides<Vec<Observation>>, clusters: Clusters) -> Option<Difference> {
        match self {
            Self::Shipped | Self::ShippedEveryBlock => {
                estimate::difference(values, Model { groups: Groups::CellsAndBlocks, clusters, mixes: None })
            }
            Self::Cr2 => estimate::difference_by(values, Variance::Cr2),
            Self::EnvironmentMeans => naive::welch_of_environments(values),
            Self::PooledWelch | Self::PooledWelchEveryBlock => naive::welch_of_invocations(values),
            Self::TrimmedMean => naive::trimmed(values),
        }
    }

    /// What it would show of a campaign. None if it shows no interval.
    fn look(self, values: &Sides<Vec<Observation>>, clusters: Clusters) -> Option<(Difference, Interval)> {
        let difference = self.difference(values, clusters)?;
        let withholds = matches!(self, Self::Shipped | Self::ShippedEveryBlock) && !has_enough(&difference);
        (!withholds).then(|| (difference, difference.interval(CONFIDENCE, self.looks())))
    }
}

/// How a method fared in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    pub method: Estimator,
    /// The share of campaigns whose interval (all intervals, where it looks after every block) covers the truth.
    /// None if it shows no interval.
    pub coverage: Option<f64>,
    /// The share of campaigns of equal sides in which it says, at one look at least, that one is faster.
    pub false_positives: f64,
    /// The share in which it sees a difference as large as each of [`EFFECTS`], with the right sign.
    pub power: [f64; EFFECTS.len()],
    /// Half of the interval's width at the end, on the logarithmic scale: the geometric mean.
    pub half_width: Option<f64>,
}

/// How all methods fared in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScenarioScores {
    pub scenario: Scenario,
    /// The simulated campaigns.
    pub runs: u32,
    /// A score for each method.
    pub scores: Vec<Score>,
}

/// What became of one simulated campaign with one method.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    intervals: u32,
    covered: u32,
    false_positives: u32,
    seen: [u32; EFFECTS.len()],
    log_half_widths: f64,
}

impl Tally {
    fn add(self, other: Self) -> Self {
        Self {
            intervals: self.intervals + other.intervals,
            covered: self.covered + other.covered,
            false_positives: self.false_positives + other.false_positives,
            seen: std::array::from_fn(|index| self.seen[index] + other.seen[index]),
            log_half_widths: self.log_half_widths + other.log_half_widths,
        }
    }

    /// How the method fared in the `runs` campaigns that are added up here.
    fn score(self, method: Estimator, runs: u32) -> Score {
        let share = |count: u32| f64::from(count) / f64::from(runs);
        Score {
            method,
            coverage: (self.intervals > 0).then(|| f64::from(self.covered) / f64::from(self.intervals)),
            false_positives: share(self.false_positives),
            power: self.seen.map(share),
            half_width: (self.intervals > 0).then(|| f64::exp(self.log_half_widths / f64::from(self.intervals))),
        }
    }
}

/// Simulates `runs` campaigns of a scenario from a seed, on all processors; the result does not depend on how many
/// there are.
pub fn simulate(scenario: &Scenario, runs: u32, seed: u64) -> ScenarioScores {
    let workers = thread::available_parallelism().map_or(1, |processors| processors.get() as u32).min(runs.max(1));
    let work = |worker: u32| {
        let mut tallies = [Tally::default(); Estimator::ALL.len()];
        for run in (worker..runs).step_by(workers as usize) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(run.into());
            let campaign = scenario.campaign(&mut rng);
            for (tally, method) in tallies.iter_mut().zip(Estimator::ALL) {
                *tally = tally.add(judge(method, &campaign, scenario.clusters()));
            }
        }
        tallies
    };
    let tallies = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        let joined =
            threads.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.fold([Tally::default(); Estimator::ALL.len()], |sum, tallies| {
            std::array::from_fn(|index| sum[index].add(tallies[index]))
        })
    });
    ScenarioScores {
        scenario: scenario.clone(),
        runs,
        scores: Estimator::ALL.into_iter().zip(tallies).map(|(method, tally)| tally.score(method, runs)).collect(),
    }
}

/// What a method says about one campaign of equal sides, and would say if the candidate were slower by each effect:
/// that moves the estimate and nothing else.
fn judge(method: Estimator, campaign: &Sides<Vec<Observation>>, clusters: Clusters) -> Tally {
    let last = estimate::last_block(campaign).unwrap_or_default();
    let first = if method.is_repeated() { 0 } else { last };
    let mut tally = Tally { intervals: 0, covered: 1, ..Tally::default() };
    for block in first..=last {
        let so_far = campaign.map(|_, values| values.iter().copied().filter(|value| value.block <= block).collect());
        let Some((difference, interval)) = method.look(&so_far, clusters) else { continue };
        tally.intervals = 1;
        tally.log_half_widths = interval.half_width().ln();
        tally.covered &= u32::from(interval.low <= 0.0 && interval.high >= 0.0);
        let says = |effect: f64| {
            let moved = Difference { estimate: difference.estimate + effect.ln_1p(), ..difference };
            match method {
                Estimator::Shipped | Estimator::ShippedEveryBlock => {
                    verdicts(&[Some(moved)], MARGIN, method.looks())[0]
                }
                // The others know no margin.
                _ if moved.p_value(0.0, Looks::Once) > 1.0 - CONFIDENCE => Verdict::Inconclusive,
                _ if moved.estimate < 0.0 => Verdict::Faster,
                _ => Verdict::Slower,
            }
        };
        tally.false_positives |= u32::from(matches!(says(0.0), Verdict::Faster | Verdict::Slower));
        for (seen, effect) in tally.seen.iter_mut().zip(EFFECTS) {
            *seen |= u32::from(says(effect) == Verdict::Slower);
        }
    }
    tally.covered &= tally.intervals;
    tally
}

/// An aim that a method of this project misses in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Missed {
    /// Where.
    pub scenario: Scenario,
    pub method: Estimator,
    /// What it should be and is, in words.
    pub what: String,
}

/// The aims that the project's own methods miss: intervals that cover the truth in 93 to 97% of campaigns (at least
/// 93% where they have to be valid after every block), and verdicts on equal sides that are wrong in at most 5%, each
/// but for the error of the simulation. It is taken as three standard errors, since there are many aims.
pub fn missed_aims(outcomes: &[ScenarioScores]) -> Vec<Missed> {
    let mut missed = Vec::new();
    for outcome in outcomes.iter().filter(|outcome| !outcome.scenario.is_beyond_aims()) {
        let tolerance = |share: f64| 3.0 * (share * (1.0 - share) / f64::from(outcome.runs)).sqrt();
        for score in &outcome.scores {
            let highest = match score.method {
                Estimator::Shipped => 0.97 + tolerance(0.97),
                Estimator::ShippedEveryBlock => 1.0,
                _ => continue,
            };
            let mut miss =
                |what| missed.push(Missed { scenario: outcome.scenario.clone(), method: score.method, what });
            let lowest = 0.93 - tolerance(0.93);
            if let Some(coverage) = score.coverage.filter(|coverage| !(lowest..=highest).contains(coverage)) {
                miss(format!("coverage {:.1}%, aim 93 to 97%", coverage * 100.0));
            }
            if score.false_positives > 0.05 + tolerance(0.05) {
                miss(format!("false positives {:.1}%, aim at most 5%", score.false_positives * 100.0));
            }
        }
    }
    missed
}
