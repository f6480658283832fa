//! What is known of a variant, in a few words.

use super::words::{
    count, counted, dollars, from_to, proportion, proportion_to, short_cpu, significant, significant_to,
};
use crate::{
    analysis::{
        proportion::Proportion,
        result::{Interval, SummaryStatistics, VariantFacts},
    },
    campaign::manifest::{EndReason, Ended},
};

/// A side: what was called, how often, and the failures.
pub fn side(side: &VariantFacts) -> String {
    let mut parts = Vec::new();
    parts.extend(side.architecture.map(|architecture| architecture.to_string()));
    parts.extend(side.memory_mb.map(|memory_mb| format!("{memory_mb} MB")));
    let cold = side.cold_calls.map(|cold_calls| format!(" ({} cold)", count(cold_calls)));
    parts.push(counted(side.calls, "call") + &cold.unwrap_or_default());
    parts.push(match side.environments {
        0 if side.has_known_environments() => "no environment answered".to_owned(),
        0 => "environments unknown".to_owned(),
        environments => counted(environments, "environment"),
    });
    parts.extend(failures(side));
    parts.extend(side.ended.map(ended));
    parts.extend((side.emulated == Some(true)).then(|| "EMULATED".to_owned()));
    parts.extend(side.spent_usd.filter(|usd| *usd > 0.0).map(|usd| format!("{} spent", dollars(usd))));
    parts.join(", ")
}

/// Until when a variant was called, and why not longer.
fn ended(ended: Ended) -> String {
    let block = count(ended.first_block_without());
    match ended.reason {
        EndReason::GivenUp => format!("given up at block {block}"),
        EndReason::NarrowInterval => {
            format!("no longer called from block {block} on, because its interval was narrow enough")
        }
    }
}

/// The failed calls of a side, by kind.
pub fn failures(side: &VariantFacts) -> Vec<String> {
    side.failures.iter().flatten().map(|(kind, number)| format!("{kind}: {}", count(*number))).collect()
}

/// The CPU models of a side, with the proportions of the fleet that they may have.
pub fn cpu_mix(side: &VariantFacts) -> String {
    let models = cpu_proportions(side.cpus.iter().map(|cpu| (cpu.model.as_str(), cpu.proportion)));
    // A census tells it with more environments.
    if side.census.is_some() { models } else { models + &others(side) }
}

/// What models that have not been seen may have of the fleet; nothing if that is not known.
pub fn others(side: &VariantFacts) -> String {
    side.unseen.map(|unseen| format!("; others at most {}", proportion(unseen))).unwrap_or_default()
}

/// CPU models with their proportions of the fleet.
pub fn cpu_proportions<'a>(models: impl Iterator<Item = (&'a str, Proportion)>) -> String {
    let text = |(model, Proportion { estimate, low, high }): (&str, Proportion)| {
        format!("{} {} ({})", short_cpu(model), proportion(estimate), from_to(low, high, proportion_to))
    };
    models.map(text).collect::<Vec<_>>().join(", ")
}

/// The memory that the environments of a side have used, in a few words.
pub fn memory(side: &VariantFacts) -> Option<String> {
    let SummaryStatistics { mean, interval, max, .. } = side.memory?;
    let interval = interval.map(|Interval { low, high }| format!(" ({})", from_to(low, high, significant_to)));
    Some(format!("{} MiB{}, at most {}", significant(mean), interval.unwrap_or_default(), significant(max)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn blocks_count_from_one_and_environments_that_never_answered_are_known() {
        let mut facts = fixture::analysis().sides.candidate;
        let end = |reason| Ended { block: 14, step: 0, reason };
        assert_eq!(ended(end(EndReason::GivenUp)), "given up at block 15");
        let narrow = "no longer called from block 15 on, because its interval was narrow enough";
        assert_eq!(ended(end(EndReason::NarrowInterval)), narrow);
        // In the middle of a block it was called in that one.
        assert_eq!(ended(Ended { step: 1, ..end(EndReason::NarrowInterval) }), narrow.replace("15", "16"));
        (facts.environments, facts.calls) = (0, 5);
        assert!(side(&facts).contains("environments unknown"), "{}", side(&facts));
        facts.failures = Some([("timeout".to_owned(), 5)].into());
        assert!(side(&facts).contains("5 calls (52 cold), no environment answered"), "{}", side(&facts));
    }
}
