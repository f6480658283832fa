//! Checks before the first call that costs money.

use super::variant_names::names;
use crate::{
    campaign::{
        Auth, Target,
        aws::{Lambda, Session},
        caller::{Caller, FunctionCaller},
        configuration::LONGEST_TIMEOUT_S,
        forced_cold_starts::ColdStartForcer,
        function_features::{Consequence, Feature, Use},
        manifest::{DEFAULT_MEMORY_MB, Variant},
        owner::Owner,
        program::Program,
        variants::{VariantIndex, Variants},
    },
    cli::{output::note, wrong_arguments::refuse},
};
use anyhow::{Context, bail};
use std::time::Duration;

/// A target, and the name that the user has given it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) struct NamedTarget {
    pub(in crate::cli) name: Option<String>,
    pub(in crate::cli) target: Target,
}

/// The variants with their configurations, without prices.
pub(in crate::cli) async fn variants(
    targets: &[NamedTarget],
    auth: Auth,
    session: &Session,
) -> anyhow::Result<Variants<Variant>> {
    let (mut variants, mut given) = (Vec::new(), Vec::new());
    for NamedTarget { name, target } in targets {
        variants.push(variant(target, auth, &session.at(target)).await?);
        given.push(name.clone());
    }
    let names = names(&given, &variants)?;
    Ok(variants.into_iter().zip(names).map(|(variant, name)| Variant { name, ..variant }).collect())
}

/// Refuses two functions with different memory, unless that is allowed, and warns of other differences from the baseline
/// besides the architecture. More than two variants may be meant to have different memory, as their names say.
pub(super) fn check_differences(
    variants: &Variants<Variant>,
    baseline: VariantIndex,
    allow_unequal: bool,
) -> anyhow::Result<()> {
    let is_pair = variants.count() == 2;
    let Variant { name, configuration: Some(one), .. } = &variants[baseline] else { return Ok(()) };
    for (_, variant) in variants.iter().filter(|(index, _)| *index != baseline) {
        let Some(other) = &variant.configuration else { continue };
        if is_pair && !allow_unequal && one.memory_mb != other.memory_mb {
            bail!(
                "the memory differs: {} MB against {} MB; give both the same, or use --allow-unequal",
                one.memory_mb,
                other.memory_mb
            );
        }
        for difference in one.differences(other) {
            let whose =
                if is_pair { "the variants differ".to_owned() } else { format!("{name} and {} differ", variant.name) };
            note(format_args!("Warning: {whose} in more than the architecture: {difference}"));
        }
    }
    Ok(())
}

/// Refuses functions that cannot be measured like ordinary ones, and warns of other special features.
pub(in crate::cli) fn check_features(
    variants: &Variants<Variant>,
    cold: bool,
    tenant: Option<&str>,
) -> anyhow::Result<()> {
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
        refuse!("--tenant is for functions with tenant isolation, which no variant has");
    }
    Ok(())
}

async fn variant(target: &Target, auth: Auth, session: &Session) -> anyhow::Result<Variant> {
    let looking = || format!("looking at {target}");
    let place = session.place(target, auth).await.with_context(looking)?;
    let mut program = None;
    let configuration = match target {
        Target::Function { name, qualifier } => {
            let lambda = Lambda::new(session).await.with_context(looking)?;
            let function = FunctionCaller::new(lambda, name, qualifier.as_deref(), None);
            let found = function.configuration().await.with_context(looking)?;
            if found.is_denied {
                note(format_args!(
                    "Warning: how {target} is configured may not be read (the permission lambda:GetFunctionConfiguration \
                     is missing): its memory and architecture are not known, nor what differs between the variants, and \
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
        Target::Endpoint { .. } | Target::Import { .. } => None,
        Target::Process { path } => {
            program = Some(Program::read(path)?);
            None
        }
    };
    Ok(Variant { name: String::new(), target: target.clone(), place, configuration, program, price: None, ended: None })
}

/// Warns if a continued campaign calls a target at another place, or with another profile, than before.
pub(in crate::cli) async fn warn_of_move(variant: &Variant, auth: Auth, session: &Session) -> anyhow::Result<()> {
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
pub(in crate::cli) async fn check_functions(
    functions: impl Iterator<Item = (VariantIndex, &Target, &FunctionCaller)>,
    is_cold: bool,
    owner: &Owner,
    within: Duration,
) -> anyhow::Result<()> {
    for (_, target, function) in functions {
        let looking = || format!("looking at {target}");
        if is_cold || function.configuration().await.with_context(looking)?.is_changed {
            function.variables().check(owner, within).await.with_context(looking)?;
        }
    }
    Ok(())
}

/// Removes what a killed cold campaign has left in a function's configuration; false if it has left nothing.
pub(in crate::cli) async fn clean_up(target: &Target, caller: &Caller, cold: &ColdStartForcer) -> anyhow::Result<bool> {
    let undoing = || format!("undoing what a killed campaign left in {target}");
    let was_changed = cold.clean_up(target, caller).await.with_context(undoing)?;
    if was_changed {
        note(format_args!("Restored the configuration of {target}, which a killed campaign had left changed"));
    }
    Ok(was_changed)
}

/// Waits until the functions can be invoked. One that is inactive is woken with `payload`.
pub(in crate::cli) async fn wait_until_ready(
    functions: impl Iterator<Item = (VariantIndex, &Target, &FunctionCaller)>,
    payload: &str,
) -> anyhow::Result<()> {
    for (_, target, function) in functions {
        function.wait_until_ready(payload).await.with_context(|| format!("waiting until {target} can be called"))?;
    }
    Ok(())
}

/// Refuses targets whose cold starts cannot be forced.
pub(super) fn check_cold(variants: &Variants<Variant>) -> anyhow::Result<()> {
    for (_, Variant { target, configuration, .. }) in variants.iter() {
        match target {
            Target::Endpoint { .. } => {
                refuse!("--cold: {target} cannot be made to start anew; name the function itself: lambda:NAME")
            }
            Target::Function { .. } if target.is_published() => {
                refuse!("--cold: {target} is published and cannot be changed; name it without a qualifier");
            }
            Target::Function { .. } if configuration.is_none() => bail!(
                "--cold: how {target} is configured may not be read, so it cannot be changed and changed back: \
                 allow lambda:GetFunctionConfiguration and lambda:UpdateFunctionConfiguration"
            ),
            Target::Function { .. } | Target::Process { .. } | Target::Import { .. } => {}
        }
    }
    Ok(())
}

/// The default timeout of a call: a little longer than that of the service behind it.
pub(in crate::cli) fn timeout(variants: &Variants<Variant>) -> Duration {
    let of = |variant: &Variant| match (&variant.target, &variant.configuration) {
        (_, Some(configuration)) => u64::from(configuration.timeout_s) + 10,
        // API Gateway gives up after 29 s unless its quota is raised.
        (Target::Endpoint { .. }, None) => 40,
        (_, None) => u64::from(LONGEST_TIMEOUT_S),
    };
    Duration::from_secs(variants.iter().map(|(_, variant)| of(variant)).max().unwrap_or_default())
}
