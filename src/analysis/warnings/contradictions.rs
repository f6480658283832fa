//! Warnings about calls, and parts of calls, that contradict each other.

use crate::{
    analysis::{
        data_quality::Counted,
        pair_samples::PairSamples,
        sides::Side,
        warning_kind::{Warning, WarningKind},
    },
    campaign::{Target, environment_source::changes_with_every_call},
};
use std::{collections::BTreeMap, fmt::Display};

pub(super) fn collect(pair: PairSamples<'_>, side: Side, warnings: &mut Vec<Warning>) {
    let variant = pair.variant(side);
    let name = &variant.name;
    let quality = &pair.facts(side).quality;
    let mut warn = |kind, text: String| warnings.push(Warning { kind, side: Some(side), text });
    if quality.repeated_requests > 0 {
        let text = format!(
            "{} answers of {name} have the request id of the answer before them: something between the client and \
             Lambda repeats answers, and times of those mean nothing.",
            quality.repeated_requests
        );
        warn(WarningKind::RepeatedRequests, text);
    }
    if let Some(text) = implausible_environments(pair, side) {
        let text = format!("{text}. An id that is made when the environment starts, and not before or later, is one.");
        warn(WarningKind::ImplausibleEnvironments, text);
    }
    if quality.versions.len() > 1 {
        let text = format!(
            "Several versions of {name} answered ({}), so that the verdict is on none of them. Name one version \
             instead of an alias that leads to several, and do not deploy during a campaign.",
            proportions(&quality.versions, "")
        );
        warn(WarningKind::SeveralVersions, text);
    }
    if let Some((asked, answered)) = other_version(&variant.target, &quality.versions) {
        let text = format!(
            "{name} was called as version {asked}, and version {answered} answered: something else than Lambda, or \
             another function, is behind its name. Look at what the endpoint leads to."
        );
        warn(WarningKind::OtherVersion, text);
    }
    let configured = variant.configuration.as_ref().map(|it| it.memory_mb);
    if quality.memory_mb.len() > 1 {
        let text = format!(
            "Lambda reports several memory sizes of {name} ({}): its samples are those of several functions. Begin a \
             new campaign.",
            proportions(&quality.memory_mb, " MB")
        );
        warn(WarningKind::FunctionChanged, text);
    } else if let Some(configured) = configured.filter(|mb| quality.memory_mb.keys().any(|reported| reported != mb)) {
        let text = format!(
            "{name} was configured with {configured} MB, and Lambda reports {}: it was changed, or another version \
             answered. Begin a new campaign with the function as it is now.",
            proportions(&quality.memory_mb, " MB")
        );
        warn(WarningKind::OtherMemory, text);
    }
    if let Some(Counted { count, reported_ms, contrary_ms: billed_ms }) = quality.underbilled {
        let text = format!(
            "{count} reports of {name} bill less than the function took, which Lambda never does, and are not used: the \
             first has a duration of {reported_ms} ms, of which {billed_ms} ms are billed."
        );
        warn(WarningKind::ImpossibleReports, text);
    }
    if let Some(Counted { count, reported_ms, contrary_ms: waited_ms }) = quality.impossible {
        let text = format!(
            "{count} reports of {name} cannot be those of their calls, and are not used: the first has a duration of \
             {reported_ms} ms for a call that took {waited_ms:.2} ms in all."
        );
        warn(WarningKind::ImpossibleReports, text);
    }
    if quality.reported > 0 && quality.unreported > 0 {
        let is_of_service = pair.manifest.plan.cells.iter().all(|cell| cell.workload.is_some());
        let result = if is_of_service {
            "what they were billed is not known"
        } else {
            "nothing tells whether these calls were cold starts, and they are left out"
        };
        let text = format!(
            "Lambda's report is missing in {} of {} answers of {name}, most likely because an extension fills the 4 KB \
             of the log that come with an answer: {result}. Have the extension log less.",
            quality.unreported,
            quality.reported + quality.unreported
        );
        warn(WarningKind::MissingReports, text);
    }
    if quality.unlogged > 0 {
        // The log of a clone is deleted with it.
        let again = match &pair.manifest.trial {
            Some(_) => "",
            None => " `duet collect` with this run directory looks for them again.",
        };
        let text = format!(
            "{} answers of {name} were not found in its log, so that nothing tells which environment gave them: they are \
             left out.{again}",
            quality.unlogged
        );
        warn(WarningKind::MissingLogStreams, text);
    }
    if let Some(Counted { count, reported_ms, contrary_ms: waited_ms }) = quality.earlier_inits {
        let text = format!(
            "{count} calls of {name} met environments that had started before, as provisioned concurrency has them: \
             the first reports an init of {reported_ms} ms for a call of {waited_ms:.2} ms. These calls count neither \
             as warm nor as cold starts."
        );
        warn(WarningKind::EarlierInits, text);
    }
}

