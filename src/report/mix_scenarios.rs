//! What would become of the result if a fleet had another mix of CPU models.

use super::{
    document::{Block, Table, Value, numbers, words},
    tables::changes,
    words::{Name, names, proportion, short_cpu},
};
use crate::analysis::{
    result::{Interval, MixPoint, MixScenario, PairAnalysis},
    sides::{Side, Sides},
    verdict::Verdict,
};

/// How many points there are from one row of a text to the next.
const POINTS_A_ROW: usize = 5;

/// Neighbouring proportions with one verdict.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VerdictRange {
    pub verdict: Verdict,
    pub low: f64,
    pub high: f64,
}

impl VerdictRange {
    fn is_decided(&self) -> bool {
        !matches!(self.verdict, Verdict::Inconclusive | Verdict::Withheld)
    }

    /// Which proportions these are, where it is said of what.
    fn of(&self, what: &str) -> String {
        let (low, high) = (proportion(self.low), proportion(self.high));
        match self {
            _ if low == high => format!("where {low} of {what}"),
            Self { low: 0.0, .. } => format!("while at most {high} of {what}"),
            Self { high: 1.0, .. } => format!("while at least {low} of {what}"),
            _ => format!("while {low} to {high} of {what}"),
        }
    }

    /// Which proportions these are, where that was said.
    fn further(&self) -> String {
        let (low, high) = (proportion(self.low), proportion(self.high));
        match self {
            _ if low == high => format!("at {low}"),
            Self { high: 1.0, .. } => format!("from {low} on"),
            _ => format!("from {low} to {high}"),
        }
    }
}

/// The verdicts in the order of proportions.
pub fn ranges(scenario: &MixScenario) -> Vec<VerdictRange> {
    let of_one_verdict = scenario.points.chunk_by(|one, next| one.verdict == next.verdict);
    let range = |points: &[MixPoint]| VerdictRange {
        verdict: points[0].verdict,
        low: points[0].proportion,
        high: points[points.len() - 1].proportion,
    };
    of_one_verdict.map(range).collect()
}

/// Whose fleet it is.
pub fn fleet(scenario: &MixScenario, names: &Sides<Name>) -> String {
    match scenario.side {
        Side::Baseline => format!("the fleet of {}", names.baseline),
        Side::Candidate => "its fleet".to_owned(),
    }
}

/// With which proportions of a CPU model there is which verdict.
pub fn sentence(pair: &PairAnalysis, scenario: &MixScenario) -> String {
    let names = names(pair);
    let of_fleet =
        format!("{} is {} (now {})", fleet(scenario, &names), short_cpu(&scenario.model), proportion(scenario.now));
    let ranges = ranges(scenario);
    let mut decided = ranges.iter().filter(|range| range.is_decided());
    let Some(first) = decided.next() else {
        return format!("Whether {} is faster is open whatever proportion of {of_fleet}.", names.candidate);
    };
    let candidate = names.candidate.at_start();
    if ranges.len() == 1 {
        return format!("{candidate} is {} whatever proportion of {of_fleet}.", first.verdict);
    }
    let mut text = format!("{candidate} is {} {}", first.verdict, first.of(&of_fleet));
    let others: Vec<String> = decided.map(|range| format!("{} {}", range.verdict, range.further())).collect();
    if let Some((last, others)) = others.split_last() {
        text += &others.iter().map(|other| format!(", {other}")).collect::<String>();
        text += &format!(", and {last}");
    }
    if ranges.iter().any(|range| !range.is_decided()) {
        text += "; otherwise the verdict is inconclusive";
    }
    text + "."
}

/// What a summary says of it: where a census has a part in the result, and the verdict depends on the mix.
pub fn notable(pair: &PairAnalysis) -> impl Iterator<Item = &MixScenario> {
    pair.mix_scenarios.iter().filter(|scenario| is_notable(pair, scenario))
}

fn is_notable(pair: &PairAnalysis, scenario: &MixScenario) -> bool {
    let has_census = pair.headline.as_ref().is_some_and(|headline| headline.without_census.is_some());
    has_census && ranges(scenario).len() > 1
}

/// Every scenario as a table, and in a sentence where a summary has none.
pub fn blocks(pair: &PairAnalysis) -> Vec<Block> {
    let blocks = pair.mix_scenarios.iter().flat_map(|scenario| {
        let sentence = (!is_notable(pair, scenario)).then(|| Block::Remark(sentence(pair, scenario)));
        [Block::Table(table(pair, scenario, POINTS_A_ROW))].into_iter().chain(sentence)
    });
    blocks.collect()
}

/// The result by the proportion of a CPU model, so many points from row to row.
pub fn table(pair: &PairAnalysis, scenario: &MixScenario, step: usize) -> Table {
    let row = |point: &MixPoint| {
        vec![
            Value::number(proportion(point.proportion)),
            Value::ChangeWithInterval(point.ratio),
            Value::Verdict(point.verdict.into(), point.verdict.to_string(), None),
        ]
    };
    let names = names(pair);
    let (model, fleet) = (short_cpu(&scenario.model), fleet(scenario, &names));
    let title = format!("{} by the proportion of {model} in {fleet}", names.candidate.at_start());
    let columns = [numbers("proportion"), changes(pair), words("verdict")];
    Table::new(title, columns, scenario.points.iter().step_by(step).map(row))
}

