//! Comparison of answers to the same payload when they arrive: rows keep only their digests.

use super::{failure::readable, manifest::Plan, payload, row::Row, run_directory};
use hyper::body::Bytes;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    io, mem,
    path::{Path, PathBuf},
};

/// The most characters of a value that are shown.
const MAX_SHOWN: usize = 100;

/// Two answers to the same payload that differ.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerDifference {
    /// The index of the cell in the plan.
    pub cell: usize,
    /// Both answers, unchanged.
    pub answers: [Bytes; 2],
    /// The first difference, in words.
    pub text: String,
}

/// The first answer to each payload, with which later ones are compared. It is stored in the run directory, so that a
/// continued campaign compares with the same answer.
#[derive(Debug)]
pub struct AnswerComparison {
    directory: PathBuf,
    first: BTreeMap<usize, First>,
}

#[derive(Debug)]
struct First {
    answer: Bytes,
    digest: String,
    /// Whether a difference has been reported: one is enough.
    is_contradicted: bool,
}

impl AnswerComparison {
    /// The comparison of the campaign in `directory`, including an earlier start of the program.
    ///
    /// # Errors
    /// When a stored answer cannot be read.
    pub fn read(directory: &Path, plan: &Plan) -> io::Result<Self> {
        let mut comparison = Self { directory: directory.to_owned(), first: BTreeMap::new() };
        for cell in 0..plan.cells.len() {
            if let Some(answer) = run_directory::read_whole(&comparison.path(cell))? {
                comparison.first.insert(cell, First::new(answer.into(), plan));
            }
        }
        Ok(comparison)
    }

    fn path(&self, cell: usize) -> PathBuf {
        self.directory.join(format!("answer-{cell}"))
    }

    /// Takes in an answer and its row, and returns the first difference between answers to its payload. The row of an
    /// answer that equals the first one within the plan's tolerance gets the digest of the first one.
    ///
    /// # Errors
    /// When the first answer cannot be stored.
    pub(super) fn add(
        &mut self,
        plan: &Plan,
        cell: usize,
        answer: &Bytes,
        row: &mut Row,
    ) -> io::Result<Option<AnswerDifference>> {
        let Some(digest) = &mut row.output_sha256 else { return Ok(None) };
        let path = self.path(cell);
        let first = match self.first.entry(cell) {
            Entry::Occupied(first) => first.into_mut(),
            Entry::Vacant(vacant) => {
                run_directory::write_whole(&path, answer)?;
                vacant.insert(First::new(answer.clone(), plan));
                return Ok(None);
            }
        };
        if first.digest == *digest {
            return Ok(None);
        }
        let [one, other] = [&first.answer, answer].map(|answer| payload::compared(answer, &plan.ignore));
        let tolerance = plan.tolerance.unwrap_or_default();
        let Some(text) = difference(one.as_ref(), other.as_ref(), tolerance) else {
            digest.clone_from(&first.digest);
            return Ok(None);
        };
        if mem::replace(&mut first.is_contradicted, true) {
            return Ok(None);
        }
        let answers = [first.answer.clone(), answer.clone()];
        Ok(Some(AnswerDifference { cell, answers, text: readable(&text) }))
    }
}

impl First {
    fn new(answer: Bytes, plan: &Plan) -> Self {
        let digest = payload::digest(&answer, &plan.ignore);
        Self { answer, digest, is_contradicted: false }
    }
}

/// The first difference of two answers, in words; `None` if they are equal. An answer that is not JSON is `None`.
fn difference(one: Option<&Value>, other: Option<&Value>, tolerance: f64) -> Option<String> {
    match (one, other) {
        (Some(_), Some(_)) => {
            let (pointer, one, other) = first_difference(one, other, tolerance, String::new())?;
            let place = if pointer.is_empty() { "the whole" } else { &pointer };
            Some(format!("{place} is {} in one and {} in another", shown(one), shown(other)))
        }
        (None, None) => Some("neither is JSON".to_owned()),
        _ => Some("one of them is not JSON".to_owned()),
    }
}

