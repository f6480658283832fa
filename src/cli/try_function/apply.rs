//! Giving the function the memory that was chosen.

mod decision;

use super::TryArgs;
use crate::{
    analysis::result::Analysis,
    campaign::{
        Target,
        aws::{Lambda, Session},
        configuration::Configuration,
        memory_change::{MemoryChange, Unfinished},
    },
    cli::{
        interruption::Undoing,
        output::{self, note},
        question,
        signals::INTERRUPTED,
        wrong_arguments::refuse,
    },
    report::{
        settings::{blocks_of, look_command, memory_command},
        terminal,
    },
};
use clap::ValueEnum;
use decision::Decision;
use serde_json::json;
use std::{
    fmt,
    sync::{Mutex, PoisonError},
};
use tokio::sync::watch;

/// Exit code if the memory could not be changed.
const FAILED: u8 = 1;

/// Which of the chosen variants is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Role {
    Cheapest,
    Fastest,
    Balanced,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cheapest => "cheapest",
            Self::Fastest => "fastest",
            Self::Balanced => "balanced",
        })
    }
}

/// The function whose memory is being changed, if one is.
#[derive(Debug, Default)]
pub(super) struct Ongoing(Mutex<Option<Undoing>>);

impl Ongoing {
    pub(super) fn undoing(&self) -> Option<Undoing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, undoing: Option<Undoing>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = undoing;
    }
}

/// What has become of it.
enum Outcome {
    Applied {
        remark: Option<String>,
    },
    /// Lambda has taken it, and then failed, or somebody else has set other memory.
    Overtaken {
        reason: String,
    },
    NotApplied {
        reason: String,
    },
    Unknown {
        reason: String,
    },
}

/// A function that was tried, and what `--apply` asks for.
pub(super) struct Apply<'a> {
    pub(super) args: &'a TryArgs,
    pub(super) role: Role,
    pub(super) session: &'a Session,
    /// The function as it was tried.
    pub(super) function: &'a Configuration,
    pub(super) stop: &'a watch::Receiver<bool>,
    pub(super) ongoing: &'a Ongoing,
    /// Whether no clone is left.
    pub(super) is_clean: bool,
}

impl TryArgs {
    /// Refuses `--apply` for what cannot be changed.
    pub(super) fn check_apply(&self, target: &Target) -> anyhow::Result<()> {
        if self.apply.is_some() && target.is_published() {
            refuse!(
                "--apply changes the memory of the function itself, and {target} names a version or an alias, whose memory is \
                 fixed: name the function alone"
            );
        }
        Ok(())
    }

    /// What the plan says about `--apply`.
    pub(super) fn apply_plan(&self) -> Option<String> {
        let role = self.apply?;
        Some(format!(
            "--apply may change the memory of the function, after the answer and a question, to that of the {role} variant: if \
             it has the function's architecture and is better for certain. Nothing else of it is changed."
        ))
    }
}

