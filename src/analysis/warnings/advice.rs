//! Advice on warnings: never to do what the user has done already.

use crate::{
    analysis::verdict::MINIMUM_ENVIRONMENTS,
    campaign::{
        Target,
        environment_source::EnvironmentSource,
        log_streams::LogStreams,
        manifest::{MAX_ENVIRONMENTS, Manifest, Plan, Variant},
        totals::VariantTotals,
    },
};

/// Of tools, each run is a block.
const MORE_RUNS: &str = "Have the tool measure again, at other times, and import the files of all its runs together.";

pub(super) fn on_unknown_environments(manifest: &Manifest, variant: &Variant, log_streams: LogStreams) -> String {
    if manifest.imported.is_some() {
        return "Import the table with --environment COLUMN, or with --each-row-an-environment if each row was measured in \
                one of its own."
            .to_owned();
    }
    if manifest.trial.is_some() {
        return of_clone(manifest, variant, log_streams);
    }
    let plan = &manifest.plan;
    let can_be_cold = !plan.cold && matches!(variant.target, Target::Function { qualifier: None, .. });
    let or_cold = if can_be_cold { ", or use --cold, where every call has its own" } else { "" };
    match (EnvironmentSource::of(plan, variant), log_streams) {
        (EnvironmentSource::Pointer(pointer), _) => {
            format!("Have the function put a name of its environment at {pointer} of every answer.")
        }
        (EnvironmentSource::LogStreams(log), LogStreams::Unread) => {
            format!(
                "Their log streams in {log} do, and were not read: `duet collect` with this run directory reads them."
            )
        }
        (EnvironmentSource::LogStreams(log), LogStreams::Empty) => format!(
            "Nor does {log}, in which none of their requests was found, as where an emulator gives them other ids there. If \
             it was late, `duet collect` with this run directory finds them; otherwise name it with --environment \
             POINTER{or_cold}."
        ),
        (EnvironmentSource::LogStreams(log), LogStreams::OfEnvironments) => format!(
            "Their requests were not found in {log}: `duet collect` with this run directory looks for them again."
        ),
        (EnvironmentSource::LogStreams(log), LogStreams::OfCalls) => format!(
            "Nor do the log streams in {log}: each call has its own, though most met an environment that had started \
             before, as where an emulator writes them. Name it with --environment POINTER{or_cold}."
        ),
        _ => format!("Name it with --environment POINTER{or_cold}."),
    }
}

/// The same of a clone, whose log is deleted with it.
fn of_clone(manifest: &Manifest, variant: &Variant, log_streams: LogStreams) -> String {
    match (EnvironmentSource::of(&manifest.plan, variant), log_streams) {
        (EnvironmentSource::Pointer(pointer), _) => {
            format!("Have the function put a name of its environment at {pointer} of every answer.")
        }
        (EnvironmentSource::LogStreams(_), LogStreams::Unread) => {
            "Their log streams are read at the end of a trial, before they are deleted: try again, and let it come to its end."
                .to_owned()
        }
        (EnvironmentSource::LogStreams(_), LogStreams::OfCalls) => {
            "Nor did their log streams: each call had its own, as where an emulator writes them. Name it with --environment \
             POINTER."
                .to_owned()
        }
        (EnvironmentSource::LogStreams(log), LogStreams::Empty | LogStreams::OfEnvironments) => format!(
            "Nor did {log}: see that the function's role may write to log groups of other names, and that you may read them \
             (logs:FilterLogEvents), or name it with --environment POINTER."
        ),
        _ => "Name it with --environment POINTER.".to_owned(),
    }
}

pub(super) fn on_few_environments(manifest: &Manifest, is_local: bool, totals: &VariantTotals) -> String {
    if let Some(import) = &manifest.imported {
        let advice = if import.is_of_tool() { MORE_RUNS } else { "Import measurements of more of them." };
        return advice.to_owned();
    }
    if 2 * totals.failed() > totals.calls {
        return "Most of its calls failed: see to that first.".to_owned();
    }
    let Plan { cold, environments, .. } = manifest.plan;
    match (cold, environments) {
        (true, _) => "Run longer: every call of a cold campaign has an environment of its own.".to_owned(),
        // Called one by one, each process answers however long its calls take.
        (false, MINIMUM_ENVIRONMENTS..) if is_local => "Run longer, so that all of them are called.".to_owned(),
        (false, _) if is_local => format!("Raise --environments, which was {environments}."),
        (false, MAX_ENVIRONMENTS..) => "Make calls take longer, so that they meet more of them.".to_owned(),
        (false, _) => format!(
            "Raise --environments, which was {environments}, or make calls take longer, so that they meet more of them."
        ),
    }
}

pub(super) fn on_missing_cells(manifest: &Manifest) -> &'static str {
    match manifest.imported {
        None => "See what its calls answer there, or leave these payloads out.",
        Some(_) => "Import measurements of it too, or name other columns with --cell.",
    }
}

pub(super) fn on_few_blocks(manifest: &Manifest) -> &'static str {
    match &manifest.imported {
        None => "Let the campaign run longer, or give it fewer cells.",
        Some(import) if import.is_of_tool() => MORE_RUNS,
        Some(import) if import.has_blocks => "Import measurements of more blocks, or name another column with --block.",
        Some(_) => "Import the table with --block COLUMN: what names the day, the run or the round of a row.",
    }
}

