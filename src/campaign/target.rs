//! What can be called.

use serde::{Deserialize, Serialize};
use std::{
    env, fmt, io,
    path::{self, PathBuf},
    str::FromStr,
};

/// Something that takes a request and gives an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A Lambda function, invoked directly.
    Function {
        /// Its name or ARN.
        name: String,
        /// The version or alias.
        qualifier: Option<String>,
    },
    /// An HTTP endpoint, sent a POST.
    Endpoint {
        /// Its URL.
        url: String,
    },
    /// A function's binary, run on this machine.
    Process {
        /// Its path; one without a slash means a file of the current directory.
        path: PathBuf,
    },
}

/// How a request to an HTTP endpoint proves who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// AWS Signature Version 4, as API Gateway's IAM authorization asks for.
    #[serde(rename = "sigv4")]
    SigV4,
    /// The key of an API Gateway usage plan.
    ApiKey,
    /// Not at all.
    None,
}

/// Why a text names no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not a target; write lambda:NAME[:QUALIFIER], a URL that starts with https:// or http://, exec:PATH, or \
     local"
)]
pub struct TargetError(String);

impl Target {
    /// Reads `NAME[:QUALIFIER]` or `ARN[:QUALIFIER]`.
    fn function(text: &str) -> Self {
        /// `arn:aws:lambda:REGION:ACCOUNT:function:NAME`
        const ARN_PARTS: usize = 7;
        let parts: Vec<&str> = text.split(':').collect();
        let name_parts = if parts[0] == "arn" { ARN_PARTS } else { 1 };
        let (name, qualifier) = parts.split_at(name_parts.min(parts.len()));
        Self::Function { name: name.join(":"), qualifier: (!qualifier.is_empty()).then(|| qualifier.join(":")) }
    }

    /// The same target from whatever directory: a binary is a file of the current one, also where its path has no slash.
    ///
    /// # Errors
    /// When there is no current directory.
    pub fn absolute(self) -> io::Result<Self> {
        Ok(match self {
            Self::Process { path } => Self::Process { path: path::absolute(path)? },
            other => other,
        })
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let refused = || TargetError(text.to_owned());
        if text.starts_with("https://") || text.starts_with("http://") {
            return Ok(Self::Endpoint { url: text.to_owned() });
        }
        if text == "local" {
            // The handler is built into the same directory as this program.
            let program = env::current_exe().map_err(|_| refused())?;
            return Ok(Self::Process { path: program.with_file_name("handler") });
        }
        let (scheme, rest) = text.split_once(':').filter(|(_, rest)| !rest.is_empty()).ok_or_else(refused)?;
        match scheme {
            "lambda" => Ok(Self::function(rest)),
            "exec" => Ok(Self::Process { path: rest.into() }),
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function { name, qualifier: None } => write!(f, "lambda:{name}"),
            Self::Function { name, qualifier: Some(qualifier) } => write!(f, "lambda:{name}:{qualifier}"),
            Self::Endpoint { url } => f.write_str(url),
            Self::Process { path } => write!(f, "exec:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_written_alike() {
        let function = |name: &str, qualifier: Option<&str>| Target::Function {
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
        };
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:fast";
        let url = "https://abc.execute-api.eu-west-1.amazonaws.com/prod/arm64/benchmark";
        for (text, expected) in [
            ("lambda:fast".to_owned(), function("fast", None)),
            ("lambda:fast:live".to_owned(), function("fast", Some("live"))),
            (format!("lambda:{arn}"), function(arn, None)),
            (format!("lambda:{arn}:3"), function(arn, Some("3"))),
            (url.to_owned(), Target::Endpoint { url: url.to_owned() }),
            ("exec:./bootstrap".to_owned(), Target::Process { path: "./bootstrap".into() }),
        ] {
            assert_eq!(text.parse::<Target>().unwrap(), expected);
            assert_eq!(expected.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_target_is_refused_with_the_forms() {
        for text in ["", "fast", "lambda:", "exec:", "ftp://host", "lambda"] {
            let error = text.parse::<Target>().unwrap_err().to_string();
            assert!(error.contains("lambda:NAME") && error.contains(text), "{error}");
        }
    }
}
