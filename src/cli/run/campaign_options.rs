//! The options that all campaigns have: payloads, calls and limits.

mod environments;
mod hooks;
mod limits;
pub(in crate::cli) mod payload_file;

use super::{census::CensusOptions, preflight};
use crate::{
    campaign::{
        Auth, Target,
        accepted_status::AcceptedStatus,
        cell_names::reserved,
        manifest::{CampaignLimits, Cell, MAX_ENVIRONMENTS, Manifest, Order, Plan, Variant},
        unix_ms,
        variants::Variants,
    },
    cli::{prices::TableOption, value_parsers, wrong_arguments::refuse},
};
use anyhow::bail;
use clap::Args;
use hooks::HookOptions;
use payload_file::PayloadFile;
use std::{collections::BTreeSet, time::Duration};

/// What is called, how often, and when that ends.
#[derive(Debug, Args)]
#[group(id = "CampaignOptions", multiple = true)]
pub(in crate::cli) struct CampaignOptions {
    /// A payload for your own functions, and how many times a block sends it (order.json:3).
    #[arg(long = "payload", value_name = "FILE[:WEIGHT]")]
    payload: Vec<PayloadFile>,
    /// Compare the answers to each payload: if they differ, the exit code is 4.
    #[arg(long, requires = "payload")]
    compare_output: bool,
    /// The largest relative difference between numbers in compared answers, such as 1e-9.
    #[arg(long, value_name = "NUMBER", requires = "compare_output", value_parser = value_parsers::tolerance)]
    tolerance: Option<f64>,
    /// A JSON pointer to a part of the answers that is not compared, such as /request_id.
    #[arg(long, value_name = "POINTER", requires = "compare_output", value_parser = value_parsers::pointer)]
    ignore: Vec<String>,
    /// A JSON pointer to the id of the execution environment in an answer, such as /environment/id.
    #[arg(long, value_name = "POINTER", requires = "payload", value_parser = value_parsers::pointer)]
    environment: Option<String>,
    /// A JSON pointer to the processor's model in an answer, such as /cpu.
    #[arg(long, value_name = "POINTER", requires = "payload", value_parser = value_parsers::pointer)]
    cpu_model: Option<String>,
    /// Statuses that count as success besides 200 to 299, such as 404 or 4xx: of https:// targets, and in the
    /// statusCode of functions that are invoked directly and answer in API Gateway's format.
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    accept_status: Vec<AcceptedStatus>,
    /// The number of execution environments of each target to call: with that many concurrent calls, or one after the
    /// other for processes on this machine.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_ENVIRONMENTS)))]
    environments: u32,
    /// The seed of the order of calls [default: the time].
    #[arg(long)]
    seed: Option<u64>,
    /// The minimum time from the start of one block to the start of the next, such as 30s.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pace: Option<Duration>,
    /// How long a call may take [default: the functions' own timeout plus 10s, 40s for https://, 15m for exec:].
    #[arg(long, value_name = "TIME", value_parser = value_parsers::duration)]
    timeout: Option<Duration>,
    /// End after this time, when the current block is complete.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = value_parsers::duration)]
    duration: Duration,
    /// Make at most this many calls, all targets together; only whole blocks are begun.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    invocations: Option<u64>,
    /// Spend at most this many US dollars, at the list prices of the region.
    #[arg(long, value_name = "USD", default_value_t = 0.5, value_parser = value_parsers::dollars)]
    max_cost: f64,
    /// End as soon as the intervals extend at most this far to either side, such as 2%; of several candidates, call each
    /// until its own do.
    #[arg(long, value_name = "PERCENT", value_parser = value_parsers::percent)]
    until_ci: Option<f64>,
    /// A table of prices of your own, as docs/prices.md describes it, or `built-in` [default: what `duet prices` shows].
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) prices: Option<TableOption>,
    #[command(flatten)]
    pub(in crate::cli) census: CensusOptions,
    #[command(flatten)]
    pub(in crate::cli) hooks: HookOptions,
}

impl CampaignOptions {
    /// The plan of a warm campaign of these variants, without authentication at endpoints.
    pub(in crate::cli) fn plan(&self, cells: Vec<Cell>, variants: &Variants<Variant>) -> Plan {
        let has_process = variants.iter().any(|(_, variant)| variant.target.is_process());
        let timeout = self.timeout.unwrap_or_else(|| preflight::timeout(variants));
        Plan {
            seed: self.seed.unwrap_or_else(unix_ms),
            environments: self.environments,
            cold: false,
            // Processes on one machine would compete for its processors.
            concurrent: !has_process,
            // With one environment of each variant, an emulator may have no more than one in all.
            order: if has_process || self.environments == 1 { Order::SingleCalls } else { Order::JointSteps },
            separate_from: None,
            cells,
            pace_ms: self.pace.map_or(0, whole_ms),
            timeout_ms: whole_ms(timeout).max(1),
            auth: Auth::None,
            compare_output: self.compare_output,
            tolerance: self.tolerance,
            ignore: self.ignore.clone(),
            environment: self.environment.clone(),
            cpu_model: self.cpu_model.clone(),
            tenant: None,
            accept_status: self.accept_status.clone(),
            method: None,
            headers: Vec::new(),
            variables: Vec::new(),
            hooks: None,
            census: None,
        }
    }

    /// How many environments of each variant are called.
    pub(in crate::cli) fn environments(&self) -> u32 {
        self.environments
    }

    pub(in crate::cli) fn limits(&self) -> CampaignLimits {
        CampaignLimits {
            duration_ms: Some(whole_ms(self.duration)),
            invocations: self.invocations,
            max_cost_usd: Some(self.max_cost),
            until_ci: self.until_ci,
        }
    }

    /// Refuses limits that no campaign can keep, and warns of those that leave no verdict.
    pub(in crate::cli) fn check(&self, manifest: &Manifest) -> anyhow::Result<()> {
        self.check_limits(manifest)?;
        environments::check(manifest)?;
        Self::warn_of_few_blocks(manifest);
        Ok(())
    }

    /// The payloads that are given, each as a cell.
    pub(in crate::cli) fn payload_cells(&self) -> anyhow::Result<Vec<Cell>> {
        if let Some((file, reason)) = self.payload.iter().find_map(|file| Some((file, reserved(&file.path)?))) {
            refuse!("--payload {0}: the name of this payload {reason}; write ./{0}", file.path);
        }
        let names: BTreeSet<&str> = self.payload.iter().map(|file| file.path.as_str()).collect();
        if names.len() < self.payload.len() {
            refuse!("--payload names a file twice: give it a weight instead (FILE:2)");
        }
        self.payload.iter().map(PayloadFile::cell).collect()
    }
}

/// Refuses payloads that are longer than their target accepts.
pub(in crate::cli) fn check_sizes<'a>(
    cells: &[Cell],
    targets: impl IntoIterator<Item = &'a Target>,
) -> anyhow::Result<()> {
    for target in targets {
        let (service, most) = match target {
            Target::Function { .. } => ("Lambda", 6 << 20),
            Target::Endpoint { url } if url.contains(".lambda-url.") => ("Lambda", 6 << 20),
            Target::Endpoint { .. } => ("API Gateway", 10 << 20),
            Target::Process { .. } | Target::Import { .. } => continue,
        };
        if let Some(cell) = cells.iter().find(|cell| cell.payload.len() > most) {
            let (name, bytes) = (&cell.name, cell.payload.len());
            bail!(
                "the payload in {name} has {bytes} bytes, and {service} takes {most} at most: {target} would refuse it"
            );
        }
    }
    Ok(())
}

fn whole_ms(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
