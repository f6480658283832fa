//! Which variant to take: the cheapest, the fastest, the balanced one.

use super::{
    exceeding::{Exceeding, Standing},
    interval::Interval,
    result::{Analysis, PairAnalysis, VariantFacts},
    verdict::Verdict,
};
use serde::Serialize;

/// The weight of cost, unless the user says otherwise.
pub const WEIGHT: f64 = 0.5;

/// The variants to take, of those that may be ranked and are not beyond a limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// The weight of cost in the score of the balanced variant, from 0 to 1; that of time is the rest.
    pub weight: f64,
    /// The variants that exceed a limit, or may.
    pub exceeding: Vec<Exceeding>,
    /// The one of the least cost. None if no cost is known, or if it is undecided.
    pub cheapest: Option<Chosen>,
    /// The one of the least time. None if no time is known, or if it is undecided.
    pub fastest: Option<Chosen>,
    /// The one of the least score. None if of no variant both are known, or if it is undecided.
    pub balanced: Option<Chosen>,
    /// Where no variant is better than the baseline for certain, and the means of all calls and the comparisons with the
    /// baseline contradict each other.
    pub undecided: Vec<Goal>,
}

/// What a variant is chosen for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    Cheapest,
    Fastest,
    Balanced,
}

/// A variant, and the others that may be as good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chosen {
    pub variant: String,
    /// The others of which nothing tells that they are not as good: the balanced one's in time and in cost.
    pub not_distinguishable: Vec<String>,
}

/// What variants are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Criterion {
    Time,
    Cost,
}

impl Choice {
    /// Chooses by means. Ties go to the variant that is better by the other criterion.
    pub(super) fn new(analysis: &Analysis, weight: f64, exceeding: Vec<Exceeding>) -> Self {
        let ranked = analysis.ranked();
        let is_beyond = |name: &str| exceeding.iter().any(|it| it.variant == name && it.standing == Standing::Beyond);
        let is_eligible = |facts: &&VariantFacts| ranked.contains(facts.name.as_str()) && !is_beyond(&facts.name);
        let eligible = Eligible { analysis, variants: analysis.variants.iter().filter(is_eligible).collect() };
        let [time, cost] = [Criterion::Time, Criterion::Cost];
        let complete =
            || eligible.variants.iter().filter(|facts| time.value(facts).is_some() && cost.value(facts).is_some());
        let most = |criterion: Criterion| complete().filter_map(|it| criterion.value(it)).fold(0.0, f64::max);
        let (most_time, most_cost) = (most(time), most(cost));
        let score = |facts: &VariantFacts| {
            let part = |criterion: Criterion, most: f64| Some(criterion.value(facts)? / most);
            Some(weight * part(cost, most_cost)? + (1.0 - weight) * part(time, most_time)?)
        };
        let mut undecided = Vec::new();
        let mut choose = |goal: Goal, score: &dyn Fn(&VariantFacts) -> Option<f64>| {
            eligible.choose(goal, score).unwrap_or_else(|Undecided| {
                undecided.push(goal);
                None
            })
        };
        Self {
            weight,
            cheapest: choose(Goal::Cheapest, &|facts| cost.value(facts)),
            fastest: choose(Goal::Fastest, &|facts| time.value(facts)),
            balanced: choose(Goal::Balanced, &score),
            undecided,
            exceeding,
        }
    }
}

/// The variants that may be chosen.
struct Eligible<'a> {
    analysis: &'a Analysis,
    variants: Vec<&'a VariantFacts>,
}

/// No variant can be chosen, though there is what to choose by.
struct Undecided;

