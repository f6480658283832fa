//! Checks before the first call that costs money.

use super::Run;
use crate::{
    campaign::{
        Auth, Target,
        aws::{Lambda, Session},
        caller::{Caller, FunctionCaller},
        cold_start_variable::Owner,
        configuration::LONGEST_TIMEOUT_S,
        forced_cold_starts::ColdStartForcer,
        function_features::{Consequence, Feature, Use},
        manifest::{DEFAULT_MEMORY_MB, Variant},
        sides::{Side, Sides},
    },
    cli::output::note,
};
use anyhow::{Context, bail};
use std::{os::unix::fs::PermissionsExt, time::Duration};

/// Both sides with their configurations, without prices.
pub(super) async fn variants(targets: &Sides<Target>, auth: Auth, session: &Session) -> anyhow::Result<Sides<Variant>> {
    let Sides { baseline, candidate } = targets;
    let mut variants = Sides {
        baseline: variant(baseline, Side::Baseline, auth, &session.at(baseline)).await?,
        candidate: variant(candidate, Side::Candidate, auth, &session.at(candidate)).await?,
    };
    if variants.baseline.name == variants.candidate.name {
        for side in Side::BOTH {
            variants[side].name = side.to_string();
        }
    }
    Ok(variants)
}

/// Refuses functions with different memory, unless that is allowed, and warns of differences besides the architecture.
pub(super) fn check_differences(variants: &Sides<Variant>, allow_unequal: bool) -> anyhow::Result<()> {
    let Sides { baseline, candidate } = variants;
    let (Some(one), Some(other)) = (&baseline.configuration, &candidate.configuration) else { return Ok(()) };
    if !allow_unequal && one.memory_mb != other.memory_mb {
        bail!(
            "the memory differs: {} MB against {} MB; give both the same, or use --allow-unequal",
            one.memory_mb,
            other.memory_mb
        );
    }
    for difference in one.differences(other) {
        note(format_args!("Warning: the sides differ in more than the architecture: {difference}"));
    }
    Ok(())
}

/// Refuses functions that cannot be measured like ordinary ones, and warns of other special features.
pub(super) fn check_features(variants: &Sides<Variant>, cold: bool, tenant: Option<&str>) -> anyhow::Result<()> {
    let mut has_tenants = false;
    for (_, variant) in variants.iter() {
        let target = &variant.target;
        for feature in variant.configuration.iter().flat_map(|configuration| &configuration.features) {
            has_tenants |= *feature == Feature::TenantIsolation;
            match feature.consequence(Use { cold, tenant, is_published: target.is_published() }) {
                Consequence::None => {}
                Consequence::Warning(text) => note(format_args!("Warning: {target}: {text}")),
                Consequence::Refusal(text) => bail!("{target}: {text}"),
            }
        }
    }
    if tenant.is_some() && !has_tenants {
        bail!("--tenant is for functions with tenant isolation, which neither side has");
    }
    Ok(())
}

async fn variant(target: &Target, side: Side, auth: Auth, session: &Session) -> anyhow::Result<Variant> {
    let looking = || format!("looking at {target}");
    let place = session.place(target, auth).await.with_context(looking)?;
    let configuration = match target {
        Target::Function { name, qualifier } => {
            let lambda = Lambda::new(session).await.with_context(looking)?;
            let function = FunctionCaller::new(lambda, name, qualifier.as_deref(), None);
            let found = function.configuration().await.with_context(looking)?;
            if found.is_denied {
                note(format_args!(
                    "Warning: how {target} is configured may not be read (the permission lambda:GetFunctionConfiguration \
                     is missing): its memory and architecture are not known, nor what differs between the sides, and \
                     costs are reckoned with {DEFAULT_MEMORY_MB} MB"
                ));
            } else if found.configuration.is_none() {
                note(format_args!("Warning: the endpoint does not say how {target} is configured"));
            }
            if let Some(arn) = found.configuration.as_ref().and_then(|configuration| configuration.arn.as_deref())
                && !target.may_be(arn)
            {
                note(format_args!("Warning: {target} was asked for, and the endpoint answers for {arn}"));
            }
            found.configuration
        }
        Target::Endpoint { .. } => None,
        Target::Process { path } => {
            let metadata = path.metadata().with_context(looking)?;
            if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 {
                bail!("{} is not a program that can be run", path.display());
            }
            None
        }
    };
    let architecture = configuration.as_ref().map(|it| it.architecture);
    Ok(Variant {
        name: architecture.map_or_else(|| side.to_string(), |architecture| architecture.to_string()),
        target: target.clone(),
        place,
        configuration,
        price: None,
    })
}

