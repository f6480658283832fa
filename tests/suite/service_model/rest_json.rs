//! The protocol of Lambda: a method and a path for each operation, and bodies in JSON.

use super::{COMMON_ERRORS, Findings, Kind, Model, Operation, decoded, parameters, shapes, shapes::Checker};
use crate::scripted::{Call, Reply};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

/// The end of a log that Lambda sends along is no longer than this.
const LOG_TAIL: usize = 4096;

pub fn examine(model: &Model, call: &Call, reply: &Reply) -> Findings {
    let Some((operation, labels)) = find(model, call) else { return unknown(model, call) };
    Findings { request: request(model, operation, &labels, call), reply: answer(model, operation, call, reply) }
}

pub fn unknown(model: &Model, call: &Call) -> Findings {
    Findings::of_request(format!("{}: {} has no such operation", call.line, model.metadata.service_id))
}

/// The operation that a call asks for, and what its path says.
pub fn find<'a>(model: &'a Model, call: &Call) -> Option<(&'a Operation, Vec<(&'a str, String)>)> {
    let (method, target) = call.line.split_once(' ')?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path: Vec<&str> = path.split('/').collect();
    let candidates = model.operations.values().filter(|it| it.http.method == method);
    candidates
        .filter_map(|operation| {
            let (template, fixed) =
                operation.http.request_uri.split_once('?').unwrap_or((&operation.http.request_uri, ""));
            let has_fixed = parameters(fixed).iter().all(|it| parameters(query).contains(it));
            let labels = labels(&template.split('/').collect::<Vec<_>>(), &path).filter(|_| has_fixed)?;
            // Operations of S3 differ by what they cannot be without.
            let has_required = has_required(model, operation, call, &parameters(query));
            Some(((fixed.len(), has_required), operation, labels))
        })
        .max_by_key(|(likeness, ..)| *likeness)
        .map(|(_, operation, labels)| (operation, labels))
}

/// Whether a call has the headers and the parameters of the query that an operation requires.
fn has_required(model: &Model, operation: &Operation, call: &Call, query: &[(String, String)]) -> bool {
    let Some(shape) = operation.input.as_ref().map(|input| model.shape(&input.shape)) else { return true };
    let has_header = |name: &str| call.headers.contains_key(name.to_ascii_lowercase());
    let has_parameter = |name: &str| query.iter().any(|(own, _)| own == name);
    let is_required = |(member, _): &(&String, &super::Reference)| shape.required.contains(*member);
    shapes::located(shape, "header").filter(is_required).all(|(member, it)| has_header(it.wire_name(member)))
        && shapes::located(shape, "querystring")
            .filter(is_required)
            .all(|(member, it)| has_parameter(it.wire_name(member)))
}

/// What a path says, if it is one of a template's: `{Name}` stands for a segment, `{Name+}` for some.
fn labels<'a>(template: &[&'a str], path: &[&str]) -> Option<Vec<(&'a str, String)>> {
    let [first, rest @ ..] = template else { return path.is_empty().then(Vec::new) };
    let Some(label) = first.strip_prefix('{').and_then(|it| it.strip_suffix('}')) else {
        return (path.first() == Some(first)).then(|| labels(rest, &path[1..])).flatten();
    };
    let (label, most) = label.strip_suffix('+').map_or((label, 1), |greedy| (greedy, path.len()));
    (1..=most.min(path.len())).rev().find_map(|count| {
        let value = decoded(&path[..count].join("/"));
        let mut all = labels(rest, &path[count..]).filter(|_| !value.is_empty())?;
        all.push((label, value));
        Some(all)
    })
}

pub fn request(model: &Model, operation: &Operation, labels: &[(&str, String)], call: &Call) -> Vec<String> {
    let mut checker = Checker::request(model, &operation.name);
    let input = operation.input.as_ref().map(|input| input.shape.as_str());
    checker.headers(input, &call.headers);
    let Some(input) = input else { return checker.findings };
    let shape = model.shape(input);
    for (member, reference) in shapes::located(shape, "uri") {
        let value = labels.iter().find(|(label, _)| *label == reference.wire_name(member));
        match value {
            Some((_, value)) => checker.text(&reference.shape, member, value),
            None => checker.wrong(format_args!("the path lacks {member}")),
        }
    }
    query(&mut checker, operation, input, call);
    checker.body(input, &call.body);
    checker.findings
}

