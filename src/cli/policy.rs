//! `duet policy`

use super::{deploy::DeployArgs, output, try_function::TryArgs};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Prints the least IAM policy for a subcommand and its options, as JSON.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    #[command(subcommand)]
    of: Of,
}

#[derive(Debug, Subcommand)]
enum Of {
    Try(Box<TryPolicyArgs>),
    Deploy(Box<DeployPolicyArgs>),
}

/// The policy that `duet try` takes with these options, and `duet clean-up` after it. Nothing is looked at: name the function
/// by its ARN, and its role with --role, so that the policy names them too; without an ARN it is for the partition aws.
#[derive(Debug, Args)]
struct TryPolicyArgs {
    /// The ARN of the function's role, which clones get [default: any role, for Lambda alone].
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    #[command(flatten)]
    options: TryArgs,
}

/// The policy that `duet deploy` takes with these options, and `duet delete` after it: for CloudFormation, for the code, and
/// for what CloudFormation makes with the same credentials, by the documentation of its resource types. Nothing is looked at;
/// without --region it is for all regions of the partition aws.
#[derive(Debug, Args)]
struct DeployPolicyArgs {
    #[command(flatten)]
    options: DeployArgs,
}

impl PolicyArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let policy = match self.of {
            Of::Try(args) => args.options.policy(args.role.as_deref()),
            Of::Deploy(args) => args.options.policy(),
        };
        output::print(&(serde_json::to_string_pretty(&policy)? + "\n"))
    }
}

/// A policy of these statements.
pub(super) fn policy(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// What allows these actions.
pub(super) fn statement(sid: &str, actions: &[&str], resources: &[String]) -> Value {
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources })
}
