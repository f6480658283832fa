//! What holds for the variables of any function: how many bytes they may have, and how messages speak of them.

use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput as Configured;
use std::collections::HashMap;

/// The most bytes that a function's variables may have, as JSON.
pub(super) const MAX_BYTES: usize = 4096;

/// Why the variables cannot be read, with what would come of it, and what helps; `None` if they can.
pub(super) fn unreadable(configured: &Configured, consequence: &str) -> Option<String> {
    let error = configured.environment()?.error()?;
    let key = configured.kms_key_arn().unwrap_or("Lambda's own key");
    Some(format!(
        "its variables cannot be read ({}: {}), and {consequence}; allow kms:Decrypt on {key}",
        error.error_code().unwrap_or("no code"),
        error.message().unwrap_or("no message")
    ))
}

/// A message of Lambda without the values of variables, which it may repeat.
pub(super) fn without_values(message: &str, variables: &HashMap<String, String>) -> String {
    /// Shorter values occur in any text.
    const SHORTEST: usize = 4;
    let end = ["String measured", "{"].iter().filter_map(|begin| message.find(begin)).min();
    let shown = end.map_or(message.to_owned(), |end| format!("{}…", &message[..end]));
    let secrets = variables.values().filter(|value| value.len() >= SHORTEST);
    secrets.fold(shown, |shown, value| shown.replace(value.as_str(), "…"))
}
