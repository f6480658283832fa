//! The Runtime API that a process talks to takes and refuses what Lambda's does.

use super::{Scratch, assert_code, call, campaign, duet, function, samples, stderr, stdout};
use serde_json::{Value, json};
use std::fs;

#[test]
fn the_runtime_api_refuses_what_lambdas_refuses() {
    let scratch = Scratch::new();
    let code = r#"
results = {}
def probe(name, method, path, body=None, headers={}):
    status, _, answer = ask(method, path, body, headers)
    results[name] = [status, json.loads(answer or b"{}")]

probe("nowhere", "GET", "invocation/last")
probe("put", "PUT", "invocation/next")
probe("early response", "POST", "invocation/1/response", "{}")
status = raw(b"GET /invocation/next HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").split(b" ")[1]
results["without version"] = [int(status), {}]
first, _, _ = next_event()
probe("next before the answer", "GET", "invocation/next")
probe("foreign response", "POST", "invocation/00000000-0000-4000-8000-000000000000/response", "{}")
probe("foreign error", "POST", "invocation/00000000-0000-4000-8000-000000000000/error", "{}")
probe("init error after the start", "POST", "init/error", "{}")
probe("response", "POST", f"invocation/{first}/response", "{}")
probe("second response", "POST", f"invocation/{first}/response", "{}")
probe("error after the response", "POST", f"invocation/{first}/error", "{}")
second, _, _ = next_event()
results["ids differ"] = [int(first != second), {}]
probe("late response", "POST", f"invocation/{first}/response", "{}")
note("results", json.dumps(results))
ask("POST", f"invocation/{second}/response", "{}")
next_event()
"#;
    let (one, other) = (function(&scratch, "one/bootstrap", code), function(&scratch, "other/bootstrap", code));
    let output = campaign(&scratch, &one, &other, &["--invocations", "4"]).output().unwrap();
    assert_code(&output, 0);
    assert!(samples(&scratch.path("run")).1.iter().all(|row| row.failure.is_none()));
    let results = fs::read_to_string(scratch.path("one/results")).unwrap();
    let results: Value = serde_json::from_str(&results).unwrap();
    for (probe, status, kind) in [
        ("nowhere", 404, "NotFound"),
        ("put", 404, "NotFound"),
        ("early response", 400, "InvalidRequestID"),
        ("next before the answer", 403, "InvalidStateTransition"),
        ("foreign response", 400, "InvalidRequestID"),
        ("foreign error", 400, "InvalidRequestID"),
        ("init error after the start", 403, "InvalidStateTransition"),
        ("second response", 403, "InvalidStateTransition"),
        ("error after the response", 403, "InvalidStateTransition"),
        ("late response", 400, "InvalidRequestID"),
    ] {
        assert_eq!((&results[probe][0], &results[probe][1]["errorType"]), (&json!(status), &json!(kind)), "{probe}");
    }
    assert_eq!(results["response"], json!([202, {"status": "OK"}]));
    assert_eq!((&results["without version"][0], &results["ids differ"][0]), (&json!(404), &json!(1)));
}

/// What a call of a function failed with that answers by itself.
fn refused_answer(code: &str) -> String {
    let scratch = Scratch::new();
    let code = format!("id, _, _ = next_event()\n{code}\nnext_event()\n");
    let output = duet(&["call", &function(&scratch, "bootstrap", &code)]);
    assert_code(&output, 1);
    stderr(&output)
}

#[test]
fn an_answer_that_lambda_would_not_pass_on_is_a_failure() {
    let message = refused_answer("ask('POST', f'invocation/{id}/response', b'\"' + b'x' * 6291556)");
    assert!(message.contains("Function.ResponseSizeTooLarge: Response payload size exceeded maximum"), "{message}");
    let message = refused_answer(
        "host, port = API.split(':')\n\
         connection = socket.create_connection((host, int(port)))\n\
         connection.sendall(f'POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\\r\\nhost: x\\r\\ncontent-length: 9\\r\\n\\r\\n{{'.encode())\n\
         connection.close()",
    );
    assert!(message.contains("Runtime.TruncatedResponse: the response broke off"), "{message}");
    let message = refused_answer(
        "ask('POST', f'invocation/{id}/error', 'words', {'Lambda-Runtime-Function-Error-Type': 'My.Kind'})",
    );
    assert!(message.contains("the function answered with an error, My.Kind: words"), "{message}");
}

/// A streamed answer of two chunks, and what comes after them.
fn streamed(id: &str, trailers: &str) -> String {
    format!(
        "raw(f'POST /2018-06-01/runtime/invocation/{{{id}}}/response HTTP/1.1\\r\\nhost: x\\r\\n\
         lambda-runtime-function-response-mode: streaming\\r\\ntransfer-encoding: chunked\\r\\n\
         trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\\r\\n\\r\\n\
         4\\r\\n[1, \\r\\n2\\r\\n2]\\r\\n0\\r\\n{trailers}\\r\\n'.encode())"
    )
}

#[test]
fn a_streamed_answer_is_one_answer_and_one_that_breaks_off_is_a_failure() {
    let scratch = Scratch::new();
    let whole = format!("while True:\n    id, _, _ = next_event()\n    {}\n", streamed("id", ""));
    assert_eq!(call(&function(&scratch, "whole", &whole), &[]), json!([1, 2]));
    // It may be larger than one that is not streamed.
    let large = "id, _, _ = next_event()\nchunks = (b'1' * (1 << 20) for _ in range(7))\n\
        ask('POST', f'invocation/{id}/response', chunks, {'lambda-runtime-function-response-mode': 'streaming'})\n\
        next_event()\n";
    assert_eq!(stdout(&duet(&["call", &function(&scratch, "large", large), "--json"])).len(), (7 << 20) + 1);
    // {"errorMessage":"half-way","errorType":"Other"}
    let body = "eyJlcnJvck1lc3NhZ2UiOiJoYWxmLXdheSIsImVycm9yVHlwZSI6Ik90aGVyIn0=";
    let trailers =
        format!("Lambda-Runtime-Function-Error-Type: My.Kind\\r\\nLambda-Runtime-Function-Error-Body: {body}\\r\\n");
    let message = refused_answer(&streamed("id", &trailers));
    assert!(message.contains("the function answered with an error, My.Kind: half-way"), "{message}");
}
