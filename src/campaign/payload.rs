//! Answers of functions: their canonical form for comparison, and JSON pointers into them.

use super::lowercase_hex;
use crate::protocol::{control_characters::visible, nearest};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The SHA-256 of an answer, in hexadecimal digits. Parts that the JSON pointers of `ignore` point at are left out, the
/// order of an object's members and white space do not matter, and 1.0 is 1; an answer that is not JSON counts byte for
/// byte.
pub fn digest(output: &[u8], ignore: &[String]) -> String {
    // serde_json keeps the members of an object sorted.
    let canonical = compared(output, ignore).map(|value| value.to_string().into_bytes());
    lowercase_hex(&Sha256::digest(canonical.as_deref().unwrap_or(output)))
}

/// The canonical form of an answer for comparison; `None` if it is not JSON.
pub fn compared(output: &[u8], ignore: &[String]) -> Option<Value> {
    let mut value = serde_json::from_slice(output).ok()?;
    for pointer in ignore {
        remove(&mut value, pointer);
    }
    make_numbers_canonical(&mut value);
    Some(value)
}

/// The longest name that is read in an answer, in bytes.
pub const MAX_NAME_BYTES: usize = 256;

/// The values that the JSON pointers find in an answer, as text: numbers, and strings that are not empty and at most
/// [`MAX_NAME_BYTES`] long. `None` without a pointer, or if it finds no such value.
pub fn names<const N: usize>(output: &[u8], pointers: [Option<&str>; N]) -> [Option<String>; N] {
    let is_asked = pointers.iter().any(Option::is_some);
    let answer = is_asked.then(|| serde_json::from_slice::<Value>(output).ok()).flatten();
    pointers.map(|pointer| match find(answer.as_ref()?, pointer?)? {
        Value::String(text) => Some(visible(&text)).filter(|name| (1..=MAX_NAME_BYTES).contains(&name.len())),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// The value that a JSON pointer (RFC 6901) points at, also within strings that contain JSON, such as the `body` of an
/// answer in API Gateway's format.
fn find(value: &Value, pointer: &str) -> Option<Value> {
    let Some((token, rest)) = split(pointer) else { return pointer.is_empty().then(|| value.clone()) };
    match value {
        Value::String(text) => find(&serde_json::from_str(text).ok()?, pointer),
        _ => find(value.pointer(token)?, rest),
    }
}

/// The pointer to a name in an answer that is most like `pointer`, if there is a similar one.
pub fn nearest_pointer(output: &[u8], pointer: &str) -> Option<String> {
    /// The most pointers that are compared: answers may be long.
    const MOST: usize = 1000;
    let mut pointers = Vec::new();
    collect_pointers(&serde_json::from_slice(output).ok()?, String::new(), &mut pointers);
    let last = |pointer: &str| pointer.rsplit('/').next().map(str::to_owned);
    let of_the_name = pointers.iter().find(|other| last(other) == last(pointer)).cloned();
    of_the_name.or_else(|| nearest(pointer, pointers.iter().take(MOST).map(String::as_str)).map(str::to_owned))
}

/// Collects the pointers to all strings and numbers, also within strings that contain JSON.
fn collect_pointers(value: &Value, here: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                collect_pointers(member, format!("{here}/{}", token(name)), pointers);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_pointers(item, format!("{here}/{index}"), pointers);
            }
        }
        Value::String(text) => match held(text) {
            Some(inner) => collect_pointers(&inner, here, pointers),
            None => pointers.push(here),
        },
        Value::Number(_) => pointers.push(here),
        Value::Bool(_) | Value::Null => {}
    }
}

/// A name as the token of a JSON pointer.
pub(super) fn token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The object or array in a string that contains JSON.
pub(super) fn held(text: &str) -> Option<Value> {
    let value = serde_json::from_str(text).ok()?;
    matches!(value, Value::Object(_) | Value::Array(_)).then_some(value)
}

/// Removes the value that a JSON pointer points at, also within strings that contain JSON, as [`find`] finds it.
fn remove(value: &mut Value, pointer: &str) {
    let Some((token, rest)) = split(pointer) else { return };
    match value {
        Value::String(text) => {
            if let Ok(mut inner) = serde_json::from_str(text) {
                remove(&mut inner, pointer);
                make_numbers_canonical(&mut inner);
                *text = inner.to_string();
            }
        }
        Value::Object(members) if rest.is_empty() => {
            members.remove(&token[1..].replace("~1", "/").replace("~0", "~"));
        }
        // The other items keep their indices.
        Value::Array(_) if rest.is_empty() => value.pointer_mut(token).into_iter().for_each(|item| *item = Value::Null),
        _ => value.pointer_mut(token).into_iter().for_each(|child| remove(child, rest)),
    }
}

/// The first token of a JSON pointer, as a pointer itself, and the rest; `None` for a pointer to the whole.
fn split(pointer: &str) -> Option<(&str, &str)> {
    let end = pointer.strip_prefix('/')?.find('/').map_or(pointer.len(), |end| end + 1);
    Some(pointer.split_at(end))
}

