//! All variants of a campaign side by side, for campaigns of more than two.

use super::{
    document::{Block, Column, Table, Value, numbers, words},
    tables::verdict,
    words::{dollars_to, listed, names, percent, significant_to, time_unit, with_interval},
};
use crate::analysis::{
    result::{Analysis, Comparison, MeanTime, PairAnalysis, VariantFacts},
    verdict::Verdict,
    warning_kind::Warning,
};
use crate::campaign::trial::NotMade;
use std::collections::BTreeSet;

/// How the others compare with the baseline, in one sentence.
pub fn headline(analysis: &Analysis) -> String {
    let of = |wanted: Verdict| {
        let is_wanted = |pair: &&PairAnalysis| pair.verdict() == wanted;
        let pairs = analysis.comparisons.iter().filter(is_wanted);
        pairs.map(|pair| pair.names().candidate).collect::<Vec<_>>()
    };
    let said = [
        (of(Verdict::Faster), "faster than"),
        (of(Verdict::Slower), "slower than"),
        (of(Verdict::Equivalent), "as fast as"),
        (of(Verdict::Inconclusive), "undecided beside"),
        (of(Verdict::Withheld), "without a verdict beside"),
    ];
    let said = said.into_iter().filter(|(names, _)| !names.is_empty()).map(|(names, word)| {
        let be = if names.len() == 1 { "is" } else { "are" };
        format!("{} {be} {word} {}", listed(&names), analysis.baseline)
    });
    said.collect::<Vec<_>>().join("; ") + "."
}

/// The warnings of all pairs, each once. What is about one pair alone begins with the candidate's name; what is the same of
/// several variants is said of one, and the others are named.
pub fn warnings(analysis: &Analysis) -> Vec<Block> {
    let is_of_all = |warning: &Warning| {
        let mut pairs = analysis.comparisons.iter();
        warning.side.is_some() || pairs.all(|pair| pair.warnings.iter().any(|other| other.text == warning.text))
    };
    let of_pair = |pair: &PairAnalysis| -> Vec<VariantWarning> {
        let warnings = pair.warnings.iter().map(|warning| {
            let name = if is_of_all(warning) { String::new() } else { format!("{}: ", pair.names().candidate) };
            VariantWarning {
                of: warning.side.map(|side| pair.names()[side].to_owned()),
                warning: Warning { text: name + &warning.text, ..warning.clone() },
                withholds: pair.withholds(warning),
                others: Vec::new(),
            }
        });
        warnings.collect()
    };
    let mut all: Vec<VariantWarning> = analysis.comparisons.iter().flat_map(of_pair).collect();
    all.sort_by_key(|of_variant| (of_variant.warning.kind, !of_variant.withholds));
    let mut warnings: Vec<VariantWarning> = Vec::new();
    for next in all {
        match warnings.iter_mut().find(|known| known.is_same(&next)) {
            Some(known) => known.others.extend(next.of.filter(|name| known.of.as_ref() != Some(name))),
            None => warnings.push(next),
        }
    }
    warnings.into_iter().map(VariantWarning::block).collect()
}

/// A warning, and the variants that it is about.
struct VariantWarning {
    warning: Warning,
    withholds: bool,
    /// The variant that the text names, if it is about one.
    of: Option<String>,
    /// The others of which it says the same.
    others: Vec<String>,
}

impl VariantWarning {
    /// Whether both say the same, perhaps of different variants.
    fn is_same(&self, other: &Self) -> bool {
        let text =
            |it: &Self| it.of.as_ref().map_or(it.warning.text.clone(), |name| it.warning.text.replace(name, NAME));
        (self.warning.kind, self.withholds) == (other.warning.kind, other.withholds) && text(self) == text(other)
    }

    fn block(self) -> Block {
        let names: BTreeSet<&str> = self.others.iter().map(String::as_str).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let text = match names.as_slice() {
            [] => self.warning.text,
            names => format!("{} The same holds for {}.", self.warning.text, listed(names)),
        };
        Block::warning(&Warning { text, ..self.warning }, self.withholds)
    }
}

/// What stands for a name, which has no control characters.
const NAME: &str = "\u{0}";

/// One line for each variant; costs only where any is known.
pub fn table(analysis: &Analysis) -> Table {
    let measure = analysis.variants.iter().find_map(|facts| Some(facts.time?.measure));
    let has_costs = analysis.variants.iter().any(|facts| facts.per_million.is_some());
    let confidence = percent(analysis.method.confidence);
    let of_cost = |column| Some(column).filter(|_| has_costs);
    let columns = [
        Some(words("variant")),
        Some(numbers(format!("{} ({confidence} interval)", measure.map_or("time", |measure| measure.as_str())))),
        of_cost(numbers(format!("$ a million ({confidence} interval)"))),
        Some(numbers("change")),
        Some(words("verdict")),
        of_cost(words("Pareto")),
    ];
    let row = |facts: &VariantFacts| {
        let cost = facts.per_million.map(|cost| with_interval(cost.total_usd, cost.interval, dollars_to));
        let [change, verdict] = compared(analysis, facts);
        let is_on_front = facts.is_on_pareto_front == Some(true);
        let mut row = vec![Value::text(&facts.name), Value::number_or_unknown(facts.time.map(|time| mean(&time)))];
        row.extend(Some(Value::number_or_unknown(cost)).filter(|_| has_costs));
        row.extend([change, verdict]);
        row.extend(Some(Value::text(if is_on_front { "◆" } else { "" })).filter(|_| has_costs));
        row
    };
    let columns: Vec<Column> = columns.into_iter().flatten().collect();
    let unmeasured = |not_made: &NotMade| {
        let mut row: Vec<Value> = columns.iter().map(|_| Value::Unknown).collect();
        (row[0], row[columns.len() - 1 - usize::from(has_costs)]) =
            (Value::text(name(not_made)), Value::text("not made"));
        row
    };
    let not_made: Vec<Vec<Value>> =
        analysis.trial.iter().flat_map(|trial| trial.not_made.iter().map(unmeasured)).collect();
    let rows = analysis.variants.iter().map(row).chain(not_made);
    Table::new("Variants", columns.clone(), rows)
}

