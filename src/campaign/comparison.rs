//! Comparing answers to one payload while they are at hand: rows keep only their digests.

use super::{failure::readable, manifest::Plan, payload, row::Row};
use hyper::body::Bytes;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    iter::zip,
};

/// The most of a value that is shown, in characters.
const MAX_SHOWN: usize = 100;

/// Two answers to one payload that are not equal.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The payload's place in the plan.
    pub cell: usize,
    /// Both, as they came.
    pub answers: [Bytes; 2],
    /// Where they differ first.
    pub text: String,
}

/// The first answer to each payload, until another one differs.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    first: BTreeMap<usize, First>,
}

#[derive(Debug)]
enum First {
    Is { digest: String, answer: Bytes },
    Differs,
}

impl Comparison {
    /// Takes in an answer and its row; gives the first difference between answers to its payload.
    pub(super) fn add(&mut self, plan: &Plan, cell: usize, answer: &Bytes, row: &Row) -> Option<Difference> {
        let digest = row.output_sha256.as_ref()?;
        let first = self.first.entry(cell);
        let first = first.or_insert_with(|| First::Is { digest: digest.clone(), answer: answer.clone() });
        let difference = match first {
            First::Is { digest: other, answer: first } if other != digest => {
                let text =
                    difference(&payload::compared(first, &plan.ignore), &payload::compared(answer, &plan.ignore));
                Difference { cell, answers: [first.clone(), answer.clone()], text: readable(&text) }
            }
            First::Is { .. } | First::Differs => return None,
        };
        *first = First::Differs;
        Some(difference)
    }
}

/// Where two answers differ first.
fn difference(one: &Option<Value>, other: &Option<Value>) -> String {
    match (one, other) {
        (Some(one), Some(other)) => match first_difference(one, other, String::new()) {
            Some((pointer, one, other)) => {
                format!("{pointer} is {} in one and {} in another", shown(one), shown(other))
            }
            None => "they differ in nothing that JSON tells apart".to_owned(),
        },
        (None, None) => "neither is JSON".to_owned(),
        _ => "one of them is no JSON".to_owned(),
    }
}

/// The JSON pointer to the first place where two values differ, with what is there; nothing where there is none.
fn first_difference<'a>(
    one: &'a Value,
    other: &'a Value,
    here: String,
) -> Option<(String, Option<&'a Value>, Option<&'a Value>)> {
    match (one, other) {
        _ if one == other => None,
        (Value::Object(members), Value::Object(others)) => {
            let names: BTreeSet<&String> = members.keys().chain(others.keys()).collect();
            names.into_iter().find_map(|name| {
                let pointer = format!("{here}/{}", name.replace('~', "~0").replace('/', "~1"));
                between(members.get(name), others.get(name), pointer)
            })
        }
        (Value::Array(items), Value::Array(others)) => {
            let common = zip(items, others).enumerate();
            let mut differing =
                common.filter_map(|(index, (item, other))| first_difference(item, other, format!("{here}/{index}")));
            let length = items.len().min(others.len());
            differing.next().or_else(|| between(items.get(length), others.get(length), format!("{here}/{length}")))
        }
        _ => Some((if here.is_empty() { "the whole".to_owned() } else { here }, Some(one), Some(other))),
    }
}

fn between<'a>(
    one: Option<&'a Value>,
    other: Option<&'a Value>,
    pointer: String,
) -> Option<(String, Option<&'a Value>, Option<&'a Value>)> {
    match (one, other) {
        (Some(one), Some(other)) => first_difference(one, other, pointer),
        (None, None) => None,
        (one, other) => Some((pointer, one, other)),
    }
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "missing".to_owned() };
    let text = value.to_string();
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_difference_is_found_and_cut() {
        let text = |one: Value, other: Value| difference(&Some(one), &Some(other));
        assert_eq!(text(json!({"a": 1, "b": 7}), json!({"a": 1, "b": 8})), "/b is 7 in one and 8 in another");
        assert_eq!(
            text(json!({"a": [1, {"c/d": 2}]}), json!({"a": [1, {}]})),
            "/a/1/c~1d is 2 in one and missing in another"
        );
        assert_eq!(text(json!([1, 2]), json!([1, 2, "x"])), "/2 is missing in one and \"x\" in another");
        assert_eq!(text(json!(1), json!("1")), "the whole is 1 in one and \"1\" in another");
        let long = text(json!("x".repeat(200)), json!("y"));
        assert!(long.contains(&format!("\"{}…", "x".repeat(99))), "{long}");
        assert_eq!(difference(&None, &None), "neither is JSON");
        assert_eq!(difference(&Some(json!(1)), &None), "one of them is no JSON");
    }
}
