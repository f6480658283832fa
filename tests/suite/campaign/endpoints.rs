//! Requests to endpoints with a method and headers of the user's own.

use super::{Scratch, assert_code, run, run_plain};
use crate::{
    cli::stderr,
    scripted::{Reply, Scripted},
};

const LIMITS: [&str; 4] = ["--environments", "1", "--invocations", "2"];

#[test]
fn headers_are_sent_as_given_and_their_values_are_not_stored() {
    let (scratch, target) = (Scratch::new(), Scripted::start(|_, _| Reply::ok("{}")));
    let headers = ["--header", "X-Token=s3cret=1", "--header", "content-type=application/cbor"];
    let repeated = ["--header", "x-many=1", "--header", "x-many=2"];
    assert_code(&run_plain(&scratch, &target, &[LIMITS.as_slice(), &headers, &repeated].concat()), 0);
    for call in target.calls() {
        assert!(call.line.starts_with("POST "), "{}", call.line);
        assert_eq!(
            (&call.headers["x-token"], &call.headers["content-type"]),
            (&"s3cret=1".parse().unwrap(), &"application/cbor".parse().unwrap())
        );
        assert_eq!(call.headers.get_all("x-many").iter().count(), 2);
    }
    for entry in std::fs::read_dir(scratch.0.join("run")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("s3cret"), "{text}");
    }

    // To resume the campaign they are given again.
    let out = scratch.path("run");
    let output = run("", &["--resume", &out]);
    assert_code(&output, 2);
    let message = stderr(&output);
    assert!(message.contains("use --header for content-type, x-many, x-token"), "{message}");
    assert_code(&run("", &[["--resume", &out].as_slice(), &headers, &repeated].concat()), 0);
}

#[test]
fn signed_requests_have_their_headers_under_the_signature() {
    let (scratch, target) = (Scratch::new(), Scripted::start(|_, _| Reply::ok("{}")));
    let (payload, out) = (scratch.file("payload.json", "{}"), scratch.path("run"));
    let arguments =
        ["--targets", &target.url, &target.url, "--payload", &payload, "--out", &out, "--header", "x-stage=blue"];
    assert_code(&run("", &[arguments.as_slice(), &LIMITS].concat()), 0);
    for call in target.calls() {
        let authorization = call.headers["authorization"].to_str().unwrap();
        assert!(authorization.contains("x-stage") && call.headers["x-stage"] == "blue", "{authorization}");
    }
}

#[test]
fn a_method_is_used_and_get_sends_no_payload() {
    for (method, sent, body) in
        [("PUT", "PUT ", r#"{"order": 1}"#), ("get", "GET ", ""), ("DELETE", "DELETE ", r#"{"order": 1}"#)]
    {
        let (scratch, target) = (Scratch::new(), Scripted::start(|_, _| Reply::ok("{}")));
        assert_code(&run_plain(&scratch, &target, &[LIMITS.as_slice(), &["--method", method]].concat()), 0);
        for call in target.calls() {
            assert!(call.line.starts_with(sent) && call.body == body, "{call:?}");
            assert_eq!(call.headers.contains_key("content-type"), !body.is_empty());
        }
    }
}

#[test]
fn invalid_headers_and_methods_are_refused_with_the_fix() {
    let (scratch, target) = (Scratch::new(), Scripted::start(|_, _| Reply::ok("{}")));
    for (arguments, code, part) in [
        (["--header", "x-token"].as_slice(), 2, "NAME=VALUE"),
        (&["--header", "x token=1"], 2, "is not the name of a header"),
        (&["--header", "host=elsewhere"], 2, "is set by the request itself"),
        (&["--method", "GE T"], 2, "a method of HTTP"),
        (&["--method", "CONNECT"], 2, "asks a proxy"),
    ] {
        let output = run_plain(&scratch, &target, arguments);
        assert_code(&output, code);
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    let payload = scratch.file("payload.json", "{}");
    let exec = ["--targets", "exec:/bin/true", "exec:/bin/true", "--payload", &payload];
    for option in [["--header", "x=1"], ["--method", "PUT"]] {
        let output = run("", &[exec.as_slice(), &option].concat());
        assert_code(&output, 2);
        assert!(stderr(&output).contains(&format!("{} is for https://", option[0])), "{}", stderr(&output));
    }
    let arguments =
        ["--targets", &target.url, &target.url, "--payload", &payload, "--header", "Authorization=Bearer x"];
    let output = run("", &arguments);
    assert_code(&output, 2);
    assert!(stderr(&output).contains("use --no-auth with it"), "{}", stderr(&output));
    assert!(target.calls().is_empty());
}
