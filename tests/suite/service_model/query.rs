//! The protocol of CloudFormation: forms in, XML out.

use super::{COMMON_ERRORS, Findings, Kind, Model, Operation, parameters, shapes, shapes::Checker};
use crate::scripted::{Call, Reply};
use roxmltree::{Document, Node};
use std::collections::BTreeSet;

pub fn examine(model: &Model, call: &Call, reply: &Reply) -> Findings {
    let form = parameters(&call.body);
    let action = form.iter().find(|(name, _)| name == "Action").map(|(_, action)| action.as_str());
    let Some(operation) = action.and_then(|action| model.operations.get(action)) else {
        let finding = format!("{}: {} has no Action {action:?}", call.line, model.metadata.service_id);
        return Findings::of_request(finding);
    };
    Findings { request: request(model, operation, &form, call), reply: answer(model, operation, reply) }
}

fn request(model: &Model, operation: &Operation, form: &[(String, String)], call: &Call) -> Vec<String> {
    let mut checker = Checker::request(model, &operation.name);
    let line = format!("{} {}", operation.http.method, operation.http.request_uri);
    if call.line != line {
        checker.wrong(format_args!("it goes to {line}, not to {}", call.line));
    }
    if call
        .headers
        .get("content-type")
        .is_none_or(|it| !it.as_bytes().starts_with(b"application/x-www-form-urlencoded"))
    {
        checker.wrong("it is not called a form by its content-type");
    }
    let version = form.iter().find(|(name, _)| name == "Version").map(|(_, version)| version.as_str());
    if version != Some(&model.metadata.api_version) {
        checker.wrong(format_args!("Version is {version:?}, not {}", model.metadata.api_version));
    }
    let members: Vec<&(String, String)> =
        form.iter().filter(|(name, _)| name != "Action" && name != "Version").collect();
    match &operation.input {
        Some(input) => structure(&mut checker, &input.shape, "", &members),
        None => members.iter().for_each(|(name, _)| checker.wrong(format_args!("there is no member {name}"))),
    }
    checker.findings
}

/// The first part of a dotted name, and the rest.
fn first(name: &str) -> (&str, &str) {
    name.split_once('.').unwrap_or((name, ""))
}

/// The members of a structure, whose names begin with `path`.
fn structure(checker: &mut Checker<'_>, name: &str, path: &str, form: &[&(String, String)]) {
    let shape = checker.model.shape(name);
    let rest = |(key, _): &&(String, String)| first(&key[path.len()..]).0.to_owned();
    for member in form.iter().map(rest).collect::<BTreeSet<_>>() {
        let own: Vec<&(String, String)> = form.iter().copied().filter(|pair| rest(pair) == member).collect();
        match shape.members.get(&member) {
            Some(reference) => value(checker, &reference.shape, &format!("{path}{member}"), &own),
            None => checker.wrong(format_args!("there is no member {path}{member} (shape {name})")),
        }
    }
    for missing in shape.required.iter().filter(|required| !form.iter().any(|pair| rest(pair) == **required)) {
        checker.wrong(format_args!("{path} (shape {name}) lacks the required member {missing}"));
    }
}

/// A value whose name is `path`, or begins so.
fn value(checker: &mut Checker<'_>, name: &str, path: &str, form: &[&(String, String)]) {
    let shape = checker.model.shape(name);
    match (shape.kind, form) {
        (Kind::Structure, _) => structure(checker, name, &format!("{path}."), form),
        (Kind::List, _) => {
            let item = &shapes::reference(&shape.member).shape;
            // Items are numbered from 1, without gaps.
            let mut left = form.len();
            for number in 1.. {
                let path = format!("{path}.member.{number}");
                let is_own = |(key, _): &&&(String, String)| *key == path || key.starts_with(&format!("{path}."));
                let own: Vec<&(String, String)> = form.iter().filter(is_own).copied().collect();
                if own.is_empty() {
                    break;
                }
                left -= own.len();
                value(checker, item, &path, &own);
            }
            if left > 0 {
                checker.wrong(format_args!("{path} (shape {name}) has items that are not numbered from 1 on"));
            }
        }
        (_, [(key, text)]) if key == path => checker.text(name, path, text),
        _ => checker.wrong(format_args!("{path} (shape {name}) is no value")),
    }
}

