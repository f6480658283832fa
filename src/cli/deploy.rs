//! `duet deploy`

mod plan;
mod policy;
mod rollout;

use super::{
    interruption::interruption,
    output::{self, note},
    question,
    service_stack::{ServiceStack, StackOptions, interrupted},
    wrong_arguments::refuse,
};
use crate::{
    deployment::{Code, LOOKED_FOR, ServiceTemplate, Stack, installed},
    report::{deployment, terminal},
};
use anyhow::{Context, bail};
use clap::Args;
use plan::DeploymentPlan;
use std::{env, fs, path::PathBuf, process::ExitCode};
use tokio::sync::watch;

/// Deploys the benchmark service: a function on each architecture behind one API, as a stack of CloudFormation.
///
/// The template is the one that `sam deploy` takes: a stack that one of them has deployed, the other can update. The code
/// comes with this program, or from --handler. What CloudFormation would change is shown first; then it asks. Where nothing
/// would change, nothing is done.
///
/// Exit codes: 0 it is deployed, or nothing was to be changed, or was wanted; 1 it could not be deployed; 2 wrong arguments;
/// 130 it was interrupted.
#[derive(Debug, Args)]
pub struct DeployArgs {
    #[command(flatten)]
    stack: StackOptions,
    /// The directory with the code: handler-arm64.zip and handler-x86_64.zip, or what `sam build` makes [default: the code that
    /// was installed with this program].
    #[arg(long, value_name = "DIR")]
    handler: Option<PathBuf>,
    /// A bucket for the code, in the same region [default: one of its own, which a stack named NAME-code makes].
    #[arg(long, value_name = "NAME", value_parser = bucket)]
    bucket: Option<String>,
    /// A parameter of the template, such as MemorySize=3538; may be repeated [default: the value that the stack has, or the
    /// template's].
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// A tag of both stacks and of their resources, such as team=shop, besides those that they have; may be repeated.
    #[arg(long = "tags", value_name = "KEY=VALUE", num_args = 1.., value_parser = tag)]
    tags: Vec<(String, String)>,
    /// Show what would be changed, and change nothing.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
}

/// Reads `NAME=VALUE`.
fn pair(text: &str) -> Result<(String, String), &'static str> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    pair.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or("it must be a name, = and a value")
}

/// Reads `KEY=VALUE`, both of which have to say something.
fn tag(text: &str) -> Result<(String, String), &'static str> {
    pair(text).ok().filter(|(_, value)| !value.is_empty()).ok_or("it must be a key, = and a value, such as team=shop")
}

/// Reads the name of a bucket.
fn bucket(text: &str) -> Result<String, &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_outer = |byte: Option<&u8>| byte.is_some_and(|byte| is_plain(*byte));
    let bytes = text.as_bytes();
    let is_name = (3..=63).contains(&bytes.len())
        && is_outer(bytes.first())
        && is_outer(bytes.last())
        && bytes.iter().all(|byte| is_plain(*byte) || b".-".contains(byte));
    let rule = "it must be the name of a bucket alone: 3 to 63 of a-z, 0-9, hyphen and dot, such as shop-code";
    is_name.then(|| text.to_owned()).ok_or(rule)
}

/// Reads a parameter of the template.
fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = pair(text)?;
    ServiceTemplate::check_parameter(&name).map(|()| (name, value))
}

impl DeployArgs {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        self.check_repeated()?;
        let code = self.code()?;
        let place = self.stack.service_stack().await?;
        let stop = interruption(|| None).context("catching signals")?;
        let plan = DeploymentPlan::new(&self, &place, &code).await?;
        if *stop.borrow() {
            plan.discard().await;
            note("Interrupted: nothing is changed.");
            return Ok(interrupted());
        }
        if plan.is_empty() {
            output::print(&format!("Nothing to change: the stack {} is as it should be.\n", place.name))?;
            if let Some(stack) = &plan.present {
                print_outputs(&place, stack)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let is_wanted = match output::print(&plan.text()) {
            Ok(()) => self.is_wanted(&place, &stop).await,
            Err(error) => Err(error),
        };
        match is_wanted {
            Ok(Some(true)) => plan.roll_out(&stop).await,
            Ok(answer) => {
                plan.discard().await;
                note("Nothing is changed.");
                Ok(if answer.is_some() { ExitCode::SUCCESS } else { interrupted() })
            }
            Err(error) => {
                plan.discard().await;
                Err(error)
            }
        }
    }

    /// Asks; none if that is interrupted.
    async fn is_wanted(&self, place: &ServiceStack, stop: &watch::Receiver<bool>) -> anyhow::Result<Option<bool>> {
        if self.dry_run {
            return Ok(Some(false));
        }
        if self.stack.yes {
            return Ok(Some(true));
        }
        let question = format!("Make these changes to the stack {} in {}?", place.name, place.region);
        let answer = question::ask_unless(stop, question).await?;
        if answer.is_none() {
            // The cursor is still behind the question.
            note("");
        }
        Ok(answer)
    }

    fn check_repeated(&self) -> anyhow::Result<()> {
        for (option, given) in [("--parameter", &self.parameters), ("--tags", &self.tags)] {
            for (number, (name, _)) in given.iter().enumerate() {
                if given[..number].iter().any(|(other, _)| other == name) {
                    refuse!("{option} gives {name} twice");
                }
            }
        }
        Ok(())
    }

    /// The code to deploy.
    fn code(&self) -> anyhow::Result<Code> {
        if let Some(directory) = &self.handler {
            let code = Code::read(directory).context("reading the code")?;
            return code.with_context(|| format!("there is no code in {}: expected {LOOKED_FOR}", directory.display()));
        }
        let program = env::current_exe().and_then(fs::canonicalize).context("looking for this program")?;
        let directory = installed(&program);
        match Code::read(&directory).context("reading the code")? {
            Some(code) => Ok(code),
            None => bail!(
                "there is no code to deploy: looked in {} for handler-arm64.zip and handler-x86_64.zip. Both are among the \
                 files of the release {}: name the directory with them, or that of a build, such as .aws-sam/build, with --handler",
                directory.display(),
                env!("CARGO_PKG_VERSION")
            ),
        }
    }
}

/// Prints what a stack offers, and what to do with it.
fn print_outputs(place: &ServiceStack, stack: &Stack) -> anyhow::Result<()> {
    let outputs = terminal::full(&deployment::outputs(stack));
    output::print(&format!("{outputs}\nNext: {}\n", place.run_command(stack)))
}
