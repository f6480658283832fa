//! `duet census`

mod conduct;
pub(super) mod preparation;
mod progress;

use super::{
    clean_up::ChangeOptions,
    interruption::interruption,
    output,
    prices::{self, TableOption},
    run::{
        campaign_options::payload_file,
        new_directory, preflight, pricing,
        subjects::{self, Subject, Takes},
        undoing,
    },
    secret_argument::Unechoed,
    value_parsers,
    wrong_arguments::refuse,
};
use crate::{
    campaign::{
        Auth,
        aws::Session,
        census::{self, CensusCall, CensusFile, CensusManifest, CensusPlan, MAX_CENSUS, MAX_ROUND, Tally},
        forced_cold_starts::{ChangedFunctions, ColdStartForcer},
        owner::Owner,
        unix_ms,
    },
    protocol::CensusRequest,
    report::census as report,
};
use anyhow::Context;
use clap::Args;
use preparation::Prepared;
use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

const TAKES: Takes = Takes {
    least: 1,
    wrong: "--targets takes functions (lambda:NAME), or one stack:NAME",
    none: "there is nothing to count: use --targets lambda:NAME…, or run this where samconfig.toml names the stack",
};

/// Counts which CPU models the execution environments of functions have.
///
/// An environment tells its CPU without any work: calls that are open at the same moment meet as many environments, and
/// before each round of them a variable of the function is changed, so that new environments start, as with `duet run
/// --cold`; that is undone at the end. Every call is a line of census.jsonl in the run directory before the next round.
///
/// Exit codes: 0 the census is over, or has reached --max-cost, 1 it could not be taken or a function is still changed, 2
/// wrong arguments, 3 nothing but failures came of a function, 130 it was interrupted. After 1 and 130 it can be continued
/// with --resume.
#[derive(Debug, Args)]
pub struct CensusArgs {
    /// What to count: lambda:NAME, each with a name for the table if NAME= stands before it; or stack:NAME_OR_ARN, both
    /// functions of a deployed stack of this project [default: the stack that ./samconfig.toml names].
    #[arg(long, value_name = "[NAME=]TARGET", num_args = 1.., value_parser = Unechoed::<Subject>::new())]
    targets: Vec<Subject>,
    /// The environment of ./samconfig.toml that names the stack, its region and its profile [default: default].
    #[arg(long, value_name = "NAME")]
    config_env: Option<String>,
    /// How many environments of each function to count.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_CENSUS)))]
    environments: u32,
    /// How long the service holds each call, so that calls overlap, 60s at most.
    #[arg(long, value_name = "TIME", default_value = "1500ms", value_parser = value_parsers::duration, conflicts_with = "payload")]
    hold: Duration,
    /// The payload for functions of your own. Where they answer too quickly to overlap, more calls are made.
    #[arg(long, value_name = "FILE", requires_all = ["environment", "cpu_model"])]
    payload: Option<String>,
    /// A JSON pointer to the id of the execution environment in an answer, such as /environment/id.
    #[arg(long, value_name = "POINTER", requires = "payload", value_parser = value_parsers::pointer)]
    environment: Option<String>,
    /// A JSON pointer to the processor's model in an answer, such as /cpu.
    #[arg(long, value_name = "POINTER", requires = "payload", value_parser = value_parsers::pointer)]
    cpu_model: Option<String>,
    /// The most calls that are open at the same time [default: half of the function's reserved concurrency, or of the
    /// account's unreserved one].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_ROUND)))]
    concurrency: Option<u32>,
    /// Spend at most this many US dollars, at the list prices of the region.
    #[arg(long, value_name = "USD", default_value_t = 1.0, value_parser = value_parsers::dollars)]
    max_cost: f64,
    /// The seed of the order of functions [default: the time].
    #[arg(long)]
    seed: Option<u64>,
    /// A table of prices of your own, as docs/prices.md describes it, or `built-in` [default: what `duet prices` shows].
    #[arg(long, value_name = "FILE")]
    prices: Option<TableOption>,
    /// The run directory, which must not contain a campaign or a census yet [default: duet-runs/TIME].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Continue the census in this run directory at the point where it stopped, with the same plan and the same limits.
    #[arg(long, value_name = "DIR", conflicts_with_all = [
        "targets", "config_env", "environments", "hold", "payload", "concurrency", "max_cost", "seed", "prices", "out",
    ])]
    resume: Option<PathBuf>,
    /// Print what would be called and what it may cost, and call nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print the outcome as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    change: ChangeOptions,
}

