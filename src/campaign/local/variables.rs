//! The variables of a function's environment: those that Lambda sets, and the function's own.

use std::{fmt, path::Path, str::FromStr};

/// The variable that identifies the processes of an environment: its value is unique to the environment.
pub const LOG_STREAM: &str = "AWS_LAMBDA_LOG_STREAM_NAME";

/// The variables that Lambda sets (*Defined runtime environment variables*). `AWS_EXECUTION_ENV` is not among them:
/// Lambda does not set it for custom runtimes.
pub fn of_lambda(task_root: &Path, runtime_api: &str, log_stream: &str) -> Vec<(&'static str, String)> {
    let root = task_root.display();
    vec![
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769".to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", "local".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/local".to_owned()),
        (LOG_STREAM, log_stream.to_owned()),
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned()),
        ("LAMBDA_TASK_ROOT", root.to_string()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("LD_LIBRARY_PATH", format!("{root}:{root}/lib")),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".to_owned()),
        ("TZ", ":UTC".to_owned()),
        // The value in AWS's tutorial; a binary that is its own handler ignores it.
        ("_HANDLER", "function.handler".to_owned()),
    ]
}

/// A variable of a function's own.
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    /// Its value, which may be secret: it is neither printed nor stored.
    pub value: String,
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=…", self.name)
    }
}

/// The text is not a variable that a function can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariableError {
    #[error("\"{0}\" has no value; write KEY=VALUE")]
    NoValue(String),
    #[error(
        "\"{0}\" is no name that Lambda takes: it must begin with a letter and have two characters at least, all of them \
         letters, digits and underscores"
    )]
    Name(String),
    #[error("{0} is set by Lambda itself, and here by this program; a function cannot have another one")]
    Reserved(String),
}

/// Whether Lambda sets a variable and does not allow changing it.
///
/// Three kinds of Lambda's own variables can be given here, because on Lambda they follow from something that a local
/// process does not have: `_HANDLER` (the function's configuration), the region, and the credentials (its role).
fn is_reserved(name: &str) -> bool {
    name.starts_with("AWS_LAMBDA_")
        || ["AWS_EXECUTION_ENV", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "TZ", "_X_AMZN_TRACE_ID"].contains(&name)
}

impl FromStr for Variable {
    type Err = VariableError;

    fn from_str(text: &str) -> Result<Self, VariableError> {
        let (name, value) = text.split_once('=').ok_or_else(|| VariableError::NoValue(text.to_owned()))?;
        if is_reserved(name) {
            return Err(VariableError::Reserved(name.to_owned()));
        }
        let is_plain =
            name.len() > 1 && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
        if name != "_HANDLER" && !(is_plain && name.starts_with(|first: char| first.is_ascii_alphabetic())) {
            return Err(VariableError::Name(name.to_owned()));
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_parsed_into_names_and_values() {
        for (text, name, value) in [
            ("TABLE=orders", "TABLE", "orders"),
            ("URL=https://a?b=c", "URL", "https://a?b=c"),
            ("EMPTY=", "EMPTY", ""),
            ("_HANDLER=index.handler", "_HANDLER", "index.handler"),
            ("AWS_REGION=eu-west-1", "AWS_REGION", "eu-west-1"),
            ("PATH=/bin", "PATH", "/bin"),
        ] {
            let variable: Variable = text.parse().unwrap();
            assert_eq!((variable.name.as_str(), variable.value.as_str()), (name, value));
        }
        // A value may be a secret.
        assert_eq!(format!("{:?}", "KEY=s3cret".parse::<Variable>().unwrap()), "KEY=…");
    }

    #[test]
    fn variables_that_lambda_does_not_accept_are_refused() {
        let error = |text: &str| text.parse::<Variable>().unwrap_err();
        assert_eq!(error("TABLE"), VariableError::NoValue("TABLE".to_owned()));
        for name in ["", "A", "1A", "_A", "A-B", "A B", "É2", "a.b"] {
            assert_eq!(error(&format!("{name}=x")), VariableError::Name(name.to_owned()));
        }
        for name in ["AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "TZ", "_X_AMZN_TRACE_ID"]
        {
            assert_eq!(error(&format!("{name}=x")), VariableError::Reserved(name.to_owned()));
        }
    }

    #[test]
    fn lambdas_variables_are_set_once_each() {
        let variables = of_lambda(Path::new("/task"), "127.0.0.1:9001", "stream");
        let names: Vec<_> = variables.iter().map(|(name, _)| *name).collect();
        assert!(names.is_sorted_by(|one, other| one < other), "{names:?}");
        let value = |name: &str| &variables.iter().find(|(known, _)| *known == name).unwrap().1;
        assert_eq!(value("LAMBDA_TASK_ROOT"), "/task");
        assert_eq!(value("LD_LIBRARY_PATH"), "/task:/task/lib");
        assert_eq!(value("AWS_LAMBDA_RUNTIME_API"), "127.0.0.1:9001");
    }
}