fn query(checker: &mut Checker<'_>, operation: &Operation, input: &str, call: &Call) {
    let shape = checker.model.shape(input);
    let fixed = operation.http.request_uri.split_once('?').map_or("", |(_, fixed)| fixed);
    let (given, fixed) = (parameters(call.line.split_once('?').map_or("", |(_, query)| query)), parameters(fixed));
    for (member, reference) in shapes::located(shape, "querystring") {
        let values: Vec<_> = given.iter().filter(|(name, _)| name == reference.wire_name(member)).collect();
        if values.is_empty() && shape.required.contains(member) {
            checker.wrong(format_args!("the query lacks the required {member}"));
        }
        for (_, value) in values {
            checker.text(&reference.shape, member, value);
        }
    }
    let known = |name: &str| shapes::located(shape, "querystring").any(|(member, it)| it.wire_name(member) == name);
    for (name, _) in given.iter().filter(|it| !fixed.contains(it) && !known(&it.0)) {
        checker.wrong(format_args!("the query has no parameter {name} (shape {input})"));
    }
}

fn answer(model: &Model, operation: &Operation, call: &Call, reply: &Reply) -> Vec<String> {
    let mut checker = Checker::reply(model, &operation.name);
    if reply.status >= 400 {
        error(&mut checker, operation, reply);
        return checker.findings;
    }
    let expected = success(operation, call);
    if reply.status != expected {
        checker.wrong(format_args!("HTTP {}; success is HTTP {expected}", reply.status));
    }
    let output = operation.output.as_ref().map(|output| output.shape.as_str());
    checker.headers(output, &reply.header_map());
    match output {
        Some(output) => checker.body(output, &reply.body),
        None if reply.body.is_empty() => {}
        None => checker.wrong(format_args!("there is no body: {}", reply.body)),
    }
    if let Some(log) = reply.header_map().get("x-amz-log-result") {
        match BASE64_STANDARD.decode(log.as_bytes()) {
            Ok(log) if log.len() <= LOG_TAIL => {}
            Ok(log) => checker.wrong(format_args!("LogResult has {} bytes; it is cut to {LOG_TAIL}", log.len())),
            Err(error) => checker.wrong(format_args!("LogResult is not base64: {error}")),
        }
    }
    checker.findings
}

/// The status of success: the operation's, but for invocations whose type says another one.
fn success(operation: &Operation, call: &Call) -> u16 {
    let kind = call.headers.get("x-amz-invocation-type").filter(|_| operation.name == "Invoke");
    match kind.and_then(|kind| kind.to_str().ok()) {
        Some("Event") => 202,
        Some("DryRun") => 204,
        _ => operation.http.response_code.unwrap_or(200),
    }
}

fn error(checker: &mut Checker<'_>, operation: &Operation, reply: &Reply) {
    let headers = reply.header_map();
    let Some(code) = headers.get("x-amzn-errortype").and_then(|it| it.to_str().ok()) else {
        checker.wrong(format_args!("HTTP {} without x-amzn-errortype", reply.status));
        return;
    };
    // Some services add where the error is described.
    let code = code.split(':').next().unwrap_or_default();
    let model = checker.model;
    if let Some((shape, expected)) = model.error(operation, code) {
        if reply.status != expected.http_status_code {
            checker.wrong(format_args!("{code} is HTTP {}, not {}", expected.http_status_code, reply.status));
        }
        checker.headers(Some(shape), &headers);
        checker.body(shape, &reply.body);
        return;
    }
    match COMMON_ERRORS.iter().find(|(name, _)| *name == code) {
        Some((_, statuses)) if statuses.contains(&reply.status) => {}
        Some((_, statuses)) => checker.wrong(format_args!("{code} is one of HTTP {statuses:?}, not {}", reply.status)),
        None => checker.wrong(format_args!("{code} is no error of this operation")),
    }
    checker.headers(None, &headers);
    common_body(checker, code, &reply.body);
}

/// Errors of all services have a message.
fn common_body(checker: &mut Checker<'_>, code: &str, body: &str) {
    let Ok(Value::Object(members)) = serde_json::from_str(body) else {
        return checker.wrong(format_args!("{code}: the body is no JSON object: {body}"));
    };
    for (member, value) in members {
        if !["Type", "Message", "message", "__type"].contains(&member.as_str()) {
            checker.wrong(format_args!("{code} has no member {member}"));
        } else if !value.is_string() {
            checker.wrong(format_args!("{code}.{member} is {value}, which is no {:?}", Kind::String));
        }
    }
}