impl Eligible<'_> {
    /// The variant of the least score. Where comparisons with the baseline contradict that, one that is better than the
    /// baseline for certain. None if no score is known.
    fn choose(&self, goal: Goal, score: &dyn Fn(&VariantFacts) -> Option<f64>) -> Result<Option<Chosen>, Undecided> {
        let Some(least) = self.least(score) else { return Ok(None) };
        let baseline = self.variants.iter().find(|facts| facts.name == self.analysis.baseline);
        if least.name == self.analysis.baseline {
            let is_better = |facts: &VariantFacts| self.is_better_for_certain(goal, facts);
            let better = self.least(&|facts| score(facts).filter(|_| is_better(facts)));
            return Ok(Some(self.chosen(goal, better.unwrap_or(least))));
        }
        let Some(baseline) = baseline.filter(|_| self.contradicts(goal, least)) else {
            return Ok(Some(self.chosen(goal, least)));
        };
        let is_better = |facts: &VariantFacts| {
            score(facts) < score(baseline)
                && self.are_distinguishable(goal, facts, baseline)
                && !self.contradicts(goal, facts)
        };
        let least = self.least(&|facts| score(facts).filter(|_| is_better(facts))).ok_or(Undecided)?;
        Ok(Some(self.chosen(goal, least)))
    }

    fn least(&self, score: &dyn Fn(&VariantFacts) -> Option<f64>) -> Option<&VariantFacts> {
        let scored = self.variants.iter().filter_map(|facts| Some((score(facts)?, *facts)));
        let least = scored.min_by(|(one, facts), (other, other_facts)| {
            let ties = [Criterion::Cost, Criterion::Time].map(|criterion| {
                let value = |facts: &VariantFacts| criterion.value(facts).unwrap_or(f64::INFINITY);
                value(facts).total_cmp(&value(other_facts))
            });
            one.total_cmp(other).then(ties[0]).then(ties[1])
        });
        least.map(|(_, facts)| facts)
    }

    fn chosen(&self, goal: Goal, chosen: &VariantFacts) -> Chosen {
        let may_be_as_good =
            |facts: &&&VariantFacts| facts.name != chosen.name && !self.are_distinguishable(goal, chosen, facts);
        let others = self.variants.iter().filter(may_be_as_good).map(|facts| facts.name.clone());
        Chosen { variant: chosen.name.clone(), not_distinguishable: others.collect() }
    }

    fn are_distinguishable(&self, goal: Goal, one: &VariantFacts, other: &VariantFacts) -> bool {
        goal.criteria().iter().any(|criterion| criterion.tells_apart(self.analysis, one, other))
    }

    /// Whether a candidate's comparison with the baseline says that it is better in all that counts.
    fn is_better_for_certain(&self, goal: Goal, candidate: &VariantFacts) -> bool {
        let pair = self.analysis.comparison_of(&candidate.name);
        let is_better = |pair: &PairAnalysis, criterion: &Criterion| {
            criterion.decided(pair, candidate) == Some(true) && criterion.ratio(pair).is_some_and(|ratio| ratio < 1.0)
        };
        pair.is_some_and(|pair| goal.criteria().iter().all(|criterion| is_better(pair, criterion)))
    }

    /// Whether a candidate is worse than the baseline in the blocks that called both.
    fn contradicts(&self, goal: Goal, candidate: &VariantFacts) -> bool {
        let pair = self.analysis.comparison_of(&candidate.name);
        let is_worse = |pair: &PairAnalysis| goal.criteria().iter().all(|criterion| criterion.ratio(pair) > Some(1.0));
        pair.is_some_and(is_worse)
    }
}

impl Goal {
    /// What decides.
    fn criteria(self) -> &'static [Criterion] {
        match self {
            Self::Cheapest => &[Criterion::Cost],
            Self::Fastest => &[Criterion::Time],
            Self::Balanced => &[Criterion::Time, Criterion::Cost],
        }
    }
}

impl Criterion {
    /// What is the less the better.
    fn value(self, facts: &VariantFacts) -> Option<f64> {
        match self {
            Self::Time => Some(facts.time?.mean_ms),
            Self::Cost => Some(facts.per_million?.total_usd),
        }
    }

    fn interval(self, facts: &VariantFacts) -> Option<Interval> {
        match self {
            Self::Time => facts.time?.interval,
            Self::Cost => facts.per_million?.interval,
        }
    }

    /// What the candidate takes or costs over the baseline. None if that is not known.
    fn ratio(self, pair: &PairAnalysis) -> Option<f64> {
        match self {
            Self::Time => Some(pair.headline.as_ref()?.ratio?.estimate),
            Self::Cost => Some(1.0 - pair.money.as_ref()?.savings),
        }
    }

    /// Whether these two differ for certain: the baseline and a candidate by their own comparison, which drift does not
    /// widen, and two candidates by intervals that do not meet.
    fn tells_apart(self, analysis: &Analysis, one: &VariantFacts, other: &VariantFacts) -> bool {
        let is_theirs = |pair: &&PairAnalysis| {
            let names = pair.names();
            [one, other].iter().all(|facts| [names.baseline, names.candidate].contains(&facts.name.as_str()))
        };
        let compared = analysis.comparisons.iter().find(is_theirs).and_then(|pair| self.decided(pair, one));
        compared.unwrap_or_else(|| match (self.interval(one), self.interval(other)) {
            (Some(one), Some(other)) => one.high < other.low || other.high < one.low,
            _ => false,
        })
    }

    /// Whether the comparison of two variants tells them apart. None if it is by another measure, or of no cost.
    fn decided(self, pair: &PairAnalysis, facts: &VariantFacts) -> Option<bool> {
        match self {
            Self::Time => {
                let headline = pair
                    .headline
                    .as_ref()
                    .filter(|headline| Some(headline.measure) == facts.time.map(|time| time.measure))?;
                Some(matches!(headline.verdict, Verdict::Faster | Verdict::Slower))
            }
            Self::Cost => Some(pair.money.as_ref()?.savings_interval?.excludes(0.0)),
        }
    }
}

#[cfg(test)]
mod tests;
