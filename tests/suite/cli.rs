//! The command line as a process.

use crate::{
    architectures::{NATIVE, on_both},
    campaign::Scratch,
    handler::{bootstrap, root},
    program,
};
use lambda_duet::{
    campaign::prices::PriceTable,
    protocol::{Architecture, Catalogue, Response},
    workload,
};
use std::{
    io::Write,
    process::{Output, Stdio},
};

on_both!(a_call_prints_a_table_or_the_answer_itself);

const REQUEST: &str = r#"{"workloads":["math/primes"],"size":1000,"iterations":3}"#;

pub fn duet(arguments: &[&str]) -> Output {
    duet_with_input(arguments, "")
}

fn duet_with_input(arguments: &[&str], input: &str) -> Output {
    let mut process = program::duet()
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not read its input may be gone already.
    let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
    process.wait_with_output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The exit code and the message of a command that fails.
fn failure(arguments: &[&str]) -> (Option<i32>, String) {
    let output = duet(arguments);
    assert!(output.stdout.is_empty());
    (output.status.code(), stderr(&output))
}

fn target(architecture: Architecture) -> String {
    format!("exec:{}", bootstrap(architecture).display())
}

/// A renamed item may have been renamed in a help text too.
#[test]
fn no_help_text_has_a_name_of_the_code() {
    let overview = stdout(&duet(&["--help"]));
    let commands = overview.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<&str> = commands.map_while(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains(&"run") && commands.contains(&"gate"), "{overview}");
    for command in commands {
        let help = stdout(&duet(&["help", command]));
        let words = help.split(|character: char| !character.is_ascii_alphanumeric() && !"_/".contains(character));
        let is_identifier = |word: &&str| word.contains('_') && !word.contains('/') && word.to_uppercase() != **word;
        let identifiers: Vec<&str> = words.filter(is_identifier).filter(|word| *word != "x86_64").collect();
        assert_eq!(identifiers, [""; 0], "duet {command}");
    }
}

#[test]
fn workloads_are_listed_for_people_and_machines() {
    let table = stdout(&duet(&["workloads"]));
    assert!(workload::ALL.iter().all(|workload| table.contains(workload.name)), "{table}");
    let catalogue: Catalogue = serde_json::from_str(&stdout(&duet(&["workloads", "--json"]))).unwrap();
    assert_eq!(catalogue, workload::catalogue(&workload::ALL));
    let sorting = stdout(&duet(&["workloads", "sorting", "math/fft"]));
    assert!(sorting.contains("sorting/radix") && sorting.contains("math/fft"), "{sorting}");
    assert!(!sorting.contains("math/matmul") && !sorting.contains("string/"), "{sorting}");
    let (code, message) = failure(&["workloads", "sortin"]);
    assert!(code == Some(2) && message.contains("did you mean \"sorting\"?"), "{message}");
}

/// The example of docs/prices.md.
pub const PRICES: &str = r#"
date = "2026-07-01"
source = "our contract"

[regions.eu-central-1]
request_usd = 0.0000001
ephemeral_gb_second_usd = 0.00000003
x86_64 = [{ up_to_gb_seconds = 1e9, gb_second_usd = 0.000012 }, { gb_second_usd = 0.00001 }]
arm64 = [{ gb_second_usd = 0.000009 }]
"#;

#[test]
fn prices_are_shown_for_people_and_machines() {
    let text = stdout(&duet(&["prices"]));
    let built_in = PriceTable::built_in();
    assert!(text.contains(&built_in.date) && text.contains("amazon.com/lambda/pricing"), "{text}");
    assert!(built_in.regions.keys().all(|region| text.contains(&format!("\n{region} "))), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");

    let json = stdout(&duet(&["prices", "--json", "--region", "eu-west-1", "--region", "ap-east-1"]));
    let table: PriceTable = serde_json::from_str(&json).unwrap();
    assert_eq!(table.regions.keys().collect::<Vec<_>>(), ["ap-east-1", "eu-west-1"]);
    let [shown, expected] = [&table, &built_in].map(|table| table.price("ap-east-1", Architecture::Arm64).unwrap());
    assert_eq!((shown.date, shown.tiers), (expected.date, expected.tiers));

    let (code, message) = failure(&["prices", "--region", "eu-wset-1"]);
    assert!(code == Some(2) && message.contains("did you mean \"eu-west-1\"?"), "{message}");
}

#[test]
fn custom_prices_are_read_from_a_file() {
    let documentation = std::fs::read_to_string(root().join("docs/prices.md")).unwrap();
    assert!(documentation.contains(PRICES.trim()));
    let scratch = Scratch::new();
    let file = scratch.file("prices.toml", PRICES);
    let text = stdout(&duet(&["prices", "--prices", &file]));
    assert!(text.contains("2026-07-01") && text.contains("12.0000 10.0000") && !text.contains("us-east-1"), "{text}");

    let broken = scratch.file("broken.toml", &PRICES.replace("0.000009", "-9"));
    let (code, message) = failure(&["prices", "--prices", &broken]);
    assert_eq!(code, Some(1));
    let expected = format!("reading the prices from {broken}: regions.eu-central-1.arm64[0].gb_second_usd is -9");
    assert!(message.contains(&expected), "{message}");
    let (code, message) = failure(&["prices", "--prices", "/nowhere.toml"]);
    assert!(code == Some(1) && message.contains("reading the prices from /nowhere.toml"), "{message}");
}

#[test]
fn the_documentation_lists_the_workloads_as_the_catalogue_does() {
    let page = std::fs::read_to_string(root().join("docs/workloads.md")).unwrap();
    let first_table = page.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let rows: Vec<&str> = first_table.skip(2).collect();
    let expected = workload::ALL
        .iter()
        .map(|it| format!("| `{}` | {} | {} | {} |", it.name, it.implementation, it.vectorization, it.stresses));
    assert_eq!(rows, expected.collect::<Vec<_>>());
}

async fn a_call_prints_a_table_or_the_answer_itself(architecture: Architecture) {
    let target = target(architecture);
    let output = duet_with_input(&["call", &target, "-", "--json"], REQUEST);
    let response: Response = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(response.function.architecture, architecture);
    assert!(stderr(&output).contains(r#""message":"benchmark""#), "the function's log goes to standard error");

    let table = stdout(&duet_with_input(&["call", &target, "-"], REQUEST));
    assert!(table.starts_with(&architecture.to_string()), "{table}");
    assert!(table.contains(response.results[0].checksum.as_ref().unwrap()), "{table}");
    assert_eq!(table.contains("EMULATED"), response.host.emulated);
}

#[test]
fn a_request_is_read_from_a_file() {
    let target = target(NATIVE);
    let table = stdout(&duet(&["call", &target, "events/direct-sorting-small.json"]));
    assert!(table.contains("sorting/quicksort") && !table.contains("math/"), "{table}");
}

#[test]
fn a_refusal_of_the_function_is_printed_and_fails() {
    let target = target(NATIVE);
    let (code, message) = failure(&["call", &target, "events/direct-invalid-unknown-field.json"]);
    assert_eq!(code, Some(1));
    assert!(message.contains("InvalidRequest: unknown field"), "{message}");
}

#[test]
fn a_target_that_cannot_be_called_is_named() {
    for (arguments, part) in [
        (["call", "exec:/nowhere/bootstrap"].as_slice(), "/nowhere/bootstrap cannot be started"),
        (&["call", "exec:/bin/false"], "ended (exit status: 1) before it answered"),
        (&["call", "exec:/bin/true", "/nowhere/request.json"], "reading the request from /nowhere/request.json"),
        (&["call", "http://127.0.0.1:1/", "--no-auth"], "calling http://127.0.0.1:1/"),
        (&["call", "http://", "--no-auth"], "is not a URL"),
    ] {
        let (code, message) = failure(arguments);
        assert_eq!(code, Some(1), "{message}");
        assert!(message.contains(part), "{message}");
    }
    let (code, message) = failure(&["call", "exec:/bin/true", "--no-auth"]);
    assert!(code == Some(2) && message.contains("--no-auth is for https://"), "{message}");
}

#[test]
fn wrong_usage_is_explained() {
    let (code, message) = failure(&["call", "somewhere"]);
    assert_eq!(code, Some(2));
    assert!(message.contains("write lambda:NAME[:QUALIFIER]"), "{message}");
    assert_eq!(failure(&["frobnicate"]).0, Some(2));
}