pub(super) fn on_unseen_cpus(manifest: &Manifest) -> &'static str {
    match manifest.imported {
        None => "Run longer, at several times of day, before you decide for a fleet.",
        Some(_) => "Import measurements of more environments before you decide for a fleet.",
    }
}

pub(super) fn on_disturbances(manifest: &Manifest) -> &'static str {
    if manifest.imported.is_some() {
        "something that all measurements of a block have in common. More blocks narrow the interval; more measurements in \
         each do not."
    } else if manifest.variants.iter().any(|(_, variant)| variant.target.is_process()) {
        "another program used this machine, or its speed changed. Let nothing else run on it, or let the campaign run longer."
    } else {
        "the client's network, what stands before the functions, or hosts that they share. Let the campaign run longer, from \
         a machine in the region of the functions."
    }
}

pub(super) fn on_throttles(manifest: &Manifest) -> String {
    match manifest.plan.environments {
        1 => "Raise the concurrency that is reserved for it.".to_owned(),
        environments => {
            format!("Raise the concurrency that is reserved for it, or lower --environments, which was {environments}.")
        }
    }
}

pub(super) fn on_missing_bill(target: &Target, reports: u64) -> &'static str {
    match target {
        Target::Function { .. } if reports > 0 => {
            "Lambda's reports have none, as on Managed Instances, which are billed by the instance, or from an emulator."
        }
        Target::Function { .. } => {
            "the log that came with its answers has no report of them, or none that can be told to be theirs. See that its \
             system log level is INFO, that you may read its log, and that nothing else writes reports into it."
        }
        Target::Endpoint { .. } | Target::Process { .. } | Target::Import { .. } => {
            "Lambda reports them when a function is invoked directly (lambda:NAME)."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{failure::FailureKind, variants::VariantIndex};

    #[test]
    fn advice_never_repeats_what_was_done_already() {
        let mut manifest =
            Manifest { plan: Plan { environments: 8, ..Manifest::example().plan }, ..Manifest::example() };
        let first = VariantIndex::default();
        let unknown = |manifest: &Manifest, log_streams| {
            on_unknown_environments(manifest, &manifest.variants[first], log_streams)
        };
        let both = "--environment POINTER, or use --cold";
        // Without a region, no log can be found.
        assert!(unknown(&manifest, LogStreams::Unread).contains(both));
        manifest.variants[first].target = "lambda:arn:aws:lambda:eu-west-1:123456789012:function:x".parse().unwrap();
        let text = unknown(&manifest, LogStreams::Unread);
        assert!(text.contains("`duet collect`") && text.contains("/aws/lambda/x in eu-west-1") && !text.contains("--"));
        assert!(unknown(&manifest, LogStreams::OfEnvironments).contains("again"));
        let text = unknown(&manifest, LogStreams::Empty);
        assert!(text.contains("none of their requests was found") && text.contains(both), "{text}");
        let text = unknown(&manifest, LogStreams::OfCalls);
        assert!(text.contains(both) && text.contains("emulator") && !text.contains("collect"));
        let mut totals = VariantTotals::default();
        let few = |manifest: &Manifest, totals: &VariantTotals| on_few_environments(manifest, false, totals);
        let both = "Raise --environments, which was 8, or make calls take longer, so that they meet more of them.";
        assert_eq!(few(&manifest, &totals), both);
        assert_eq!(on_few_environments(&manifest, true, &totals), "Run longer, so that all of them are called.");
        manifest.plan.environments = 4;
        assert_eq!(on_few_environments(&manifest, true, &totals), "Raise --environments, which was 4.");
        manifest.plan.environments = 8;
        totals.calls = 560;
        totals.failures.insert(FailureKind::Timeout, 280);
        assert_eq!(few(&manifest, &totals), both);
        totals.failures.insert(FailureKind::Timeout, 281);
        assert_eq!(few(&manifest, &totals), "Most of its calls failed: see to that first.");
        assert_eq!(on_few_environments(&manifest, true, &totals), "Most of its calls failed: see to that first.");
        let totals = VariantTotals::default();
        assert!(on_throttles(&manifest).contains("lower --environments"));
        manifest.plan.environment = Some("/id".to_owned());
        assert!(!unknown(&manifest, LogStreams::Unread).contains("--environment"));
        manifest.plan.environment = None;
        manifest.plan.cold = true;
        assert!(!unknown(&manifest, LogStreams::Unread).contains("--cold"));
        assert!(!few(&manifest, &totals).contains("--environments"));
        assert_eq!(on_few_environments(&manifest, true, &totals), few(&manifest, &totals));
        manifest.plan.cold = false;
        manifest.plan.environments = 1000;
        assert!(!few(&manifest, &totals).contains("--environments"));
        manifest.plan.environments = 1;
        assert!(!on_throttles(&manifest).contains("--environments"));
        manifest.variants[first].target = "https://example.com/".parse().unwrap();
        assert!(!unknown(&manifest, LogStreams::Unread).contains("--cold"));
        assert!(on_disturbances(&manifest).contains("network"));
        let function = "lambda:x".parse().unwrap();
        assert!(
            on_missing_bill(&function, 0).contains("log level is INFO")
                && !on_missing_bill(&function, 0).contains("lambda:")
        );
        assert!(!on_missing_bill(&function, 1).contains("log level"));
        assert!(on_missing_bill(&manifest.variants[VariantIndex::default()].target, 0).contains("lambda:NAME"));
    }
}
