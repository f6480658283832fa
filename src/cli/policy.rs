//! `duet policy`

use super::{output, try_function::TryArgs};
use clap::{Args, Subcommand};

/// Prints the least IAM policy for a subcommand and its options, as JSON.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    #[command(subcommand)]
    of: Of,
}

#[derive(Debug, Subcommand)]
enum Of {
    Try(Box<TryPolicyArgs>),
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

impl PolicyArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Of::Try(args) = self.of;
        output::print(&(serde_json::to_string_pretty(&args.options.policy(args.role.as_deref()))? + "\n"))
    }
}
