//! Whether memory is to be changed, and to what.

use super::Role;
use crate::analysis::{result::Analysis, verdict::Verdict};

/// What follows from an analysis.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision<'a> {
    /// The function is to have so much memory, in MiB.
    Memory(u32),
    /// The chosen variant has another architecture.
    OtherArchitecture { variant: &'a str, reason: String },
    /// Nothing is to be changed, for this reason.
    Nothing(String),
}

pub(super) fn decide(analysis: &Analysis, role: Role) -> Decision<'_> {
    let choice = analysis.choice.as_ref();
    let chosen = choice.and_then(|choice| match role {
        Role::Cheapest => choice.cheapest.as_ref(),
        Role::Fastest => choice.fastest.as_ref(),
        Role::Balanced => choice.balanced.as_ref(),
    });
    let facts = chosen.and_then(|chosen| analysis.variants.iter().find(|facts| facts.name == chosen.variant));
    let (Some(choice), Some(chosen), Some(facts), Some(function)) = (choice, chosen, facts, &analysis.trial) else {
        return Decision::Nothing(format!("nothing is decided, there is no {role} variant"));
    };
    let (name, baseline) = (&chosen.variant, &analysis.baseline);
    if name == baseline {
        return Decision::Nothing(format!("the {role} variant is {name}, the present configuration"));
    }
    if chosen.not_distinguishable.contains(baseline) {
        return Decision::Nothing(format!(
            "the {role} variant, {name}, is not distinguishable from {baseline}, the present configuration"
        ));
    }
    if !is_better(analysis, role, name) {
        return Decision::Nothing(format!(
            "it is not certain that the {role} variant, {name}, is better than {baseline}, the present configuration"
        ));
    }
    if choice.exceeding.iter().any(|exceeding| exceeding.variant == *name) {
        return Decision::Nothing(format!("it is not certain that the {role} variant, {name}, keeps every limit"));
    }
    match (facts.architecture, facts.memory_mb) {
        (Some(architecture), Some(memory_mb)) if architecture == function.architecture => Decision::Memory(memory_mb),
        (Some(architecture), _) => Decision::OtherArchitecture {
            variant: name,
            reason: format!("the {role} variant, {name}, is of {architecture}, and --apply changes memory alone"),
        },
        (None, _) => Decision::Nothing(format!("the architecture of the {role} variant, {name}, is not known")),
    }
}

/// Whether a candidate is better than the baseline for certain, by what it was chosen by: the balanced one in one way at
/// least, at the price of the other.
fn is_better(analysis: &Analysis, role: Role, candidate: &str) -> bool {
    let pair = analysis.comparison_of(candidate);
    let is_faster =
        pair.is_some_and(|pair| pair.headline.as_ref().is_some_and(|headline| headline.verdict == Verdict::Faster));
    let savings = pair.and_then(|pair| pair.money.as_ref()?.savings_interval);
    let is_cheaper = savings.is_some_and(|savings| savings.low > 0.0);
    match role {
        Role::Cheapest => is_cheaper,
        Role::Fastest => is_faster,
        Role::Balanced => is_cheaper || is_faster,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::{
            choice::{Choice, Chosen},
            exceeding::{Exceeding, Standing},
            limits::Condition,
        },
        protocol::Architecture,
        report::fixture,
    };

    /// A trial of a function of 1,024 MB on `architecture`; its variants are x86_64, the baseline, and arm64 with 1,769 MB,
    /// which is the balanced one.
    fn analysis(architecture: Architecture) -> Analysis {
        let mut analysis = fixture::campaign(&fixture::analysis());
        analysis.variants[1].memory_mb = Some(1769);
        analysis.trial = Some(fixture::tried_function(architecture));
        let balanced = Some(Chosen { variant: "arm64".to_owned(), not_distinguishable: Vec::new() });
        analysis.choice = Some(Choice {
            weight: 0.5,
            exceeding: Vec::new(),
            cheapest: None,
            fastest: None,
            balanced,
            undecided: Vec::new(),
        });
        analysis
    }

    fn reason(analysis: &Analysis, role: Role) -> String {
        match decide(analysis, role) {
            Decision::Nothing(reason) | Decision::OtherArchitecture { reason, .. } => reason,
            Decision::Memory(memory_mb) => panic!("{memory_mb}"),
        }
    }

    #[test]
    fn memory_of_the_same_architecture_is_applied() {
        let mut analysis = analysis(Architecture::Arm64);
        assert_eq!(decide(&analysis, Role::Balanced), Decision::Memory(1769));
        assert_eq!(reason(&analysis, Role::Fastest), "nothing is decided, there is no fastest variant");
        // What is not distinguishable from others than the present configuration is applied all the same.
        let choice = analysis.choice.as_mut().unwrap();
        choice.balanced.as_mut().unwrap().not_distinguishable.push("arm64-2048MB".to_owned());
        assert_eq!(decide(&analysis, Role::Balanced), Decision::Memory(1769));
    }

    #[test]
    fn another_architecture_is_not_applied() {
        let analysis = analysis(Architecture::X86_64);
        let reason = "the balanced variant, arm64, is of arm64, and --apply changes memory alone".to_owned();
        assert_eq!(decide(&analysis, Role::Balanced), Decision::OtherArchitecture { variant: "arm64", reason });
    }

    #[test]
    fn what_is_not_certain_is_not_applied() {
        let like_baseline = |analysis: &mut Analysis| {
            let baseline = analysis.baseline.clone();
            let balanced = analysis.choice.as_mut().unwrap().balanced.as_mut().unwrap();
            balanced.not_distinguishable.push(baseline);
        };
        let mut alike = analysis(Architecture::Arm64);
        like_baseline(&mut alike);
        let text = reason(&alike, Role::Balanced);
        assert_eq!(text, "the balanced variant, arm64, is not distinguishable from x86_64, the present configuration");
        let mut present = analysis(Architecture::Arm64);
        present.baseline = "arm64".to_owned();
        assert_eq!(reason(&present, Role::Balanced), "the balanced variant is arm64, the present configuration");
        let mut limited = analysis(Architecture::Arm64);
        limited.choice.as_mut().unwrap().exceeding.push(Exceeding {
            variant: "arm64".to_owned(),
            condition: Condition::CostIncrease(0.05),
            standing: Standing::MayExceed,
            cell: "all".to_owned(),
            measure: None,
            found: None,
            reason: None,
        });
        let text = reason(&limited, Role::Balanced);
        assert_eq!(text, "it is not certain that the balanced variant, arm64, keeps every limit");
    }
}
