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
    /// The one of the least cost. None if no cost is known.
    pub cheapest: Option<Chosen>,
    /// The one of the least time. None if no time is known.
    pub fastest: Option<Chosen>,
    /// The one of the least score. None if of no variant both are known.
    pub balanced: Option<Chosen>,
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
        let eligible: Vec<&VariantFacts> = analysis.variants.iter().filter(is_eligible).collect();
        let choose = |criteria: &[Criterion], score: &dyn Fn(&VariantFacts) -> Option<f64>| {
            let scored = eligible.iter().filter_map(|facts| Some((score(facts)?, *facts)));
            let (_, chosen) = scored.min_by(|(one, facts), (other, other_facts)| {
                let ties = [Criterion::Cost, Criterion::Time].map(|criterion| {
                    let value = |facts: &VariantFacts| criterion.value(facts).unwrap_or(f64::INFINITY);
                    value(facts).total_cmp(&value(other_facts))
                });
                one.total_cmp(other).then(ties[0]).then(ties[1])
            })?;
            let may_be_as_good = |facts: &&&VariantFacts| {
                facts.name != chosen.name
                    && criteria.iter().all(|criterion| !criterion.tells_apart(analysis, chosen, facts))
            };
            let others = eligible.iter().filter(may_be_as_good).map(|facts| facts.name.clone());
            Some(Chosen { variant: chosen.name.clone(), not_distinguishable: others.collect() })
        };
        let [time, cost] = [Criterion::Time, Criterion::Cost];
        let complete = || eligible.iter().filter(|facts| time.value(facts).is_some() && cost.value(facts).is_some());
        let most = |criterion: Criterion| complete().filter_map(|it| criterion.value(it)).fold(0.0, f64::max);
        let (most_time, most_cost) = (most(time), most(cost));
        let score = |facts: &VariantFacts| {
            let part = |criterion: Criterion, most: f64| Some(criterion.value(facts)? / most);
            Some(weight * part(cost, most_cost)? + (1.0 - weight) * part(time, most_time)?)
        };
        Self {
            weight,
            cheapest: choose(&[cost], &|facts| cost.value(facts)),
            fastest: choose(&[time], &|facts| time.value(facts)),
            balanced: choose(&[time, cost], &score),
            exceeding,
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
