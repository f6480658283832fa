//! Targets of calls.

mod function;

pub use function::FunctionName;

use hyper::Uri;
use serde::{Deserialize, Serialize};
use std::{
    env, fmt, io,
    path::{self, Path, PathBuf},
    str::FromStr,
};

/// The version of a function that can be changed, and that is called without a qualifier.
pub(super) const LATEST: &str = "$LATEST";

/// What is called: it takes a request and gives an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A Lambda function, invoked directly.
    Function {
        /// In any form that Lambda accepts, without the qualifier.
        name: String,
        /// The version or alias.
        qualifier: Option<String>,
    },
    /// An HTTP endpoint.
    Endpoint { url: String },
    /// A function's binary, run on this machine.
    Process {
        /// Its path; a name without a slash is a file in the current directory.
        path: PathBuf,
    },
    /// Measurements from elsewhere, which cannot be called: the file, or `FILE and 7 more`.
    Import { file: String },
}

/// How files write the target of an import, before its file.
const IMPORT: &str = "import:";

/// How a program on this machine is written, before its path.
pub(super) const EXEC: &str = "exec:";

/// The authentication of requests to an HTTP endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// AWS Signature Version 4, as API Gateway's IAM authorization asks for.
    #[serde(rename = "sigv4")]
    SigV4,
    /// The key of an API Gateway usage plan.
    ApiKey,
    None,
}

/// The text does not name a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error(
        "\"{0}\" is not a target; write lambda:NAME[:QUALIFIER], a URL that starts with https:// or http://, exec:PATH, \
         or local"
    )]
    Unknown(String),
    #[error(
        "\"{0}\" is how campaigns name what `duet import` has read, which cannot be called; `duet report` takes the run \
         directory of an import"
    )]
    Import(String),
    #[error("\"lambda:{name}\" is not a function: {reason}")]
    Function { name: String, reason: String },
    /// The URL contains a user name or a password. The message does not repeat it.
    #[error(
        "the URL has a user name or a password before its host, which would be written down and shown; leave out what \
         stands before the @"
    )]
    Userinfo,
}

impl Target {
    /// Reads a target as files have it: one more kind than the command line takes.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn from_file(text: &str) -> Result<Self, TargetError> {
        match text.strip_prefix(IMPORT) {
            Some(file) if !file.is_empty() => Ok(Self::Import { file: file.to_owned() }),
            _ => text.parse(),
        }
    }

    /// Whether it is a program that runs on this machine.
    pub fn is_process(&self) -> bool {
        matches!(self, Self::Process { .. })
    }

    /// The target with an absolute path, so that it is the same from any directory.
    ///
    /// # Errors
    /// When there is no current directory.
    pub fn absolute(self) -> io::Result<Self> {
        Ok(match self {
            Self::Process { path } => Self::Process { path: path::absolute(path)? },
            other => other,
        })
    }

    /// The version of the function; `None` if the target names an alias, which may point to any version.
    pub fn version(&self) -> Option<&str> {
        let Self::Function { qualifier, .. } = self else { return None };
        let named = qualifier.as_deref().unwrap_or(LATEST);
        (named == LATEST || named.bytes().all(|byte| byte.is_ascii_digit())).then_some(named)
    }

    /// Whether the target may be the function with this ARN, with or without a qualifier; false if it names another
    /// ARN.
    pub fn may_be(&self, arn: &str) -> bool {
        let Self::Function { name, .. } = self else { return false };
        !name.starts_with("arn:")
            || arn.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    }

    /// Whether the target is a published version or an alias, which cannot be changed.
    pub fn is_published(&self) -> bool {
        matches!(self, Self::Function { qualifier: Some(qualifier), .. } if qualifier != LATEST)
    }
}

/// The program that `local` stands for: the handler, which is built into the same directory as this program.
fn handler() -> Option<PathBuf> {
    Some(env::current_exe().ok()?.with_file_name("handler"))
}

/// What `local` needs, as the end of a message, if `path` is that program and it is not there.
pub(super) fn missing_handler(path: &Path) -> &'static str {
    if handler().as_deref() == Some(path) && !path.exists() {
        "; local is this project's own program handler, which must be in the same directory as duet: \
         `cargo build --release --features lambda` builds both, and exec:PATH names another program"
    } else {
        ""
    }
}

