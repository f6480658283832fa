//! Parts that many answers have in common, such as the host of all answers of an environment.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, cell::RefCell, collections::HashMap, thread::LocalKey};
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

/// How many different ones a thread keeps, for as long as the process runs.
const MOST: usize = 1024;

/// Longer JSON is not kept, in bytes.
const LONGEST: usize = 16 << 10;

/// Values by their JSON.
pub(super) type Known<T> = RefCell<HashMap<Box<str>, &'static T, Xxh3DefaultBuilder>>;

/// A part that many answers have in common.
pub(super) trait Repeated: Clone + DeserializeOwned + 'static {
    /// Those that the thread has read.
    fn known() -> &'static LocalKey<Known<Self>>;
}

/// Reads a part; one with the same JSON as an earlier one is not read again.
pub(super) fn repeated<'de, D: Deserializer<'de>, T: Repeated>(deserializer: D) -> Result<Cow<'static, T>, D::Error> {
    let json = Box::<RawValue>::deserialize(deserializer)?;
    T::known().with_borrow_mut(|known| {
        if let Some(value) = known.get(json.get()) {
            return Ok(Cow::Borrowed(*value));
        }
        // Where in the part it is wrong says nothing about where that is in the answer.
        let reason = |error: serde_json::Error| {
            let text = error.to_string();
            D::Error::custom(text.split_once(" at line ").map_or(text.as_str(), |(reason, _)| reason))
        };
        let value: T = serde_json::from_str(json.get()).map_err(reason)?;
        if known.len() == MOST || json.get().len() > LONGEST {
            return Ok(Cow::Owned(value));
        }
        let value: &'static T = Box::leak(Box::new(value));
        known.insert(json.get().into(), value);
        Ok(Cow::Borrowed(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Clone, Deserialize)]
    struct Part {
        names: Vec<String>,
    }

    thread_local! {
        static PARTS: Known<Part> = RefCell::default();
    }

    impl Repeated for Part {
        fn known() -> &'static LocalKey<Known<Self>> {
            &PARTS
        }
    }

    #[derive(Deserialize)]
    struct Answer {
        #[serde(deserialize_with = "repeated")]
        part: Cow<'static, Part>,
    }

    #[test]
    fn a_part_is_read_once() {
        let read = |name: &str| serde_json::from_value::<Answer>(json!({"part": {"names": [name]}})).unwrap().part;
        let (Cow::Borrowed(one), Cow::Borrowed(same), Cow::Borrowed(other)) = (read("a"), read("a"), read("b")) else {
            panic!("they are kept");
        };
        assert!(std::ptr::eq(one, same));
        assert_eq!(
            (one.names.as_slice(), other.names.as_slice()),
            (["a".to_owned()].as_slice(), ["b".to_owned()].as_slice())
        );
        let all: Vec<_> = (0..2 * MOST).map(|number| read(&number.to_string())).collect();
        assert!(all.iter().zip(0..).all(|(part, number)| part.names == [number.to_string()]));
        assert!(PARTS.with_borrow(|known| known.len() == MOST) && matches!(all.last(), Some(Cow::Owned(_))));
    }

    #[test]
    fn long_parts_are_not_kept() {
        let part = serde_json::from_value::<Answer>(json!({"part": {"names": ["a".repeat(LONGEST)]}})).unwrap().part;
        assert!(matches!(part, Cow::Owned(_)));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_in_the_answer() {
        let error = serde_json::from_str::<Answer>(r#"{"part": {"names": [7]}}"#).err().unwrap().to_string();
        assert_eq!(error, "invalid type: integer `7`, expected a string at line 1 column 24");
    }
}
