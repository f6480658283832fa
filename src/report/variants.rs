//! All variants of a campaign side by side, for campaigns of more than two.

use super::{
    document::{Block, Table, Value, numbers, words},
    tables::verdict,
    words::{dollars, listed, names, percent, significant, with_interval},
};
use crate::analysis::{
    result::{Analysis, Comparison, MeanTime, PairAnalysis, VariantFacts},
    verdict::Verdict,
    warning_kind::Warning,
};
use std::collections::BTreeSet;

/// How the others compare with the baseline, in one sentence.
pub fn headline(analysis: &Analysis) -> String {
    let of = |wanted: &[Verdict]| {
        let is_wanted = |pair: &&PairAnalysis| wanted.contains(&pair.verdict());
        let pairs = analysis.comparisons.iter().filter(is_wanted);
        pairs.map(|pair| pair.names().candidate).collect::<Vec<_>>()
    };
    let said = [
        (of(&[Verdict::Faster]), "faster"),
        (of(&[Verdict::Slower]), "slower"),
        (of(&[Verdict::Equivalent]), "as fast"),
        (of(&[Verdict::Inconclusive]), "undecided"),
        (of(&[Verdict::Withheld]), "without a verdict"),
    ];
    let said = said.into_iter().filter(|(names, _)| !names.is_empty()).map(|(names, word)| {
        let be = if names.len() == 1 { "is" } else { "are" };
        format!("{} {be} {word}", listed(&names))
    });
    format!("Compared with {}, {}.", analysis.baseline, said.collect::<Vec<_>>().join("; "))
}

/// Which variant takes the least time, which costs the least, and which others are between. None if no candidate has a
/// verdict.
pub fn best(analysis: &Analysis) -> Option<String> {
    let names = analysis.ranked();
    let ranked = || analysis.variants.iter().filter(|facts| names.contains(facts.name.as_str()));
    let times = ranked().filter_map(|facts| Some((facts, facts.time?.mean_ms)));
    let costs = ranked().filter_map(|facts| Some((facts, facts.per_million?.total_usd)));
    let (fastest, ms) = times.min_by(|one, other| one.1.total_cmp(&other.1))?;
    let least_time = format!("By the means, {} takes the least time ({} ms", fastest.name, significant(ms));
    let Some((cheapest, usd)) = costs.min_by(|one, other| one.1.total_cmp(&other.1)) else {
        return Some(format!("{least_time})."));
    };
    let least_cost = format!("{} a million invocations", dollars(usd));
    if fastest.name == cheapest.name {
        return Some(format!("{least_time}) and costs the least ({least_cost})."));
    }
    let is_between = |facts: &&VariantFacts| {
        facts.is_on_pareto_front == Some(true) && facts.name != fastest.name && facts.name != cheapest.name
    };
    let between: Vec<&str> = ranked().filter(is_between).map(|facts| facts.name.as_str()).collect();
    let between = match between.as_slice() {
        [] => String::new(),
        names => format!(" Between them, {} would be worth a look too.", listed(names)),
    };
    Some(format!("{least_time}), and {} costs the least ({least_cost}).{between}", cheapest.name))
}

/// The warnings of all pairs, each once. What is about one pair alone begins with the candidate's name.
pub fn warnings(analysis: &Analysis) -> Vec<Block> {
    let mut seen = BTreeSet::new();
    let is_of_all = |warning: &Warning| {
        let mut pairs = analysis.comparisons.iter();
        warning.side.is_some() || pairs.all(|pair| pair.warnings.iter().any(|other| other.text == warning.text))
    };
    let of_pair = |pair: &PairAnalysis| -> Vec<(Warning, bool)> {
        let warnings = pair.warnings.iter().map(|warning| {
            let name = if is_of_all(warning) { String::new() } else { format!("{}: ", pair.names().candidate) };
            (Warning { text: name + &warning.text, ..warning.clone() }, pair.withholds(warning))
        });
        warnings.collect()
    };
    let mut warnings: Vec<(Warning, bool)> = analysis.comparisons.iter().flat_map(of_pair).collect();
    warnings.sort_by_key(|(warning, withholds)| (warning.kind, !withholds));
    warnings.retain(|(warning, _)| seen.insert(warning.text.clone()));
    warnings.iter().map(|(warning, withholds)| Block::warning(warning, *withholds)).collect()
}

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
        let cost = facts.per_million.map(|cost| with_interval(cost.total_usd, cost.interval, dollars));
        let [change, verdict] = compared(analysis, facts);
        let is_on_front = facts.is_on_pareto_front == Some(true);
        let mut row = vec![Value::text(&facts.name), Value::number_or_unknown(facts.time.map(|time| mean(&time)))];
        row.extend(Some(Value::number_or_unknown(cost)).filter(|_| has_costs));
        row.extend([change, verdict]);
        row.extend(Some(Value::text(if is_on_front { "◆" } else { "" })).filter(|_| has_costs));
        row
    };
    Table::new("Variants", columns.into_iter().flatten(), analysis.variants.iter().map(row))
}

/// The change from the baseline, and the verdict on it.
fn compared(analysis: &Analysis, facts: &VariantFacts) -> [Value; 2] {
    let Some(pair) = analysis.comparisons.iter().find(|pair| pair.names().candidate == facts.name) else {
        return [Value::Unknown, Value::text("baseline")];
    };
    let withheld = || Value::Verdict(Verdict::Withheld.into(), Verdict::Withheld.to_string(), None);
    let change = pair.headline.as_ref().and_then(judged).map_or(Value::Unknown, Value::Change);
    [change, pair.headline.as_ref().map_or_else(withheld, verdict)]
}

fn mean(time: &MeanTime) -> String {
    with_interval(time.mean_ms, time.interval, significant) + " ms"
}

fn judged(comparison: &Comparison) -> Option<f64> {
    comparison.ratio.filter(|_| comparison.verdict != Verdict::Withheld).map(|ratio| ratio.estimate)
}

/// The heading of a pair.
pub fn title(pair: &PairAnalysis) -> String {
    let names = names(pair);
    format!("{} compared with {}", names.candidate.at_start(), names.baseline)
}
