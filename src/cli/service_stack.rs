//! The stack of the service: which one is meant, what CloudFormation does with it, and how it ends.

use super::{
    output::{self, note},
    signals::INTERRUPTED,
    value_parsers,
};
use crate::{
    campaign::{aws::Session, samconfig::SamConfig, shell_quoting, stop_request::unless_asked},
    deployment::{Condition, Operation, Stack, StackName, Waiting, settled},
    report::{deployment, terminal},
};
use anyhow::{Context, bail};
use clap::Args;
use std::{path::Path, process::ExitCode, time::Duration};
use tokio::sync::watch;

/// The stack that is meant where nothing says which.
pub(super) const DEFAULT: &str = "lambda-duet";

/// Which stack is meant.
#[derive(Debug, Args)]
pub(super) struct StackOptions {
    /// The stack [default: the one that samconfig.toml names here, or lambda-duet].
    #[arg(long, value_name = "NAME")]
    pub stack: Option<StackName>,
    /// Its region [default: that of samconfig.toml, of the environment or of the profile].
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// The profile of the AWS configuration files whose credentials are used [default: that of samconfig.toml, or the
    /// environment's credentials].
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// How long to wait for CloudFormation, for each stack: it goes on without this program.
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = value_parsers::duration)]
    pub timeout: Duration,
}

/// The stack that is meant, and where it is.
pub(super) struct ServiceStack {
    pub name: StackName,
    pub session: Session,
    pub region: String,
    pub waiting: Waiting,
    /// Whether an option says the region.
    is_region_given: bool,
    /// The profile that an option names.
    profile: Option<String>,
}

/// The end of what CloudFormation did.
#[derive(Debug)]
pub(super) enum End {
    Settled(Stack),
    /// This program is not to wait any longer.
    Interrupted,
}

impl StackOptions {
    /// Finds out which stack is meant, by the rules of `duet run`.
    pub(super) async fn service_stack(&self) -> anyhow::Result<ServiceStack> {
        let config = SamConfig::read(Path::new("."), None).map_err(anyhow::Error::msg)?;
        let named = config.stack_name.as_deref().unwrap_or(DEFAULT);
        let name = match &self.stack {
            Some(name) => name.clone(),
            None => named.parse().map_err(anyhow::Error::msg).with_context(|| format!("the stack \"{named}\""))?,
        };
        let region = self.region.clone().or(config.region);
        let profile = self.profile.clone().or(config.profile);
        let session = Session::new().context("preparing connections")?.with(region, profile);
        let region = session.region().await?;
        Ok(ServiceStack {
            name,
            region,
            session,
            waiting: Waiting { within: self.timeout },
            is_region_given: self.region.is_some(),
            profile: self.profile.clone(),
        })
    }

    /// The options that lead to the same stack again.
    pub(super) fn again(&self, stack: &StackName) -> String {
        let option = |name: &str, value: &Option<String>| {
            let value = value.as_ref().map(|value| shell_quoting::word(Path::new(value)));
            value.map(|value| format!(" --{name} {value}")).unwrap_or_default()
        };
        format!("--stack {stack}{}{}", option("region", &self.region), option("profile", &self.profile))
    }
}

impl ServiceStack {
    /// The command that measures this stack.
    pub(super) fn run_command(&self, stack: &Stack) -> String {
        let profile = self.profile.as_ref().map(|profile| shell_quoting::word(Path::new(profile)));
        let profile = profile.map(|profile| format!("AWS_PROFILE={profile} ")).unwrap_or_default();
        // An ARN knows its region.
        let name = if self.is_region_given { &stack.id } else { &stack.name };
        format!("{profile}duet run --targets stack:{name} --workload sorting --size small")
    }

    /// Waits until CloudFormation is done with a stack, or this program is to end.
    ///
    /// `token` is that of the request on which it is at work.
    pub(super) async fn wait(&self, stack_id: &str, token: &str, stop: &watch::Receiver<bool>) -> anyhow::Result<End> {
        match unless_asked(stop, settled(&self.session, stack_id, token, self.waiting)).await {
            Some(stack) => Ok(End::Settled(stack.with_context(|| self.goes_on(stack_id))?)),
            None => {
                note(format_args!("Interrupted: {}", self.goes_on(stack_id)));
                Ok(End::Interrupted)
            }
        }
    }

    /// A command of the AWS CLI for a stack.
    pub(super) fn command(&self, name: &str, stack: &Stack) -> String {
        format!("aws cloudformation {name} --region {} --stack-name {}", self.region, stack.name)
    }

    /// Says that a stack goes on, and how to look at it.
    fn goes_on(&self, stack_id: &str) -> String {
        format!(
            "CloudFormation goes on without this program; to look: aws cloudformation describe-stacks --region {} --stack-name \
             {stack_id}",
            self.region
        )
    }

    /// Prints why CloudFormation failed with a stack, and gives the message.
    pub(super) async fn failure(&self, stack: &Stack) -> anyhow::Error {
        match Operation::last(&self.session, &stack.id).await {
            Ok(operation) => {
                let table = terminal::full(&deployment::failures(&operation));
                if let Err(error) = output::print(&table) {
                    return error;
                }
            }
            Err(failure) => note(format_args!("What failed cannot be told: {failure}")),
        }
        let reason = stack.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        anyhow::anyhow!("the stack {} ended as {}{reason}", stack.name, stack.status)
    }
}

/// Refuses a stack on which CloudFormation is at work.
pub(super) fn check_idle(stack: &Stack) -> anyhow::Result<()> {
    if stack.condition() == Condition::Busy {
        bail!(
            "CloudFormation is at work on the stack {} ({}): run this again when it is done",
            stack.name,
            stack.status
        );
    }
    Ok(())
}

/// The exit code of a program that was interrupted.
pub(super) fn interrupted() -> ExitCode {
    ExitCode::from(INTERRUPTED)
}
