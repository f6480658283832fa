//! What targets are called on the command line.

use super::preflight::NamedTarget;
use crate::{
    campaign::{
        TargetError, aws::Session, payload::MAX_NAME_BYTES, region, samconfig::SamConfig, stack, variants::MAX_VARIANTS,
    },
    cli::wrong_arguments::{refuse, wrong_arguments},
    protocol::control_characters::{is_obeyed, visible},
};
use std::{path::Path, str::FromStr};

/// A value on the command line: a target, or a stack.
#[derive(Clone, Debug)]
pub(in crate::cli) enum Subject {
    Target(NamedTarget),
    Stack(String),
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("stack:") {
            Some("") => Err("the name of the stack is missing; write stack:NAME".to_owned()),
            Some(name) => Ok(Self::Stack(name.to_owned())),
            None => named_target(text).map(Self::Target),
        }
    }
}

fn named_target(text: &str) -> Result<NamedTarget, String> {
    // A URL or a path may have = too, after a colon.
    let named = text.split_once('=').filter(|(name, _)| !name.contains(':'));
    let (name, target) = named.map_or((None, text), |(name, target)| (Some(name), target));
    if let Some(name) =
        name.filter(|name| name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(is_obeyed))
    {
        return Err(format!(
            "the name \"{}\" before = must have from 1 to {MAX_NAME_BYTES} bytes and no control characters",
            visible(name)
        ));
    }
    let target = target.parse().map_err(|error| match error {
        TargetError::Unknown(_) => {
            let of_names = if name.is_none() && text.contains('=') { "; a name before = has no colon" } else { "" };
            format!("{error}; or stack:NAME for both functions of a stack{of_names}")
        }
        _ => error.to_string(),
    })?;
    Ok(NamedTarget { name: name.map(str::to_owned), target })
}

/// How many targets a subcommand takes.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Takes {
    /// The fewest that are no stack.
    pub(in crate::cli) least: usize,
    /// The message if there is another number.
    pub(in crate::cli) wrong: &'static str,
    /// The message if there is none, and no stack either.
    pub(in crate::cli) none: &'static str,
}

/// The targets, and a session with the region and the profile of their stack, if they are of a stack.
pub(in crate::cli) async fn resolve(
    subjects: &[Subject],
    config_env: Option<&str>,
    takes: Takes,
    session: &Session,
) -> anyhow::Result<(Vec<NamedTarget>, Session)> {
    if subjects.len() > MAX_VARIANTS {
        refuse!("--targets has {} targets; {MAX_VARIANTS} are the most", subjects.len());
    }
    let is_stack = matches!(subjects, [] | [Subject::Stack(_)]);
    if !is_stack && subjects.len() >= takes.least {
        if config_env.is_some() {
            refuse!("--config-env says which stack is meant, and --targets names none");
        }
        let mut targets = Vec::new();
        for subject in subjects {
            let Subject::Target(NamedTarget { name, target }) = subject else {
                refuse!("{}", takes.wrong);
            };
            // An absolute path names the same binary when the campaign is continued from another directory.
            targets.push(NamedTarget { name: name.clone(), target: target.clone().absolute()? });
        }
        return Ok((targets, session.with(None, None)));
    }
    let config = SamConfig::read(Path::new("."), config_env).map_err(anyhow::Error::msg)?;
    let name = match subjects {
        [Subject::Stack(name)] => name.clone(),
        [] => config.stack_name.ok_or_else(|| wrong_arguments(takes.none))?,
        _ => refuse!("{}", takes.wrong),
    };
    let session = session.with(region::of_arn(&name).map(str::to_owned).or(config.region), config.profile);
    let functions = stack::functions(&name, &session).await?;
    Ok((functions.map(|target| NamedTarget { name: None, target }).into(), session))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_may_have_a_name() {
        let read = |text: &str| named_target(text).map(|named| (named.name, named.target.to_string()));
        assert_eq!(read("new=lambda:f:7"), Ok((Some("new".to_owned()), "lambda:f:7".to_owned())));
        assert_eq!(read("https://a/?b=c"), Ok((None, "https://a/?b=c".to_owned())));
        assert_eq!(read("by api=https://a/?b=c"), Ok((Some("by api".to_owned()), "https://a/?b=c".to_owned())));
        assert_eq!(read("exec:/a=b"), Ok((None, "exec:/a=b".to_owned())));
        assert_eq!(read("a/b=exec:fn/fast"), Ok((Some("a/b".to_owned()), "exec:fn/fast".to_owned())));
        assert!(read("a:b=exec:fn/fast").unwrap_err().ends_with("; a name before = has no colon"));
        assert!(read("=lambda:f").unwrap_err().contains("from 1 to"));
        assert!(read("a\u{7}=lambda:f").unwrap_err().contains("no control characters"));
        assert!(read("new=f").unwrap_err().contains("\"f\" is not a target"));
    }
}