/// Turns floating-point numbers that are whole into integers: languages differ in how they write them.
fn make_numbers_canonical(value: &mut Value) {
    /// Up to here, a double represents every whole number exactly.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) => {
            let float = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT);
            if let Some(float) = float {
                *number = (float as i64).into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_numbers_canonical),
        Value::Object(members) => members.values_mut().for_each(make_numbers_canonical),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_parts_and_formatting_do_not_change_the_digest() {
        let ignore = ["/id".to_owned(), "/at/time".to_owned(), "/list/1".to_owned(), "/a~1b".to_owned()];
        let one = br#"{"id": 1, "at": {"time": 5, "place": "x"}, "list": [1, 2], "a/b": 1, "sum": 7}"#;
        let two = br#"{"sum":7,"list":[1,9],"at":{"place":"x","time":6},"a/b":2}"#;
        assert_eq!(digest(one, &ignore), digest(two, &ignore));
        assert_ne!(digest(one, &ignore[..2]), digest(two, &ignore[..2]));
        let another = br#"{"sum":8,"list":[1,9],"at":{"place":"x","time":6},"a/b":2}"#;
        assert_ne!(digest(two, &ignore), digest(another, &ignore));
    }

    #[test]
    fn pointers_find_strings_and_numbers() {
        let answer = br#"{"env": {"id": "a", "number": 7, "none": null, "empty": ""}, "list": ["x"], "a/b": "c"}"#;
        let name = |pointer| names(answer, [Some(pointer)])[0].clone();
        assert_eq!(name("/env/id").as_deref(), Some("a"));
        assert_eq!(name("/env/number").as_deref(), Some("7"));
        assert_eq!(name("/list/0").as_deref(), Some("x"));
        assert_eq!(name("/a~1b").as_deref(), Some("c"));
        for nothing in ["/env/none", "/env/empty", "/env", "/list", "/nowhere", "/list/1"] {
            assert_eq!(name(nothing), None, "{nothing}");
        }
        assert_eq!(names(answer, [None, Some("/env/id")]), [None, Some("a".to_owned())]);
        assert_eq!(names(b"no JSON", [Some("/env/id")]), [None]);
        let long = format!("\"{}\"", "x".repeat(MAX_NAME_BYTES + 1));
        assert_eq!(names(long.as_bytes(), [Some("")]), [None]);
    }

    #[test]
    fn pointers_lead_into_strings_that_contain_json() {
        let answer = |id: u32, at: f64| {
            let body = format!(r#"{{"env": {{"id": "e{id}"}}, "at": {at:?}, "sum": 7, "deep": "[{{\"t\": {id}}}]"}}"#);
            serde_json::json!({ "statusCode": 200, "body": body }).to_string()
        };
        let name = |pointer| names(answer(1, 2.5).as_bytes(), [Some(pointer)])[0].clone();
        assert_eq!(name("/body/env/id").as_deref(), Some("e1"));
        assert_eq!(name("/body/deep/0/t").as_deref(), Some("1"));
        assert_eq!(name("/statusCode").as_deref(), Some("200"));
        for nothing in ["/body/env", "/body/none", "/statusCode/1", "/body/env/id/x"] {
            assert_eq!(name(nothing), None, "{nothing}");
        }
        let digest = |id, at, ignore: &[&str]| {
            super::digest(
                answer(id, at).as_bytes(),
                &ignore.iter().map(|pointer| (*pointer).to_owned()).collect::<Vec<_>>(),
            )
        };
        assert_ne!(digest(1, 2.5, &[]), digest(1, 3.5, &[]));
        assert_eq!(digest(1, 2.5, &["/body/at"]), digest(1, 3.5, &["/body/at"]));
        let all = ["/body/at", "/body/env/id", "/body/deep/0/t"];
        assert_eq!(digest(1, 2.5, &all), digest(2, 3.5, &all));
        assert_ne!(digest(1, 2.5, &all[..2]), digest(2, 3.5, &all[..2]));
    }

    #[test]
    fn the_nearest_pointer_has_the_same_or_a_similar_name() {
        let answer = br#"{"statusCode": 200, "body": "{\"env\": {\"id\": \"a\"}}", "a/b": [true, "x"]}"#;
        let nearest = |pointer| nearest_pointer(answer, pointer);
        assert_eq!(nearest("/env/id").as_deref(), Some("/body/env/id"));
        assert_eq!(nearest("/body/evn/di").as_deref(), Some("/body/env/id"));
        assert_eq!(nearest("/a~1b/2").as_deref(), Some("/a~1b/1"));
        assert_eq!(nearest("/zzzzzzzzz"), None);
        assert_eq!(nearest_pointer(b"no JSON", "/id"), None);
    }

    #[test]
    fn equal_numbers_have_one_digest_however_they_are_written() {
        let equal = |one: &str, other: &str| digest(one.as_bytes(), &[]) == digest(other.as_bytes(), &[]);
        for (one, other) in [("1", "1.0"), ("[100]", "[1e2]"), ("0", "-0.0"), (r#"{"a":-3}"#, r#"{"a":-3.0}"#)] {
            assert!(equal(one, other), "{one} {other}");
        }
        for (one, other) in
            [("1", "1.5"), ("1", "\"1\""), ("0.1", "0.10000000000000002"), ("18446744073709551615", "-1")]
        {
            assert!(!equal(one, other), "{one} {other}");
        }
    }

    #[test]
    fn an_answer_that_is_not_json_is_compared_byte_for_byte() {
        assert_ne!(digest(b"a b", &[]), digest(b"a  b", &[]));
        // FIPS 180-4: SHA-256 of "abc".
        assert!(digest(b"abc", &[]).starts_with("ba7816bf8f01cfea"));
    }
}
