//! The options of a campaign that is continued: a plan is made once.

use super::{PlanOptions, RunOptions};
use crate::cli::wrong_arguments::refuse;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches, parser::ValueSource};

/// The limits among the options of a plan.
const LIMITS: [&str; 4] = ["duration", "invocations", "max-cost", "until-ci"];

/// The arguments of `duet run`.
#[derive(Debug)]
pub struct RunArgs {
    pub(super) options: RunOptions,
    /// The first option on the command line that only a new campaign takes. Clap's own message would name all of those.
    of_new: Option<String>,
}

impl RunArgs {
    /// Refuses options of a new campaign beside `--resume`.
    pub(super) fn check_resume(&self) -> anyhow::Result<()> {
        match self.of_new.as_deref().filter(|_| self.options.resume.is_some()) {
            None => Ok(()),
            Some("out") => refuse!("--out is for a new campaign: one that is continued stays in its directory"),
            Some(limit) if LIMITS.contains(&limit) => {
                refuse!("--{limit} cannot be changed: a campaign keeps its limits")
            }
            Some(option) => refuse!("--{option} cannot be changed: a campaign keeps its plan"),
        }
    }
}

impl Args for RunArgs {
    fn augment_args(command: Command) -> Command {
        RunOptions::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        RunOptions::augment_args_for_update(command)
    }
}

impl FromArgMatches for RunArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(Self { of_new: of_new(matches), options: RunOptions::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.of_new = of_new(matches);
        self.options.update_from_arg_matches(matches)
    }
}

fn of_new(matches: &ArgMatches) -> Option<String> {
    let plan = PlanOptions::augment_args(Command::new("plan"));
    let options = plan.get_arguments().filter_map(|option| Some((option.get_id().as_str(), option.get_long()?)));
    let is_given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let given = options.chain([("out", "out")]).find(|(id, _)| is_given(id));
    given.map(|(_, long)| long.to_owned())
}
