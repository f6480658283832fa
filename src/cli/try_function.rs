//! `duet try`

mod apply;
mod clone_maker;
mod memory_sizes;
mod policy;
mod portability;
mod search;
mod trial;
mod trial_plan;

use super::{
    bill::VolumeArgs, clean_up::ChangeOptions, output, report::ChoiceArgs, run::campaign_options::CampaignOptions,
    secret_argument::Unechoed, wrong_arguments::refuse,
};
use crate::{
    campaign::{FunctionName, Target, aws::Session, inspection},
    portability::{Verdict, assess},
    protocol::Architecture,
};
use anyhow::Context;
use apply::Role;
use clap::Args;
use memory_sizes::MemorySize;
use portability::{Code, Inspection};
use std::{fmt::Display, io, path::PathBuf, process::ExitCode};

/// Tries a function as it is on both architectures, and with other memory: says whether it can run there, calls clones of
/// it, deletes them, and reports which is faster and which is cheaper.
///
/// First it looks at every file of the function's code and layers, as Lambda gives them out; --inspect stops there. Then it
/// shows the plan, with all that will be made and what the calls may cost, and asks. Clones are functions of the same code,
/// role, layers, variables and network, one for each architecture and memory size; what a call does, it does for real. The
/// function itself is never called, and --apply alone changes it. If this program is killed, `duet clean-up` deletes the
/// clones.
///
/// Exit codes: 0 the trial is complete, or the plan was shown and nothing made, or with --inspect the function can run on the
/// other architecture; 1 it could not be tried, or clones are left, or the change of --apply was refused or not seen to end;
/// 2 wrong arguments; 3 all recent calls of a clone failed; 4 equal work gave different results; 5 it needs other files for
/// the other architecture; 6 with --inspect: that cannot be told; 130 it was interrupted.
#[derive(Debug, Args)]
pub struct TryArgs {
    /// The function: its name or its ARN, with a version or an alias if you like.
    #[arg(value_name = "FUNCTION", value_parser = Unechoed::<FunctionName>::new())]
    function: FunctionName,
    /// Say whether the function can run on the other architecture, and stop there: nothing is changed, and nothing costs.
    #[arg(long, conflicts_with_all = ["CampaignOptions", "CensusOptions"])]
    inspect: bool,
    /// The memory sizes to try besides the present one, in MB, such as 512,1024,1769; or auto, which calls a few of eleven
    /// sizes first, and measures those that may be cheaper or faster than all others.
    #[arg(long, value_name = "MB", value_delimiter = ',')]
    memory: Vec<MemorySize>,
    /// The architectures to try besides the function as it is.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "x86_64,arm64")]
    architectures: Vec<Architecture>,
    /// The package for the other architecture, a ZIP file, if the function's own cannot run there.
    #[arg(long, value_name = "FILE", conflicts_with = "candidate_image")]
    candidate_code: Option<PathBuf>,
    /// The image for the other architecture.
    #[arg(long, value_name = "URI")]
    candidate_image: Option<String>,
    /// Do not give clones the layer that tells the CPU of each execution environment.
    #[arg(long)]
    no_probe: bool,
    /// Do not ask before clones are made, nor before --apply changes the memory.
    #[arg(long)]
    yes: bool,
    /// After the answer, set the memory of the function to that of the cheapest, the fastest or the balanced variant, if
    /// that one has the function's architecture and is better for certain. It asks first, changes nothing but the memory, and
    /// refuses if the function was changed since.
    #[arg(long, value_name = "VARIANT", num_args = 0..=1, default_missing_value = "balanced")]
    #[arg(conflicts_with_all = ["inspect", "dry_run"])]
    apply: Option<Role>,
    /// Print the plan, which is text, and make nothing.
    #[arg(long, conflicts_with_all = ["yes", "json"])]
    dry_run: bool,
    /// The run directory, which must not contain a campaign yet [default: duet-runs/TIME].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print events as JSON, one object per line; the report is the last, and the plan goes to the standard error. With
    /// --inspect, print the answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    change: ChangeOptions,
    #[command(flatten)]
    campaign: CampaignOptions,
    #[command(flatten)]
    choice: ChoiceArgs,
    #[command(flatten)]
    volume: VolumeArgs,
}

impl TryArgs {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let cells = self.campaign.payload_cells()?;
        if cells.is_empty() && !self.inspect {
            refuse!(
                "--payload is missing: a file with what the function is called with, an event such as it gets; or use \
                 --inspect, which calls nothing"
            );
        }
        let target = Target::from(self.function.clone());
        self.check_apply(&target)?;
        let session = Session::new().context("reading the trusted certificates")?.at(&target);
        let FunctionName { name, qualifier } = &self.function;
        let inspected = inspection::inspect(&session, name, qualifier.as_deref()).await;
        let mut inspected = inspected.with_context(|| target.to_string())?;
        let code = Code { own: inspected.code()?, candidate: self.candidate_code()? };
        let is_asked = self.includes(inspected.description.other_architecture()) && self.candidate_image.is_none();
        if self.inspect || is_asked {
            let packages = code.packages(std::mem::take(&mut inspected.packages))?;
            let portability = assess(&inspected.description, packages)?;
            let inspection = Inspection {
                function: &inspected.arn,
                runtime: inspected.description.runtime.as_deref(),
                architecture: inspected.description.architecture,
                portability: &portability,
            };
            if self.inspect {
                output::print_as(self.json, &inspection, || inspection.text())?;
                return Ok(inspection.exit_code());
            }
            self.say(inspection.text().trim_end())?;
            if portability.verdict == Verdict::NeedsFiles {
                self.say(format_args!(
                    "Give the package for {} with --candidate-code FILE (an image with --candidate-image URI), or try the function as it is with --architectures {} and other sizes of --memory",
                    portability.target, inspection.architecture
                ))?;
                return Ok(inspection.exit_code());
            }
        }
        let function = (name.as_str(), qualifier.as_deref());
        let template = inspected.template(&session, function, code.own, self.candidate(code.candidate));
        let template = template.await.with_context(|| target.to_string())?;
        trial_plan::TrialPlan::new(&self, cells, template, &inspected.arn, &session).await?.run(&self, &session).await
    }

    /// Whether the sizes to measure are searched.
    fn searches_memory(&self) -> bool {
        self.memory.contains(&MemorySize::Auto)
    }

    /// Prints what is no event.
    fn say(&self, text: impl Display) -> io::Result<()> {
        if self.json {
            output::note(text);
            return Ok(());
        }
        output::line(text)
    }

    fn includes(&self, architecture: Architecture) -> bool {
        self.architectures.contains(&architecture)
    }
}
