//! Direct invocation of a Lambda function.

use super::{CallError, Target};
use crate::{
    campaign::{aws, runtime_api::FunctionError},
    transport::Transport,
};
use aws_sdk_lambda::{Client, primitives::Blob};

/// Reads `NAME[:QUALIFIER]` or `ARN[:QUALIFIER]`.
pub(super) fn parse(text: &str) -> Target {
    /// `arn:aws:lambda:REGION:ACCOUNT:function:NAME`
    const ARN_PARTS: usize = 7;
    let parts: Vec<&str> = text.split(':').collect();
    let name_parts = if parts[0] == "arn" { ARN_PARTS } else { 1 };
    let (name, qualifier) = parts.split_at(name_parts.min(parts.len()));
    Target::Function { name: name.join(":"), qualifier: (!qualifier.is_empty()).then(|| qualifier.join(":")) }
}

pub(super) async fn call(name: &str, qualifier: Option<&str>, request: &str) -> Result<String, CallError> {
    let transport = Transport::new().map_err(|error| CallError::failed(&error))?;
    let invoke = Client::new(&aws::config(transport).await)
        .invoke()
        .function_name(name)
        .set_qualifier(qualifier.map(str::to_owned));
    let answer = invoke.payload(Blob::new(request)).send().await.map_err(|error| CallError::failed(&error))?;
    let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
    if answer.function_error.is_some() {
        return Err(FunctionError::parse(&payload).into());
    }
    Ok(String::from_utf8_lossy(&payload).into_owned())
}
