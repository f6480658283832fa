//! Ids of requests, in little memory.

use std::fmt;

/// The length of a UUID as text.
const UUID: usize = 36;

/// An id of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum RequestId {
    /// As Lambda gives them.
    Uuid([u8; 16]),
    /// As some emulators do.
    Other(Box<str>),
}

impl From<&str> for RequestId {
    fn from(text: &str) -> Self {
        uuid(text.as_bytes()).map_or_else(|| Self::Other(text.into()), Self::Uuid)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = match self {
            Self::Uuid(bytes) => bytes,
            Self::Other(text) => return f.write_str(text),
        };
        for (place, byte) in bytes.iter().enumerate() {
            let hyphen = if [4, 6, 8, 10].contains(&place) { "-" } else { "" };
            write!(f, "{hyphen}{byte:02x}")?;
        }
        Ok(())
    }
}

/// The number that a UUID in lower case is; `None` for any other text.
fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    if text.len() != UUID || HYPHENS.iter().any(|place| text[*place] != b'-') {
        return None;
    }
    let mut digits =
        text.iter().enumerate().filter(|(place, _)| !HYPHENS.contains(place)).map(|(_, byte)| digit(*byte));
    let mut number = [0; 16];
    for byte in &mut number {
        *byte = digits.next()?? << 4 | digits.next()??;
    }
    Some(number)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// All UUIDs in a text, each with its own text.
pub(super) fn uuids(text: &str) -> impl Iterator<Item = &str> {
    let windows = text.as_bytes().windows(UUID).enumerate();
    windows.filter(|(_, window)| uuid(window).is_some()).map(|(start, _)| &text[start..start + UUID])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_numbers_and_other_ids_stay_texts() {
        let mut bytes = [0; 16];
        (bytes[0], bytes[15]) = (0x8f, 0x0a);
        assert_eq!(RequestId::from("8f000000-0000-0000-0000-00000000000a"), RequestId::Uuid(bytes));
        for text in ["8f507cfc-0123-4697-b07a-ac58fc914c95", "offline_awsRequestId_1"] {
            assert_eq!(RequestId::from(text).to_string(), text);
        }
        for other in [
            "",
            "offline_awsRequestId_1",
            "8F000000-0000-0000-0000-00000000000a",
            "8f000000-0000-0000-0000-00000000000",
            "8f000000-0000-0000-0000-00000000000g",
            "8f000000+0000-0000-0000-00000000000a",
        ] {
            assert_eq!(RequestId::from(other), RequestId::Other(other.into()));
        }
    }

    #[test]
    fn uuids_are_found_in_any_text() {
        let [one, other] = ["8f000000-0000-0000-0000-00000000000a", "00000000-0000-4000-8000-000000000001"];
        let text = format!("2026-11-20T10:00:00.000Z\t{one}\tINFO\tZürich {{\"parent\":\"{other}\"}}");
        assert_eq!(uuids(&text).collect::<Vec<_>>(), [one, other]);
        assert_eq!(uuids("none-of-them").count(), 0);
    }
}