impl CensusArgs {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let session = Session::new().context("preparing connections")?;
        let (directory, manifest) = match &self.resume {
            Some(directory) => (directory.clone(), census::manifest(directory)?),
            None => (new_directory(self.out.clone()), self.manifest(&session).await?),
        };
        let (owner, within) = (Owner::this_process(&directory), self.change.change_timeout);
        let prepared = Prepared::new(&manifest, &session).await?;
        preflight::check_functions(prepared.functions(), true, &owner, within).await?;
        let most = prepared.most_of_round("; --concurrency N sets another number").await?;
        if self.dry_run {
            output::print(&report::plan(&manifest, &most))?;
            return Ok(ExitCode::SUCCESS);
        }
        let (file, rows) = match &self.resume {
            Some(directory) => CensusFile::open(directory, &manifest)?,
            None => (CensusFile::create(&directory, &manifest)?, Vec::new()),
        };
        let mut tallies = most.map(|_, most| Tally::new(*most));
        rows.iter().for_each(|row| tallies[row.variant].add(row));
        let changes = Arc::new(ChangedFunctions::read(&directory, &owner)?);
        let stop = interruption(undoing(Arc::clone(&changes), &directory)).context("catching signals")?;
        let cold = ColdStartForcer::new(owner, changes, within);
        let plan = report::plan(&manifest, &most);
        prepared.conduct(&directory, &cold, (file, tallies), &stop, (self.json, &plan)).await.map(ExitCode::from)
    }

    /// The census that these options describe; warnings about its variants go to standard error.
    async fn manifest(&self, session: &Session) -> anyhow::Result<CensusManifest> {
        let table = prices::table(self.prices.as_ref())?;
        let call = self.call()?;
        let (targets, session) = subjects::resolve(&self.targets, self.config_env.as_deref(), TAKES, session).await?;
        preparation::check_targets(targets.iter().map(|named| &named.target))?;
        let mut variants = preflight::variants(&targets, Auth::SigV4, &session).await?;
        preflight::check_features(&variants, true, None)?;
        preparation::check_readable(&variants)?;
        pricing::set_prices(&mut variants, &table, &session).await?;
        let plan = CensusPlan {
            seed: self.seed.unwrap_or_else(unix_ms),
            environments: self.environments,
            call,
            concurrency: self.concurrency,
            max_cost_usd: self.max_cost,
            timeout_ms: preflight::timeout(&variants).as_millis() as u64,
        };
        let manifest = CensusManifest::new(variants, plan);
        preparation::check(&manifest)?;
        Ok(manifest)
    }

    fn call(&self) -> anyhow::Result<CensusCall> {
        if let (Some(file), Some(environment), Some(cpu_model)) = (&self.payload, &self.environment, &self.cpu_model) {
            let (environment, cpu_model) = (environment.clone(), cpu_model.clone());
            return Ok(CensusCall::Own { payload: payload_file::read(file)?, environment, cpu_model });
        }
        match u32::try_from(self.hold.as_millis()) {
            Ok(hold_ms @ ..=CensusRequest::MAX_HOLD_MS) => Ok(CensusCall::Service { hold_ms }),
            _ => refuse!(
                "--hold {} is more than the service takes: 60s is the most",
                humantime::format_duration(self.hold)
            ),
        }
    }
}