impl Apply<'_> {
    /// Applies what was chosen, if it can be and is wanted, and says what has become of it. `code` is the exit code of the
    /// campaign; gives that of the trial. There is no analysis of an interrupted campaign.
    pub(super) async fn run(&self, code: u8, analysis: Option<&Analysis>) -> anyhow::Result<u8> {
        let not_applied = |reason: String| self.say(None, &Outcome::NotApplied { reason }).map(|()| code);
        if *self.stop.borrow() {
            return not_applied("the trial was interrupted".to_owned()).map(|_| INTERRUPTED);
        }
        if !self.is_clean {
            return not_applied("clones are left, which are to be deleted first".to_owned());
        }
        let Some(analysis) = analysis.filter(|_| code == 0) else {
            return not_applied(match code {
                INTERRUPTED => "the trial was interrupted".to_owned(),
                _ => format!("the trial ended with exit code {code}, for the reason above"),
            });
        };
        let memory_mb = match decision::decide(analysis, self.role) {
            Decision::Nothing(reason) => return not_applied(reason),
            Decision::OtherArchitecture { variant, reason } => {
                if !self.args.json {
                    output::print(&format!("\n{}", terminal::full(&blocks_of(analysis, variant))))?;
                    note(
                        "The lines above change the architecture too, in your own templates and by your own deployment.",
                    );
                }
                return not_applied(reason);
            }
            Decision::Memory(memory_mb) => memory_mb,
        };
        match self.is_wanted(memory_mb).await? {
            Some(true) => {}
            Some(false) => return not_applied("that was not wanted".to_owned()),
            None => {
                // The cursor is still behind the question.
                note("");
                return not_applied("the question was interrupted".to_owned()).map(|_| INTERRUPTED);
            }
        }
        let outcome = self.change(memory_mb).await;
        self.say(Some(memory_mb), &outcome)?;
        Ok(match outcome {
            Outcome::Applied { remark: None } => code,
            _ if *self.stop.borrow() => INTERRUPTED,
            _ => FAILED,
        })
    }

    /// Asks; none if that is interrupted.
    async fn is_wanted(&self, memory_mb: u32) -> anyhow::Result<Option<bool>> {
        if self.args.yes {
            return Ok(Some(true));
        }
        let before = self.function.memory_mb;
        let text = format!("Set the memory of {} from {before} to {memory_mb} MB?", self.name());
        question::ask_unless(self.stop, text).await
    }

    async fn change(&self, memory_mb: u32) -> Outcome {
        let lambda = match Lambda::new(self.session).await {
            Ok(lambda) => lambda,
            Err(failure) => return Outcome::NotApplied { reason: failure.message },
        };
        let function = self.function.unqualified_arn().unwrap_or(&self.args.function.name);
        let change = MemoryChange { lambda, function, tried: self.function, memory_mb };
        let reason = "the program was ended meanwhile";
        self.ongoing.set(Some(Undoing {
            doing: format!("checking whether the memory of {} was changed", self.name()),
            left: self.unknown(reason),
        }));
        let made = change.make(self.args.change.change_timeout, self.stop).await;
        self.ongoing.set(None);
        match made {
            Ok(()) => Outcome::Applied { remark: None },
            Err(Unfinished::Taken(reason)) => Outcome::Applied { remark: Some(reason) },
            Err(Unfinished::Overtaken(reason)) => Outcome::Overtaken { reason },
            Err(Unfinished::NotChanged(reason)) => Outcome::NotApplied { reason },
            Err(Unfinished::Unknown(reason)) => Outcome::Unknown { reason },
        }
    }

    /// Says what has become of it. `memory_mb` is what Lambda was to set, if it was asked to.
    fn say(&self, memory_mb: Option<u32>, outcome: &Outcome) -> anyhow::Result<()> {
        let Configuration { arn, memory_mb: before, .. } = self.function;
        let arn = arn.as_deref();
        let (mut event, text) = match outcome {
            Outcome::Applied { remark } => {
                let set_back = memory_command(arn, *before);
                let remark_text = remark.as_ref().map(|remark| format!(", but its end was not seen: {remark}"));
                let text = format!(
                    "The memory of {} is set to {} MB{}. To set it back to {before} MB: {set_back}\n\
                     A template that declares it (SAM, CDK, Terraform) must be changed too, or its next deployment sets it back.",
                    self.name(),
                    memory_mb.unwrap_or_default(),
                    remark_text.unwrap_or_default()
                );
                (json!({ "event": "applied", "memory_mb_before": before, "remark": remark }), text)
            }
            Outcome::NotApplied { reason } => {
                let by_hand = memory_mb.map(|memory_mb| format!("; by hand: {}", memory_command(arn, memory_mb)));
                let text = format!("Nothing is changed by --apply: {reason}{}", by_hand.unwrap_or_default());
                (json!({ "event": "not_applied", "reason": reason }), text)
            }
            Outcome::Overtaken { reason } => {
                let look = look_command(arn);
                let text = format!("--apply has not come to its end: {reason}. See what is so with: {look}");
                (json!({ "event": "apply_unknown", "reason": reason }), text)
            }
            Outcome::Unknown { reason } => {
                (json!({ "event": "apply_unknown", "reason": reason }), self.unknown(reason))
            }
        };
        note(text);
        if !self.args.json {
            return Ok(());
        }
        event["function"] = json!(arn);
        event["memory_mb"] = json!(memory_mb);
        output::print(&format!("{event}\n"))
    }

    /// The message that nothing tells whether the memory is changed.
    fn unknown(&self, reason: &str) -> String {
        let look = look_command(self.function.arn.as_deref());
        format!("Whether the memory of {} is changed is not known ({reason}); see it with: {look}", self.name())
    }

    fn name(&self) -> &str {
        let name = self.function.unqualified_arn().unwrap_or(&self.args.function.name);
        name.rsplit(':').next().unwrap_or(name)
    }
}
