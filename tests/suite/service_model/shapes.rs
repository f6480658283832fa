//! Holding values to shapes.

use super::{Kind, Model, Reference, Shape};
use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::HeaderMap;
use serde_json::{Map, Value};
use std::fmt::Display;

/// Headers that no operation describes, because all of them have them.
const COMMON_HEADERS: [&str; 9] = [
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-id-2",
    "x-amz-security-token",
    "x-amz-user-agent",
    "x-amzn-errortype",
    "x-amzn-remapped-content-length",
    "x-amzn-requestid",
    "x-amzn-trace-id",
];

/// Collects what is wrong with one message.
pub struct Checker<'a> {
    pub model: &'a Model,
    /// The message.
    context: String,
    /// Whether a null stands for a member that is not there, as in what services answer.
    with_nulls: bool,
    pub findings: Vec<String>,
}

impl<'a> Checker<'a> {
    pub fn request(model: &'a Model, operation: &str) -> Self {
        let context = format!("the request of {operation}");
        Self { model, context, with_nulls: false, findings: Vec::new() }
    }

    pub fn reply(model: &'a Model, operation: &str) -> Self {
        let context = format!("the answer of {operation}");
        Self { model, context, with_nulls: true, findings: Vec::new() }
    }

    /// Something is wrong with the message.
    pub fn wrong(&mut self, what: impl Display) {
        self.findings.push(format!("{}: {what}", self.context));
    }

    /// Something is wrong with a value, which has a name.
    fn wrong_value(&mut self, shape: &str, path: &str, what: impl Display) {
        self.wrong(format_args!("{path} (shape {shape}) {what}"));
    }

    /// A value in a body.
    pub fn json(&mut self, name: &str, path: &str, value: &Value) {
        let shape = self.model.shape(name);
        match (shape.kind, value) {
            (Kind::Structure, Value::Object(members)) => self.structure(name, path, members),
            (Kind::List, Value::Array(items)) => {
                self.size(name, path, items.len());
                for (index, item) in items.iter().enumerate() {
                    self.json(&reference(&shape.member).shape, &format!("{path}[{index}]"), item);
                }
            }
            (Kind::Map, Value::Object(entries)) => {
                self.size(name, path, entries.len());
                for (key, value) in entries {
                    let path = format!("{path}.{key}");
                    self.text(&reference(&shape.key).shape, &path, key);
                    self.json(&reference(&shape.value).shape, &path, value);
                }
            }
            (Kind::String, Value::String(text)) => self.text(name, path, text),
            (Kind::Blob, Value::String(text)) if BASE64_STANDARD.decode(text).is_ok() => {}
            (Kind::Boolean, Value::Bool(_)) | (Kind::Timestamp, Value::Number(_)) => {}
            (Kind::Integer | Kind::Long, Value::Number(number)) if number.is_i64() => {
                self.range(name, path, number.as_f64());
            }
            (Kind::Float | Kind::Double, Value::Number(number)) => self.range(name, path, number.as_f64()),
            (kind, value) => self.wrong_value(name, path, format_args!("is {value}, which is no {kind:?}")),
        }
    }

    /// The members of a structure that are in a body.
    fn structure(&mut self, name: &str, path: &str, members: &Map<String, Value>) {
        let shape = self.model.shape(name);
        let is_there = |value: &&Value| !(self.with_nulls && value.is_null());
        let missing = in_body(shape).filter(|(member, reference)| {
            let is_required = shape.required.contains(*member);
            is_required && members.get(reference.wire_name(member)).filter(is_there).is_none()
        });
        let missing: Vec<&str> = missing.map(|(member, _)| member.as_str()).collect();
        for member in missing {
            self.wrong_value(name, path, format_args!("lacks the required member {member}"));
        }
        for (key, value) in members {
            match in_body(shape).find(|(member, reference)| reference.wire_name(member) == key) {
                Some(_) if self.with_nulls && value.is_null() => {}
                Some((_, reference)) => self.json(&reference.shape, &format!("{path}.{key}"), value),
                None => self.wrong_value(name, path, format_args!("has no member {key}")),
            }
        }
    }

    /// A value in a header, a path, a query or an XML element.
    pub fn text(&mut self, name: &str, path: &str, text: &str) {
        let shape = self.model.shape(name);
        match shape.kind {
            Kind::String => self.string(name, path, text),
            Kind::Integer | Kind::Long => match text.parse::<i64>() {
                Ok(number) => self.range(name, path, Some(number as f64)),
                Err(_) => self.wrong_value(name, path, format_args!("is \"{text}\", which is no Integer")),
            },
            Kind::Boolean if !["true", "false"].contains(&text) => {
                self.wrong_value(name, path, format_args!("is \"{text}\", which is no Boolean"));
            }
            Kind::Timestamp if !is_timestamp(text) => {
                self.wrong_value(name, path, format_args!("is \"{text}\", which is no Timestamp"));
            }
            _ => {}
        }
    }

