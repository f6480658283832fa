//! Files of another format than the one that they are read as: what they look like, and what to do about it.

use super::source::{ImportError, open};
use crate::campaign::shell_quoting;
use serde_json::{Map, Value};
use std::{io::Read, path::Path};

/// As much of a file as tells its format, in bytes.
const BEGINNING: u64 = 64 << 10;

/// What JSON looks like.
enum Json {
    Array,
    /// A file that a tool has written, by the format's name.
    OfTool(&'static str),
    ObjectPerLine,
    /// An object that ends on a later line than it begins.
    LongObject,
}

/// What to do about a file that is no CSV with these columns, which its header does not have. None if it looks like nothing
/// else.
pub(super) fn than_csv(path: &Path, columns: &[&str]) -> Result<Option<String>, ImportError> {
    let text = beginning(path)?;
    Ok(match json(&text) {
        Some(Json::ObjectPerLine) => Some("this is a JSON object per line: add --from json-lines".to_owned()),
        Some(json) => Some(json.advice(path)),
        None => separated_otherwise(&text, columns).map(str::to_owned),
    })
}

/// What to do about a file whose first line is no row. None if it looks like a JSON object per line, or like no JSON.
pub(super) fn than_json_lines(path: &Path) -> Result<Option<String>, ImportError> {
    let json = json(&beginning(path)?).filter(|json| !matches!(json, Json::ObjectPerLine));
    Ok(json.map(|json| json.advice(path)))
}

fn beginning(path: &Path) -> Result<String, ImportError> {
    let mut bytes = Vec::new();
    open(path)?.take(BEGINNING).read_to_end(&mut bytes).map_err(ImportError::io(path))?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_start_matches('\u{feff}').trim_start().to_owned())
}

impl Json {
    fn advice(&self, path: &Path) -> String {
        let file = shell_quoting::word(path);
        match self {
            Self::Array => {
                format!("this is a JSON array: put each of its objects on a line, with jq -c '.[]' {file} > rows.jsonl")
            }
            Self::OfTool(tool) => format!("this looks like a file of {tool}: import it with --from {tool}"),
            Self::ObjectPerLine | Self::LongObject => format!(
                "this is a JSON object over several lines: if a tool wrote it, name that with --from, as in --from hyperfine; \
                 else put each object on a line, with jq -c . {file} > rows.jsonl"
            ),
        }
    }
}

/// What a text looks like that is JSON; a name in brackets or braces is not.
fn json(text: &str) -> Option<Json> {
    let next = text.get(1..)?.trim_start().chars().next();
    // As tools write them: values are of the kinds that theirs are.
    let dense: String = text.split_whitespace().collect();
    let has = |parts: &[&str]| parts.iter().all(|part| dense.contains(part));
    match text.chars().next()? {
        '[' => next.is_none_or(|next| matches!(next, '{' | '[' | ']' | '"' | '-' | '0'..='9')).then_some(Json::Array),
        '{' if !next.is_none_or(|next| matches!(next, '"' | '}')) => None,
        '{' if has(&[r#""_invocations":{"#]) => Some(Json::OfTool("sebs")),
        '{' if has(&[r#""results":[{"#, r#""times":["#]) => Some(Json::OfTool("hyperfine")),
        '{' if has(&[r#""sampling_mode":""#, r#""iters":["#]) => Some(Json::OfTool("criterion")),
        '{' => {
            let mut lines = text.lines().filter(|line| !line.trim().is_empty());
            let is_object = serde_json::from_str::<Map<String, Value>>(lines.next()?).is_ok();
            let goes_on = lines.next().is_some_and(|line| !line.trim_start().starts_with('{'));
            Some(if goes_on && !is_object { Json::LongObject } else { Json::ObjectPerLine })
        }
        _ => None,
    }
}

/// What to do about a table in which something else than commas stands between columns.
fn separated_otherwise(text: &str, columns: &[&str]) -> Option<&'static str> {
    let header = text.lines().next()?;
    let separates = |(separator, _): &(char, &str)| {
        let names: Vec<&str> = header.split(*separator).map(|name| name.trim().trim_matches('"')).collect();
        names.len() > 1 && (!header.contains(',') || columns.iter().all(|column| names.contains(column)))
    };
    let advice = [
        (
            ';',
            "semicolons stand between its columns: write the table with commas there, and with points in its numbers",
        ),
        ('\t', "tabs stand between its columns: write the table with commas there"),
    ];
    advice.into_iter().find(separates).map(|(_, advice)| advice)
}