/// The interval of the proportion as it is now, as the census tells it, or else the environments that were called.
pub fn interval_now(pair: &PairAnalysis, scenario: &MixScenario) -> Option<Interval> {
    let cpu = pair.sides[scenario.side].cpus.iter().find(|cpu| cpu.model == scenario.model)?;
    let known = cpu.counted.map_or(cpu.proportion, |counted| counted.proportion);
    // Models that were not measured have no part in it.
    let scale = scenario.now / known.estimate;
    Some(Interval { low: known.low, high: known.high }.map(|end| (end * scale).min(1.0)))
        .filter(|interval| interval.low.is_finite() && interval.high.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, terminal::summary, words::with_interval};

    fn said(change: impl FnOnce(&mut MixScenario)) -> String {
        let mut pair = fixture::counted();
        change(&mut pair.mix_scenarios[0]);
        sentence(&pair, &pair.mix_scenarios[0])
    }

    /// The verdicts up to these steps of 2%.
    fn set(scenario: &mut MixScenario, verdicts: &[(usize, Verdict)]) {
        for (step, point) in scenario.points.iter_mut().enumerate() {
            point.verdict = verdicts.iter().find(|(last, _)| step <= *last).unwrap().1;
        }
    }

    #[test]
    fn a_sentence_names_the_proportions_of_each_verdict() {
        let with = |verdicts: &[(usize, Verdict)]| said(|scenario| set(scenario, verdicts));
        let (open, same) = (Verdict::Inconclusive, Verdict::Equivalent);
        assert_eq!(
            with(&[(31, Verdict::Faster), (44, open), (50, Verdict::Slower)]),
            "arm64 is faster while at most 62% of its fleet is Neoverse-N1 (now 43%), and slower from 90% on; otherwise the \
             verdict is inconclusive."
        );
        assert_eq!(
            with(&[(0, Verdict::Faster), (20, same), (50, Verdict::Slower)]),
            "arm64 is faster where 0% of its fleet is Neoverse-N1 (now 43%), equivalent from 2% to 40%, and slower from 42% \
             on."
        );
        assert_eq!(
            with(&[(9, open), (20, same), (49, open), (50, Verdict::Slower)]),
            "arm64 is equivalent while 20% to 40% of its fleet is Neoverse-N1 (now 43%), and slower at 100%; otherwise the \
             verdict is inconclusive."
        );
        assert_eq!(
            with(&[(9, open), (50, Verdict::Slower)]),
            "arm64 is slower while at least 20% of its fleet is Neoverse-N1 (now 43%); otherwise the verdict is inconclusive."
        );
        assert_eq!(
            with(&[(50, Verdict::Faster)]),
            "arm64 is faster whatever proportion of its fleet is Neoverse-N1 (now 43%)."
        );
        let of_baseline = said(|scenario| {
            scenario.side = Side::Baseline;
            set(scenario, &[(50, open)]);
        });
        assert_eq!(
            of_baseline,
            "Whether arm64 is faster is open whatever proportion of the fleet of x86_64 is Neoverse-N1 (now 43%)."
        );
    }

    #[test]
    fn a_summary_says_it_where_a_census_was_used_and_the_verdict_changes() {
        let text = |pair: &PairAnalysis| {
            let blocks = crate::report::campaign::document(&fixture::campaign(pair));
            let lines = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            let summary = anstream::adapter::strip_str(&summary(&blocks)).to_string();
            (lines(&summary), lines(&fixture::plain(&blocks)))
        };
        let mut pair = fixture::counted();
        let sentence = sentence(&pair, &pair.mix_scenarios[0]);
        let (summary, full) = text(&pair);
        assert!(summary.contains(&sentence), "{summary}");
        assert_eq!(full.matches(&sentence).count(), 1, "{full}");
        let row = "arm64 by the proportion of Neoverse-N1 in its fleet proportion change (95% interval) verdict";
        assert!(!summary.contains(row) && full.contains(row), "{full}");
        pair.headline.as_mut().unwrap().without_census = None;
        let (summary, full) = text(&pair);
        assert!(!summary.contains(&sentence) && full.contains(&sentence), "{summary}");
        pair = fixture::counted();
        set(&mut pair.mix_scenarios[0], &[(50, Verdict::Faster)]);
        assert!(!text(&pair).0.contains("whatever proportion"), "{}", text(&pair).0);
    }

    #[test]
    fn a_table_has_a_row_for_every_tenth() {
        let pair = fixture::counted();
        let table = table(&pair, &pair.mix_scenarios[0], POINTS_A_ROW);
        let rows: Vec<String> =
            table.rows.iter().map(|row| row.iter().flat_map(Value::lines).collect::<Vec<_>>().join(" | ")).collect();
        assert_eq!(rows.len(), 11);
        assert_eq!(rows[0], "0% | −18% (−20% to −16%) | faster");
        assert_eq!(rows[10], "100% | +14% (+12% to +16%) | slower");
    }

    #[test]
    fn the_proportion_of_now_has_the_interval_of_the_census() {
        let mut pair = fixture::counted();
        let text = |pair: &PairAnalysis| {
            let scenario = &pair.mix_scenarios[0];
            with_interval(scenario.now, interval_now(pair, scenario), crate::report::words::proportion_to)
        };
        assert_eq!(text(&pair), "43% (40% to 46%)");
        pair.sides.candidate.cpus.iter_mut().for_each(|cpu| cpu.counted = None);
        pair.mix_scenarios[0].now = 33.0 / 52.0;
        assert_eq!(text(&pair), "63% (50% to 75%)");
        pair.sides.candidate.cpus.clear();
        assert_eq!(interval_now(&pair, &pair.mix_scenarios[0]), None);
    }
}
