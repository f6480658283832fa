//! Which variant to take, in sentences.

mod limits;

use super::{
    counted_fleets::both_ranges,
    document::Block,
    sentences::{cold_share, saved_range},
    words::{
        amount, capitalized, count, counted, dollars, dollars_to, listed, percent, significant, with_interval,
        without_trailing_zeros,
    },
};
use crate::analysis::{
    choice::{Choice, Chosen, Goal},
    exceeding::Standing,
    result::{Analysis, Interval, Money, PairAnalysis, Ratio, VolumeSource},
};
use crate::campaign::trial::{LeftOutReason, Search};

/// What to take, what limits say about it, what it assumes, and what a trial could not tell.
pub fn blocks(analysis: &Analysis) -> Vec<Block> {
    let no_probe = analysis.trial.as_ref().and_then(|trial| trial.no_probe.as_ref());
    let no_probe = no_probe.map(|reason| Block::Remark(format!("Which CPUs the clones had is not known: {reason}.")));
    let search = analysis.trial.as_ref().and_then(|trial| trial.search.as_ref());
    let search = search.map(|search| Block::Remark(search_text(analysis, search)));
    let Some(choice) = &analysis.choice else { return search.into_iter().chain(no_probe).collect() };
    let taken = taken(choice);
    let mut blocks: Vec<Block> = taken.iter().map(|taken| Block::Paragraph(taken.sentences(analysis))).collect();
    blocks.extend(undecided(analysis, choice).map(Block::Paragraph));
    if blocks.is_empty() {
        blocks.push(Block::Paragraph(why_there_is_none(choice).to_owned()));
    }
    blocks.extend(choice.exceeding.iter().map(|exceeding| Block::Item(limits::sentence(analysis, exceeding))));
    blocks.extend(assumptions(analysis, choice).map(Block::Remark));
    blocks.extend(search);
    blocks.extend(no_probe);
    blocks
}

/// What a search has left out, and the calls that it saved.
fn search_text(analysis: &Analysis, Search { rounds, calls, cost_usd, left_out }: &Search) -> String {
    let number = |reason| left_out.iter().filter(|variant| variant.reason == reason).count() as u64;
    let no_better = number(LeftOutReason::NoBetter);
    let with_reasons = [
        (no_better, "that can hardly be faster or cheaper than others"),
        (number(LeftOutReason::Failed), "whose calls failed"),
        (number(LeftOutReason::NotMade), "that could not be made"),
        (number(LeftOutReason::NotMeasured), "for which the limits left no calls"),
    ];
    let with_reasons = with_reasons.iter().filter(|(number, _)| *number > 0);
    let with_reasons: Vec<String> =
        with_reasons.map(|(number, reason)| format!("{} {reason}", counted(*number, "variant"))).collect();
    let left_out = listed(&with_reasons.iter().map(String::as_str).collect::<Vec<_>>());
    let of_baseline =
        analysis.variants.iter().find(|facts| facts.name == analysis.baseline).map_or(0, |facts| facts.calls);
    let others = no_better * of_baseline;
    let saved = counted(others.abs_diff(*calls), "call");
    format!(
        "The search for sizes took {} in {} ({}) and left out {}. {}.",
        counted(*calls, "call"),
        counted(*rounds, "round"),
        dollars(*cost_usd),
        if left_out.is_empty() { "nothing".to_owned() } else { left_out },
        if others >= *calls {
            format!("It saved {saved}, at as many of each variant as of {}", analysis.baseline)
        } else {
            format!("It took {saved} more than it saved")
        },
    )
}

/// What the others are compared with.
pub fn baseline_as(analysis: &Analysis) -> &'static str {
    if analysis.trial.is_some() { "the present configuration" } else { "the baseline" }
}

/// A variant with all that it is.
struct Taken<'a> {
    variant: &'a str,
    roles: Vec<Role<'a>>,
}

struct Role<'a> {
    name: &'static str,
    /// By what it is told apart from others.
    criterion: &'static str,
    chosen: &'a Chosen,
}

