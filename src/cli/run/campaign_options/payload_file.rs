//! Payloads on the command line.

use crate::{campaign::manifest::Cell, cli::wrong_arguments::refuse, protocol::control_characters::visible};
use anyhow::Context;
use std::{fs, str::FromStr};

/// A payload and its weight.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PayloadFile {
    pub(super) path: String,
    weight: u32,
}

impl FromStr for PayloadFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let whole = || Self { path: text.to_owned(), weight: 1 };
        let Some((path, weight)) = text.rsplit_once(':') else { return Ok(whole()) };
        match weight.parse() {
            Ok(weight @ 1..=1000) => Ok(Self { path: path.to_owned(), weight }),
            Ok(_) => Err(format!("the weight of {path} is {weight}; it must be from 1 to 1000")),
            // A colon may be part of a file's name.
            Err(_) => Ok(whole()),
        }
    }
}

impl PayloadFile {
    pub(super) fn cell(&self) -> anyhow::Result<Cell> {
        let Self { path, weight } = self;
        Ok(Cell { name: visible(path), weight: *weight, workload: None, payload: read(path)?, guess_ms: 100.0 })
    }
}

/// The payload in a file, which Lambda takes only if it is JSON.
pub(in crate::cli) fn read(path: &str) -> anyhow::Result<String> {
    let payload = fs::read_to_string(path).with_context(|| format!("reading the payload from {path}"))?;
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&payload) {
        refuse!(
            "--payload {}: it is not JSON, which Lambda requires: {error}; correct it there (a mere text is JSON in \
             quotation marks)",
            visible(path)
        );
    }
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_have_weights_and_their_names_may_have_colons() {
        let read = |text: &str| text.parse::<PayloadFile>().map(|file| (file.path, file.weight));
        assert_eq!(read("a.json"), Ok(("a.json".to_owned(), 1)));
        assert_eq!(read("a.json:3"), Ok(("a.json".to_owned(), 3)));
        assert_eq!(read("a:b.json"), Ok(("a:b.json".to_owned(), 1)));
        assert!(read("a.json:0").unwrap_err().contains("from 1 to 1000"));
    }
}