    fn string(&mut self, name: &str, path: &str, text: &str) {
        let shape = self.model.shape(name);
        self.size(name, path, text.chars().count());
        if !shape.values.is_empty() && !shape.values.iter().any(|value| value == text) {
            let values = shape.values.join(", ");
            self.wrong_value(name, path, format_args!("is \"{text}\", which is none of {values}"));
        }
        if let (Some(pattern), Some(matcher)) = (&shape.pattern, matcher(shape))
            && !matcher.is_match(text.as_bytes())
        {
            self.wrong_value(name, path, format_args!("is \"{text}\", which does not match {pattern}"));
        }
    }

    fn size(&mut self, name: &str, path: &str, size: usize) {
        self.range(name, path, Some(size as f64));
    }

    /// Holds a number, or the size of something, to the shape's bounds.
    fn range(&mut self, name: &str, path: &str, number: Option<f64>) {
        let Shape { min, max, .. } = self.model.shape(name);
        let Some(number) = number else { return };
        if let Some(min) = min.filter(|min| number < *min) {
            self.wrong_value(name, path, format_args!("is {number}, or as long; it must be {min} at least"));
        }
        if let Some(max) = max.filter(|max| number > *max) {
            self.wrong_value(name, path, format_args!("is {number}, or as long; it must be {max} at most"));
        }
    }

    /// The members of a structure that are headers; nothing else that looks like AWS's may be there.
    pub fn headers(&mut self, name: Option<&str>, headers: &HeaderMap) {
        let shape = name.map(|name| self.model.shape(name));
        let members: Vec<(&String, &Reference)> = shape.into_iter().flat_map(|it| located(it, "header")).collect();
        for (member, reference) in &members {
            let required = shape.is_some_and(|shape| shape.required.contains(*member));
            match headers.get(reference.wire_name(member).to_ascii_lowercase()) {
                Some(value) => self.text(&reference.shape, member, &String::from_utf8_lossy(value.as_bytes())),
                None if required => {
                    self.wrong(format_args!("lacks the required header {}", reference.wire_name(member)));
                }
                None => {}
            }
        }
        for header in headers.keys().map(hyper::header::HeaderName::as_str) {
            let is_known = members.iter().any(|(member, it)| it.wire_name(member).eq_ignore_ascii_case(header));
            if header.starts_with("x-amz") && !is_known && !COMMON_HEADERS.contains(&header) {
                self.wrong(format_args!("has no header {header}"));
            }
        }
    }

    /// A body in JSON: a structure's payload, or its members that are nowhere else.
    pub fn body(&mut self, name: &str, body: &str) {
        let shape = self.model.shape(name);
        if let Some(member) = &shape.payload {
            let payload = &shape.members[member].shape;
            let shape = self.model.shape(payload);
            if shape.kind == Kind::Structure && !shape.eventstream {
                self.parsed(payload, body);
            }
            return;
        }
        let is_empty = body.is_empty() && !in_body(shape).any(|(member, _)| shape.required.contains(member));
        if !is_empty {
            self.parsed(name, body);
        }
    }

    fn parsed(&mut self, name: &str, body: &str) {
        match serde_json::from_str(body) {
            Ok(value) => self.json(name, name, &value),
            Err(error) => self.wrong(format_args!("the body is no JSON ({error}): {body}")),
        }
    }
}

fn matcher(shape: &Shape) -> Option<&regex::bytes::Regex> {
    let compile = || {
        let pattern = format!("^(?:{})$", shape.pattern.as_ref()?);
        regex::bytes::RegexBuilder::new(&pattern).unicode(false).build().ok()
    };
    shape.matcher.get_or_init(compile).as_ref()
}

/// The reference that a list or a map cannot be without.
pub fn reference(reference: &Option<Reference>) -> &Reference {
    reference.as_ref().expect("a whole model")
}

/// The members of a structure that are at one place of a message.
pub fn located<'a>(shape: &'a Shape, location: &'static str) -> impl Iterator<Item = (&'a String, &'a Reference)> {
    shape.members.iter().filter(move |(_, it)| it.location.as_deref() == Some(location))
}

fn in_body(shape: &Shape) -> impl Iterator<Item = (&String, &Reference)> {
    shape.members.iter().filter(|(_, it)| it.location.is_none())
}

/// Whether it is a date as ISO 8601 writes it.
fn is_timestamp(text: &str) -> bool {
    humantime::parse_rfc3339_weak(text).is_ok()
}
