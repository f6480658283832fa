//! What functions are sent, and what of their answers is compared.

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The SHA-256 of an answer, in hexadecimal digits. What the JSON pointers of `ignore` point at is left
/// out, and the order of an object's members and the space between them do not matter; an answer that
/// is no JSON counts byte for byte.
pub fn digest(output: &[u8], ignore: &[String]) -> String {
    let canonical = serde_json::from_slice::<Value>(output).ok().map(|mut value| {
        for pointer in ignore {
            remove(&mut value, pointer);
        }
        // serde_json keeps the members of an object sorted.
        value.to_string().into_bytes()
    });
    let digest = Sha256::digest(canonical.as_deref().unwrap_or(output));
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The longest name that is read in an answer, in bytes.
pub const MAX_NAME_BYTES: usize = 256;

/// What the JSON pointers find in an answer, as text: strings that are not empty and at most [`MAX_NAME_BYTES`] long,
/// and numbers. Without a pointer, and where one finds nothing of the kind, there is none.
pub fn names<const N: usize>(output: &[u8], pointers: [Option<&str>; N]) -> [Option<String>; N] {
    let is_asked = pointers.iter().any(Option::is_some);
    let answer = is_asked.then(|| serde_json::from_slice::<Value>(output).ok()).flatten();
    pointers.map(|pointer| match answer.as_ref()?.pointer(pointer?)? {
        Value::String(text) => (1..=MAX_NAME_BYTES).contains(&text.len()).then(|| text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// Removes what a JSON pointer (RFC 6901) points at, if there is something.
fn remove(value: &mut Value, pointer: &str) {
    let Some((parent, last)) = pointer.rsplit_once('/') else { return };
    match value.pointer_mut(parent) {
        Some(Value::Object(members)) => drop(members.remove(&last.replace("~1", "/").replace("~0", "~"))),
        // The others keep their places.
        Some(Value::Array(items)) => {
            if let Some(item) = last.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                *item = Value::Null;
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_and_how_it_is_written_do_not_matter() {
        let ignore = ["/id".to_owned(), "/at/time".to_owned(), "/list/1".to_owned(), "/a~1b".to_owned()];
        let one = br#"{"id": 1, "at": {"time": 5, "place": "x"}, "list": [1, 2], "a/b": 1, "sum": 7}"#;
        let two = br#"{"sum":7,"list":[1,9],"at":{"place":"x","time":6},"a/b":2}"#;
        assert_eq!(digest(one, &ignore), digest(two, &ignore));
        assert_ne!(digest(one, &ignore[..2]), digest(two, &ignore[..2]));
        let another = br#"{"sum":8,"list":[1,9],"at":{"place":"x","time":6},"a/b":2}"#;
        assert_ne!(digest(two, &ignore), digest(another, &ignore));
    }

    #[test]
    fn names_are_strings_and_numbers_where_the_pointer_leads() {
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
    fn an_answer_that_is_no_json_counts_byte_for_byte() {
        assert_ne!(digest(b"a b", &[]), digest(b"a  b", &[]));
        // FIPS 180-4: SHA-256 of "abc".
        assert!(digest(b"abc", &[]).starts_with("ba7816bf8f01cfea"));
    }
}