fn answer(model: &Model, operation: &Operation, reply: &Reply) -> Vec<String> {
    let mut checker = Checker::reply(model, &operation.name);
    match Document::parse(&reply.body) {
        Err(error) => checker.wrong(format_args!("the body is no XML ({error}): {}", reply.body)),
        Ok(document) if reply.status >= 400 => {
            self::error(&mut checker, operation, reply.status, document.root_element());
        }
        Ok(document) => output(&mut checker, operation, reply.status, document.root_element()),
    }
    checker.findings
}

fn output(checker: &mut Checker<'_>, operation: &Operation, status: u16, root: Node<'_, '_>) {
    if status != 200 {
        checker.wrong(format_args!("HTTP {status}; success is HTTP 200"));
    }
    let name = format!("{}Response", operation.name);
    let namespace = checker.model.metadata.xml_namespace.as_deref();
    if root.tag_name().name() != name || root.tag_name().namespace() != namespace {
        checker.wrong(format_args!("it is {:?}; it must be {name} of {namespace:?}", root.tag_name()));
    }
    let wrapper = operation.output.as_ref().and_then(|it| Some((it.result_wrapper.as_deref()?, it.shape.as_str())));
    for child in root.children().filter(Node::is_element) {
        match (child.tag_name().name(), wrapper) {
            (name, Some((wrapper, shape))) if name == wrapper => xml(checker, shape, shape, child),
            ("ResponseMetadata", _) => {}
            (name, _) => checker.wrong(format_args!("there is no element {name}")),
        }
    }
    if let Some((wrapper, _)) = wrapper.filter(|(wrapper, _)| child(root, wrapper).is_none()) {
        checker.wrong(format_args!("there is no element {wrapper}, which is to hold the result"));
    }
}

/// A value in an XML element.
fn xml(checker: &mut Checker<'_>, name: &str, path: &str, node: Node<'_, '_>) {
    let shape = checker.model.shape(name);
    let children = node.children().filter(Node::is_element);
    match shape.kind {
        Kind::Structure => {
            for missing in shape.required.iter().filter(|member| child(node, member).is_none()) {
                checker.wrong(format_args!("{path} (shape {name}) lacks the required member {missing}"));
            }
            for child in children {
                let member = child.tag_name().name();
                match shape.members.get(member) {
                    Some(reference) => xml(checker, &reference.shape, &format!("{path}.{member}"), child),
                    None => checker.wrong(format_args!("{path} (shape {name}) has no member {member}")),
                }
            }
        }
        Kind::List => {
            for (index, child) in children.enumerate() {
                let item = child.tag_name().name();
                if item != "member" {
                    checker.wrong(format_args!("{path} (shape {name}) has {item} where each is a member"));
                }
                xml(checker, &shapes::reference(&shape.member).shape, &format!("{path}[{index}]"), child);
            }
        }
        _ => checker.text(name, path, node.text().unwrap_or_default()),
    }
}

fn error(checker: &mut Checker<'_>, operation: &Operation, status: u16, root: Node<'_, '_>) {
    let error = child(root, "Error").filter(|_| root.tag_name().name() == "ErrorResponse");
    let text = |name: &str| error.and_then(|error| child(error, name)?.text());
    let (Some(code), Some("Sender" | "Receiver"), Some(_)) = (text("Code"), text("Type"), text("Message")) else {
        checker.wrong("an error is an ErrorResponse with an Error of Type (Sender, Receiver), Code and Message");
        return;
    };
    let modelled = checker.model.error(operation, code).map(|(_, it)| it.http_status_code);
    let common = COMMON_ERRORS.iter().find(|(name, _)| *name == code).map(|(_, statuses)| *statuses);
    match (modelled, common) {
        (Some(expected), _) if expected != status => {
            checker.wrong(format_args!("{code} is HTTP {expected}, not {status}"));
        }
        (None, Some(statuses)) if !statuses.contains(&status) => {
            checker.wrong(format_args!("{code} is one of HTTP {statuses:?}, not {status}"));
        }
        (None, None) => checker.wrong(format_args!("{code} is no error of this operation")),
        _ => {}
    }
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.tag_name().name() == name)
}
