//! The selected profile of the AWS configuration files. Unlike the SDK, this refuses to go on without files that cannot
//! be read.

use super::{super::row::Failure, variable};
use crate::transport::with_causes;
use aws_config::profile;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The variable that names the profile.
pub(super) const VARIABLE: &str = "AWS_PROFILE";

/// The profile if none is named.
const DEFAULT: &str = "default";

/// The variables that name the files, and their default paths.
const FILES: [(&str, &str); 2] =
    [("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")];

/// The profile `asked`, which samconfig or the manifest names, else that of the environment, else `default`, which
/// need not exist.
///
/// # Errors
/// When there is no such profile, or a file cannot be read.
pub(super) async fn find(asked: Option<&str>) -> Result<String, Failure> {
    FILES.iter().filter_map(|(variable, path)| file(variable, path)).try_for_each(|path| check_file(&path))?;
    let (name, source) = match (asked, variable(VARIABLE)) {
        (Some(name), _) => (name.to_owned(), "samconfig or the campaign's first start"),
        (None, Some(name)) => (name, VARIABLE),
        (None, None) => (DEFAULT.to_owned(), ""),
    };
    // The files and the environment of this process.
    let files = profile::load(&Default::default(), &Default::default(), &Default::default(), None).await;
    let profiles = files.map_err(|error| {
        let reason = with_causes(&error);
        let words: Vec<&str> = reason.split_whitespace().collect();
        Failure::refused(format!("AWS configuration files: {}", words.join(" ")))
    })?;
    if name == DEFAULT || profiles.get_profile(&name).is_some() {
        return Ok(name);
    }
    let mut names: Vec<&str> = profiles.profiles().collect();
    names.sort_unstable();
    let known = if names.is_empty() { "there are none".to_owned() } else { format!("there are {}", names.join(", ")) };
    Err(Failure::refused(format!(
        "the profile \"{name}\", which {source} names, is not in the AWS configuration files ({known}): name one that \
         is, or add it with `aws configure --profile`"
    )))
}

/// The path of a configuration file, as the SDK finds it.
fn file(name: &str, default: &str) -> Option<PathBuf> {
    let path = variable(name).unwrap_or_else(|| default.to_owned());
    match path.strip_prefix("~/") {
        Some(rest) => Some(Path::new(&variable("HOME")?).join(rest)),
        None => Some(path.into()),
    }
}

/// Refuses a file that exists but cannot be read.
fn check_file(path: &Path) -> Result<(), Failure> {
    match fs::read_to_string(path) {
        Err(error) if ![io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => {
            let path = path.display();
            Err(Failure::refused(format!(
                "the AWS configuration file {path} cannot be read: {error}; mend that, or name another file"
            )))
        }
        _ => Ok(()),
    }
}
