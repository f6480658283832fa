//! Call options that are not stored, because they may be secret: they must be given again to continue a campaign.

use crate::{
    campaign::{Auth, local::variables::Variable, manifest::Plan, request_header::Header},
    cli::wrong_arguments::refuse,
};
use clap::Args;
use std::collections::BTreeSet;

/// The key, headers and variables of calls, as given on the command line.
#[derive(Debug, Default, Args)]
pub struct UnstoredOptions {
    /// The key that https:// targets ask for, sent as x-api-key instead of a signature.
    #[arg(long, value_name = "KEY", env = "DUET_API_KEY", hide_env_values = true)]
    pub api_key: Option<String>,
    /// A header of requests to https:// targets; may be repeated. Values are not stored: --resume needs them again.
    #[arg(long = "header", value_name = "NAME=VALUE")]
    pub headers: Vec<Header>,
    /// An environment variable for exec: and local targets. Of the variables that Lambda itself sets, only _HANDLER,
    /// the region and credentials can be given. Values are not stored: --resume needs them again.
    #[arg(long = "env", value_name = "KEY=VALUE")]
    pub variables: Vec<Variable>,
}

impl UnstoredOptions {
    /// Checks that the options are those that the campaign of `plan` was begun with.
    pub(super) fn check(&self, plan: &Plan) -> anyhow::Result<()> {
        if plan.auth == Auth::ApiKey && self.api_key.is_none() {
            refuse!("the campaign was begun with an API key, which is not stored: use --api-key or DUET_API_KEY");
        }
        let headers = ("headers", "--header", self.header_names(), &plan.headers);
        let variables = ("variables", "--env", variable_names(&self.variables), &plan.variables);
        for (what, option, given, before) in [headers, variables] {
            if given != *before {
                let names = if before.is_empty() { "none".to_owned() } else { before.join(", ") };
                refuse!(
                    "the campaign was begun with other {what}, whose values are not stored: use {option} for {names}"
                );
            }
        }
        Ok(())
    }

    /// The unique names of the headers, in alphabetical order.
    pub(super) fn header_names(&self) -> Vec<String> {
        let names: BTreeSet<&str> = self.headers.iter().map(|header| header.name.as_str()).collect();
        names.into_iter().map(str::to_owned).collect()
    }
}

/// Refuses variables unless there is a process on this machine, and a variable that is given twice.
pub(in crate::cli) fn check_variables(variables: &[Variable], is_local: bool) -> anyhow::Result<()> {
    if let Some(Variable { name, .. }) = variables.first().filter(|_| !is_local) {
        refuse!("--env {name} is for exec: and local targets, but no target is one");
    }
    match variable_names(variables).windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => refuse!("--env names {} twice", pair[0]),
        None => Ok(()),
    }
}

/// The names of variables, in alphabetical order.
pub(super) fn variable_names(variables: &[Variable]) -> Vec<String> {
    let mut names: Vec<String> = variables.iter().map(|variable| variable.name.clone()).collect();
    names.sort_unstable();
    names
}
