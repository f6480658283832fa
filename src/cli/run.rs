//! `duet run`

mod plan;
mod preflight;
pub(super) mod pricing;
mod progress;

use super::reaper::Reaped;
use crate::{
    analysis::stopping::Precision,
    campaign::{
        Auth, Target,
        aws::Session,
        caller::{Caller, Manner},
        driver::{Campaign, End, Past},
        journal::{self, Journal},
        local::variables::Variable,
        manifest::Manifest,
        sides::{Side, Sides},
        stopping::StoppingRule,
    },
    report::plan as report,
};
use anyhow::{Context, bail};
use clap::Args;
use plan::PlanOptions;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::sync::watch;

/// Exit code where nothing but failures came from a side.
const FAILING: u8 = 3;
/// Exit code where calls of equal work gave different results.
const MISMATCH: u8 = 4;
/// Exit code after Ctrl-C, as of every program that ends by it.
const INTERRUPTED: u8 = 130;

/// Calls two functions in turns, in an order that cancels drift, and keeps every sample.
///
/// Both sides get the same payloads in every block, in an order drawn from a seed. Every call becomes a
/// row of samples.jsonl in the run directory before its side is called again, also where it fails.
///
/// Exit codes: 0 the campaign is complete, 1 it could not be run, 2 the arguments are wrong, 3 nothing but
/// failures came from a side, 4 equal work gave different results, 130 it was interrupted. After 1, 3 and
/// 130 it can be continued with --resume.
#[derive(Debug, Args)]
pub struct Run {
    /// Continue the campaign in this run directory: the same schedule, nothing repeated, nothing left out.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "PlanOptions"])]
    resume: Option<PathBuf>,
    /// The run directory; it must not hold a campaign yet [default: duet-runs/TIME].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the plan, the number of calls and the expected bill, and call nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print what happens as one JSON object a line.
    #[arg(long)]
    json: bool,
    /// The key that https:// targets ask for, sent as x-api-key instead of a signature.
    #[arg(long, value_name = "KEY", env = "DUET_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// A variable of the functions' own, for exec: and local targets. Lambda's own cannot be set, but for _HANDLER, the
    /// region and credentials. Values are not stored: --resume asks for them again.
    #[arg(long = "env", value_name = "KEY=VALUE")]
    variables: Vec<Variable>,
    #[command(flatten)]
    plan: PlanOptions,
}

impl Run {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let session = Session::new().context("reading the trusted certificates")?;
        let (directory, manifest, is_new) = match &self.resume {
            Some(directory) => (directory.clone(), journal::manifest(directory)?, false),
            None => {
                (self.directory(), self.plan.manifest(self.api_key.as_deref(), &self.variables, &session).await?, true)
            }
        };
        let callers = self.callers(&directory, &manifest, &session).await?;
        if self.dry_run {
            print!("{}", report::plan(&manifest));
            return Ok(ExitCode::SUCCESS);
        }
        let rules = until_ci_rules(&manifest);
        let is_local = manifest.sides.iter().any(|(_, party)| matches!(party.target, Target::Process { .. }));
        let _reaped = is_local.then(Reaped::start).transpose()?;
        preflight::clean_up(&manifest, &callers).await?;
        let journal = if is_new { Journal::create(&directory, &manifest)? } else { Journal::open(&directory)? };
        let past = Past::new(&manifest, journal::checked_rows(&directory, &manifest)?, rules)?;
        let mut progress = progress::Progress::new(self.json, &directory, &manifest);
        let campaign = Campaign::new(&manifest, callers, journal, past, interruption());
        let (end, totals) = campaign.run(&mut progress).await.with_context(|| resume(&directory))?;
        progress.end(&end, &totals);
        Ok(match end {
            End::Interrupted => ExitCode::from(INTERRUPTED),
            End::Failing { .. } => ExitCode::from(FAILING),
            End::Enough(_) if !totals.mismatches.is_empty() => ExitCode::from(MISMATCH),
            End::Enough(_) => ExitCode::SUCCESS,
        })
    }

    fn directory(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| {
            let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
            Path::new("duet-runs").join(now.replace(':', ""))
        })
    }

    async fn callers(&self, directory: &Path, manifest: &Manifest, session: &Session) -> anyhow::Result<Sides<Caller>> {
        let auth = manifest.plan.auth;
        if auth == Auth::ApiKey && self.api_key.is_none() {
            bail!("the campaign was begun with an API key, which is not stored: use --api-key or DUET_API_KEY");
        }
        let names = variable_names(&self.variables);
        if names != manifest.plan.variables {
            bail!(
                "the campaign was begun with other variables, whose values are not stored: use --env for {}",
                if manifest.plan.variables.is_empty() { "none".to_owned() } else { manifest.plan.variables.join(", ") }
            );
        }
        let caller = async |side: Side| {
            let target = &manifest.sides[side].target;
            let log = directory.join(format!("{side}.log"));
            let (api_key, variables) = (self.api_key.as_deref(), self.variables.as_slice());
            let manner = Manner { auth, api_key, variables, log: Some(&log) };
            Caller::new(target, manner, session).await.with_context(|| format!("preparing calls of {target}"))
        };
        Ok(Sides { baseline: caller(Side::Baseline).await?, candidate: caller(Side::Candidate).await? })
    }
}

/// Variables are for processes on this machine, and each is there once.
pub(super) fn check_variables(variables: &[Variable], is_local: bool) -> anyhow::Result<()> {
    if let Some(Variable { name, .. }) = variables.first().filter(|_| !is_local) {
        bail!("--env {name} is for exec: and local targets, and there is none");
    }
    match variable_names(variables).windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => bail!("--env names {} twice", pair[0]),
        None => Ok(()),
    }
}

/// Their names, in alphabetical order.
fn variable_names(variables: &[Variable]) -> Vec<String> {
    let mut names: Vec<String> = variables.iter().map(|it| it.name.clone()).collect();
    names.sort_unstable();
    names
}

/// The rule that ends the campaign once its intervals are as narrow as they are to be.
fn until_ci_rules(manifest: &Manifest) -> Vec<Box<dyn StoppingRule>> {
    Precision::of(manifest).map(|rule| Box::new(rule) as Box<dyn StoppingRule>).into_iter().collect()
}

/// Turns true on Ctrl-C and on the signal by which services are ended; the second one ends at once.
fn interruption() -> watch::Receiver<bool> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        for signal in 1.. {
            wait_for_signal().await;
            if signal > 1 {
                std::process::exit(INTERRUPTED.into());
            }
            stop.send_replace(true);
        }
    });
    stopped
}

async fn wait_for_signal() {
    use tokio::signal::{ctrl_c, unix};
    match unix::signal(unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(ctrl_c().await),
    }
}

/// How to go on.
fn resume(directory: &Path) -> String {
    format!("the samples so far are kept; continue with `duet run --resume {}`", directory.display())
}

/// Milliseconds since 1970-01-01 UTC.
fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
