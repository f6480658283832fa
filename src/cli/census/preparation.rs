//! Checks before the first call of a census, and the callers of its variants.

use crate::{
    campaign::{
        Auth, Target,
        aws::Session,
        caller::{CallOptions, Caller, FunctionCaller},
        census::{CensusCall, CensusManifest},
        manifest::Variant,
        variants::{VariantIndex, Variants},
    },
    cli::{output::note, run::preflight, wrong_arguments::refuse},
    report::words::dollars,
};
use anyhow::{Context, bail};
use std::sync::Arc;

/// The concurrency that is taken for free where it cannot be read: that of a new account.
const UNKNOWN_CONCURRENCY: u32 = 10;

/// A census and the callers of its variants.
pub(in crate::cli) struct Prepared<'a> {
    pub(in crate::cli) manifest: &'a CensusManifest,
    pub(in crate::cli) callers: Variants<Arc<Caller>>,
}

/// Refuses targets that have no environments to count, or cannot be made to start new ones.
pub(in crate::cli) fn check_targets<'a>(targets: impl Iterator<Item = &'a Target>) -> anyhow::Result<()> {
    for target in targets {
        match target {
            Target::Process { .. } | Target::Import { .. } => {
                refuse!("{target} runs on this machine, which has one CPU model: there is nothing to count")
            }
            Target::Endpoint { .. } => refuse!(
                "nothing makes {target} start new environments, so most calls would meet the same ones; name the function \
                 itself: lambda:NAME"
            ),
            Target::Function { .. } if target.is_published() => {
                refuse!("{target} is published and cannot be changed to start anew; name it without a qualifier")
            }
            Target::Function { .. } => {}
        }
    }
    Ok(())
}

/// Refuses functions whose configuration cannot be read, and so not be changed back.
pub(in crate::cli) fn check_readable(variants: &Variants<Variant>) -> anyhow::Result<()> {
    match variants.iter().find(|(_, variant)| variant.configuration.is_none()) {
        None => Ok(()),
        Some((_, variant)) => bail!(
            "how {} is configured may not be read, so it cannot be changed and changed back: allow \
             lambda:GetFunctionConfiguration and lambda:UpdateFunctionConfiguration",
            variant.target
        ),
    }
}

/// Refuses a census that counts a function twice.
pub(in crate::cli) fn check_repeated(manifest: &CensusManifest) -> anyhow::Result<()> {
    match manifest.repeated_function() {
        None => Ok(()),
        Some(twice) => refuse!(
            "--targets names {} twice: the census counts the environments of a function once",
            manifest.variants[twice].target
        ),
    }
}

/// Refuses a census that counts a function twice, or whose limit allows no call of each function.
pub(in crate::cli) fn check(manifest: &CensusManifest) -> anyhow::Result<()> {
    let CensusManifest { plan, variants, .. } = manifest;
    check_repeated(manifest)?;
    let first: f64 = variants.iter().map(|(_, variant)| plan.guessed_cost(variant)).sum();
    if first > plan.max_cost_usd {
        refuse!(
            "--max-cost {} allows no call of each function, which might cost {}: raise it",
            plan.max_cost_usd,
            dollars(first)
        );
    }
    let all = manifest.guessed_cost();
    if all > plan.max_cost_usd {
        note(format_args!(
            "Warning: --max-cost {} ends the census at about {} environments of each function by the guess: raise it, or \
             count fewer",
            plan.max_cost_usd,
            (f64::from(plan.environments) * plan.max_cost_usd / all) as u64
        ));
    }
    Ok(())
}

impl<'a> Prepared<'a> {
    /// Prepares to call the variants; none is called yet.
    pub(in crate::cli) async fn new(manifest: &'a CensusManifest, session: &Session) -> anyhow::Result<Self> {
        let mut callers = Vec::new();
        for (_, variant) in manifest.variants.iter() {
            let session = session.of_variant(variant);
            preflight::warn_of_move(variant, Auth::SigV4, &session).await?;
            let caller = Caller::new(&variant.target, CallOptions::new(Auth::SigV4), &session).await;
            callers.push(Arc::new(caller.with_context(|| format!("preparing calls of {}", variant.target))?));
        }
        Ok(Self { manifest, callers: callers.into_iter().collect() })
    }

    /// The functions that are counted.
    pub(in crate::cli) fn functions(&self) -> impl Iterator<Item = (VariantIndex, &Target, &FunctionCaller)> {
        self.callers.iter().filter_map(|(variant, caller)| match caller.as_ref() {
            Caller::Function(function) => Some((variant, &self.manifest.variants[variant].target, function)),
            Caller::Endpoint(_) | Caller::Process(_) => None,
        })
    }

    /// The most calls of a round of each variant; `remedy` says what the user can do where that cannot be read.
    pub(in crate::cli) async fn most_of_round(&self, remedy: &str) -> anyhow::Result<Variants<u32>> {
        let plan = &self.manifest.plan;
        let mut most = Vec::new();
        for (_, target, function) in self.functions() {
            let free = if plan.concurrency.is_some() {
                UNKNOWN_CONCURRENCY
            } else {
                concurrency(target, function, remedy).await?
            };
            most.push(plan.most_of_round(free));
        }
        Ok(most.into_iter().collect())
    }

    /// The payload that wakes a function which was not called for weeks.
    pub(in crate::cli) fn waking_payload(&self) -> &str {
        match &self.manifest.plan.call {
            CensusCall::Service { .. } => r#"{"hold_ms":0,"emit_metrics":false}"#,
            CensusCall::Own { payload, .. } | CensusCall::Probe { payload, .. } => payload,
        }
    }
}

/// How many calls of a function may be open at the same time.
async fn concurrency(target: &Target, function: &FunctionCaller, remedy: &str) -> anyhow::Result<u32> {
    let why = match function.concurrency().await {
        Ok(Some(0)) => bail!(
            "{target} has no concurrency: its reserved concurrency is 0, so it cannot be called; raise it, or remove it"
        ),
        Ok(Some(free)) => return Ok(free),
        Ok(None) => "lambda:GetFunctionConcurrency and lambda:GetAccountSettings are not both allowed".to_owned(),
        Err(failure) => failure.message,
    };
    note(format_args!(
        "Warning: how many calls of {target} may be open at the same time cannot be read ({why}): rounds of the \
         census have {} calls{remedy}",
        UNKNOWN_CONCURRENCY / 2
    ));
    Ok(UNKNOWN_CONCURRENCY)
}
