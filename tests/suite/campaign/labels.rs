//! Names with any characters in them, in every output format.

use super::{Scratch, assert_code, run};
use crate::{
    cli::{duet, stderr, stdout},
    scripted::{Reply, Scripted},
};
use serde_json::Value;
use std::fs;

/// Clears a terminal, ends a cell of Markdown, a field of CSV, a tag of HTML, and a line.
const NAME: &str = "a\u{1b}[2J|`<b>&\",=\n\u{202e}x";

/// That as people see it.
const SEEN: &str = "a\\u{1b}[2J|`<b>&\",=\\n\\u{202e}x";

fn is_clean(text: &str) -> bool {
    !text.chars().any(|it| it.is_control() && it != '\n' || it == '\u{202e}')
}

#[test]
fn names_of_files_and_processors_are_escaped_in_every_output_format() {
    let scratch = Scratch::new();
    let answer = serde_json::json!({"error": "", "cpu": NAME, "id": NAME}).to_string();
    let target = Scripted::start(move |_, number| match number {
        5 => Reply::status(500, NAME),
        _ => Reply::ok(answer.clone()),
    });
    let (payload, out) = (scratch.file(&format!("{NAME}.json"), "{}"), scratch.path("run"));
    let arguments = [
        ["--targets", &target.url, &target.url, "--no-auth", "--payload", &payload, "--out", &out].as_slice(),
        &["--environment", "/id", "--cpu-model", "/cpu", "--environments", "1", "--invocations", "12"],
    ]
    .concat();
    let output = run("", &arguments);
    assert_code(&output, 0);
    assert!(is_clean(&stderr(&output)) && stderr(&output).contains(SEEN), "{}", stderr(&output));

    let rendered = |arguments: &[&str]| stdout(&duet(&[&["report", &out, "--details"], arguments].concat()));
    let table = rendered(&[]);
    assert!(is_clean(&table) && table.contains("\\u{1b}[2J"), "{table}");
    let markdown = rendered(&["--format", "markdown"]);
    assert!(is_clean(&markdown) && markdown.contains("\\|\\`&lt;b>&amp;"), "{markdown}");
    let csv = rendered(&["--format", "csv"]);
    assert!(is_clean(&csv), "{csv}");
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let names: Vec<String> = rows.records().map(|row| row.unwrap()[0].to_owned()).collect();
    assert!(names.iter().any(|name| name.ends_with(&format!("{SEEN}.json"))), "{names:?}");
    let analysis: Value = crate::report::pair(&rendered(&["--format", "json"]));
    assert!(analysis["cells"][0]["name"].as_str().unwrap().ends_with(&format!("{SEEN}.json")), "{analysis}");
    let page = scratch.path("page.html");
    rendered(&["--html", &page]);
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("|`&lt;b&gt;&amp;&quot;,=\\n") && !page.contains("<b>&"), "not escaped for HTML");
    assert!(is_clean(&page), "the page has control characters");
}

#[test]
fn messages_about_hostile_names_are_escaped_for_a_terminal() {
    let output = run("", &["--targets", "exec:/bin/true", "exec:/bin/true", "--payload", NAME]);
    assert_code(&output, 1);
    assert!(is_clean(&stderr(&output)) && stderr(&output).contains("a\\u{1b}[2J"), "{}", stderr(&output));
    let output = duet(&["report", NAME]);
    assert_code(&output, 1);
    assert!(is_clean(&stderr(&output)) && stderr(&output).contains("\\u{202e}"), "{}", stderr(&output));
}

#[test]
fn names_that_no_campaign_writes_are_refused_by_readers() {
    let (scratch, target) = (Scratch::new(), Scripted::start(|_, _| Reply::ok(r#"{"cpu": "Xeon", "id": "e"}"#)));
    let arguments = ["--environments", "1", "--invocations", "2", "--cpu-model", "/cpu", "--environment", "/id"];
    assert_code(&super::run_plain(&scratch, &target, &arguments), 0);
    for (file, from, to, field) in [
        ("samples.jsonl", "Xeon", "Xe\\u001bon", "cpu_model"),
        ("campaign.json", "\"name\": \"baseline\"", "\"name\": \"base\\u001bline\"", "variants[0].name"),
    ] {
        let path = scratch.0.join("run").join(file);
        let whole = fs::read_to_string(&path).unwrap();
        assert!(whole.contains(from), "{whole}");
        fs::write(&path, whole.replace(from, to)).unwrap();
        let output = duet(&["report", &scratch.path("run")]);
        assert_code(&output, 1);
        let message = stderr(&output);
        assert!(message.contains(field) && message.contains("\\u{1b}") && is_clean(&message), "{message}");
        fs::write(&path, whole).unwrap();
    }
}
