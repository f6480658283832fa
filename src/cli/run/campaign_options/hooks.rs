//! What is run before and after every block.

use super::whole_ms;
use crate::{
    campaign::{
        Auth, FunctionName,
        aws::Session,
        hooks::{Hook, HookAction, Hooks},
        program,
    },
    cli::{secret_argument::Unechoed, value_parsers, wrong_arguments::refuse},
};
use anyhow::{Context, bail};
use clap::Args;
use std::{env, time::Duration};

/// How long a hook may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The hooks of a campaign.
#[derive(Debug, Args)]
#[group(id = "HookOptions", multiple = true)]
pub(in crate::cli) struct HookOptions {
    /// Run this before the first call of every block, to set back what calls change: lambda:NAME[:QUALIFIER] (a function),
    /// exec:PATH (a program), or a command of the shell, such as 'psql -f reset.sql'. Programs and commands get DUET_HOOK,
    /// DUET_BLOCK and DUET_DIRECTORY besides this program's own environment, and what they print is in hooks.log. If it
    /// fails, the campaign ends.
    #[arg(long, value_name = "HOOK", value_parser = Unechoed::<HookAction>::new())]
    before: Option<HookAction>,
    /// Run this after the last call of every block, also of one that is cut short: as --before.
    #[arg(long, value_name = "HOOK", value_parser = Unechoed::<HookAction>::new())]
    after: Option<HookAction>,
    /// How long --before and --after may take each [default: 60s].
    #[arg(long, value_name = "TIME", value_parser = value_parsers::duration)]
    hook_timeout: Option<Duration>,
}

impl HookOptions {
    /// The functions among the hooks.
    pub(in crate::cli) fn functions(&self) -> impl Iterator<Item = &FunctionName> {
        let actions = self.before.iter().chain(&self.after);
        actions.filter_map(|action| match action {
            HookAction::Function(name) => Some(name),
            HookAction::Program(_) | HookAction::Command(_) => None,
        })
    }

    /// The hooks that are asked for, as they are run from any directory.
    pub(in crate::cli) async fn hooks(&self, session: &Session) -> anyhow::Result<Option<Hooks>> {
        if self.before.is_none() && self.after.is_none() {
            if self.hook_timeout.is_some() {
                refuse!("--hook-timeout is for --before and --after, and neither is given");
            }
            return Ok(None);
        }
        let before = hook(self.before.as_ref(), session).await.context("--before")?;
        let after = hook(self.after.as_ref(), session).await.context("--after")?;
        Ok(Some(Hooks { before, after, timeout_ms: whole_ms(self.hook_timeout.unwrap_or(TIMEOUT)) }))
    }
}

async fn hook(action: Option<&HookAction>, session: &Session) -> anyhow::Result<Option<Hook>> {
    let Some(run) = action else { return Ok(None) };
    let run = run.clone().absolute()?;
    if let Some(target) = run.function() {
        let place = session.at(&target).place(&target, Auth::None).await?;
        return Ok(Some(Hook { run, place, directory: None }));
    }
    if let HookAction::Program(path) = &run {
        program::Program::read(path)?;
    }
    let directory = env::current_dir().context("looking for the current directory")?;
    if directory.to_str().is_none() {
        bail!("the name of the current directory, in which it would be run, is not UTF-8: {}", directory.display());
    }
    Ok(Some(Hook { run, place: None, directory: Some(directory) }))
}
