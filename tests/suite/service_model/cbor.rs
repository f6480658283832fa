//! The protocol of CloudWatch: bodies in CBOR.

use super::{Model, shapes::Checker};
use ciborium::Value as Cbor;
use serde_json::Value;

pub fn request(model: &Model, operation: &str, body: &[u8]) -> Vec<String> {
    let mut checker = Checker::request(model, operation);
    match ciborium::from_reader(body) {
        Ok(value) => {
            let input = &model.operations[operation].input.as_ref().expect("an input").shape;
            checker.json(input, input, &json(&value));
        }
        Err(error) => checker.wrong(format_args!("the body is no CBOR: {error}")),
    }
    checker.findings
}

/// The same value in JSON, as far as that has it; what it has not is a text that says so.
fn json(value: &Cbor) -> Value {
    match value {
        Cbor::Null => Value::Null,
        Cbor::Bool(it) => (*it).into(),
        Cbor::Integer(it) => i64::try_from(*it).map_or_else(|_| format!("{it:?}").into(), Value::from),
        Cbor::Float(it) => serde_json::Number::from_f64(*it).map_or_else(|| it.to_string().into(), Value::Number),
        Cbor::Text(it) => it.as_str().into(),
        Cbor::Array(items) => items.iter().map(json).collect(),
        Cbor::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| match key.as_text() {
                Some(key) => (key.to_owned(), json(value)),
                None => (format!("{key:?}"), json(value)),
            });
            Value::Object(entries.collect())
        }
        // Seconds since 1970, as timestamps are.
        Cbor::Tag(1, value) => json(value),
        other => format!("{other:?}").into(),
    }
}
