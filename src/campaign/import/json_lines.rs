//! A JSON object per line.

use super::{
    columns::{Columns, no_column},
    other_format,
    source::{ImportError, Take, open},
};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::{Map, Value};
use std::{
    fmt,
    io::{BufRead, BufReader, Read},
    path::Path,
};

/// The longest line that is read, in bytes.
const MAX_LINE: u64 = 1 << 20;

pub(super) fn read(path: &Path, columns: &Columns, take: Take<'_>) -> Result<(), ImportError> {
    let mut file = BufReader::new(open(path)?);
    let mut text = Vec::new();
    let mut has_rows = false;
    for line in 1.. {
        text.clear();
        // One byte more, to recognize a line that is too long.
        let length = file.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut text).map_err(ImportError::io(path))?;
        if length == 0 {
            break;
        }
        let taken = if length as u64 > MAX_LINE {
            Err(format!("it is longer than {} MiB, which no row is", MAX_LINE >> 20))
        } else if text.trim_ascii().is_empty() {
            Ok(())
        } else {
            row(text.strip_prefix(b"\xef\xbb\xbf").filter(|_| line == 1).unwrap_or(&text), columns, take)
        };
        if let Err(reason) = taken {
            let other = if has_rows { None } else { other_format::than_json_lines(path)? };
            return Err(match other {
                Some(reason) => ImportError::file(path, reason),
                None => ImportError::line(path, line, reason),
            });
        }
        has_rows |= !text.trim_ascii().is_empty();
    }
    Ok(())
}

fn row(text: &[u8], columns: &Columns, take: Take<'_>) -> Result<(), String> {
    let Members(members) = serde_json::from_slice(text).map_err(|error| no_row(text, &error))?;
    let texts = columns.names().into_iter().map(|name| text_of(&members, name)).collect::<Result<Vec<_>, _>>()?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    columns.measurement(&texts).and_then(take)
}

/// Why a text is no row.
fn no_row(text: &[u8], error: &serde_json::Error) -> String {
    match serde_json::from_slice(text) {
        Ok(Value::Object(_)) | Err(_) => error.to_string().replace(" at line 1 column ", " at column "),
        Ok(other) => format!("this is {}; a row is a JSON object", kind(&other)),
    }
}

/// The members of an object, whose names differ.
struct Members(Map<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
        let mut members = Map::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom(format!("the key {name:?} is repeated")));
            }
            members.insert(name, value);
        }
        Ok(Members(members))
    }
}

/// The value of a member as text; that of null is empty.
fn text_of(members: &Map<String, Value>, name: &str) -> Result<String, String> {
    match members.get(name) {
        None => Err(no_column(name, members.keys().map(String::as_str))),
        Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.trim().to_owned()),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
        Some(value) => Err(format!("the column {name} is {}; it must be a number or a text", kind(value))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
