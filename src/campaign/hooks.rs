//! What is run before and after every block of a campaign, for state that has to be set back.

#[cfg(test)]
pub(super) mod double;
mod log;
mod ongoing;
mod program;
mod runner;

pub(crate) use ongoing::abandon;
pub(crate) use runner::{HookCall, HookEnd, HookFailure, HookKind, HookRunner, PreparedHooks};

use super::{
    FunctionName, Target, TargetError,
    manifest::Place,
    target::{self, has_password},
};
use crate::protocol::control_characters::is_obeyed;
use serde::{Deserialize, Serialize};
use std::{
    fmt, io,
    path::{self, PathBuf},
    str::FromStr,
};

/// The hooks of a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hooks {
    /// What is run before the first call of every block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Hook>,
    /// What is run after the last call of every block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Hook>,
    /// How long each may take, in milliseconds.
    pub timeout_ms: u64,
}

impl Hooks {
    pub fn get(&self, kind: HookKind) -> Option<&Hook> {
        match kind {
            HookKind::Before => self.before.as_ref(),
            HookKind::After => self.after.as_ref(),
        }
    }
}

/// What is run, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    pub run: HookAction,
    /// Where a function is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The directory in which a program or a command is run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HookAction {
    /// A Lambda function, invoked directly.
    Function(FunctionName),
    /// A program, without arguments; a name without a slash is a file in the current directory.
    Program(PathBuf),
    /// A command of the shell.
    Command(String),
}

/// The text does not say what to run.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookActionError {
    #[error("it is empty; write lambda:NAME[:QUALIFIER], exec:PATH, or a command such as 'psql -f reset.sql'")]
    Empty,
    #[error(
        "a URL is not run; write lambda:NAME[:QUALIFIER], exec:PATH, or a command such as 'curl -fsS -X POST \"$URL\"'"
    )]
    Url,
    #[error("a command is one line without control characters; put a longer one into a file, and name that")]
    ControlCharacters,
    /// The message does not repeat it.
    #[error(
        "it has a URL with a password, which would be written down and shown; put the URL into an environment variable, \
         which commands inherit, such as 'psql \"$DATABASE_URL\" -f reset.sql'"
    )]
    Password,
    #[error(transparent)]
    Target(#[from] TargetError),
}

impl HookAction {
    /// The action with an absolute path, so that it is the same from any directory.
    ///
    /// # Errors
    /// When there is no current directory.
    pub fn absolute(self) -> io::Result<Self> {
        Ok(match self {
            Self::Program(path) => Self::Program(path::absolute(path)?),
            other => other,
        })
    }

    /// The function as a target; `None` for what runs on this machine.
    pub fn function(&self) -> Option<Target> {
        match self {
            Self::Function(name) => Some(name.clone().into()),
            Self::Program(_) | Self::Command(_) => None,
        }
    }
}

impl FromStr for HookAction {
    type Err = HookActionError;

    fn from_str(text: &str) -> Result<Self, HookActionError> {
        // Before anything else: other messages repeat the text.
        if has_password(text) {
            return Err(HookActionError::Password);
        }
        if text.trim().is_empty() {
            return Err(HookActionError::Empty);
        }
        if text.chars().any(is_obeyed) {
            return Err(HookActionError::ControlCharacters);
        }
        if ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Err(HookActionError::Url);
        }
        if text.starts_with("lambda:") {
            return Ok(Self::Function(text.parse()?));
        }
        match text.strip_prefix(target::EXEC) {
            Some("") => Err(HookActionError::Empty),
            Some(path) => Ok(Self::Program(path.into())),
            None => Ok(Self::Command(text.to_owned())),
        }
    }
}

impl TryFrom<String> for HookAction {
    type Error = HookActionError;

    fn try_from(text: String) -> Result<Self, HookActionError> {
        text.parse()
    }
}

impl From<HookAction> for String {
    fn from(action: HookAction) -> Self {
        action.to_string()
    }
}

impl fmt::Display for HookAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(name) => Target::from(name.clone()).fmt(f),
            Self::Program(path) => write!(f, "{}{}", target::EXEC, path.display()),
            Self::Command(command) => f.write_str(command),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_is_a_function_a_program_or_a_command() {
        for (text, expected) in [
            ("lambda:reset:live", HookAction::Function("reset:live".parse().unwrap())),
            ("exec:./reset", HookAction::Program("./reset".into())),
            ("psql -f reset.sql", HookAction::Command("psql -f reset.sql".to_owned())),
            ("curl -fsS https://host/reset?to=a@b", HookAction::Command("curl -fsS https://host/reset?to=a@b".into())),
            ("scp state.db me@host:", HookAction::Command("scp state.db me@host:".to_owned())),
        ] {
            let action: HookAction = text.parse().unwrap();
            assert_eq!(action, expected);
            assert_eq!(action.to_string(), text);
        }
    }

    #[test]
    fn what_cannot_be_run_is_refused_and_no_password_repeated() {
        for (text, part) in [
            ("", "it is empty"),
            (" ", "it is empty"),
            ("exec:", "it is empty"),
            ("lambda:", "the name is empty"),
            ("lambda:a b", "is not a function's name"),
            ("https://host/reset", "a URL is not run"),
            ("a\nb", "one line"),
            ("psql postgres://me:s3cret@host/db -f reset.sql", "has a URL with a password"),
            ("curl https://host/ https://me:s3cret@host/", "has a URL with a password"),
        ] {
            let error = text.parse::<HookAction>().unwrap_err().to_string();
            assert!(error.contains(part) && !error.contains("s3cret"), "{text}: {error}");
        }
    }
}