/// Whether two values are equal, numbers within a relative tolerance, also within strings that contain JSON.
fn are_equal(one: &Value, other: &Value, tolerance: f64) -> bool {
    if one == other || tolerance <= 0.0 {
        return one == other;
    }
    match (one, other) {
        (Value::String(one), Value::String(other)) => payload::held(one)
            .zip(payload::held(other))
            .is_some_and(|(one, other)| first_difference(Some(&one), Some(&other), tolerance, String::new()).is_none()),
        _ => one
            .as_f64()
            .zip(other.as_f64())
            .is_some_and(|(one, other)| (one - other).abs() <= tolerance * one.abs().max(other.abs())),
    }
}

/// The JSON pointer to the first place where two values differ, with both values there (`None` for a missing one);
/// `None` if they are equal.
fn first_difference<'a>(
    one: Option<&'a Value>,
    other: Option<&'a Value>,
    tolerance: f64,
    here: String,
) -> Option<(String, Option<&'a Value>, Option<&'a Value>)> {
    match (one, other) {
        (Some(one), Some(other)) if are_equal(one, other, tolerance) => None,
        (Some(Value::Object(members)), Some(Value::Object(others))) => {
            let names: BTreeSet<&String> = members.keys().chain(others.keys()).collect();
            names.into_iter().find_map(|name| {
                let pointer = format!("{here}/{}", payload::token(name));
                first_difference(members.get(name), others.get(name), tolerance, pointer)
            })
        }
        (Some(Value::Array(items)), Some(Value::Array(others))) => {
            (0..items.len().max(others.len())).find_map(|index| {
                first_difference(items.get(index), others.get(index), tolerance, format!("{here}/{index}"))
            })
        }
        _ => Some((here, one, other)),
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
        let text = |one: Value, other: Value| difference(Some(&one), Some(&other), 0.0).unwrap();
        assert_eq!(text(json!({"a": 1, "b": 7}), json!({"a": 1, "b": 8})), "/b is 7 in one and 8 in another");
        assert_eq!(
            text(json!({"a": [1, {"c/d": 2}]}), json!({"a": [1, {}]})),
            "/a/1/c~1d is 2 in one and missing in another"
        );
        assert_eq!(text(json!([1, 2]), json!([1, 2, "x"])), "/2 is missing in one and \"x\" in another");
        assert_eq!(text(json!(1), json!("1")), "the whole is 1 in one and \"1\" in another");
        let long = text(json!("x".repeat(200)), json!("y"));
        assert!(long.contains(&format!("\"{}…", "x".repeat(99))), "{long}");
        assert_eq!(difference(None, None, 0.0).unwrap(), "neither is JSON");
        assert_eq!(difference(Some(&json!(1)), None, 0.0).unwrap(), "one of them is not JSON");
    }

    #[test]
    fn numbers_within_the_tolerance_are_equal_at_any_depth() {
        let are_equal = |one: Value, other: Value, tolerance| difference(Some(&one), Some(&other), tolerance).is_none();
        let (one, other) = (json!({"a": [1.0, 1e20]}), json!({"a": [1.000_000_000_1, 1e20]}));
        assert!(are_equal(one.clone(), other.clone(), 1e-9) && !are_equal(one.clone(), other.clone(), 1e-11));
        assert!(!are_equal(one.clone(), other.clone(), 0.0));
        let [one, other] = [one, other].map(|body| json!({"body": body.to_string()}));
        assert!(are_equal(one.clone(), other.clone(), 1e-9) && !are_equal(one, other, 1e-11));
        assert!(are_equal(json!(0), json!(0.0), 1e-9) && !are_equal(json!(0), json!(1e-300), 1e-9));
        assert!(!are_equal(json!("1.0"), json!("1.0000000001"), 1e-9), "a text is no number");
        assert!(!are_equal(json!(1), json!(true), 1e-9) && !are_equal(json!([1]), json!([1, 1]), 1e-9));
    }
}