fn taken(choice: &Choice) -> Vec<Taken<'_>> {
    let mut taken: Vec<Taken<'_>> = Vec::new();
    for (name, criterion, chosen) in [
        ("cheapest", "cost", &choice.cheapest),
        ("fastest", "time", &choice.fastest),
        ("balanced", "time and in cost", &choice.balanced),
    ] {
        let Some(chosen) = chosen else { continue };
        let role = Role { name, criterion, chosen };
        match taken.iter_mut().find(|taken| taken.variant == chosen.variant) {
            Some(taken) => taken.roles.push(role),
            None => taken.push(Taken { variant: &chosen.variant, roles: vec![role] }),
        }
    }
    taken
}

impl Taken<'_> {
    fn sentences(&self, analysis: &Analysis) -> String {
        let roles: Vec<String> = self.roles.iter().map(Role::text).collect();
        let roles = capitalized(&listed(&roles.iter().map(String::as_str).collect::<Vec<_>>()));
        let pair = analysis.comparison_of(self.variant);
        let mut sentences = match pair {
            Some(pair) => vec![format!("{roles}: {}.", self.variant), changes(analysis, pair)],
            None => vec![format!("{roles}: {}, {}.", self.variant, baseline_as(analysis))],
        };
        sentences.extend(pair.and_then(|pair| pair.money.as_ref()).map(month));
        sentences.extend(self.roles.iter().filter_map(Role::not_distinguishable));
        sentences.join(" ")
    }
}

impl Role<'_> {
    /// What it is, as far as that is certain.
    fn text(&self) -> String {
        let by = if self.chosen.not_distinguishable.is_empty() { "" } else { " by the means" };
        format!("{}{by}", self.name)
    }

    fn not_distinguishable(&self) -> Option<String> {
        let names: Vec<&str> = self.chosen.not_distinguishable.iter().map(String::as_str).collect();
        let be = if names.len() == 1 { "is" } else { "are" };
        (!names.is_empty())
            .then(|| format!("In {}, {} {be} not distinguishable from it.", self.criterion, listed(&names)))
    }
}

/// What the candidate changes beside the baseline.
fn changes(analysis: &Analysis, pair: &PairAnalysis) -> String {
    let time = pair.headline.as_ref().and_then(|headline| Some((headline, headline.ratio?)));
    let time = time.map(|(headline, Ratio { estimate, interval, .. })| {
        ("takes", estimate, "time", interval.map(|interval| both_ranges(headline, interval)))
    });
    let money = pair.money.as_ref();
    let cost = money.map(|money| ("costs", 1.0 - money.savings, "", money.savings_interval.map(saved_range)));
    let mut confidence = format!("{} interval ", percent(analysis.method.confidence));
    let changes = time.into_iter().chain(cost).map(|(verb, ratio, what, interval)| {
        // It is said once.
        let interval = interval.map(|text| format!(" ({}{text})", std::mem::take(&mut confidence)));
        format!("{verb} {}{}", amount(ratio, what), interval.unwrap_or_default())
    });
    let changes: Vec<String> = changes.collect();
    let changes = listed(&changes.iter().map(String::as_str).collect::<Vec<_>>());
    format!("Beside {}, {}, it {changes}.", analysis.baseline, baseline_as(analysis))
}

/// What that makes of a month's bill.
fn month(money: &Money) -> String {
    let Money { monthly, savings_interval, invocations_per_month, .. } = money;
    let saved = monthly.baseline.total_usd - monthly.candidate.total_usd;
    let bounds = savings_interval.map(|bounds| bounds.map(|share| share * monthly.baseline.total_usd));
    let (verb, more, usd, bounds) = if saved < 0.0 {
        let negated = bounds.map(|Interval { low, high }| Interval { low: -high, high: -low });
        ("costs", " more", -saved, negated)
    } else {
        ("saves", "", saved, bounds)
    };
    format!(
        "At {} invocations a month that {verb} {}{more}.",
        count(*invocations_per_month as u64),
        with_interval(usd, bounds, dollars_to)
    )
}

