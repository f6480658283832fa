//! `duet try`

use super::output;
use crate::{
    campaign::{FunctionName, Target, aws::Session, inspection},
    cli::secret_argument::Unechoed,
    portability::{Portability, Verdict, assess},
    protocol::Architecture,
};
use anyhow::Context;
use clap::Args;
use serde::Serialize;
use std::process::ExitCode;

/// Exit code if it cannot be told whether the function can run on the other architecture.
const CANNOT_TELL: u8 = 3;
/// Exit code if it needs other files.
const NEEDS_FILES: u8 = 4;

/// Says whether a function could run on the other architecture as it is, and which files are in its way.
///
/// It looks at every file of the function's code and layers, as Lambda gives them out, and takes the permissions
/// lambda:GetFunction and lambda:GetLayerVersion. The function is not called, nothing is changed, and nothing is billed.
///
/// Exit codes: 0 it can, 1 the function cannot be read, 2 wrong arguments, 3 that cannot be told, 4 it needs other files.
#[derive(Debug, Args)]
pub struct TryArgs {
    /// The function: its name or its ARN, with a version or an alias if you like.
    #[arg(value_name = "FUNCTION", value_parser = Unechoed::<FunctionName>::new())]
    function: FunctionName,
    /// Look at the function, and stop there.
    #[arg(long, required = true)]
    inspect: bool,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

/// The answer for one function.
#[derive(Serialize)]
struct Inspection<'a> {
    function: &'a str,
    runtime: Option<&'a str>,
    architecture: Architecture,
    portability: &'a Portability,
}

impl TryArgs {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let target = Target::from(self.function.clone());
        let session = Session::new().context("reading the trusted certificates")?.at(&target);
        let FunctionName { name, qualifier } = &self.function;
        let inspected = inspection::inspect(&session, name, qualifier.as_deref()).await;
        let inspection::Inspected { arn, description, packages } = inspected.with_context(|| target.to_string())?;
        let portability = assess(&description, packages)?;
        let inspection = Inspection {
            function: &arn,
            runtime: description.runtime.as_deref(),
            architecture: description.architecture,
            portability: &portability,
        };
        output::print_as(self.json, &inspection, || inspection.text())?;
        Ok(match portability.verdict {
            Verdict::Portable => ExitCode::SUCCESS,
            Verdict::CannotTell => ExitCode::from(CANNOT_TELL),
            Verdict::NeedsFiles => ExitCode::from(NEEDS_FILES),
        })
    }
}

impl Inspection<'_> {
    fn text(&self) -> String {
        let Self { function, runtime, architecture, portability } = self;
        let runs_as = runtime.map_or("a container image".to_owned(), str::to_owned);
        let mut lines = vec![format!("{function} runs on {architecture}, as {runs_as}."), portability.sentence()];
        for finding in &portability.findings {
            lines.push(format!("- {}", finding.sentence()));
            lines.extend(finding.rebuild.as_ref().map(|rebuild| format!("    {rebuild}")));
        }
        lines.join("\n") + "\n"
    }
}