/// Why variants could not be made.
pub fn not_made(analysis: &Analysis) -> impl Iterator<Item = String> {
    let not_made = analysis.trial.iter().flat_map(|trial| &trial.not_made);
    not_made.map(|not_made| format!("{} was not made: {}", name(not_made), not_made.reason))
}

fn name(NotMade { architecture, memory_mb, .. }: &NotMade) -> String {
    format!("{architecture}-{memory_mb}MB")
}

/// The change from the baseline, and the verdict on it.
fn compared(analysis: &Analysis, facts: &VariantFacts) -> [Value; 2] {
    let Some(pair) = analysis.comparison_of(&facts.name) else {
        return [Value::Unknown, Value::text(if analysis.trial.is_some() { "present" } else { "baseline" })];
    };
    let withheld = || Value::Verdict(Verdict::Withheld.into(), Verdict::Withheld.to_string(), None);
    let change = pair.headline.as_ref().and_then(judged).map_or(Value::Unknown, Value::Change);
    [change, pair.headline.as_ref().map_or_else(withheld, verdict)]
}

fn mean(time: &MeanTime) -> String {
    let (size, unit) = time_unit(time.mean_ms);
    let interval = time.interval.map(|interval| interval.map(|ms| ms / size));
    format!("{} {unit}", with_interval(time.mean_ms / size, interval, significant_to))
}

fn judged(comparison: &Comparison) -> Option<f64> {
    comparison.ratio.filter(|_| comparison.verdict != Verdict::Withheld).map(|ratio| ratio.estimate)
}

/// The heading of a pair.
pub fn title(pair: &PairAnalysis) -> String {
    let names = names(pair);
    format!("{} compared with {}", names.candidate.at_start(), names.baseline)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::{
            result::{Interval, Measure},
            sides::Side,
            warning_kind::WarningKind,
        },
        report::fixture,
    };

    #[test]
    fn the_headline_names_candidates_before_the_baseline() {
        let of = |verdicts: &[Verdict]| {
            let pairs = verdicts.iter().enumerate().map(|(number, verdict)| {
                let mut pair = fixture::analysis();
                pair.sides.candidate.name = format!("v{number}");
                pair.headline.as_mut().unwrap().verdict = *verdict;
                pair
            });
            headline(&fixture::campaign_of(&pairs.collect::<Vec<_>>()))
        };
        assert_eq!(of(&[Verdict::Faster; 3]), "v0, v1 and v2 are faster than x86_64.");
        let all = [Verdict::Withheld, Verdict::Inconclusive, Verdict::Equivalent, Verdict::Slower, Verdict::Faster];
        assert_eq!(
            of(&all),
            "v4 is faster than x86_64; v3 is slower than x86_64; v2 is as fast as x86_64; v1 is undecided beside x86_64; v0 is \
             without a verdict beside x86_64."
        );
    }

    #[test]
    fn what_is_the_same_of_several_variants_is_said_once() {
        let pairs = ["arm64", "arm64-1024MB"].map(|name| {
            let mut pair = fixture::analysis();
            pair.sides.candidate.name = name.to_owned();
            let of = |side: Side, text: String| Warning { kind: WarningKind::NoBill, side: Some(side), text };
            let baseline = pair.names().baseline.to_owned();
            pair.warnings = vec![
                of(Side::Baseline, format!("{baseline} has no bill.")),
                of(Side::Candidate, format!("{name} has no bill.")),
            ];
            pair
        });
        let blocks = warnings(&fixture::campaign_of(&pairs));
        let texts: Vec<&str> = blocks
            .iter()
            .map(|block| match block {
                Block::Warning { text, .. } => text.as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(texts, ["x86_64 has no bill. The same holds for arm64 and arm64-1024MB."]);
    }

    #[test]
    fn times_have_the_unit_that_fits() {
        let time = |mean_ms: f64| {
            let interval = Some(Interval { low: mean_ms * 0.99, high: mean_ms * 1.01 });
            mean(&MeanTime { measure: Measure::Wall, mean_ms, interval })
        };
        assert_eq!([time(201.0), time(124_456.0)], ["201 (199 to 203) ms", "124 (123 to 126) s"]);
    }
}
