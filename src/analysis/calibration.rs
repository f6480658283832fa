//! How often the estimator errs on simulated fleets, where the truth is known, and how often those of other tools do.

mod campaign;
mod fleet;
mod judgment;
pub(crate) mod naive;
pub(crate) mod scenario;

use judgment::Tally;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use scenario::Scenario;
use serde::Serialize;
use statrs::distribution::{Binomial, DiscreteCDF};
use std::thread;

/// The true differences for which power is reported, as shares of the baseline's time.
pub const EFFECTS: [f64; 3] = [0.02, 0.05, 0.10];

/// A campaign with a census that has so many environments is looked at once.
const LARGE: u32 = 60;

/// A way to compare two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimator {
    /// What `duet report` does.
    Shipped,
    /// The same, if it did not know of a census.
    WithoutCensus,
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
    const WITHOUT_CENSUS: [Self; 7] = [
        Self::Shipped,
        Self::Cr2,
        Self::EnvironmentMeans,
        Self::PooledWelch,
        Self::TrimmedMean,
        Self::ShippedEveryBlock,
        Self::PooledWelchEveryBlock,
    ];

    const WITH_CENSUS: [Self; 3] = [Self::Shipped, Self::WithoutCensus, Self::ShippedEveryBlock];

    /// Those that are tried in a scenario.
    fn of(scenario: &Scenario) -> &'static [Self] {
        match scenario.census {
            0 => &Self::WITHOUT_CENSUS,
            // Looking after every block takes most of the time, and the smaller campaigns show what it does.
            _ if scenario.environments >= LARGE => &Self::WITH_CENSUS[..2],
            _ => &Self::WITH_CENSUS,
        }
    }

    /// Its name for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shipped => "duet report",
            Self::WithoutCensus => "without the census",
            Self::Cr2 => "CR2, its own df",
            Self::EnvironmentMeans => "Welch, environments",
            Self::PooledWelch => "Welch, invocations",
            Self::TrimmedMean => "20% trimmed mean",
            Self::ShippedEveryBlock => "duet run --until-ci",
            Self::PooledWelchEveryBlock => "Welch, every block",
        }
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
    /// The standard error of its logarithm, as simulated.
    pub half_width_error: Option<f64>,
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

/// Simulates `runs` campaigns of a scenario from a seed, on all processors; the result does not depend on how many
/// there are.
pub fn simulate(scenario: &Scenario, runs: u32, seed: u64) -> ScenarioScores {
    let workers = thread::available_parallelism().map_or(1, |processors| processors.get() as u32).min(runs.max(1));
    let methods = Estimator::of(scenario);
    let work = |worker: u32| {
        let mut tallies = vec![Tally::default(); methods.len()];
        for run in (worker..runs).step_by(workers as usize) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(run.into());
            let campaign = scenario.campaign(&mut rng);
            for (tally, method) in tallies.iter_mut().zip(methods) {
                *tally = tally.add(judgment::judge(*method, &campaign, scenario.clusters()));
            }
        }
        tallies
    };
    let tallies = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        let joined =
            threads.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.fold(vec![Tally::default(); methods.len()], |sum, tallies| {
            sum.into_iter().zip(tallies).map(|(sum, tally)| sum.add(tally)).collect()
        })
    });
    ScenarioScores {
        scenario: scenario.clone(),
        runs,
        scores: methods.iter().zip(tallies).map(|(method, tally)| tally.score(*method, runs)).collect(),
    }
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
/// but for the error of the simulation: what chance explains with the probability of three standard errors, since there are
/// many aims. Where CPU models were counted, intervals should also be as narrow as [`Scenario::aimed_half_width`].
pub fn missed_aims(outcomes: &[ScenarioScores]) -> Vec<Missed> {
    let mut missed = Vec::new();
    for outcome in outcomes.iter().filter(|outcome| !outcome.scenario.is_beyond_aims()) {
        for score in &outcome.scores {
            let highest = match score.method {
                Estimator::Shipped => 0.97,
                Estimator::ShippedEveryBlock => 1.0,
                _ => continue,
            };
            let mut miss =
                |what| missed.push(Missed { scenario: outcome.scenario.clone(), method: score.method, what });
            let is_off =
                |coverage: &f64| is_below(*coverage, 0.93, outcome.runs) || is_above(*coverage, highest, outcome.runs);
            if let Some(coverage) = score.coverage.filter(is_off) {
                miss(format!("coverage {:.1}%, aim 93 to 97%", coverage * 100.0));
            }
            let aim = outcome.scenario.aimed_half_width().filter(|_| score.method == Estimator::Shipped);
            let half_width = score.half_width.zip(score.half_width_error).zip(aim);
            if let Some(((width, _), aim)) =
                half_width.filter(|((width, error), aim)| *width > aim * f64::exp(3.0 * error))
            {
                miss(format!("half width ±{:.2}%, aim at most ±{:.1}%", width * 100.0, aim * 100.0));
            }
            if is_above(score.false_positives, 0.05, outcome.runs) {
                miss(format!("false positives {:.1}%, aim at most 5%", score.false_positives * 100.0));
            }
        }
    }
    missed
}

/// The probability that a normal value is three standard errors above its mean.
const CHANCE: f64 = 0.001_35;

/// Whether so large a share of simulated campaigns is no chance if the probability is no larger than this.
fn is_above(share: f64, probability: f64, runs: u32) -> bool {
    let count = (share * f64::from(runs)).round() as u64;
    count > 0 && campaigns(probability, runs).sf(count - 1) < CHANCE
}

/// The same of so small a share.
fn is_below(share: f64, probability: f64, runs: u32) -> bool {
    campaigns(probability, runs).cdf((share * f64::from(runs)).round() as u64) < CHANCE
}

fn campaigns(probability: f64, runs: u32) -> Binomial {
    Binomial::new(probability, runs.into()).expect("a probability is between 0 and 1")
}
