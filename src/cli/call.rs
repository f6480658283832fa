//! `duet call`

use super::output;
use crate::{
    campaign::{
        Auth, Target,
        accepted_status::AcceptedStatus,
        caller::{CallOptions, Caller},
        local::variables::Variable,
    },
    cli::{secret_argument::Unechoed, wrong_arguments::refuse},
    protocol::Response,
    report::response,
};
use anyhow::Context;
use clap::Args;
use std::{fs, io, path::PathBuf};

/// Calls one target once and prints its answer.
///
/// Credentials, region and endpoint come from the environment and the AWS configuration files, as for the
/// AWS CLI; a region in a function's ARN or in an endpoint's host takes precedence.
#[derive(Debug, Args)]
pub struct CallArgs {
    /// What to call: lambda:NAME[:QUALIFIER] (direct invocation), https://… (POST through API
    /// Gateway), or exec:PATH (a function's binary, run on this machine).
    #[arg(value_parser = Unechoed::<Target>::new())]
    target: Target,
    /// A file with the request, or - for standard input [default: the request {}].
    request: Option<PathBuf>,
    /// Print the answer unchanged instead of a table.
    #[arg(long)]
    json: bool,
    /// Do not sign the request to an https:// target.
    #[arg(long)]
    no_auth: bool,
    /// An environment variable for the function, for exec:PATH and local.
    #[arg(long = "env", value_name = "KEY=VALUE")]
    variables: Vec<Variable>,
}

impl CallArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        if self.no_auth && !matches!(self.target, Target::Endpoint { .. }) {
            refuse!("--no-auth is for https:// and http:// targets, not for {}", self.target);
        }
        let is_local = self.target.is_process();
        super::run::unstored_options::check_variables(&self.variables, is_local)?;
        let _reaped = is_local.then(super::reaper::Reaped::start).transpose()?;
        let auth = if self.no_auth { Auth::None } else { Auth::SigV4 };
        let request = self.request_text()?;
        let options = CallOptions {
            variables: &self.variables,
            accept_status: &[AcceptedStatus::SUCCESS],
            ..CallOptions::new(auth)
        };
        let calling = || format!("calling {}", self.target);
        let caller = Caller::from_settings(&self.target, options).await.with_context(calling)?;
        let answer = caller.call_for_text(request).await.with_context(calling);
        let printed = answer.and_then(|answer| self.print(answer));
        caller.end().await;
        printed
    }

    /// Prints an answer: a table if it has one, unless it is to be printed as it is.
    fn print(&self, answer: String) -> anyhow::Result<()> {
        match serde_json::from_str::<Response>(&answer) {
            Ok(response) if !self.json => output::print(&response::response(&response)),
            _ => output::print(&(answer + "\n")),
        }
    }

    /// The request, unchecked: any function can be called, and the service checks its own requests.
    fn request_text(&self) -> anyhow::Result<String> {
        match &self.request {
            None => Ok("{}".to_owned()),
            Some(path) if path.as_os_str() == "-" => {
                io::read_to_string(io::stdin()).context("reading the request from standard input")
            }
            Some(path) => {
                fs::read_to_string(path).with_context(|| format!("reading the request from {}", path.display()))
            }
        }
    }
}