/// Warns if a continued campaign calls a target at another place, or with another profile, than before.
pub(super) async fn warn_of_move(variant: &Variant, auth: Auth, session: &Session) -> anyhow::Result<()> {
    let target = &variant.target;
    let now = session.place(target, auth).await.with_context(|| format!("looking at {target}"))?;
    if let (Some(before), Some(now)) = (&variant.place, &now)
        && before != now
    {
        note(format_args!("Warning: {target} was called {before} and is now called {now}"));
    }
    Ok(())
}

/// Checks that functions can be changed as the campaign needs it, and that no other campaign is changing them.
pub(super) async fn check_functions(run: &Run, owner: &Owner, within: Duration) -> anyhow::Result<()> {
    for (_, target, function) in run.functions() {
        let looking = || format!("looking at {target}");
        if run.manifest.plan.cold || function.configuration().await.with_context(looking)?.is_changed {
            function.variables().check(owner, within).await.with_context(looking)?;
        }
    }
    Ok(())
}

/// Removes what a killed cold campaign has left in a function's configuration; false if it has left nothing.
pub(super) async fn clean_up(target: &Target, caller: &Caller, cold: &ColdStartForcer) -> anyhow::Result<bool> {
    let undoing = || format!("undoing what a killed campaign left in {target}");
    let was_changed = cold.clean_up(target, caller).await.with_context(undoing)?;
    if was_changed {
        note(format_args!("Restored the configuration of {target}, which a killed campaign had left changed"));
    }
    Ok(was_changed)
}

/// Waits until the functions can be invoked.
pub(super) async fn wait_until_ready(run: &Run) -> anyhow::Result<()> {
    let payload = &run.manifest.plan.cells[0].payload;
    for (_, target, function) in run.functions() {
        function.wait_until_ready(payload).await.with_context(|| format!("waiting until {target} can be called"))?;
    }
    Ok(())
}

/// Refuses targets whose cold starts cannot be forced.
pub(super) fn check_cold(variants: &Sides<Variant>) -> anyhow::Result<()> {
    for (side, Variant { target, configuration, .. }) in variants.iter() {
        match target {
            Target::Endpoint { .. } => {
                bail!("--cold: the {side} {target} cannot be made to start anew; name the function itself: lambda:NAME")
            }
            Target::Function { .. } if target.is_published() => {
                bail!("--cold: the {side} {target} is published and cannot be changed; name it without a qualifier");
            }
            Target::Function { .. } if configuration.is_none() => bail!(
                "--cold: how the {side} {target} is configured may not be read, so it cannot be changed and changed back: \
                 allow lambda:GetFunctionConfiguration and lambda:UpdateFunctionConfiguration"
            ),
            Target::Function { .. } | Target::Process { .. } => {}
        }
    }
    Ok(())
}

/// The default timeout of a call: a little longer than that of the service behind it.
pub(super) fn timeout(variants: &Sides<Variant>) -> Duration {
    let of = |variant: &Variant| match (&variant.target, &variant.configuration) {
        (_, Some(configuration)) => u64::from(configuration.timeout_s) + 10,
        // API Gateway gives up after 29 s unless its quota is raised.
        (Target::Endpoint { .. }, None) => 40,
        (_, None) => u64::from(LONGEST_TIMEOUT_S),
    };
    Duration::from_secs(of(&variants.baseline).max(of(&variants.candidate)))
}
