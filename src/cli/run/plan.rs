//! From arguments to a campaign's manifest.

use super::{
    campaign_options::{CampaignOptions, check_sizes},
    preflight::{self, NamedTarget},
    pricing,
    subjects::{self, Subject, Takes},
    unstored_options::{UnstoredOptions, check_variables, variable_names},
    variant_names,
};
use crate::{
    campaign::{
        Auth, Target,
        aws::Session,
        manifest::{Cell, Manifest, Plan, Variant},
        variants::{VariantIndex, Variants},
    },
    cli::{
        prices,
        secret_argument::Unechoed,
        value_parsers,
        wrong_arguments::{refuse, wrong_arguments},
    },
    protocol::{Request, Selection, Size, SizeName},
    workload::{self, Workload},
};
use clap::Args;
use hyper::{Method, header::AUTHORIZATION};

/// What `--targets` takes.
const TAKES: Takes = Takes {
    least: 2,
    wrong: "--targets takes a baseline and at least one candidate, or one stack:NAME",
    none: "there is nothing to compare: use --targets BASELINE CANDIDATE…, or run this where samconfig.toml names the stack",
};

/// What to call, how often and in which order.
#[derive(Debug, Args)]
#[group(id = "PlanOptions", multiple = true)]
pub struct PlanOptions {
    /// What to compare, from 2 to 64 of: lambda:NAME[:QUALIFIER], https://…, exec:PATH (a function's binary, run on this
    /// machine), local (this project's own binary, in the directory of this program), each with a name for reports if
    /// NAME= stands before it: NAME is what stands before the first =, and has no colon; or stack:NAME_OR_ARN, both
    /// functions of a deployed stack of this project [default: the stack that ./samconfig.toml names].
    #[arg(long, value_name = "[NAME=]TARGET", num_args = 1.., value_parser = Unechoed::<Subject>::new())]
    targets: Vec<Subject>,
    /// The name of the target that the others are compared with [default: the first].
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    /// The environment of ./samconfig.toml that names the stack, its region and its profile [default: default].
    #[arg(long, value_name = "NAME")]
    config_env: Option<String>,
    /// Workloads of the benchmark service: categories (sorting) or names (math/fft); each workload is a cell
    /// [default: all].
    #[arg(long = "workload", value_name = "SELECTOR", conflicts_with = "payload")]
    workloads: Vec<String>,
    /// The size of the workloads: small, medium, large or a number of elements.
    #[arg(long, default_value = "medium", value_parser = value_parsers::size, conflicts_with = "payload")]
    size: Size,
    /// The timed iterations of a workload in each call, 1–1000.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000), conflicts_with = "payload")]
    iterations: u32,
    #[command(flatten)]
    campaign: CampaignOptions,
    /// Make every call a cold start, by changing an environment variable of the function; the change is undone
    /// afterwards.
    #[arg(long)]
    cold: bool,
    /// Compare functions even if their memory differs.
    #[arg(long)]
    allow_unequal: bool,
    /// The tenant for which to call functions with tenant isolation.
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// The method of requests to https:// targets, such as PUT; GET and HEAD send no payload [default: POST].
    #[arg(long, value_name = "METHOD", value_parser = value_parsers::method)]
    method: Option<Method>,
    /// Do not sign requests to https:// targets.
    #[arg(long, conflicts_with = "api_key")]
    no_auth: bool,
}

