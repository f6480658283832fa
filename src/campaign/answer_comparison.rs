//! Comparison of answers to the same payload when they arrive: rows keep only their digests.

use super::{failure::readable, manifest::Plan, payload, row::Row, run_directory};
use hyper::body::Bytes;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
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

/// The most answers to a payload that later ones are compared with.
const MAX_REFERENCES: usize = 8;

/// The first answer to each payload, with which later ones are compared; within a tolerance also the first that differs from
/// it, and so on, since what equals one of these is equal work. They are stored in the run directory, so that a continued
/// campaign compares with the same answers.
#[derive(Debug)]
pub struct AnswerComparison {
    directory: PathBuf,
    references: BTreeMap<usize, Vec<Reference>>,
    /// The payloads of which a difference has been reported: one is enough.
    contradicted: BTreeSet<usize>,
}

#[derive(Debug)]
struct Reference {
    answer: Bytes,
    digest: String,
}

impl AnswerComparison {
    /// The comparison of the campaign in `directory`, including an earlier start of the program.
    ///
    /// # Errors
    /// When a stored answer cannot be read.
    pub fn read(directory: &Path, plan: &Plan) -> io::Result<Self> {
        let (directory, references) = (directory.to_owned(), BTreeMap::new());
        let mut comparison = Self { directory, references, contradicted: BTreeSet::new() };
        for cell in 0..plan.cells.len() {
            let mut references = Vec::new();
            while let Some(answer) = run_directory::read_whole(&comparison.path(cell, references.len()))? {
                references.push(Reference::new(answer.into(), plan));
            }
            comparison.references.insert(cell, references);
        }
        Ok(comparison)
    }

    fn path(&self, cell: usize, number: usize) -> PathBuf {
        self.directory.join(match number {
            0 => format!("answer-{cell}"),
            number => format!("answer-{cell}-{number}"),
        })
    }

    /// Takes in an answer and its row, and returns the first difference between answers to its payload. The row of an
    /// answer that equals an earlier one within the plan's tolerance gets the digest of that one.
    ///
    /// # Errors
    /// When an answer cannot be stored.
    pub(super) fn add(
        &mut self,
        plan: &Plan,
        cell: usize,
        answer: &Bytes,
        row: &mut Row,
    ) -> io::Result<Option<AnswerDifference>> {
        let Some(digest) = &mut row.output_sha256 else { return Ok(None) };
        let references = self.references.get(&cell).map_or(&[][..], Vec::as_slice);
        if references.iter().any(|reference| reference.digest == *digest) {
            return Ok(None);
        }
        let tolerance = plan.tolerance.unwrap_or_default();
        let compared = payload::compared(answer, &plan.ignore);
        let mut first_text = None;
        for reference in references {
            let known = payload::compared(&reference.answer, &plan.ignore);
            let Some(text) = difference(known.as_ref(), compared.as_ref(), tolerance) else {
                digest.clone_from(&reference.digest);
                return Ok(None);
            };
            first_text.get_or_insert(text);
        }
        let first = references.first().map(|first| first.answer.clone());
        let most = if plan.tolerance.is_some() { MAX_REFERENCES } else { 1 };
        if references.len() < most {
            run_directory::write_whole(&self.path(cell, references.len()), answer)?;
            self.references.entry(cell).or_default().push(Reference::new(answer.clone(), plan));
        }
        let Some((first, text)) = first.zip(first_text) else { return Ok(None) };
        let is_new = self.contradicted.insert(cell);
        let answers = [first, answer.clone()];
        Ok(is_new.then(|| AnswerDifference { cell, answers, text: readable(&text) }))
    }
}

impl Reference {
    fn new(answer: Bytes, plan: &Plan) -> Self {
        let digest = payload::digest(&answer, &plan.ignore);
        Self { answer, digest }
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
