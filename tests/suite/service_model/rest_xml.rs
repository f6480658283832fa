//! The protocol of S3: a method and a path for each operation, and bodies in XML.

use super::{
    Findings, Kind, Model, Operation,
    rest_json::{find, request, unknown},
    shapes::{self, Checker},
};
use crate::scripted::{Call, Reply};
use roxmltree::{Document, Node};

/// Errors of S3 that no operation lists, and their statuses.
const ERRORS: [(&str, u16); 9] = [
    ("AccessDenied", 403),
    ("ExpiredToken", 400),
    ("InternalError", 500),
    ("InvalidAccessKeyId", 403),
    ("NoSuchBucket", 404),
    ("NoSuchKey", 404),
    ("PermanentRedirect", 301),
    ("SignatureDoesNotMatch", 403),
    ("SlowDown", 503),
];

pub fn examine(model: &Model, call: &Call, reply: &Reply) -> Findings {
    let Some((operation, labels)) = find(model, call) else { return unknown(model, call) };
    Findings { request: request(model, operation, &labels, call), reply: answer(model, operation, call, reply) }
}

fn answer(model: &Model, operation: &Operation, call: &Call, reply: &Reply) -> Vec<String> {
    let mut checker = Checker::reply(model, &operation.name);
    let is_error = reply.status >= 300;
    let expected = operation.http.response_code.unwrap_or(200);
    if !is_error && reply.status != expected {
        checker.wrong(format_args!("HTTP {}; success is HTTP {expected}", reply.status));
    }
    if !is_error {
        checker.headers(operation.output.as_ref().map(|output| output.shape.as_str()), &reply.header_map());
    }
    if call.line.starts_with("HEAD ") {
        if !reply.body.is_empty() {
            checker.wrong(format_args!("there is no body: {}", reply.body));
        }
        return checker.findings;
    }
    if reply.body.is_empty() && !is_error {
        return checker.findings;
    }
    match (Document::parse(&reply.body), &operation.output) {
        (Err(error), _) => checker.wrong(format_args!("the body is no XML ({error}): {}", reply.body)),
        (Ok(document), _) if is_error => self::error(&mut checker, operation, reply.status, document.root_element()),
        (Ok(document), Some(output)) => xml(&mut checker, &output.shape, &output.shape, document.root_element()),
        (Ok(_), None) => checker.wrong("there is no body"),
    }
    checker.findings
}

/// A value in an XML element.
fn xml(checker: &mut Checker<'_>, name: &str, path: &str, node: Node<'_, '_>) {
    let shape = checker.model.shape(name);
    if shape.kind != Kind::Structure {
        return checker.text(name, path, node.text().unwrap_or_default());
    }
    for child in node.children().filter(Node::is_element) {
        let element = child.tag_name().name();
        let mut members = shape.members.iter().filter(|(_, it)| it.location.is_none());
        let path = format!("{path}.{element}");
        // An item of a flattened list has the name of the list.
        match members.find(|(member, it)| it.wire_name(member) == element) {
            Some((_, member)) => {
                let of_member = checker.model.shape(&member.shape);
                let item =
                    if of_member.flattened { &shapes::reference(&of_member.member).shape } else { &member.shape };
                xml(checker, item, &path, child);
            }
            None => checker.wrong(format_args!("{path} (shape {name}) has no member {element}")),
        }
    }
}

fn error(checker: &mut Checker<'_>, operation: &Operation, status: u16, root: Node<'_, '_>) {
    let text = |name: &str| root.children().find(|child| child.tag_name().name() == name)?.text();
    let (Some(code), Some(_)) = (text("Code"), text("Message")) else {
        return checker.wrong("an error is an Error with Code and Message");
    };
    let modelled = checker.model.error(operation, code).map(|(_, it)| it.http_status_code);
    let common = ERRORS.iter().find(|(name, _)| *name == code).map(|(_, status)| *status);
    match modelled.or(common) {
        Some(expected) if expected != status => {
            checker.wrong(format_args!("{code} is HTTP {expected}, not {status}"));
        }
        Some(_) => {}
        None => checker.wrong(format_args!("{code} is no error of S3's")),
    }
}
