//! Functions that are processes on this machine: how they are started and what they are told.

mod changed;
mod failures;
mod lifetime;
mod runtime_api;

use super::{Scratch, assert_code, both, command, samples, wait_until};
use crate::{
    cli::{duet, stderr, stdout},
    program,
};
use lambda_duet::campaign::row::Row;
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

/// What a function in Python begins with.
const RUNTIME: &str = r#"#!/usr/bin/env python3
import http.client, json, os, signal, socket, subprocess, sys, time
API, ROOT = os.environ["AWS_LAMBDA_RUNTIME_API"], os.environ["LAMBDA_TASK_ROOT"]

def ask(method, path, body=None, headers={}):
    connection = http.client.HTTPConnection(API)
    connection.request(method, "/2018-06-01/runtime/" + path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()

def next_event():
    _, headers, event = ask("GET", "invocation/next")
    return headers["lambda-runtime-aws-request-id"], headers, event

def serve(handler):
    while True:
        id, headers, event = next_event()
        ask("POST", f"invocation/{id}/response", handler(event))

def raw(text):
    host, port = API.split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(text)
        return connection.recv(1 << 16)

def note(name, text):
    with open(os.path.join(ROOT, name), "a") as file:
        print(text, file=file)

"#;

/// Writes a program, and gives the target that it is.
pub fn program(scratch: &Scratch, name: &str, text: &str) -> String {
    let path = scratch.path(name);
    fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    format!("exec:{path}")
}

/// A function in Python.
fn function(scratch: &Scratch, name: &str, code: &str) -> String {
    program(scratch, name, &format!("{RUNTIME}{code}"))
}

/// A campaign of one payload on both.
fn campaign(scratch: &Scratch, baseline: &str, candidate: &str, arguments: &[&str]) -> Command {
    let (payload, out) = (scratch.file("payload.json", r#"{"order": 1}"#), scratch.path("run"));
    let own = ["--targets", baseline, candidate, "--payload", &payload, "--out", &out];
    let one: &[&str] = if arguments.contains(&"--environments") { &[] } else { &["--environments", "1"] };
    command("", &[own.as_slice(), one, arguments].concat())
}

fn run(scratch: &Scratch, target: &str, arguments: &[&str]) -> (Output, Vec<Row>) {
    let output = campaign(scratch, target, target, arguments).output().unwrap();
    (output, samples(&scratch.path("run")).1)
}

fn call(target: &str, arguments: &[&str]) -> Value {
    let answer = stdout(&duet(&[["call", target, "--json"].as_slice(), arguments].concat()));
    serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[test]
fn a_path_without_a_slash_is_a_file_of_this_directory_also_from_elsewhere() {
    let scratch = Scratch::new();
    function(&scratch, "here/bootstrap", "serve(lambda event: json.dumps(os.getcwd()))");
    program(&scratch, "elsewhere/bootstrap", "#!/bin/sh\nexit 9\n");
    let limits = ["--invocations", "2", "--compare-output"];
    let mut process = campaign(&scratch, "exec:bootstrap", "exec:bootstrap", &limits);
    let output = process.current_dir(scratch.path("here")).env("PATH", scratch.path("elsewhere")).output().unwrap();
    assert_code(&output, 0);
    let (manifest, rows) = samples(&scratch.path("run"));
    assert!(rows.iter().all(|row| row.failure.is_none()), "{rows:?}");
    assert_eq!(manifest.variants[both()[0]].target.to_string(), format!("exec:{}", scratch.path("here/bootstrap")));
    // Where a campaign is continued there may be another bootstrap.
    fs::write(scratch.path("run/samples.jsonl"), "").unwrap();
    let mut process = command("", &["--resume", &scratch.path("run")]);
    assert_code(&process.current_dir(scratch.path("elsewhere")).output().unwrap(), 0);
    assert!(samples(&scratch.path("run")).1.iter().all(|row| row.failure.is_none()));
    // A single call means the same, and the function is at home in its own directory.
    let call = program::duet().args(["call", "exec:bootstrap"]).current_dir(scratch.path("here")).output().unwrap();
    assert_eq!(stdout(&call).trim(), format!("{:?}", scratch.path("here")));
}

/// AWS's *Tutorial: Building a custom runtime*, word for word but for the shell's name: on Amazon Linux sh is bash.
const TUTORIAL: &str = r#"#!/bin/bash

set -euo pipefail

# Initialization - load function handler
source $LAMBDA_TASK_ROOT/"$(echo $_HANDLER | cut -d. -f1).sh"

# Processing
while true
do
  HEADERS="$(mktemp)"
  # Get an event. The HTTP request will block until one is received
  EVENT_DATA=$(curl -sS -LD "$HEADERS" "http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/next")

  # Extract request ID by scraping response headers received above
  REQUEST_ID=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$HEADERS" | tr -d '[:space:]' | cut -d: -f2)

  # Run the handler function from the script
  RESPONSE=$($(echo "$_HANDLER" | cut -d. -f2) "$EVENT_DATA")

  # Send the response
  curl "http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/$REQUEST_ID/response"  -d "$RESPONSE"

done
"#;

const TUTORIAL_FUNCTION: &str = r#"function handler () {
  EVENT_DATA=$1
  echo "$EVENT_DATA" 1>&2;
  RESPONSE="Echoing request: '$EVENT_DATA'"

  echo $RESPONSE
}
"#;

#[test]
fn the_bootstrap_of_awss_tutorial_works() {
    let scratch = Scratch::new();
    let target = program(&scratch, "bootstrap", TUTORIAL);
    scratch.file("function.sh", TUTORIAL_FUNCTION);
    let temporary = format!("TMPDIR={}", scratch.0.display());
    let answer = duet(&["call", &target, "--env", &temporary]);
    assert_eq!(stdout(&answer), "Echoing request: '{}'\n");
    let (output, rows) = run(&scratch, &target, &["--invocations", "6", "--compare-output", "--env", &temporary]);
    assert_code(&output, 0);
    assert!(rows.len() == 6 && rows.iter().all(|row| row.failure.is_none()), "{rows:?}");
    // What it echoes to standard error is in the log, as the answers are that curl prints when the function has answered.
    let log = fs::read_to_string(scratch.path("run/variant-1.log")).unwrap();
    let count = |text: &str| log.matches(text).count();
    assert_eq!(count(r#"{"order": 1}"#), 3, "{log}");
    assert_eq!(count(r#"{"status":"OK"}"#), 3, "{log}");
    // Its handler is the function's configuration.
    scratch.file("other.sh", "hello() { echo '\"hello\"'; }");
    assert_eq!(call(&target, &["--env", &temporary, "--env", "_HANDLER=other.hello"]), json!("hello"));
}

#[test]
fn a_function_is_told_what_lambda_tells_it_and_inherits_nothing() {
    let scratch = Scratch::new();
    let code = "serve(lambda event: json.dumps({**os.environ, 'cwd': os.getcwd(), 'headers': dict(HEADERS)}))";
    let code = code
        .replace("serve(lambda event:", "id, HEADERS, event = next_event()\nask('POST', f'invocation/{id}/response',");
    let target = function(&scratch, "task/bootstrap", &format!("{code}\nnext_event()\n"));
    let answer = call(&target, &["--env", "TABLE=orders=2", "--env", "AWS_REGION=eu-west-1"]);
    let root = scratch.path("task");
    for (name, expected) in [
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"),
        ("AWS_LAMBDA_FUNCTION_NAME", "local"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/local"),
        ("AWS_REGION", "eu-west-1"),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        ("LAMBDA_TASK_ROOT", &root),
        ("LANG", "en_US.UTF-8"),
        ("LD_LIBRARY_PATH", &format!("{root}:{root}/lib")),
        ("METRICS_SINK", "none"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"),
        ("TABLE", "orders=2"),
        ("TZ", ":UTC"),
        ("_HANDLER", "function.handler"),
        ("cwd", &root),
    ] {
        assert_eq!(answer[name], expected, "{name}");
    }
    let stream = answer["AWS_LAMBDA_LOG_STREAM_NAME"].as_str().unwrap();
    assert!(stream.contains("/[$LATEST]") && stream.len() == 52, "{stream}");
    assert!(answer["AWS_LAMBDA_RUNTIME_API"].as_str().unwrap().starts_with("127.0.0.1:"), "{answer}");
    // Python adds a variable of its own where the locale is not there.
    let names = answer.as_object().unwrap().keys().filter(|name| *name != "LC_CTYPE");
    assert_eq!(names.count(), 20, "{answer}");

    let header = |name: &str| answer["headers"][name].as_str().unwrap_or_else(|| panic!("{name}: {answer}"));
    assert_eq!(header("content-type"), "application/json");
    let id = header("lambda-runtime-aws-request-id");
    assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id}");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let left = header("lambda-runtime-deadline-ms").parse::<u128>().unwrap() - now;
    assert!((0..=900_000).contains(&left), "{left}");
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:local";
    assert_eq!(header("lambda-runtime-invoked-function-arn"), arn);
    let trace = regex::Regex::new("^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$").unwrap();
    assert!(trace.is_match(header("lambda-runtime-trace-id")), "{answer}");
}

#[test]
fn variables_reach_both_sides_and_are_never_stored() {
    let scratch = Scratch::new();
    let target =
        function(&scratch, "bootstrap", "serve(lambda event: json.dumps([os.environ['KEY'], os.environ['AT']]))");
    let variables = ["--env", "KEY=s3cret", "--env", "AT="];
    let (output, rows) = run(&scratch, &target, &[["--invocations", "2"].as_slice(), &variables].concat());
    assert_code(&output, 0);
    assert!(rows.iter().all(|row| row.failure.is_none()), "{rows:?}");
    for entry in fs::read_dir(scratch.path("run")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("s3cret"), "{text}");
    }
    assert!(!stderr(&output).contains("s3cret"), "{}", stderr(&output));
    assert_eq!(samples(&scratch.path("run")).0.plan.variables, ["AT", "KEY"]);
    // To go on, they are asked for again.
    let out = scratch.path("run");
    for given in [[].as_slice(), &["--env", "KEY=s3cret"], &["--env", "KEY=1", "--env", "OTHER=2"]] {
        let output = super::run("", &[["--resume", &out].as_slice(), given].concat());
        assert_code(&output, 2);
        assert!(stderr(&output).contains("use --env for AT, KEY"), "{}", stderr(&output));
    }
    assert_code(&super::run("", &[["--resume", &out].as_slice(), &variables].concat()), 0);
}

#[test]
fn invalid_variables_are_refused_with_the_reason() {
    let this = "exec:/bin/true";
    let url = "http://127.0.0.1:1/";
    let of_endpoints = ["--targets", url, url, "--no-auth"];
    for (targets, variables, code, part) in [
        (of_endpoints.as_slice(), ["KEY=1"].as_slice(), 2, "--env KEY is for exec: and local targets"),
        (&["--targets", this, this], &["KEY"], 2, "\"KEY\" has no value; write KEY=VALUE"),
        (&["--targets", this, this], &["1KEY=1"], 2, "\"1KEY\" is no name that Lambda takes"),
        (&["--targets", this, this], &["KEY=1", "KEY=2"], 2, "--env names KEY twice"),
        (&["--targets", this, this], &["LAMBDA_TASK_ROOT=/"], 2, "LAMBDA_TASK_ROOT is set by Lambda itself"),
        (&["--targets", this, this], &["AWS_LAMBDA_RUNTIME_API=x"], 2, "AWS_LAMBDA_RUNTIME_API is set by Lambda"),
    ] {
        let options: Vec<&str> = variables.iter().flat_map(|it| ["--env", it]).collect();
        let output = super::run("", &[targets, &["--dry-run"], &options].concat());
        assert!(output.status.code() == Some(code) && stderr(&output).contains(part), "{part}: {}", stderr(&output));
    }
    for (arguments, code, part) in [
        (["call", url, "--no-auth", "--env", "KEY=1"].as_slice(), 2, "--env KEY is for exec: and local targets"),
        (&["call", this, "--env", "KEY=1", "--env", "KEY=1"], 2, "--env names KEY twice"),
        (&["call", this, "--env", "TZ=UTC"], 2, "TZ is set by Lambda itself"),
    ] {
        let output = duet(arguments);
        assert!(output.status.code() == Some(code) && stderr(&output).contains(part), "{part}: {}", stderr(&output));
    }
}

#[test]
fn a_failure_to_start_is_explained() {
    let scratch = Scratch::new();
    let elsewhere = "\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\0\0";
    for (text, part) in [
        ("#!/nowhere/interpreter\n", "it is there, but what is to run it"),
        ("echo hello\n", "neither a program for this machine's architecture nor a script"),
        (elsewhere, "neither a program for this machine's architecture nor a script"),
    ] {
        let output = duet(&["call", &program(&scratch, "bootstrap", text)]);
        assert_code(&output, 1);
        assert!(
            stderr(&output).contains(part) && stderr(&output).contains("/bootstrap cannot be started"),
            "{}",
            stderr(&output)
        );
    }
    let output = duet(&["call", "exec:nowhere"]);
    assert!(
        stderr(&output).contains("nowhere cannot be started: No such file") && !stderr(&output).contains("is there")
    );
}
