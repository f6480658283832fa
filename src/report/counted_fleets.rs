//! What a census of a fleet's environments adds to a report.

use super::{
    facts::{cpu_proportions, others},
    words::{counted, range},
};
use crate::analysis::result::{Comparison, Interval, VariantFacts};

/// The interval as it would be without the census: `without the census 6% to 18% less`. None if no census has a part in it.
pub fn without_census(comparison: &Comparison) -> Option<String> {
    let interval = comparison.without_census?.interval?;
    Some(format!("without the census {}", range(interval)))
}

/// An interval of the ratio in words, and what it would be without the census.
pub fn both_ranges(comparison: &Comparison, interval: Interval) -> String {
    let without = without_census(comparison).map(|without| format!(", {without}"));
    range(interval) + &without.unwrap_or_default()
}

/// How many environments of a side were counted: `1,043 environments counted in 12 rounds`.
pub fn counted_environments(side: &VariantFacts) -> Option<String> {
    let census = side.census?;
    let environments = counted(census.environments, "environment");
    Some(format!("{environments} counted in {}", counted(census.rounds, "round")))
}

/// That the census of a side is not used, and why. None if it is used, or if there is none.
pub fn not_used(side: &VariantFacts) -> Option<&'static str> {
    let has_drifted = side.census?.has_drifted;
    has_drifted.then_some("not used, because the environments that were called differ from them beyond chance")
}

/// The census of a side, with the proportions of the fleet that it tells.
pub fn line(side: &VariantFacts) -> Option<String> {
    let models = side.cpus.iter().filter_map(|cpu| Some((cpu.model.as_str(), cpu.counted?.proportion)));
    let mut parts = vec![counted_environments(side)?];
    parts.push(format!("with those that were called {}{}", cpu_proportions(models), others(side)));
    parts.extend(not_used(side).map(str::to_owned));
    Some(parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::{
            result::{PairAnalysis, Ratio},
            verdict::Verdict,
        },
        report::{fixture, sentences::headline, sentences::sources},
    };

    /// The headline with these verdict, ratio and interval, and this interval without the census.
    fn of(verdict: Verdict, [low, estimate, high]: [f64; 3], without: Interval) -> String {
        let mut pair = fixture::counted();
        let comparison = pair.headline.as_mut().unwrap();
        let ratio = Ratio { estimate, interval: Some(Interval { low, high }), ..comparison.ratio.unwrap() };
        (comparison.verdict, comparison.ratio) = (verdict, Some(ratio));
        comparison.without_census = Some(Ratio { interval: Some(without), ..ratio });
        comparison.environments_needed = Some(1_200);
        pair.money = None;
        headline(&pair)
    }

    #[test]
    fn the_headline_has_both_intervals() {
        let wide = Interval { low: 0.82, high: 0.94 };
        assert_eq!(
            of(Verdict::Faster, [0.86, 0.88, 0.9], wide),
            "arm64 takes 12% less time than x86_64 (1.14× as fast; 95% interval 10% to 14% less, without the census 6% to 18% \
             less)."
        );
        let wide = Interval { low: 0.94, high: 1.06 };
        assert_eq!(
            of(Verdict::Equivalent, [0.99, 1.0, 1.01], wide),
            "No difference: arm64 takes as much time as x86_64, within ±2% (without the census 6% less to 6% more)."
        );
        assert_eq!(
            of(Verdict::Inconclusive, [0.97, 1.0, 1.03], wide),
            "Inconclusive: arm64 takes between 3% less and 3% more time (without the census 6% less to 6% more); about 1,200 \
             environments of each side would probably tell."
        );
    }

    #[test]
    fn the_mix_is_a_source_of_the_variance() {
        let text = |pair: &PairAnalysis| sources(pair).unwrap();
        assert_eq!(
            text(&fixture::counted()),
            "Of the variance behind the interval, 5% comes from what disturbed several environments at once, 58% from \
             differences between environments, 20% from what the census leaves open of the mix of CPU models, and the rest \
             from single calls."
        );
        assert!(!text(&fixture::analysis()).contains("census"));
    }

    #[test]
    fn a_census_is_told_with_its_mix_and_why_it_is_not_used() {
        let mut side = fixture::counted().sides.candidate;
        let text = "1,043 environments counted in 12 rounds; with those that were called Neoverse-V1 57% (54% to 60%), \
                    Neoverse-N1 43% (40% to 46%); others at most 0.3%";
        assert_eq!(line(&side), Some(text.to_owned()));
        side.census.as_mut().unwrap().has_drifted = true;
        let why = "; not used, because the environments that were called differ from them beyond chance";
        assert_eq!(line(&side), Some(text.to_owned() + why));
        side.census = None;
        assert_eq!(line(&side), None);
    }
}
