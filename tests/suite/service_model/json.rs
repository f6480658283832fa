//! The JSON protocol, by which CloudWatch and CloudWatch Logs are asked.

use super::{COMMON_ERRORS, Findings, Model, Operation, shapes::Checker};
use crate::scripted::{Call, Reply};
use serde_json::Value;

pub fn examine(model: &Model, call: &Call, reply: &Reply) -> Findings {
    let header = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let prefix = format!("{}.", model.metadata.target_prefix.as_deref().unwrap_or_default());
    let action = header("x-amz-target").strip_prefix(&prefix);
    let Some(operation) = action.and_then(|action| model.operations.get(action)) else {
        let target = header("x-amz-target");
        return Findings::of_request(format!("{}: {} has no {target:?}", call.line, model.metadata.service_id));
    };
    let mut checker = Checker::request(model, &operation.name);
    if call.line != "POST /" {
        checker.wrong(format_args!("it goes to POST /, not to {}", call.line));
    }
    let media_type = format!("application/x-amz-json-{}", model.metadata.json_version.as_deref().unwrap_or_default());
    if header("content-type") != media_type {
        checker.wrong(format_args!("it is of {media_type}, not of {}", header("content-type")));
    }
    if let Some(input) = &operation.input {
        checker.body(&input.shape, &call.body);
    }
    Findings { request: checker.findings, reply: answer(model, operation, reply) }
}

fn answer(model: &Model, operation: &Operation, reply: &Reply) -> Vec<String> {
    let mut checker = Checker::reply(model, &operation.name);
    match (reply.status, &operation.output) {
        (200, Some(output)) => checker.body(&output.shape, &reply.body),
        (200, None) => {}
        (400.., _) => error(&mut checker, operation, reply),
        (status, _) => checker.wrong(format_args!("HTTP {status}; success is HTTP 200")),
    }
    checker.findings
}

/// An error names itself in its body.
fn error(checker: &mut Checker<'_>, operation: &Operation, reply: &Reply) {
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let Some(code) = body["__type"].as_str().and_then(|code| code.rsplit('#').next()) else {
        return checker.wrong(format_args!("HTTP {} without __type", reply.status));
    };
    let is_known = operation.errors.iter().any(|error| error.shape == code);
    if !is_known && !COMMON_ERRORS.iter().any(|(name, _)| *name == code) {
        checker.wrong(format_args!("{code} is no error of this operation"));
    }
}
