//! Both entry points of both functions: API Gateway and direct invocation.

use super::variable;
use crate::program;
use lambda_duet::protocol::{Architecture, Response};
use std::{
    io::Write,
    process::{Output, Stdio},
};

const REQUEST: &str = r#"{"workloads":"all","size":400,"iterations":3,"emit_metrics":false}"#;

/// The targets of `duet call` for an architecture: through the API, and directly.
pub fn targets(architecture: Architecture) -> [String; 2] {
    let function = match architecture {
        Architecture::Arm64 => variable("DUET_ARM64_FUNCTION"),
        Architecture::X86_64 => variable("DUET_X86_64_FUNCTION"),
    };
    [format!("{}/{architecture}/benchmark", variable("DUET_API_URL")), format!("lambda:{function}")]
}

pub fn call(target: &str, request: &str, arguments: &[&str]) -> Output {
    let mut process = program::duet()
        .args(["call", target, "-", "--json"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(request.as_bytes()).unwrap();
    process.wait_with_output().unwrap()
}

pub fn response(target: &str, request: &str) -> Response {
    let output = call(target, request, &[]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{target}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{target}: {error}: {text}"))
}

#[test]
#[ignore = "needs a deployed stack: run by `make test`"]
fn both_entry_points_of_both_functions_do_the_same_work() {
    let mut checksums = Vec::new();
    for architecture in [Architecture::Arm64, Architecture::X86_64] {
        for target in targets(architecture) {
            let response = response(&target, REQUEST);
            assert!(response.complete, "{target}");
            assert_eq!(response.function.architecture, architecture, "{target}");
            assert_eq!(response.function.memory_mb, 1769, "{target}");
            checksums.push(response.results.into_iter().map(|sample| sample.checksum.unwrap()).collect::<Vec<_>>());
        }
    }
    assert!(checksums.iter().all(|it| *it == checksums[0]), "{checksums:?}");
}

#[test]
#[ignore = "needs a deployed stack: run by `make test`"]
fn an_unsigned_request_is_refused() {
    for architecture in [Architecture::Arm64, Architecture::X86_64] {
        let [endpoint, _] = targets(architecture);
        let output = call(&endpoint, REQUEST, &["--no-auth"]);
        assert_eq!(output.status.code(), Some(1));
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains("HTTP 403"), "{message}");
    }
}

#[test]
#[ignore = "needs a deployed stack: run by `make test`"]
fn errors_keep_their_names_through_both_entry_points() {
    for architecture in [Architecture::Arm64, Architecture::X86_64] {
        let [endpoint, function] = targets(architecture);
        for (target, part) in [(endpoint, "HTTP 400: "), (function, "InvalidRequest: ")] {
            let output = call(&target, r#"{"sise":"small"}"#, &[]);
            let message = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(message.contains(part) && message.contains("did you mean \"size\"?"), "{message}");
        }
    }
}