/// Whether a URL contains a user name or a password before its host.
fn has_userinfo(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

/// Whether a text has a URL with a password in it.
pub(super) fn has_password(text: &str) -> bool {
    let ends_user = |end: char| matches!(end, '/' | '?' | '#' | '"' | '\'') || end.is_whitespace();
    let authorities = text.split("://").skip(1).filter_map(|rest| rest.split(ends_user).next());
    let mut users = authorities.filter_map(|authority| authority.rsplit_once('@'));
    users.any(|(user, _)| user.contains(':'))
}

/// Reads a URL that can be called and stored.
///
/// # Errors
/// With a reason that repeats nothing of the URL.
pub(super) fn parse_url(url: &str) -> Result<Uri, String> {
    if has_userinfo(url) {
        return Err(TargetError::Userinfo.to_string());
    }
    let uri: Uri = url.parse().map_err(|error: hyper::http::uri::InvalidUri| error.to_string())?;
    let Some(authority) = uri.authority().filter(|authority| !authority.host().is_empty()) else {
        return Err("it has no host; write https://HOST/PATH".to_owned());
    };
    if authority.as_str() != authority.host() && authority.port_u16().is_none() {
        return Err("what follows its host is not a port; write https://HOST:PORT/PATH".to_owned());
    }
    Ok(uri)
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        // Before anything else: every other message repeats the text.
        if text.contains("://") && has_userinfo(text) {
            return Err(TargetError::Userinfo);
        }
        let refused = || TargetError::Unknown(text.to_owned());
        if text.starts_with("https://") || text.starts_with("http://") {
            return Ok(Self::Endpoint { url: text.to_owned() });
        }
        if text == "local" {
            return Ok(Self::Process { path: handler().ok_or_else(refused)? });
        }
        let (scheme, rest) = text.split_once(':').filter(|(_, rest)| !rest.is_empty()).ok_or_else(refused)?;
        match scheme {
            "lambda" => FunctionName::read(rest).map(Self::from),
            "exec" => Ok(Self::Process { path: rest.into() }),
            "import" => Err(TargetError::Import(text.to_owned())),
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
            Self::Process { path } => write!(f, "{EXEC}{}", path.display()),
            Self::Import { file } => write!(f, "{IMPORT}{file}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_survive_a_round_trip() {
        let function = |name: &str, qualifier: Option<&str>| Target::Function {
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
        };
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:fast";
        let url = "https://abc.execute-api.eu-west-1.amazonaws.com/prod/arm64/benchmark";
        for (text, expected) in [
            ("lambda:fast".to_owned(), function("fast", None)),
            ("lambda:fast:live".to_owned(), function("fast", Some("live"))),
            ("lambda:fast:$LATEST".to_owned(), function("fast", Some("$LATEST"))),
            ("lambda:123456789012:function:fast".to_owned(), function("123456789012:function:fast", None)),
            ("lambda:123456789012:function:fast:3".to_owned(), function("123456789012:function:fast", Some("3"))),
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
    fn an_import_is_a_target_in_files_alone() {
        let text = "import:tables/cold-starts.csv";
        let import = Target::from_file(text).unwrap();
        assert_eq!(import, Target::Import { file: "tables/cold-starts.csv".to_owned() });
        assert_eq!(import.to_string(), text);
        assert!(text.parse::<Target>().unwrap_err().to_string().contains("duet report"));
        assert_eq!(Target::from_file("exec:a").unwrap(), "exec:a".parse().unwrap());
        assert!(Target::from_file("import:").is_err());
    }

    #[test]
    fn an_invalid_target_is_refused_with_the_valid_forms() {
        for text in ["", "fast", "lambda:", "exec:", "ftp://host", "lambda"] {
            let error = text.parse::<Target>().unwrap_err().to_string();
            assert!(error.contains("lambda:NAME") && error.contains(text), "{error}");
        }
    }

    #[test]
    fn a_url_with_a_password_is_refused_and_not_repeated() {
        for text in ["https://me:s3cret@host/", "FTP://s3cret@host", "https://me:s3cret@host?x", "https://s3cret@"] {
            let error = text.parse::<Target>().unwrap_err().to_string();
            assert!(error.contains("password") && !error.contains("s3cret"), "{error}");
        }
        // Behind the host it is part of what is asked for.
        assert!("https://host/@me?mail=me@example.com".parse::<Target>().is_ok());
        for url in ["https://", "https:///path", "https://host:port/", "http://a b/", "https://me@host"] {
            assert!(parse_url(url).is_err(), "{url}");
        }
        assert!(parse_url("https://host:443/@me").is_ok());
    }

    #[test]
    fn a_function_has_its_name_with_or_without_the_scheme_and_repeats_no_password() {
        for text in ["fast:live", "lambda:fast:live"] {
            let function: FunctionName = text.parse().unwrap();
            assert_eq!(Target::from(function), "lambda:fast:live".parse().unwrap());
        }
        for text in ["https://me:s3cret@host/", "lambda:https://me:s3cret@host/", "me:s3cret@host"] {
            let error = text.parse::<FunctionName>().unwrap_err().to_string();
            assert!(error.contains("password") && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn only_versions_and_aliases_are_published() {
        let is_published = |text: &str| text.parse::<Target>().unwrap().is_published();
        assert!(is_published("lambda:fast:live") && is_published("lambda:fast:1"));
        assert!(!is_published("lambda:fast:$LATEST") && !is_published("lambda:fast") && !is_published("exec:fast"));
    }
}
