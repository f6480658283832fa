//! What can be called, and what comes back.

mod endpoint;
mod function;
mod process;

use super::runtime_api::FunctionError;
use crate::transport::with_causes;
use aws_smithy_runtime_api::client::result::ConnectorError;
use std::{fmt, path::PathBuf, str::FromStr};

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
        /// Its path.
        path: PathBuf,
    },
}

/// How a request to an HTTP endpoint proves who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// AWS Signature Version 4, as API Gateway's IAM authorization asks for.
    SigV4,
    /// Not at all.
    None,
}

/// Why a text names no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not a target; write lambda:NAME[:QUALIFIER], a URL that starts with https:// or http://, or exec:PATH"
)]
pub struct TargetError(String);

/// Why a call gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The function reported an error.
    #[error("the function answered with an error, {kind}: {message}")]
    Function {
        /// Its `errorType`.
        kind: String,
        /// Its `errorMessage`.
        message: String,
    },
    /// The endpoint answered with another status than 2xx.
    #[error("HTTP {status}: {body}")]
    Http {
        /// The status.
        status: u16,
        /// What the endpoint said about it.
        body: String,
    },
    /// There was no answer.
    #[error("{0}")]
    Failed(String),
}

impl From<ConnectorError> for CallError {
    fn from(error: ConnectorError) -> Self {
        Self::failed(&error)
    }
}

impl From<FunctionError> for CallError {
    fn from(FunctionError { error_type, error_message }: FunctionError) -> Self {
        Self::Function { kind: error_type, message: error_message }
    }
}

impl CallError {
    /// A failure with all its causes.
    fn failed(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::Failed(with_causes(error))
    }
}

impl Target {
    /// Sends `request` and returns the answer's text.
    ///
    /// # Errors
    /// [`CallError`] for an answer that reports a failure, and for none at all.
    pub async fn call(&self, request: &str, auth: Auth) -> Result<String, CallError> {
        match self {
            Self::Function { name, qualifier } => function::call(name, qualifier.as_deref(), request).await,
            Self::Endpoint { url } => endpoint::call(url, request, auth).await,
            Self::Process { path } => process::call(path, request).await,
        }
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let refused = || TargetError(text.to_owned());
        if text.starts_with("https://") || text.starts_with("http://") {
            return Ok(Self::Endpoint { url: text.to_owned() });
        }
        let (scheme, rest) = text.split_once(':').filter(|(_, rest)| !rest.is_empty()).ok_or_else(refused)?;
        match scheme {
            "lambda" => Ok(function::parse(rest)),
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