/// What no variant is for certain. None if all is decided.
fn undecided(analysis: &Analysis, choice: &Choice) -> Option<String> {
    let better = choice.undecided.iter().map(|goal| match goal {
        Goal::Cheapest => "cheaper",
        Goal::Fastest => "faster",
        Goal::Balanced => "better balanced",
    });
    let better: Vec<&str> = better.collect();
    let better = better.split_last().map(|(last, others)| match others {
        [] => (*last).to_owned(),
        others => format!("{} or {last}", others.join(", ")),
    });
    better.map(|better| {
        format!("No variant is {better} for certain than {}, {}.", analysis.baseline, baseline_as(analysis))
    })
}

fn why_there_is_none(choice: &Choice) -> &'static str {
    if choice.exceeding.iter().any(|exceeding| exceeding.standing == Standing::Beyond) {
        "No choice: every variant with a verdict is beyond a limit."
    } else {
        "No choice: there is no verdict on any candidate."
    }
}

/// For which month the choice holds, and how it is balanced. None if nothing can be balanced.
fn assumptions(analysis: &Analysis, choice: &Choice) -> Option<String> {
    let balanced = choice.balanced.as_ref().map(|balanced| balanced.variant.as_str());
    if balanced.is_none() && !choice.undecided.contains(&Goal::Balanced) {
        return None;
    }
    let pair = balanced.and_then(|balanced| analysis.comparison_of(balanced)).or(analysis.comparisons.first())?;
    let bill = pair.money.as_ref().map(|money| format!("{} {} ", volume(analysis, money), cold_share(money)));
    Some(format!(
        "{}Balanced is what has the least sum of {} × cost and {} × time, each over the largest of all (--weight).",
        bill.unwrap_or_default(),
        without_trailing_zeros(&significant(choice.weight)),
        without_trailing_zeros(&significant(1.0 - choice.weight))
    ))
}

/// Where the number of invocations is from.
fn volume(analysis: &Analysis, money: &Money) -> String {
    let invocations = count(money.invocations_per_month as u64);
    let usage = analysis.trial.as_ref().and_then(|trial| trial.usage);
    match (money.volume_source, usage) {
        (VolumeSource::Usage, Some(usage)) => format!(
            "A month has {invocations} invocations, as many as the function had in the {} before, scaled to 30 days.",
            counted(usage.days, "day")
        ),
        _ => format!("A month has {invocations} invocations (--monthly-invocations)."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn what_changes_has_its_intervals_with_a_census_and_without() {
        let pair = fixture::counted();
        assert_eq!(
            changes(&fixture::campaign(&pair), &pair),
            "Beside x86_64, the baseline, it takes 5.5% less time (95% interval 3.8% to 7.2% less, without the census 5.1% less \
             to 7.7% more) and costs 25% less (23% to 28% less)."
        );
    }

    #[test]
    fn what_is_undecided_is_said_instead_of_a_choice() {
        let mut analysis = fixture::campaign(&fixture::analysis());
        let mut text = |undecided: &[Goal], fastest: Option<&str>| {
            let chosen = |variant: &str| Chosen { variant: variant.to_owned(), not_distinguishable: Vec::new() };
            analysis.choice = Some(Choice {
                weight: 0.5,
                exceeding: Vec::new(),
                cheapest: None,
                fastest: fastest.map(chosen),
                balanced: None,
                undecided: undecided.to_vec(),
            });
            let text = fixture::plain(&blocks(&analysis));
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let all = text(&[Goal::Cheapest, Goal::Fastest, Goal::Balanced], None);
        let sentence = "No variant is cheaper, faster or better balanced for certain than x86_64, the baseline.";
        assert!(all.contains(sentence) && all.contains("Balanced is what has the least sum"), "{all}");
        assert!(!all.contains("No choice"), "{all}");
        let one = text(&[Goal::Cheapest], Some("arm64"));
        let sentence = "No variant is cheaper for certain than x86_64, the baseline.";
        assert!(one.starts_with("Fastest: arm64.") && one.contains(sentence), "{one}");
        assert!(!text(&[], Some("arm64")).contains("for certain"));
    }
}
