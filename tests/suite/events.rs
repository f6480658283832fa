//! The sample events, each with the answer that `events/README.md` promises for it.

use crate::{
    architectures::on_both,
    handler::{Handler, TIMEOUT, root, sample_event},
};
use lambda_duet::protocol::Architecture;
use serde_json::Value;
use std::time::Duration;

on_both!(every_event_gets_the_answer_that_is_promised);

/// The events that leave everything out: more than a minute's work under emulation, of which seconds will do here.
const MEANS_THE_DEFAULTS: [&str; 2] = ["direct-default", "apigw-benchmark-empty-body"];

/// The rows of the table in `events/README.md`: a file's name and the answer to it.
fn promises() -> Vec<(String, String)> {
    let readme = std::fs::read_to_string(root().join("events/README.md")).unwrap();
    let cell = |text: &str| text.trim().trim_matches('`').to_owned();
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let name = cell(cells.first()?).strip_suffix(".json")?.to_owned();
        Some((name, cell(cells.last()?)))
    };
    readme.lines().filter(|line| line.starts_with("| `")).filter_map(row).collect()
}

#[test]
fn the_table_lists_exactly_the_sample_events() {
    let files = std::fs::read_dir(root().join("events")).unwrap();
    let mut files: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .collect();
    let mut listed: Vec<String> = promises().into_iter().map(|(name, _)| name).collect();
    files.sort_unstable();
    listed.sort_unstable();
    assert_eq!(files, listed);
}

async fn every_event_gets_the_answer_that_is_promised(architecture: Architecture) {
    let mut handler = Handler::start(architecture).await;
    for (name, promise) in promises() {
        // Events for the other function are turned to this one, so that both answer all.
        let event = sample_event(&name)
            .replace("/arm64/", &format!("/{architecture}/"))
            .replace("/x86_64/", &format!("/{architecture}/"));
        let deadline = if MEANS_THE_DEFAULTS.contains(&&*name) { Duration::from_secs(3) } else { TIMEOUT };
        let outcome = handler.outcome(event, deadline).await;
        let got = match &outcome {
            Err(error) => error.error_type.clone(),
            Ok(payload) => {
                let answer: Value = serde_json::from_slice(payload).unwrap();
                answer["statusCode"].as_u64().map_or("a response".to_owned(), |status| status.to_string())
            }
        };
        assert_eq!(got, promise, "{name}: {outcome:?}");
    }
}