impl PlanOptions {
    /// The campaign that these options describe; warnings about its variants go to standard error.
    pub(super) async fn manifest(&self, given: &UnstoredOptions, session: &Session) -> anyhow::Result<Manifest> {
        let table = prices::table(self.campaign.prices.as_ref())?;
        let auth = match (self.no_auth, &given.api_key) {
            (true, _) => Auth::None,
            (false, Some(_)) => Auth::ApiKey,
            (false, None) => Auth::SigV4,
        };
        let (targets, session) = subjects::resolve(&self.targets, self.config_env.as_deref(), TAKES, session).await?;
        let payloads = self.campaign.payload_cells()?;
        let cells = if payloads.is_empty() { self.workload_cells()? } else { payloads };
        check_sizes(&cells, targets.iter().map(|named| &named.target))?;
        let census = &self.campaign.census;
        census.check_targets(&targets, self.cold)?;
        let mut variants = preflight::variants(&targets, auth, &session).await?;
        let baseline = self.baseline(&variants)?;
        variant_names::follow_baseline(&mut variants, &targets, baseline);
        let is_forced = self.cold || census.is_given();
        preflight::check_features(&variants, is_forced, self.tenant.as_deref())?;
        preflight::check_differences(&variants, baseline, self.allow_unequal)?;
        pricing::set_prices(&mut variants, &table, &session).await?;
        let is_local = |named: &NamedTarget| named.target.is_process();
        let has_process = targets.iter().any(is_local);
        let has_endpoint = targets.iter().any(|named| matches!(named.target, Target::Endpoint { .. }));
        let for_endpoints = [
            ("--no-auth", self.no_auth),
            ("--api-key", given.api_key.is_some()),
            ("--method", self.method.is_some()),
            ("--header", !given.headers.is_empty()),
        ];
        if let Some((option, _)) = for_endpoints.into_iter().find(|(_, is_given)| *is_given && !has_endpoint) {
            refuse!("{option} is for https:// and http:// targets, but no target is one");
        }
        if !self.no_auth && given.api_key.is_none() && given.headers.iter().any(|header| header.name == AUTHORIZATION) {
            refuse!("--header authorization replaces the signature: use --no-auth with it");
        }
        check_variables(&given.variables, has_process)?;
        if self.cold {
            preflight::check_cold(&variants)?;
        }
        census.check_readable(&variants)?;
        let plan = Plan {
            cold: self.cold,
            auth,
            tenant: self.tenant.clone(),
            method: self.method.clone(),
            headers: given.header_names(),
            variables: variable_names(&given.variables),
            hooks: self.campaign.hooks.hooks(&session).await?,
            ..self.campaign.plan(cells, &variants)
        };
        let manifest = census.added_to(Manifest::new(variants, baseline, plan, self.campaign.limits()))?;
        census.check(&manifest)?;
        self.campaign.check(&manifest)?;
        Ok(manifest)
    }

    /// The place of the baseline among these variants.
    fn baseline(&self, variants: &Variants<Variant>) -> anyhow::Result<VariantIndex> {
        let Some(wanted) = &self.baseline else { return Ok(VariantIndex::default()) };
        let found = variants.iter().find(|(_, variant)| variant.name == *wanted);
        found.map(|(index, _)| index).ok_or_else(|| {
            let names: Vec<&str> = variants.iter().map(|(_, variant)| variant.name.as_str()).collect();
            wrong_arguments(format_args!("--baseline {wanted} names no variant; they are {}", names.join(", ")))
        })
    }

    fn workload_cells(&self) -> anyhow::Result<Vec<Cell>> {
        let selection =
            if self.workloads.is_empty() { Selection::All } else { Selection::Some(self.workloads.clone()) };
        let selected = workload::select(&selection).map_err(wrong_arguments)?;
        selected.into_iter().map(|workload| self.workload_cell(workload)).collect()
    }

    fn workload_cell(&self, workload: &Workload) -> anyhow::Result<Cell> {
        let request = Request {
            workloads: Selection::Some(vec![workload.name.to_owned()]),
            size: self.size,
            iterations: self.iterations,
            // Both would add to the bill.
            heap: false,
            emit_metrics: false,
            ..Request::default()
        };
        let iteration_ms = match self.size {
            Size::Named(SizeName::Small) => 1.0,
            Size::Named(SizeName::Large) => 1000.0,
            Size::Named(SizeName::Medium) | Size::Elements(_) => 50.0,
        };
        Ok(Cell {
            name: workload.name.to_owned(),
            weight: 1,
            workload: Some(workload.name.to_owned()),
            payload: serde_json::to_string(&request)?,
            guess_ms: iteration_ms * f64::from(request.iterations + request.warmup),
        })
    }
}