/// Why the ids of environments cannot be such, if they cannot.
fn implausible_environments(pair: PairSamples<'_>, side: Side) -> Option<String> {
    let (plan, name, facts) = (&pair.manifest.plan, &pair.variant(side).name, pair.facts(side));
    let (quality, environments) = (&facts.quality, u64::from(facts.count()));
    let named = quality.named;
    if quality.overlapping > 0 {
        return Some(format!(
            "{} calls of {name} ran at the same time as others that name the same environment, which takes one call at a \
             time",
            quality.overlapping
        ));
    }
    if quality.started_again > 0 {
        return Some(format!(
            "{} cold starts of {name} name an environment that had answered before, though each starts once",
            quality.started_again
        ));
    }
    if let Some(count) = environments_of_both(pair) {
        let [one, other] = Side::BOTH.map(|side| &pair.variant(side).name);
        return Some(format!("{count} environments of {one} have the names of {other}'s, which is another function"));
    }
    // Less than two steps prove nothing.
    if named < 2 * u64::from(plan.environments) {
        return None;
    }
    if environments == 1 && plan.environments > 1 && plan.concurrent {
        return Some(format!(
            "All {named} answers of {name} name one environment, though {} calls were open at once",
            plan.environments
        ));
    }
    let step = u64::from(plan.environments);
    if changes_with_every_call(named, environments, quality.first_without_cold_start, step) {
        return Some(format!(
            "Each of the {named} answers of {name} names an environment of its own, though most were no cold start"
        ));
    }
    // Those that were there before the campaign answer its first step.
    let (later, first) = (named - step, quality.first_reported_warm.saturating_sub(step));
    (4 * first > later).then(|| {
        format!(
            "{first} of the {later} answers of {name} after its first {step} name an environment that had not answered \
             before, though they were no cold start. Others call the function too, or its ids change while an environment \
             lasts"
        )
    })
}

/// How many environments two different functions have in common, if that can be told and there are any.
fn environments_of_both(pair: PairSamples<'_>) -> Option<usize> {
    let [baseline, candidate] = Side::BOTH.map(|side| pair.variant(side));
    let arns = [baseline, candidate]
        .map(|variant| variant.configuration.as_ref().and_then(|configuration| configuration.arn.as_ref()));
    let are_different = match arns {
        [Some(one), Some(other)] => one != other,
        // Several URLs may lead to one function.
        _ => {
            [baseline, candidate].iter().all(|variant| matches!(variant.target, Target::Function { .. }))
                && baseline.target != candidate.target
        }
    };
    let count = pair.facts(Side::Baseline).environments_of_both(pair.facts(Side::Candidate));
    (are_different && count > 0).then_some(count)
}

/// The version that was called, and another that answered.
fn other_version<'a>(target: &'a Target, versions: &'a BTreeMap<String, u64>) -> Option<(&'a str, &'a str)> {
    let called = target.version()?;
    versions.keys().find(|version| *version != called).map(|answered| (called, answered.as_str()))
}

/// How often each was seen, the most frequent first.
fn proportions<T: Display + Ord>(counts: &BTreeMap<T, u64>, unit: &str) -> String {
    let all = counts.values().sum::<u64>() as f64;
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by(|one, other| other.1.cmp(one.1).then_with(|| one.0.cmp(other.0)));
    let proportions = counts.iter().map(|(what, count)| format!("{what}{unit} {:.0}%", **count as f64 / all * 100.0));
    proportions.collect::<Vec<_>>().join(", ")
}
