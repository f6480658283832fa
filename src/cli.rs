//! The command line: one file per subcommand, with its arguments and its `run`. `bill` is the arguments of
//! several, `cold_share`, `secret_argument`, `value_parsers` and `volume` read values of arguments, `wrong_arguments`
//! refuses them, `interruption` and `signals` end subcommands, `question` asks before something is made,
//! `service_stack` finds the stack of the service and waits for it.

mod bill;
mod calibrate;
mod call;
mod census;
mod census_of_fleets;
mod clean_up;
mod cold_share;
mod collect;
mod compare;
mod completions;
mod delete;
mod deploy;
mod export;
mod gate;
mod import;
mod interruption;
mod man;
mod output;
mod policy;
mod prices;
mod question;
mod reaper;
mod report;
mod run;
mod secret_argument;
mod service_stack;
mod signals;
mod try_function;
mod value_parsers;
mod volume;
mod workloads;
mod wrong_arguments;

pub use reaper::Reaper;

use clap::{Parser, Subcommand};
use std::{future::Future, pin::Pin, process::ExitCode};

/// Should this AWS Lambda function run on arm64 or on x86_64?
#[derive(Debug, Parser)]
#[command(name = "duet", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::RunArgs>),
    Report(report::ReportArgs),
    Compare(compare::CompareArgs),
    Gate(gate::GateArgs),
    Export(export::ExportArgs),
    Census(Box<census::CensusArgs>),
    Collect(collect::CollectArgs),
    Import(import::ImportArgs),
    CleanUp(clean_up::CleanUpArgs),
    Calibrate(calibrate::CalibrateArgs),
    Workloads(workloads::WorkloadsArgs),
    Call(call::CallArgs),
    Try(Box<try_function::TryArgs>),
    Deploy(Box<deploy::DeployArgs>),
    Delete(delete::DeleteArgs),
    Policy(policy::PolicyArgs),
    Prices(prices::PricesArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

impl Cli {
    /// Runs the subcommand.
    ///
    /// # Errors
    /// With the reason, written for the user.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Run(command) => return untyped(command.run()).await,
            Command::Report(command) => return command.run().await,
            Command::Compare(command) => return command.run(),
            Command::Gate(command) => return command.run().await,
            Command::Export(command) => return command.run().await,
            Command::Census(command) => return untyped(command.run()).await,
            Command::Collect(command) => return command.run().await,
            Command::Import(command) => return command.run().await,
            Command::CleanUp(command) => return command.run().await,
            Command::Try(command) => return untyped(command.run()).await,
            Command::Deploy(command) => return untyped(command.run()).await,
            Command::Delete(command) => return untyped(command.run()).await,
            Command::Calibrate(command) => return command.run(),
            Command::Workloads(command) => command.run()?,
            Command::Call(command) => command.run().await?,
            Command::Policy(command) => command.run()?,
            Command::Prices(command) => command.run().await?,
            Command::Completions(command) => command.run()?,
            Command::Man(command) => command.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A future whose type does not hold those of the futures in it: the compiler follows types to a certain depth only.
fn untyped<T>(future: impl Future<Output = T> + 'static) -> Pin<Box<dyn Future<Output = T>>> {
    Box::pin(future)
}
