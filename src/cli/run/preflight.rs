//! Checks before the first call that costs money.

use crate::{
    campaign::{
        Auth, Target,
        aws::Session,
        caller::{CallOptions, Caller, Found},
        cold::{ColdStartForcer, Owner},
        function_features::{Consequence, Feature, Use},
        manifest::{DEFAULT_MEMORY_MB, Manifest, Variant},
        row::Failure,
        sides::{Side, Sides},
    },
    cli::output::note,
};
use anyhow::{Context, bail};
use std::{os::unix::fs::PermissionsExt, sync::Arc, time::Duration};

/// The user's choices that decide how functions are checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choices<'a> {
    pub auth: Auth,
    pub allow_unequal: bool,
    pub cold: bool,
    pub tenant: Option<&'a str>,
}

/// Both sides with their configurations, without prices; warns of differences besides the architecture.
pub(super) async fn variants(
    targets: &Sides<Target>,
    choices: Choices<'_>,
    session: &Session,
) -> anyhow::Result<Sides<Variant>> {
    let Choices { auth, allow_unequal, cold, tenant } = choices;
    let baseline = variant(&targets.baseline, Side::Baseline, auth, &session.at(&targets.baseline)).await?;
    let candidate = variant(&targets.candidate, Side::Candidate, auth, &session.at(&targets.candidate)).await?;
    let mut variants = Sides { baseline, candidate };
    for (_, variant) in variants.iter() {
        check_features(variant, cold, tenant)?;
    }
    let has_tenants = |variant: &Variant| features(variant).any(|feature| feature == Feature::TenantIsolation);
    if tenant.is_some() && !variants.iter().any(|(_, variant)| has_tenants(variant)) {
        bail!("--tenant is for functions with tenant isolation, which neither side has");
    }
    if variants.baseline.name == variants.candidate.name {
        for side in Side::BOTH {
            variants[side].name = side.to_string();
        }
    }
    if let (Some(one), Some(other)) = (&variants.baseline.configuration, &variants.candidate.configuration) {
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
    }
    Ok(variants)
}

fn features(variant: &Variant) -> impl Iterator<Item = Feature> {
    variant.configuration.iter().flat_map(|configuration| configuration.features.iter().copied())
}

/// Refuses a function that cannot be measured like an ordinary one, and warns of other special features.
fn check_features(variant: &Variant, cold: bool, tenant: Option<&str>) -> anyhow::Result<()> {
    let Variant { target, .. } = variant;
    let is_published = target.is_published();
    for feature in features(variant) {
        match feature.consequence(Use { cold, tenant, is_published }) {
            Consequence::None => {}
            Consequence::Warning(text) => note(format_args!("Warning: {target}: {text}")),
            Consequence::Refusal(text) => bail!("{target}: {text}"),
        }
    }
    Ok(())
}

async fn variant(target: &Target, side: Side, auth: Auth, session: &Session) -> anyhow::Result<Variant> {
    let place = session.place(target, auth).await.with_context(|| format!("looking at {target}"))?;
    let configuration = match target {
        Target::Function { .. } => {
            let found = configuration(target, session).await.with_context(|| format!("looking at {target}"))?;
            if found.is_denied {
                note(format_args!(
                    "Warning: how {target} is configured may not be read (the permission lambda:GetFunctionConfiguration \
                     is missing): its memory and architecture are not known, nor what differs between the sides, and \
                     costs are reckoned with {DEFAULT_MEMORY_MB} MB"
                ));
            } else if found.configuration.is_none() {
                note(format_args!("Warning: the endpoint does not say how {target} is configured"));
            }
            if let Some(arn) = found.configuration.as_ref().and_then(|it| it.arn.as_deref())
                && !target.may_be(arn)
            {
                note(format_args!("Warning: {target} was asked for, and the endpoint answers for {arn}"));
            }
            found.configuration
        }
        Target::Endpoint { .. } => None,
        Target::Process { path } => {
            let metadata = path.metadata().with_context(|| format!("looking at {target}"))?;
            if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 {
                bail!("{} is not a program that can be run", path.display());
            }
            None
        }
    };
    let architecture = configuration.as_ref().map(|it| it.architecture);
    Ok(Variant {
        name: architecture.map_or_else(|| side.to_string(), |it| it.to_string()),
        target: target.clone(),
        place,
        configuration,
        price: None,
    })
}

async fn configuration(target: &Target, session: &Session) -> Result<Found, Failure> {
    let options = CallOptions::new(Auth::None);
    match Caller::new(target, options, session).await? {
        Caller::Function(function) => function.configuration().await,
        Caller::Endpoint(_) | Caller::Process(_) => {
            Ok(Found { configuration: None, is_denied: false, is_changed: false })
        }
    }
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
pub(super) async fn check_functions(
    manifest: &Manifest,
    callers: &Sides<Arc<Caller>>,
    owner: &Owner,
    within: Duration,
) -> anyhow::Result<()> {
    for (side, caller) in callers.iter() {
        let Caller::Function(function) = caller.as_ref() else { continue };
        let looking = || format!("looking at {}", manifest.sides[side].target);
        if manifest.plan.cold || function.configuration().await.with_context(looking)?.is_changed {
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
pub(super) async fn wait_until_ready(manifest: &Manifest, callers: &Sides<Arc<Caller>>) -> anyhow::Result<()> {
    let payload = &manifest.plan.cells[0].payload;
    for (side, caller) in callers.iter() {
        let Caller::Function(function) = caller.as_ref() else { continue };
        let target = &manifest.sides[side].target;
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
        // Lambda's longest timeout.
        (_, None) => 900,
    };
    Duration::from_secs(of(&variants.baseline).max(of(&variants.candidate)))
}
