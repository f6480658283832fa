//! One call of a function's binary on this machine, in a process of its own.

use super::CallError;
use crate::campaign::{
    local::{LocalEnvironment, LocalError},
    runtime_api::Outcome,
};
use std::{io, path::Path, process::Stdio, time::Duration};

/// Lambda's longest timeout: nothing bills a local call.
const TIMEOUT: Duration = Duration::from_secs(900);

/// Logs go to standard error, metrics nowhere.
pub(super) async fn call(path: &Path, request: &str) -> Result<String, CallError> {
    let mut environment = LocalEnvironment::start(path, [("METRICS_SINK", "none")], Stdio::from(io::stderr())).await?;
    match environment.invoke(request.to_owned(), TIMEOUT).await? {
        Outcome::Response(payload) => Ok(String::from_utf8_lossy(&payload).into_owned()),
        Outcome::Error(error) => Err(error.into()),
    }
}

impl From<LocalError> for CallError {
    fn from(error: LocalError) -> Self {
        Self::Failed(error.to_string())
    }
}
