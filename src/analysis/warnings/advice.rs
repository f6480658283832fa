//! Advice on warnings: never to do what the user has done already.

use crate::campaign::{
    Target,
    manifest::{MAX_ENVIRONMENTS, Manifest, Plan, Variant},
};

pub(super) fn on_unknown_environments(plan: &Plan, variant: &Variant) -> String {
    let Plan { cold, environment, .. } = plan;
    let can_be_cold = matches!(variant.target, Target::Function { qualifier: None, .. });
    match environment {
        Some(pointer) => format!("Have the function put a name of its environment at {pointer} of every answer."),
        None if !cold && can_be_cold => {
            "Name it with --environment POINTER, or use --cold, where every call has its own.".to_owned()
        }
        None => "Name it with --environment POINTER.".to_owned(),
    }
}

pub(super) fn on_few_environments(manifest: &Manifest) -> String {
    let Plan { cold, environments, .. } = manifest.plan;
    match (cold, environments) {
        (true, _) => "Run longer: every call of a cold campaign has an environment of its own.".to_owned(),
        (false, MAX_ENVIRONMENTS..) => "Make calls take longer, so that they meet more of them.".to_owned(),
        (false, _) => format!(
            "Raise --environments, which was {environments}, or make calls take longer, so that they meet more of them."
        ),
    }
}

pub(super) fn on_disturbances(manifest: &Manifest) -> &'static str {
    if manifest.variants.iter().any(|(_, variant)| variant.target.is_process()) {
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
        Target::Endpoint { .. } | Target::Process { .. } => {
            "Lambda reports them when a function is invoked directly (lambda:NAME)."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::variants::VariantIndex;

    fn unknown_environments(manifest: &Manifest) -> String {
        on_unknown_environments(&manifest.plan, &manifest.variants[VariantIndex::default()])
    }

    #[test]
    fn advice_never_repeats_what_was_done_already() {
        let mut manifest =
            Manifest { plan: Plan { environments: 8, ..Manifest::example().plan }, ..Manifest::example() };
        assert!(unknown_environments(&manifest).contains("--environment POINTER, or use --cold"));
        assert!(on_few_environments(&manifest).starts_with("Raise --environments, which was "));
        assert!(on_throttles(&manifest).contains("lower --environments"));
        manifest.plan.environment = Some("/id".to_owned());
        assert!(!unknown_environments(&manifest).contains("--environment"));
        manifest.plan.environment = None;
        manifest.plan.cold = true;
        assert!(!unknown_environments(&manifest).contains("--cold"));
        assert!(!on_few_environments(&manifest).contains("--environments"));
        manifest.plan.cold = false;
        manifest.plan.environments = 1000;
        assert!(!on_few_environments(&manifest).contains("--environments"));
        manifest.plan.environments = 1;
        assert!(!on_throttles(&manifest).contains("--environments"));
        manifest.variants[VariantIndex::default()].target = "https://example.com/".parse().unwrap();
        assert!(!unknown_environments(&manifest).contains("--cold"));
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
