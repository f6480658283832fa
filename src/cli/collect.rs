//! `duet collect`

use super::output::{self, note};
use crate::campaign::{
    aws::Session,
    environment_source::EnvironmentSource,
    log_streams::{self, LogOutcome, LogStreams, Problem},
    manifest::Manifest,
    run_directory, shell_quoting,
};
use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Exit code if environments of some calls are still unknown.
const UNKNOWN: u8 = 3;

/// Reads which execution environments answered the calls of a campaign, from the log streams of its functions.
///
/// A campaign does that itself when it ends, for functions whose answers do not name their environment. This does it for
/// one that was interrupted, that lacked the permission, or whose logs were late; what was found before is kept. It takes
/// the permission logs:FilterLogEvents on the functions' log groups.
///
/// Exit codes: 0 all environments are known, 1 the run directory cannot be used, 2 wrong arguments, 3 some are still
/// unknown; the message says why and what to do.
#[derive(Debug, Args)]
pub struct CollectArgs {
    /// The run directory.
    directory: PathBuf,
    /// Print the outcome as JSON.
    #[arg(long)]
    json: bool,
}

impl CollectArgs {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let Self { directory, json } = &self;
        let manifest = run_directory::manifest(directory)?;
        if manifest.imported.is_some() {
            bail!("there is nothing to collect in {}: its measurements were imported", directory.display());
        }
        let session = Session::new().context("reading the trusted certificates")?;
        let collection = Collection::make(directory, &manifest, &session).await?;
        output::print_as(*json, &collection.json(), || collection.text(directory, &manifest))?;
        let is_complete = collection.is_complete() && !has_unknown(&manifest);
        Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::from(UNKNOWN) })
    }
}

/// What became of a collection.
#[derive(Debug)]
pub(super) struct Collection {
    logs: Vec<LogOutcome>,
    kind: LogStreams,
}

impl Collection {
    /// Reads the log streams of the campaign in `directory`; says which ones on standard error.
    ///
    /// # Errors
    /// When the run directory cannot be used.
    pub(super) async fn make(directory: &Path, manifest: &Manifest, session: &Session) -> anyhow::Result<Self> {
        let mut logs = Vec::new();
        if is_needed(manifest) {
            let begin = |log: &_, wanted| {
                note(format_args!("Looking for the environments of {wanted} calls in the log streams of {log}"));
            };
            logs = log_streams::collect(directory, manifest, session, begin).await?;
        }
        Ok(Self { logs, kind: LogStreams::read(directory, manifest)? })
    }

    /// Whether every environment is known.
    fn is_complete(&self) -> bool {
        self.kind != LogStreams::OfCalls && self.logs.iter().all(|log| log.found == log.wanted && log.unidentified == 0)
    }

    /// What was found, what was not, and what to do about that.
    pub(super) fn text(&self, directory: &Path, manifest: &Manifest) -> String {
        // The logs of clones are deleted with them.
        let again = manifest.trial.is_none().then(|| command(directory));
        let mut lines: Vec<String> = self.logs.iter().flat_map(|log| lines(log, again.as_deref())).collect();
        if self.kind == LogStreams::OfCalls {
            lines.push(
                "Each call has a log stream of its own, though most met an environment that had started before, as where \
                 an emulator writes them: log streams tell no environments here"
                    .to_owned(),
            );
        }
        if !is_needed(manifest) {
            lines.push("There is nothing to collect; this is how environments are told:".to_owned());
            let source = |variant| EnvironmentSource::of(&manifest.plan, variant);
            lines.extend(manifest.variants.iter().map(|(_, variant)| format!("{}: {}", variant.name, source(variant))));
        }
        lines.join("\n") + "\n"
    }

    pub(super) fn json(&self) -> Value {
        let streams = match self.kind {
            LogStreams::Unread | LogStreams::Empty => "unknown",
            LogStreams::OfEnvironments => "environments",
            LogStreams::OfCalls => "calls",
        };
        json!({ "streams_of": streams, "logs": self.logs.iter().map(log_json).collect::<Vec<_>>() })
    }
}

/// Whether nothing tells the environments of a variant.
fn has_unknown(manifest: &Manifest) -> bool {
    let mut variants = manifest.variants.iter();
    variants.any(|(_, variant)| matches!(EnvironmentSource::of(&manifest.plan, variant), EnvironmentSource::Unknown))
}

/// Whether log streams are to tell the environments of a function.
pub(super) fn is_needed(manifest: &Manifest) -> bool {
    let mut variants = manifest.variants.iter();
    variants.any(|(_, variant)| EnvironmentSource::of(&manifest.plan, variant).log().is_some())
}

/// The command that reads the log streams.
pub(super) fn command(directory: &Path) -> String {
    format!("`duet collect {}`", shell_quoting::word(directory))
}

/// What became of the search in one log; `again` is the command that searches again, if that is possible.
fn lines(outcome: &LogOutcome, again: Option<&str>) -> Vec<String> {
    let LogOutcome { log, wanted, found, unidentified, problem } = outcome;
    let mut lines = Vec::new();
    if *unidentified > 0 {
        lines.push(format!(
            "{unidentified} calls have no request id, as in campaigns of earlier versions: the log streams of {log} cannot \
             tell their environments"
        ));
    } else if *wanted == 0 {
        lines.push(format!("The environments of all calls in {log} are known"));
    }
    if *wanted == 0 {
        return lines;
    }
    let and_again = |text: &str| again.map_or_else(String::new, |again| format!("{text} {again}"));
    lines.push(format!("Found the environments of {found} of {wanted} calls in the log streams of {log}"));
    lines.extend(match problem {
        Some(Problem::Denied(failure)) => Some(format!(
            "They may not be read ({failure}). The samples are kept: allow it by this statement in the policy of the user \
             or the role{}:\n{}",
            and_again(", then run"),
            log.policy_statement()
        )),
        Some(Problem::StreamPerCall) => Some(
            "Each call there has a log stream of its own, and another request id than its answer, as an emulator writes \
             them: log streams tell no environments"
                .to_owned(),
        ),
        Some(Problem::NoGroup) => Some(format!(
            "There is no such log group in the account of these credentials{}",
            again.map_or_else(
                || ": the function's role may not write to log groups of other names".to_owned(),
                |again| format!(". If the function may write logs and has them there, {again} looks for it again")
            )
        )),
        Some(Problem::Refused(failure)) => {
            let again = again.map_or_else(String::new, |again| format!(": {again} tries again"));
            Some(format!("CloudWatch Logs cannot be read: {failure}. The samples are kept{again}"))
        }
        None if found < wanted => {
            let again = again.map_or_else(String::new, |again| format!(": {again} looks for them again"));
            Some(format!("The others are not in the log, or not yet{again}"))
        }
        None => None,
    });
    lines
}

fn log_json(outcome: &LogOutcome) -> Value {
    let LogOutcome { log, wanted, found, unidentified, problem } = outcome;
    let mut body = json!({
        "log_group": log.group, "region": log.region, "wanted": wanted, "found": found, "unidentified": unidentified,
    });
    let (kind, message) = match problem {
        None => return body,
        Some(Problem::Denied(failure)) => ("denied", Some(&failure.message)),
        Some(Problem::StreamPerCall) => ("stream-per-call", None),
        Some(Problem::NoGroup) => ("no-group", None),
        Some(Problem::Refused(failure)) => ("refused", Some(&failure.message)),
    };
    body["problem"] = json!(kind);
    if let Some(message) = message {
        body["message"] = json!(message);
    }
    if kind == "denied" {
        body["policy_statement"] = log.policy_statement();
    }
    body
}
